"""irqsoff.py - for how long interrupts and preemption are off at most, while the system works.

A build with IRQSOFF=1 measures it, in cycles; under -icount those are instructions, the same on a
busy machine.  The measuring itself is part of every stretch: some 20 instructions.
"""

import os
import re
import subprocess

from vm import ROOT, Machine

ICOUNT = ["-icount", "shift=0,sleep=off"]
IRQS_MAX = 20000
PREEMPT_MAX = 60000  # `stack ID` prints while the thread must not run

# What works the console, the log, memory, threads and devices.
COMMANDS = ["help all", "dmesg", "clear", "lspci -v", "vmmap", "mem", "boot", "cpu", "idt", "date",
            "irq", "pic", "serial", "kbd de", "sym cmd_", "spawn sleep 60", "ps",
            "sleep 0.3", "stack 1", "test thread.thousand", "test timer.crowd", "test mutex.contention",
            "test kmalloc.random", "test vga.memory", "color red", "color default"]
KEYS = ("shift-pgup", "shift-pgdn", "a", "up", "ctrl-u", "tab")


def build(folder):
    """The measuring kernel's image, below @folder."""
    out = os.path.join(folder, "build")
    subprocess.run(["make", "-j2", "IRQSOFF=1", f"BUILD={out}", f"{out}/minos.img"], cwd=ROOT, check=True,
                   stdout=subprocess.DEVNULL, env={k: v for k, v in os.environ.items()
                                                   if k not in ("MAKEFLAGS", "MAKELEVEL", "BUILD")})
    return os.path.join(out, "minos.img")


def worst(text):
    """(interrupts, preemption) off, in cycles, of what the command `irqsoff` printed."""
    found = re.search(r"interrupts off +(\d+) cycles(?s:.*)preemption off +(\d+) cycles", text)
    return int(found[1]), int(found[2])


def measure(vm):
    """[(what was done, interrupts off, preemption off, text of `irqsoff`)], from the boot on."""
    found = []

    def look(what):
        text = vm.command("irqsoff reset")
        found.append((what, *worst(text), text))

    vm.prompt()
    look("boot")  # from the moment they went on
    for command in COMMANDS:
        vm.command(command, timeout=200)
        look(command)
    for key in KEYS:
        vm.keys(key)
    look("keys")
    vm.send("\x15top\r")
    vm.expect("Ctrl-C ends it")
    vm.send("itcq")
    vm.prompt()
    look("top")
    return found


def figure(folder):
    """The line of the report: the longest stretch of all."""
    with Machine(build(folder), extra=ICOUNT) as vm:
        what, irqs, _, text = max(measure(vm), key=lambda row: row[1])
    code = re.findall(r"(?:from|to) +([^\s+]+)", text)[:2]
    return what, irqs, code
