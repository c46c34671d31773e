"""log.py - minos-log: the kernel's log ring, read from memory, also where the console is silent."""

import gdb

from .cpu import Command, read_linear
from .threads import kernel_ready

LEVELS = ("err", "warn", "notice", "info", "debug")


def variable(name):
    return gdb.parse_and_eval(f"'kernel/log.c'::{name}")


def records():
    """(seconds, level, text), oldest first, of those whose text was not overwritten."""
    slots, data = variable("slots"), variable("bytes")
    newest, end = int(variable("next_seq")), int(variable("end"))
    count, size = slots.type.range()[1] + 1, data.type.range()[1] + 1
    ring = read_linear(int(data.address), size)
    for seq in range(max(0, newest - count), newest):
        slot = slots[seq % count]
        start, length = int(slot["start"]), int(slot["len"])
        if start + size < end:
            continue
        text = bytes(ring[(start + i) % size] for i in range(length))
        yield int(slot["time_ns"]) / 1e9, int(slot["level"]), text.decode("utf-8", "replace")


class Log(Command):
    """The kernel log (dmesg): minos-log [COUNT]

With COUNT, the last lines of it."""

    def __init__(self):
        super().__init__("minos-log", gdb.COMMAND_STATUS)

    def run(self, words):
        kernel_ready()
        lines = list(records())
        if words:
            if len(words) != 1 or not words[0].isdigit() or words[0] == "0":
                raise gdb.GdbError("usage: minos-log [COUNT]")
            lines = lines[-int(words[0]):]
        for seconds, level, text in lines:
            note = f"{LEVELS[level]}: " if level < 2 else ""
            print(f"[{seconds:12.6f}] {note}{text}")


def setup():
    Log()
