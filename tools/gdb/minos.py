"""minos.py - what gdb needs to follow MinOS from reset to the prompt.

    gdb -x tools/gdb/minos.py		(`make debug` does that, and starts the machine)

Loads the symbols of stage 1, stage 2 and the kernel, shows 16-bit, 32-bit and 64-bit code each as
what it is, and brings the commands minos-*; `minos` lists them.  docs/debugging.md shows a session.
The build folder is $BUILD, or build/ in the tree.  Needs gdb 12 or later, with Python.
"""

import os
import sys

import gdb

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from minos_gdb import (boot, disasm, frame, log, paging, printers, regs, symbols,  # noqa: E402
                       threads, unwind, view)

COMMANDS = ("minos-boot", "minos-reset", "minos-x", "minos-regs", "minos-pt", "minos-frame",
            "minos-threads", "minos-log", "minos-attach")


class Minos(gdb.Command):
    """MinOS: the commands minos-*, one line each."""

    def __init__(self):
        super().__init__("minos", gdb.COMMAND_SUPPORT)

    def invoke(self, argument, from_tty):
        for command in COMMANDS:
            text = gdb.execute(f"help {command}", to_string=True)
            first = next(line for line in text.splitlines() if ":" in line)
            print(f"  {command:<14} {first}")


class Attach(gdb.Command):
    """Connect to a machine: minos-attach ADDRESS (as for `target remote`)

And fit the view to the mode its processor is in."""

    def __init__(self):
        super().__init__("minos-attach", gdb.COMMAND_RUNNING, gdb.COMPLETE_FILENAME)

    def invoke(self, argument, from_tty):
        if not argument.strip():
            raise gdb.GdbError("usage: minos-attach SOCKET or HOST:PORT")
        gdb.execute(f"target remote {argument}", to_string=True)
        view.follow()
        boot.start()


def main():
    confirm = gdb.parameter("confirm")
    gdb.execute("set confirm off")
    view.setup()
    for part in (boot, disasm, frame, log, paging, printers, regs, threads, unwind):
        part.setup()
    Minos()
    Attach()
    try:
        symbols.load()
    except (gdb.GdbError, gdb.error) as problem:
        print(f"minos: {problem}")
    gdb.execute(f"set confirm {'on' if confirm else 'off'}")


main()
