"""test_memory_maps.py - memory of every shape: holes, 6 and 64 GiB, two nodes, maps in disorder.

`memtest` at the prompt takes every free frame, writes to it and reads it back.  A machine that is
alive after that - screen, keyboard, serial line, ACPI - had nothing of its own among them.
"""

import re

import pytest

from test_firmware import errs  # noqa: F401  (a fixture)
from test_machines import drain, megabytes


def memtest(m, timeout=300):
    """Every free frame written and read; returns how many MiB those were."""
    text = m.command("memtest", timeout=timeout)
    row = re.search(r"(?m)^([\d,]+) of ([\d,]+) free frames", text)
    assert row and "\n0 differ" in text, text
    taken, free = (int(n.replace(",", "")) for n in row.groups())
    assert taken == free, text
    return taken * 4096 / (1 << 20)


def expect_alive(m):
    """All that reserved memory serves: video memory, the keyboard, ACPI's tables, power off."""
    assert "1 passed, 0 failed" in m.command("test acpi.checksums")
    assert "hello" in m.command("echo hello")
    m.type("clear\n")
    m.type("echo typed-$((2+3))\n")
    m.expect(rb"\ntyped-")
    m.expect_screen(r"(?m)^typed-")
    assert "passed, 0 failed" in m.command("test vmm")
    m.send("poweroff\r")
    assert m.wait_exit() == 0
    assert any(e["event"] == "SHUTDOWN" for e in drain(m))


@pytest.mark.parametrize("mem,least", [("8M", 3), ("128M", 123), ("6G", 6127)])
def test_every_frame_is_ours(boot, mem, least):
    m = boot(mem=mem)
    m.prompt()
    assert memtest(m) > least
    expect_alive(m)


def test_nearly_all_above_4_gib(boot):
    """64 MiB below the hole for devices, the rest above 4 GiB."""
    m = boot(machine="pc,max-ram-below-4g=64M", mem="512M")
    m.prompt()
    ram = re.findall(r"([0-9a-f]{16}) - ([0-9a-f]{16}).*\bRAM\b", m.command("e820"))
    assert sum(int(e, 16) - int(s, 16) for s, e in set(ram) if int(s, 16) >= 1 << 32) == 448 << 20
    assert memtest(m) > 505
    expect_alive(m)


def resident_mib(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as f:
        return int(re.search(r"VmRSS:\s+(\d+)", f.read())[1]) / 1024


def test_64_gib(boot):
    """Sparse on the host: the kernel touches its tables and what it uses, and nothing else."""
    m = boot(machine="q35,memory-backend=m", mem="64G",
             extra=["-object", "memory-backend-ram,id=m,size=64G,reserve=off,prealloc=off"])
    m.prompt(timeout=120)
    assert megabytes(m.command("mem"), "total") > 65530
    assert "passed, 0 failed" in m.command("test pmm", timeout=120)
    assert resident_mib(m.process.pid) < 1024
    expect_alive(m)


def test_two_numa_nodes(boot):
    m = boot(mem="256M", extra=[
        "-smp", "2", "-object", "memory-backend-ram,id=m0,size=128M",
        "-object", "memory-backend-ram,id=m1,size=128M",
        "-numa", "node,cpus=0,memdev=m0", "-numa", "node,cpus=1,memdev=m1"])
    m.prompt()
    assert memtest(m) > 250
    expect_alive(m)


def test_memory_that_the_map_lacks(boot):
    """A DIMM that was plugged in is not in the BIOS's map: it is left alone."""
    m = boot(mem="256M,slots=2,maxmem=1G", extra=[
        "-object", "memory-backend-ram,id=d,size=256M", "-device", "pc-dimm,memdev=d"])
    m.prompt()
    assert 250 < memtest(m) < 256
    expect_alive(m)


def test_map_in_disorder(errs):  # noqa: F811
    """Unsorted, overlapping, partly to be ignored."""
    m = errs("MESSY_E820")
    m.prompt()
    assert "overlapped or was unsorted" in m.command("boot info")
    before = m.memory(0x2000000, 0x100000)  # reserved, and overlapped by RAM
    assert memtest(m) > 10
    assert m.memory(0x2000000, 0x100000) == before
    expect_alive(m)
