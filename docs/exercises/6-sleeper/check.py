#!/usr/bin/env python3
"""check.py - exercise 6: is a wake lost, wherever it comes?

The machine is stopped at every instruction between the shell's decision to wait for a key and the
switch to another thread.  There eight keys arrive at once (so many make the UART interrupt without
delay), and the machine runs on.  When the CPU next halts, nobody may be left with keys unread.
"""

import os
import re
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from checklib import EXACT, expect, main, symbols, vm, wait_until  # noqa: E402
import gdbstub  # noqa: E402  (checklib knows where it is)

KILL_LINE = "\x15"  # Ctrl-U
SERIAL_IRQ = 0x10
STI_HLT = b"\xfb\xf4"
MAX_STEPS = 5000


class Prompt:
    """A machine at its prompt, under the debugger."""

    def __init__(self, machine):
        self.machine = machine
        self.symbol = symbols("minos.elf")
        machine.prompt()
        self.gdb = gdbstub.attach(machine)
        idle = self.symbol["idle"]
        self.halt = idle + self.gdb.memory(idle, 64).index(STI_HLT) + 1
        self.gdb.run_to(self.halt)

    def at_wait(self):
        """Bring the shell to where it has found no key and begins to wait."""
        self.machine.send(KILL_LINE)
        self.gdb.run_to(self.symbol["wait_begin"])

    def path(self):
        """The addresses from there to the switch of threads."""
        self.at_wait()
        addresses = [self.symbol["wait_begin"]]
        while addresses[-1] != self.symbol["context_switch"] and len(addresses) < MAX_STEPS:
            self.gdb.step()
            addresses.append(self.gdb.pc())
        expect(len(addresses) < MAX_STEPS, "a thread that waits leaves the CPU",
               f"it has not after {MAX_STEPS} instructions")
        self.gdb.run_to(self.halt)
        return list(dict.fromkeys(addresses))

    def keys_arrive(self):
        self.machine.send("xxxxxxxx")
        wait_until(lambda: self.irr() & SERIAL_IRQ, "the UART's interrupt", self.machine)

    def irr(self):
        return int(re.search(r"(?m)^pic0: irr=(\w+)", self.machine.hmp("info pic"))[1], 16)

    def unread(self):
        read = [int.from_bytes(self.gdb.memory(self.symbol[name], 4), "little")
                for name in ("input_in", "input_out")]
        return read[0] - read[1]

    def where(self, address):
        """The function that @address lies in."""
        below = [(a, name) for name, a in self.symbol.items() if a <= address]
        start, name = max(below)
        return f"{name}+{address - start}"


def the_cpu_rests():
    """with nothing to do, the CPU halts"""
    with vm.Machine() as m:
        m.prompt()
        wait_until(lambda: "HLT=1" in m.hmp("info registers"), "the CPU halted", m)


def self_tests_pass():
    """the kernel's self-tests of wait queues, semaphores, sleeps and timers pass"""
    with vm.Machine(extra=EXACT) as m:
        m.prompt()
        for group in ("wait", "sem", "work", "sched.never_early", "timer"):
            text = m.command(f"test {group}")
            expect(" 0 failed" in text, f"`test {group}` ends with 0 failed", text.strip())


def no_wake_is_lost():
    """keys that arrive at any instruction of the way to sleep are read before the CPU halts"""
    with vm.Machine() as m:
        prompt = Prompt(m)
        tried, addresses = 0, prompt.path()
        for address in addresses:
            prompt.at_wait()
            if address != prompt.symbol["wait_begin"]:
                prompt.gdb.run_to(address, prompt.halt)
                if prompt.gdb.pc() != address:
                    continue  # a way that is not gone each time: timers decide
            tried += 1
            prompt.keys_arrive()
            prompt.gdb.run_to(prompt.halt)
            unread = prompt.unread()
            expect(unread == 0, "the shell is awake until it has read all keys",
                   f"keys arrived at {prompt.where(address)}; then the CPU halted "
                   f"with {unread} of them unread")
        expect(tried > len(addresses) // 2, "most of the way is gone each time",
               f"only {tried} of {len(addresses)} addresses came again")


if __name__ == "__main__":
    main(the_cpu_rests, self_tests_pass, no_wake_is_lost)
