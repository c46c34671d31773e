"""boot.py - minos-boot: from one transition of the boot to the next, and the machine's state there.

Transitions of the processor's mode are labels in the sources (LABELS).  All others are those of the
boot trace: the loader calls trace(), the kernel boot_trace_add(), so that what `boot` shows at the
prompt and where minos-boot stops is one list.  A trace record is stopped at behind the call, where
it was made.
"""

import time

import gdb

from . import bits, disasm, symbols, view
from .cpu import Command, cpu, forget, monitor, number, read_linear

# name, program, label of the first instruction, what has just been done
LABELS = [
    ("stage 1", "stage1", "stage1", "the BIOS has loaded sector 0 and jumped to it"),
    ("stage 2", "stage2", "stage2_entry", "stage 1 has read stage 2, checked it and jumped"),
    ("protected mode", "stage2", "to_protected.in", "CR0.PE is 1, CS was loaded by a far jump"),
    ("paging", "stage2", "long_mode.here", "CR0.PG is 1: long mode is active, the code still 32-bit"),
    ("long mode", "stage2", "long_mode.long", "CS was loaded with a descriptor whose L is 1"),
    ("kernel entry", "kernel", "_start", "the loader has jumped to the ELF's entry point"),
    ("kernel_main", "kernel", "kernel_main", "BSS is clear, the stack is the kernel's: C begins"),
]
NAMES = [row[0] for row in LABELS]
RECORDERS = (("stage2", "trace"), ("kernel", "boot_trace_add"))
LAST = "prompt"
# Recorded a little behind their label, which was the stop.  (The kernel's row "paging" is another
# transition than the loader's.)
LATE = ("protected mode", "kernel_main")


class Progress:
    """How far this machine has come: the last of LABELS that was seen, and the last transition."""

    def __init__(self):
        self.label = None  # index into LABELS, -1 = before the first, None = to be guessed
        self.before = None  # (CR0, CR4, EFER) at the stop before


progress = Progress()


def guess(state):
    """The last of LABELS that a machine in this state must have passed; -1 for none."""
    if state.bits == 64:
        if not state.pc >> 63:
            return NAMES.index("long mode")
        inside = state.pc < symbols.address("kernel", "_start.end")
        return NAMES.index("kernel entry" if inside else "kernel_main")
    if state.paging:
        return NAMES.index("paging")
    if state.bits == 32:
        return NAMES.index("protected mode")
    if symbols.address("stage2", "stage2_entry") <= state.pc < 0x10000:
        return NAMES.index("stage 2")
    return NAMES.index("stage 1") if 0x7C00 <= state.pc < 0x7E00 else -1


def at_reset(state):
    return state.bits == 16 and state.segments["CS"].selector == 0xF000 and state["RIP"] == 0xFFF0


def position():
    state = cpu()
    if at_reset(state):
        progress.label, progress.before = -1, (state["CR0"], state["CR4"], state["EFER"])
        return progress.label
    now, before = guess(state), progress.label
    # It may have been run on by hand, or back in a replay.  In BIOS calls stage 2 is in real mode.
    if before is None or now > before or (state.bits != 16 and now < before) or (
            now >= 0 and before > NAMES.index("protected mode")) or (
            now == NAMES.index("stage 1")):
        progress.label = now
    return progress.label


def stage2_is_loaded():
    """Firmware may use stage 2's memory before."""
    magic = symbols.address("stage2", "stage2_entry") & ~0xFFF
    return read_linear(magic, 4) == b"MOS2"


def at_prompt():
    """Has the kernel made its last record?"""
    if not cpu().pc >> 63:
        return False
    trace = gdb.parse_and_eval("'kernel/boot_trace.c'::trace")
    count = int(gdb.parse_and_eval("'kernel/boot_trace.c'::nr_trace"))
    return count > 0 and trace[count - 1]["name"].string() == LAST


class Stops:
    """Hardware breakpoints (memory is filled only later) that live as long as one command."""

    def __init__(self, addresses):
        self.points = [gdb.Breakpoint(f"*{where:#x}", gdb.BP_HARDWARE_BREAKPOINT, internal=True)
                       for where in sorted(set(addresses))]
        for point in self.points:
            point.silent = True

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for point in self.points:
            point.delete()


def run_to(addresses):
    """Continue until one of the addresses; returns it, or None when something else stopped first."""
    with Stops(addresses):
        output = gdb.execute("continue", to_string=True)
    view.follow()
    where = cpu().pc
    if where in addresses:
        return where
    print(output, end="")
    return None


def argument_name():
    """The name given to trace() or boot_trace_add(), at its first instruction."""
    state = cpu()
    if state.bits == 64:
        where = state["RDI"]
    else:
        where = number(read_linear(state.sp + 4, 4))  # cdecl
    return read_linear(where, 24).split(b"\0")[0].decode("ascii", "replace")


def return_address():
    state = cpu()
    return number(read_linear(state.sp, 8 if state.bits == 64 else 4))


def candidates(label):
    """{address: index into LABELS, or None for a recorder} of what can come next."""
    found = {symbols.address(program, name): None for program, name in RECORDERS}
    if label + 1 < len(LABELS):
        _, program, name, _ = LABELS[label + 1]
        found[symbols.address(program, name)] = label + 1
    if label + 1 < NAMES.index("protected mode") and not stage2_is_loaded():
        del found[symbols.address("stage2", "trace")]
    if label + 1 < NAMES.index("kernel entry"):
        del found[symbols.address("kernel", "boot_trace_add")]
    return found


def advance():
    """Run to the next transition.  Returns (name, what happened), or None when stopped before."""
    while True:
        stops = candidates(position())
        where = run_to(list(stops))
        if where is None:
            return None
        if stops[where] is not None:
            progress.label = stops[where]
            return LABELS[progress.label][0], LABELS[progress.label][3]
        name = argument_name()
        if name in LATE:
            continue
        if run_to([return_address()]) is None:
            return None
        return name, "recorded by " + symbols.describe(where)


def change(before, after, table):
    """The bits that were set and cleared since the stop before."""
    parts = [f"+{name}" for name in bits.names(after & ~before, table).split()]
    parts += [f"-{name}" for name in bits.names(before & ~after, table).split()]
    return f"  ({' '.join(parts)})" if parts else ""


def show(name, what):
    state = cpu()
    now = (state["CR0"], state["CR4"], state["EFER"])
    before = progress.before or now
    place = "  ".join(p for p in (symbols.describe(state.pc), symbols.line(state.pc)) if p)
    print(f"--- {name}: {what}")
    if place:
        print(f"    {place}")
    print(f"    {state.mode}   CS:IP {state.describe_pc()}   SP {state['RSP']:X}   "
          f"A20 {'on' if state['A20'] else 'off'}")
    for label, old, new, table in zip(("CR0", "CR4", "EFER"), before, now,
                                      (bits.CR0, bits.CR4, bits.EFER)):
        print(f"    {label:<4} {new:08x}  {bits.names(new, table)}{change(old, new, table)}".rstrip())
    try:
        disasm.show(state.pc, 1, state.bits, state.pc)
    except gdb.MemoryError:
        print("    (the memory there cannot be read)")
    progress.before = now


def start():
    """A machine was connected to: where does it stand?"""
    progress.__init__()
    position()
    if at_reset(cpu()):
        show("reset", "power-on; the firmware's first instruction, 16 bytes below 4 GiB")


def go(target=None):
    """Run to the next transition, or to the one of this name; shows where the machine then stands."""
    while True:
        found = advance()
        if found is None:
            return False
        if target in (None, found[0]):
            show(*found)
            return True
        if found[0] == LAST:
            raise gdb.GdbError(f"the prompt is reached; there was no transition \"{target}\" on the "
                               "way there (`boot` at the prompt shows all)")


class Reset(Command):
    """Reset the machine and stop it at its first instruction: minos-reset"""

    TRIES = 500  # of 10 ms: QEMU resets when its main loop comes by

    def __init__(self):
        super().__init__("minos-reset", gdb.COMMAND_RUNNING)

    def run(self, words):
        if "instruction count" in monitor("info replay"):
            raise gdb.GdbError("a replay cannot be reset; reverse-continue leads back to its beginning")
        monitor("system_reset")
        for _ in range(self.TRIES):
            forget()
            if at_reset(cpu()):
                break
            time.sleep(0.01)
        else:
            raise gdb.GdbError("QEMU does not reset the machine")
        gdb.execute("maintenance flush register-cache", to_string=True)
        view.follow()
        start()


class Boot(Command):
    """Run to the next transition of the boot: minos-boot [NAME | list]

With NAME, to that one: "stage 1", "stage 2", "protected mode", "A20 on", "paging", "long mode",
"kernel entry", "kernel_main", "prompt", or any name that `boot` shows at the prompt.  Shows label, mode,
CR0, CR4, EFER with what changed since the stop before, and the instruction that runs next.
minos-reset starts again."""

    def __init__(self):
        super().__init__("minos-boot", gdb.COMMAND_RUNNING)

    def complete(self, text, word):
        return [name for name in [*NAMES, "A20 on", LAST, "list"] if name.startswith(text)]

    def run(self, words):
        name = " ".join(words)
        if name == "list":
            for label, program, symbol, what in LABELS:
                print(f"  {label:<16} {symbols.address(program, symbol):16x}  {symbol:<16} {what}")
            print("  ... and each record of the boot trace, by its name, to \"prompt\"")
            return
        if name in NAMES and name != "paging" and position() >= NAMES.index(name):
            raise gdb.GdbError(f"\"{name}\" has passed already; minos-reset starts again")
        if at_prompt():
            raise gdb.GdbError("the prompt is reached, the last transition; minos-reset starts again")
        go(name or None)


def setup():
    Boot()
    Reset()
