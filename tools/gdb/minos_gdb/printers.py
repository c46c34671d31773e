"""printers.py - the kernel's main structures in a line instead of a page.

`print *t`, `print lock`, `info locals` use them; `print/r` shows the raw structure.
"""

import gdb
import gdb.printing

from . import bits, symbols

LIST_LIMIT = 1000
MEMORY_TYPES = {1: "RAM", 2: "reserved", 3: "ACPI tables", 4: "ACPI NVS", 5: "bad RAM"}


def text(value):
    """A C string's contents, or what stands in for it."""
    try:
        if value.type.strip_typedefs().code == gdb.TYPE_CODE_PTR and int(value) == 0:
            return "NULL"
        return value.string()
    except (gdb.error, UnicodeDecodeError):
        return f"<cannot be read at {int(value):#x}>"


def list_length(head):
    """Nodes of a struct list, or None when the ring does not close."""
    start, node = int(head.address), head["next"]
    for count in range(LIST_LIMIT):
        if int(node) == start:
            return count
        if int(node) == 0:
            return None
        node = node.dereference()["next"]
    return None


class Printer:
    def __init__(self, value):
        self.value = value


class List(Printer):
    def to_string(self):
        if self.value.address is None:
            return f"list {{next = {int(self.value['next']):#x}, prev = {int(self.value['prev']):#x}}}"
        count = list_length(self.value)
        if count is None:
            return f"list, DAMAGED: next = {int(self.value['next']):#x}"
        return "list, empty or unlinked" if count == 0 else f"list, {count} linked"


class Spinlock(Printer):
    def to_string(self):
        state = "free"
        tickets = self.value["tickets"]
        if int(tickets["next"]) != int(tickets["serving"]):
            owner = int(self.value["owner_rip"])
            state = f"LOCKED at {symbols.describe(owner) or hex(owner)}"
        return f"spinlock \"{text(self.value['name'])}\", {state}"


def thread_name(pointer):
    """The name of the thread that @pointer, or a number, leads to."""
    thread = gdb.Value(int(pointer)).cast(gdb.lookup_type("struct thread").pointer())
    return text(thread.dereference()["name"])


class Mutex(Printer):
    def to_string(self):
        owner = int(self.value["owner"]) & ~1  # bit 0: somebody waits
        state = f"held by \"{thread_name(owner)}\"" if owner else "free"
        waiting = list_length(self.value["queue"]["waiters"])
        return f"mutex \"{text(self.value['name'])}\", {state}, {waiting} waiting"


class Rwlock(Printer):
    def to_string(self):
        readers = int(self.value["state"]) & 0x3FFFFFFF
        state = f"{readers} reading" if readers else "free"
        if int(self.value["writer"]):
            state = f"written by \"{thread_name(self.value['writer'])}\""
        waiting = " and ".join(f"{list_length(self.value[who])} {who}"
                               for who in ("readers", "writers"))
        return f"rwlock \"{text(self.value['name'])}\", {state}, {waiting} waiting"


class Counter(Printer):
    """A semaphore or a completion."""

    def to_string(self):
        kind = self.value.type.strip_typedefs().tag
        count = int(self.value["done" if kind == "completion" else "count"])
        waiting = list_length(self.value["queue"]["waiters"])
        return f"{kind}, {'all' if count == 0xFFFFFFFF else count}, {waiting} waiting"


class WaitQueue(Printer):
    def to_string(self):
        waiting = list_length(self.value["waiters"])
        return "wait queue, DAMAGED" if waiting is None else f"wait queue, {waiting} waiting"


class Timer(Printer):
    def to_string(self):
        name = symbols.describe(int(self.value["fn"])) or "nothing"
        node, period = self.value["node"], int(self.value["period_ns"])
        state = f"armed for {int(node['key']) / 1e9:.6f} s" if int(node["prev"]) else "not armed"
        again = f", then every {period / 1e9:.6f} s" if int(node["prev"]) and period else ""
        return f"timer, {state}{again}, runs {name}"


class BootMem(Printer):
    def to_string(self):
        start, size = int(self.value["start"]), int(self.value["size"])
        kind = int(self.value["type"])
        attributes = int(self.value["attr"])
        return (f"[{start:#x}, {start + size:#x}) {MEMORY_TYPES.get(kind, f'type {kind}')}"
                + (f", attributes {attributes:#x}" if attributes != 1 else ""))


class TraceEntry(Printer):
    def to_string(self):
        v = self.value
        return (f"\"{text(v['name'])}\" {int(v['bits'])}-bit {int(v['cs']):x}:{int(v['ip']):x} "
                f"sp {int(v['sp']):x} cr0 {int(v['cr0']):08x} [{bits.names(int(v['cr0']), bits.CR0)}] "
                f"cr3 {int(v['cr3']):x} cr4 {int(v['cr4']):x} efer {int(v['efer']):x} "
                f"tsc {int(v['tsc'])}")


class Trapframe(Printer):
    def to_string(self):
        v = self.value
        rip = int(v["rip"])
        return (f"trap frame, vector {int(v['vector']):#x}, error {int(v['error']):#x}, "
                f"{int(v['cs']):x}:{rip:x} {symbols.describe(rip)}; minos-frame decodes it")


def free_objects(slab):
    """Objects that a struct slab has to give, from its map."""
    return sum(bin(int(slab["free"][i])).count("1") for i in range(slab["free"].type.range()[1] + 1))


class Slab(Printer):
    def to_string(self):
        v = self.value
        if int(v["magic"]) != 0x62616c73:
            return "slab, DAMAGED magic"
        state = ("active", "partial", "full", "empty")[int(v["state"]) & 3]
        return (f"slab of \"{text(v['cache'].dereference()['name'])}\", {state}, "
                f"{free_objects(v)} free")


class SlabCache(Printer):
    def to_string(self):
        v = self.value
        return (f"slab cache \"{text(v['name'])}\": objects of {int(v['size'])} bytes, "
                f"{int(v['nr_slabs'])} slabs of {int(v['per_slab'])}: "
                f"{1 if int(v['active']) else 0} active, {list_length(v['partial'])} partial, "
                f"{list_length(v['full'])} full, {int(v['nr_empty'])} empty")


class Thread(Printer):
    """The line first, then every field but the list nodes."""

    def to_string(self):
        v = self.value
        state = str(v["state"]).replace("THREAD_", "").lower()
        return f"thread {int(v['id'])} \"{text(v['name'])}\", {state}"

    def children(self):
        hidden = ("id", "name", "state")
        for field in self.value.type.fields():
            if field.name not in hidden and not field.name.endswith("_node"):
                yield field.name, self.value[field.name]


PRINTERS = {"list": List, "spinlock": Spinlock, "mutex": Mutex, "rwlock": Rwlock,
            "semaphore": Counter, "completion": Counter, "wait_queue": WaitQueue,
            "timer": Timer, "boot_mem": BootMem, "boot_trace_entry": TraceEntry,
            "trapframe": Trapframe, "slab": Slab, "slab_cache": SlabCache, "thread": Thread}


class Collection(gdb.printing.PrettyPrinter):
    def __init__(self):
        super().__init__("minos", [gdb.printing.SubPrettyPrinter(name) for name in PRINTERS])

    def __call__(self, value):
        kind = value.type.strip_typedefs()
        if kind.code != gdb.TYPE_CODE_STRUCT or kind.tag not in PRINTERS:
            return None
        return PRINTERS[kind.tag](value)


def setup():
    gdb.printing.register_pretty_printer(None, Collection(), replace=True)
