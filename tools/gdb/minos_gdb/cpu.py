"""cpu.py - the processor as it stands: registers, hidden parts of segments, memory, its mode.

gdb's own register names depend on the view (view.py) and leave out what makes a segment, so the
state is read from QEMU's monitor; it is the same under TCG and KVM.  Memory is read by packets of
our own, past gdb's caches and whatever width it takes addresses for.
"""

import re

import gdb

SEGMENTS = ("CS", "SS", "DS", "ES", "FS", "GS", "LDT", "TR")
CHUNK = 1024  # bytes: QEMU's packets hold 4096 characters
CR0_PE, CR0_PG = 1 << 0, 1 << 31
EFER_LMA = 1 << 10
RFLAGS_VM = 1 << 17


class Command(gdb.Command):
    """A command of ours: run() is given the words, and may meet memory that cannot be read."""

    def run(self, words):
        raise NotImplementedError

    def invoke(self, argument, from_tty):
        forget()  # `monitor system_reset`, for one, tells nobody
        try:
            self.run(gdb.string_to_argv(argument))
        except gdb.MemoryError as problem:
            raise gdb.GdbError(f"{problem}: nothing is mapped there now") from None
        except gdb.error as problem:  # an expression that gdb does not understand, for one
            raise gdb.GdbError(str(problem)) from None


class Segment:
    """A segment register with the descriptor that the CPU keeps of it."""

    def __init__(self, selector, base, limit, flags):
        self.selector, self.base, self.limit, self.flags = selector, base, limit, flags

    @property
    def long(self):
        return bool(self.flags >> 21 & 1)

    @property
    def big(self):
        return bool(self.flags >> 22 & 1)


class Cpu:
    """A snapshot, from the text of `info registers`."""

    def __init__(self, text):
        self.values = {name: int(value, 16) for name, value in
                       re.findall(r"\b([A-Z][A-Z0-9]{1,4})\s*=([0-9a-f]+)\b", text)}
        for long, short in [("R" + n, "E" + n) for n in "AX BX CX DX SI DI BP SP IP FL".split()]:
            self.values.setdefault(long, self.values.get(short, 0))
        self.segments = {}
        for name in SEGMENTS:
            match = re.search(rf"^{name}\s*=([0-9a-f]+) ([0-9a-f]+) ([0-9a-f]+) ([0-9a-f]+)", text,
                              re.M)
            if match is None:
                raise gdb.GdbError("QEMU's `info registers` has no line for " + name)
            self.segments[name] = Segment(*(int(value, 16) for value in match.groups()))
        self.tables = {}
        for name in ("GDT", "IDT"):
            base, limit = re.search(rf"^{name}=\s*([0-9a-f]+) ([0-9a-f]+)", text, re.M).groups()
            self.tables[name] = int(base, 16), int(limit, 16)

    def __getitem__(self, name):
        return self.values[name]

    @property
    def paging(self):
        return bool(self["CR0"] & CR0_PG)

    @property
    def bits(self):
        """16, 32 or 64: how the CPU takes the code at CS:IP."""
        if not self["CR0"] & CR0_PE or self["RFL"] & RFLAGS_VM:
            return 16
        if self["EFER"] & EFER_LMA and self.segments["CS"].long:
            return 64
        return 32 if self.segments["CS"].big else 16

    @property
    def mode(self):
        """The manual's name for it."""
        if not self["CR0"] & CR0_PE:
            return "real mode"
        if self["EFER"] & EFER_LMA:
            return "64-bit mode" if self.bits == 64 else f"compatibility mode, {self.bits}-bit"
        return f"protected mode, {self.bits}-bit"

    @property
    def pc(self):
        """The linear address of the instruction that runs next."""
        return self.linear("CS", self["RIP"])

    @property
    def sp(self):
        return self.linear("SS", self["RSP"] if self.bits != 16 else self["RSP"] & 0xFFFF)

    def linear(self, segment, offset):
        if self.bits == 64:
            return offset
        return self.segments[segment].base + offset & 0xFFFFFFFF

    def describe_pc(self):
        width = {16: 4, 32: 8, 64: 16}[self.bits]
        return f"{self.segments['CS'].selector:04X}:{self['RIP']:0{width}X}"


def monitor(command):
    """The answer of QEMU's monitor."""
    if gdb.selected_inferior().connection is None:
        raise gdb.GdbError("no machine: `make debug` starts one, or `target remote`")
    return gdb.execute("monitor " + command, to_string=True)


_state = None


def forget(*_):
    """The machine has run, or a register was written."""
    global _state
    _state = None


def cpu():
    global _state
    if _state is None:
        _state = Cpu(monitor("info registers"))
    return _state


def send(packet):
    """One packet of the remote protocol to QEMU; its answer."""
    return gdb.selected_inferior().connection.send_packet(packet)


def _read(address, size):
    data = b""
    while len(data) < size:
        part = min(CHUNK, size - len(data))
        answer = send(f"m{address + len(data):x},{part:x}")
        if answer.startswith(b"E") or not answer:
            raise gdb.MemoryError(f"cannot read {part} bytes at {address + len(data):#x}")
        data += bytes.fromhex(answer.decode())
    return data


def read_linear(address, size):
    """Memory as the CPU's page tables show it now; gdb.MemoryError where they show none."""
    return _read(address, size)


def read_physical(address, size):
    if send("Qqemu.PhyMemMode:1") != b"OK":
        raise gdb.GdbError("this QEMU cannot read physical memory through gdb (5.1 and later can)")
    try:
        return _read(address, size)
    finally:
        send("Qqemu.PhyMemMode:0")


def number(data):
    return int.from_bytes(data, "little")


gdb.events.cont.connect(forget)
gdb.events.stop.connect(forget)
gdb.events.register_changed.connect(forget)
