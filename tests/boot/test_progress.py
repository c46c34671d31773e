"""test_progress.py - the last line on the screen names the step, from the first sector on.

The machine is stopped where a real one could hang: at each call of the BIOS that the loader makes,
and at the transitions between the parts.  What the screen shows there is what somebody would see.
"""

import functools
import os
import re
import subprocess

import pytest

import vm as machine
from gdbstub import GdbStub, options

# (interrupt, AH or AX) of a BIOS call -> how the screen's last line begins then.
CALLS = {
    (0x15, 0xE820): r"memory ?$",
    (0x12, None): r"memory ?$",
    (0x13, 0x41): r"disk 80h ?$",
    (0x13, 0x48): r"disk 80h ?$",
    (0x13, 0x42): r"(volume|config MINOS\.CFG|kernel MINOS\.ELF|initrd INITRD\.TAR) ?$",
    (0x15, 0xEC00): r"jump to ffffffff8[0-9a-f]+h$",
}


@functools.cache
def symbol(name, elf="stage2.elf"):
    table = subprocess.run(["nm", os.path.join(machine.BUILD, elf)], check=True,
                           stdout=subprocess.PIPE).stdout.decode()
    return int(re.search(rf"(?m)^([0-9a-f]+) \w {re.escape(name)}$", table)[1], 16)


def last_line(m):
    return next((line for line in reversed(m.screen()) if line), "")


@pytest.fixture
def stopped(boot, tmp_path):
    """A machine at reset with a debugger: (machine, stub)."""
    socket = tmp_path / "gdb"
    m = boot(paused=True, extra=options(socket))
    with GdbStub(socket) as stub:
        yield m, stub
        stub.leave()


def register(m, name):
    return int(re.search(rf"\b{name}=([0-9a-f]+)", m.hmp("info registers"))[1], 16)


def bios_call(m):
    """At the first instruction of bios_int(): its number and what is called."""
    stack = m.memory(register(m, "ESP"), 12)
    number = stack[4]
    regs = m.memory(int.from_bytes(stack[8:12], "little"), 32)
    ax = int.from_bytes(regs[28:30], "little")
    return number, {0x12: None, 0x13: ax >> 8}.get(number, ax)


def test_boot_sector(stopped):
    m, stub = stopped
    stub.run_to(0x7C00)
    before = last_line(m)
    stub.run_to(symbol("int13", "stage1.elf"))
    assert last_line(m) != before and last_line(m) == "1", m.report("at the first disk read")
    stub.run_to(symbol("stage2_main"))
    assert last_line(m) == "1"
    stub.run_to(symbol("cpu_check"))
    assert last_line(m).startswith("MinOS stage 2, copy A")


def test_every_bios_call_of_the_loader(stopped):
    m, stub = stopped
    seen = {}
    stub.run_to(symbol("stage2_main"))
    while (0x15, 0xEC00) not in seen:
        stub.run_to(symbol("bios_int"))
        call, line = bios_call(m), last_line(m)
        assert call in CALLS, f"int {call[0]:x}h, {call[1]}: what may the screen say?"
        assert re.match(CALLS[call], line), m.report(f"int {call[0]:x}h {call[1]}: {line!r}")
        seen.setdefault(call, set()).add(line.split()[0])
        stub.run_to(symbol("bios_int.back"))
    assert {"volume", "kernel", "initrd"} <= seen[0x13, 0x42], seen


def test_into_the_kernel(stopped):
    m, stub = stopped
    stub.run_to(symbol("_start", "minos.elf"))
    assert last_line(m).startswith("jump to ")
    stub.run_to(symbol("kernel_main", "minos.elf"))
    assert last_line(m) == "kernel"
    stub.run_to(symbol("apply_cmdline", "minos.elf"))
    assert re.match(r"\[.*\] init: console +ok$", last_line(m))
    stub.run_to(symbol("vmm_init", "minos.elf"))
    assert re.match(r"\[.*\] init: frames +ok$", last_line(m))
    assert not [line for line in m.screen() if line == "kernel"], "the console writes over it"


def test_the_documents_know_every_step():
    """docs/hardware.md: the loader's steps and the rows of kernel/main.c, in their order."""
    with open(os.path.join(machine.ROOT, "docs", "hardware.md"), encoding="utf-8") as f:
        text = f.read()
    with open(os.path.join(machine.ROOT, "kernel", "main.c"), encoding="utf-8") as f:
        rows = re.findall(r'(?m)^\t\{ "(\w+)",', f.read())
    parts = text.split("| part | what it touches |")[1].split("\n\n")[0]
    assert re.findall(r"(?m)^\| (\w+) \|", parts) == rows
    lines = text.split("| last line |")[1].split("\n\n")[0]
    steps = re.findall(r"(?m)^\| `(\w+)[^|]*` ", lines)
    order = ["1", "1", "1", "MinOS", "cpu", "a20", "memory", "disk", "volume", "config", "menu",
             "kernel", "initrd", "jump", "kernel", "init"]
    assert steps == order


def test_without_a_screen(boot):
    """The marks go to memory that is not there; the serial line has the same steps."""
    m = boot(vga="none")
    m.prompt()
    steps = re.findall(r"(?m)^(MinOS stage 2|cpu|a20|memory|disk|volume|config|kernel|initrd|jump)[ ,]",
                       m.serial_text())
    assert steps == ["MinOS stage 2", "cpu", "a20", "memory", "disk", "volume", "config", "kernel",
                     "initrd", "jump"]


def test_failing_step_without_a_bios_call(boot):
    """A step without a BIOS call: the message of one that fails stands below its name."""
    m = boot(cpu="qemu32", machine="pc")
    m.expect(r"\ncpu \r?\nMinOS cannot start: ")
