"""
replay.py - what gdb needs to go forward and back in a recorded machine.

Loaded by tools/rr.py behind minos.py, when gdb is connected to QEMU, which stands before the first
instruction of the recording; $replay_end is how many there are.

QEMU goes back by loading an earlier snapshot and going forward again.  Breakpoints and watchpoints
must be hardware ones (hbreak, watch): a software breakpoint is written into memory, and the
snapshots do not have it.
"""

import re

import gdb

from minos_gdb.cpu import Command

SETTINGS = ("breakpoint auto-hw on", "can-use-hw-watchpoints 1")


def icount():
    """Instructions executed since reset."""
    text = gdb.execute("monitor info replay", to_string=True)
    found = re.search(r"instruction count = (\d+)", text)
    if not found:
        raise gdb.GdbError(f"QEMU does not say where the replay is: {text.strip()}")
    return int(found.group(1))


class StopAtEnd(gdb.Command):
    """
    stop-at-end: before each command that goes forward, let it stop at the recording's last instruction.
    Behind the end of its log QEMU loads no snapshot any more, and there would be no way back.
    """

    def __init__(self):
        super().__init__("stop-at-end", gdb.COMMAND_RUNNING)

    def invoke(self, argument, from_tty):
        if "Reverse" in gdb.execute("show exec-direction", to_string=True):
            return  # reverse-stepi and its kin run the forward commands
        end = int(gdb.parse_and_eval("$replay_end"))
        if icount() >= end:
            raise gdb.GdbError("This is the end of the recording; reverse-continue leads back.")
        gdb.execute(f"monitor replay_break {end}")


class Icount(Command):
    """How many instructions were executed since reset."""

    def __init__(self):
        super().__init__("icount", gdb.COMMAND_STATUS)

    def run(self, words):
        print(icount())


class LastWrite(Command):
    """
    lastwrite EXPRESSION: back to the instruction that last wrote to it.
    Shows the value before and after, the instruction and who called.  The expression is evaluated
    here once; it must be something that has an address.
    """

    def __init__(self):
        super().__init__("lastwrite", gdb.COMMAND_RUNNING, gdb.COMPLETE_EXPRESSION)

    def run(self, words):
        if not words:
            raise gdb.GdbError("usage: lastwrite EXPRESSION")
        argument = " ".join(words)
        what = gdb.parse_and_eval(argument)
        if what.address is None:
            raise gdb.GdbError(f"{argument} has no address")
        place = f"*({what.type} *){int(what.address):#x}"
        others = [point for point in gdb.breakpoints() if point.enabled]
        for point in others:
            point.enabled = False  # only the write shall stop it
        watch = gdb.Breakpoint(place, gdb.BP_WATCHPOINT, gdb.WP_WRITE, True)
        watch.silent = True
        try:
            gdb.execute("reverse-continue", to_string=True)
        finally:
            watch.delete()
            for point in others:
                point.enabled = True
        if icount() == 0:
            raise gdb.GdbError(f"nothing wrote to {argument} before: this is the first instruction")
        after = gdb.parse_and_eval(place)
        after.fetch_lazy()
        gdb.execute("reverse-stepi", to_string=True)
        before = gdb.parse_and_eval(place)
        print(f"{argument} at {int(what.address):#x}: {before} became {after} by")
        gdb.execute("x/i $pc")
        gdb.execute("backtrace 4")


for setting in SETTINGS:
    gdb.execute(f"set {setting}")
StopAtEnd()
for command in ("continue", "step", "next", "stepi", "nexti", "finish", "until", "advance"):
    gdb.execute(f"define hook-{command}\nstop-at-end\nend")
Icount()
LastWrite()
