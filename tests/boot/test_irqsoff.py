"""test_irqsoff.py - interrupts and preemption are off only for short: a build with IRQSOFF=1 measures it.

Cycles are instructions under -icount, so the bounds hold on a busy machine, too.  The measuring
itself is part of every stretch: some 20 instructions.
"""

import os
import re
import subprocess

import pytest

from vm import ROOT, Machine

ICOUNT = ["-icount", "shift=0,sleep=off"]
IRQS_MAX = 20000
PREEMPT_MAX = 60000  # `stack ID` prints while the thread must not run

# What works the console, the log, memory, threads and devices.
COMMANDS = ["help all", "dmesg", "clear", "lspci -v", "vmmap", "mem", "boot", "cpu", "idt", "date",
            "irq", "pic", "serial", "kbd de", "sym cmd_", "spawn sleep 60", "ps",
            "sleep 0.3", "stack 1", "test thread.thousand", "test mutex.contention",
            "test kmalloc.random", "test vga.memory", "color red", "color default"]


@pytest.fixture(scope="module")
def image(tmp_path_factory):
    folder = str(tmp_path_factory.mktemp("irqsoff"))
    build = os.path.join(folder, "build")
    subprocess.run(["make", "-j2", "IRQSOFF=1", f"BUILD={build}", f"{build}/minos.img"], cwd=ROOT, check=True,
                   stdout=subprocess.DEVNULL, env={k: v for k, v in os.environ.items()
                                                   if k not in ("MAKEFLAGS", "MAKELEVEL", "BUILD")})
    return os.path.join(build, "minos.img")


def worst(text):
    found = re.search(r"interrupts off +(\d+) cycles(?s:.*)preemption off +(\d+) cycles", text)
    return int(found[1]), int(found[2])


def test_interrupts_are_off_only_for_short(image):
    too_long = []
    with Machine(image, extra=ICOUNT) as vm:
        vm.prompt()
        for command in ["echo", *COMMANDS]:  # first: the boot, from the moment they went on
            vm.command(command, timeout=200)
            text = vm.command("irqsoff reset")
            irqs, preempt = worst(text)
            assert irqs > 100, "it measures"
            if irqs > IRQS_MAX or preempt > PREEMPT_MAX:
                too_long.append((command, text))
        for keys in (("shift-pgup", "shift-pgdn"), ("a", "up", "ctrl-u", "tab")):
            for key in keys:
                vm.keys(key)
        vm.send("\x15top\r")
        vm.expect("Ctrl-C ends it")
        vm.send("itcq")
        vm.prompt()
        text = vm.command("irqsoff reset")
        if worst(text)[0] > IRQS_MAX:
            too_long.append(("keys", text))
        assert "irqs_off_max" in vm.command("bench", timeout=200)
    assert not too_long


def test_a_normal_kernel_does_not_measure():
    with Machine() as vm:
        vm.prompt()
        assert "IRQSOFF=1" in vm.command("irqsoff")
        assert "irqs_off_max" not in vm.command("bench", timeout=200)
