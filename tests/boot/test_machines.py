"""
test_machines.py - the machines it runs on: memory sizes, chipsets, processors, missing parts.

Media, isapc and the rest of the product are in matrix.py.
"""

import re
import time

import pytest

import vm as machine


def megabytes(text, word):
    """A line of the `mem` command, which counts frames, in MiB."""
    match = re.search(rf"(?m)^\s*{word}\s+([\d,]+)", text)
    assert match, text
    return int(match[1].replace(",", "")) * 4096 / (1 << 20)


@pytest.mark.parametrize("mem", ["8M", "64M", "512M", "5G"])
def test_memory_sizes(boot, mem):
    m = boot(mem=mem)
    m.prompt()
    total = megabytes(m.command("mem"), "total")
    size = int(mem[:-1]) * (1024 if mem.endswith("G") else 1)
    assert size * 0.9 - 1 <= total <= size, "memory is counted as it is"
    assert "hello" in m.command("echo hello")


def test_prompt_needs_less_than_4_mib(boot):
    m = boot(mem="8M")
    m.prompt()
    assert megabytes(m.command("mem"), "used") < 4


def test_memory_above_4_gib_is_used(boot):
    m = boot(mem="5G")
    m.prompt()
    ram = re.findall(r"([0-9a-f]{16}) - ([0-9a-f]{16}).*\bRAM\b", m.command("e820"))
    assert any(int(end, 16) > 1 << 32 for _, end in ram)
    assert re.search(r"highest address\s+0x1[0-9a-f]{8}\b", m.command("mem"))


def test_memory_hole_placed_low(boot):
    m = boot(machine="pc,max-ram-below-4g=64M", mem="512M")
    m.prompt()
    assert megabytes(m.command("mem"), "total") > 440


@pytest.mark.parametrize("chipset", ["pc", "q35"])
@pytest.mark.parametrize("cpu", ["qemu64", "max"])
def test_chipset_and_processor(boot, chipset, cpu):
    m = boot(machine=chipset, cpu=cpu)
    m.prompt()
    assert "MinOS" in m.command("uname -a")
    assert "passed, 0 failed" in m.command("test lib")


@pytest.mark.parametrize("chipset", ["pc", "q35"])
def test_poweroff(boot, chipset):
    m = boot(machine=chipset)
    m.prompt()
    m.send("poweroff\r")
    assert m.wait_exit() == 0
    assert any(e["event"] == "SHUTDOWN" for e in drain(m)), "by the chipset, not by a signal"


def drain(m):
    """The events that QEMU sent before it ended."""
    try:
        while True:
            answer = m._qmp_read()
            if "event" in answer:
                m.events.append(answer)
    except (OSError, ValueError):
        return m.events


@pytest.mark.parametrize("chipset", ["pc", "q35"])
def test_reboot(boot, chipset):
    m = boot(machine=chipset, reboot=True)
    m.prompt()
    m.send("reboot\r")
    m.wait_event("RESET")
    m.prompt()  # and it comes up again
    assert "hello" in m.command("echo hello")


def test_no_screen(boot):
    m = boot(vga="none")
    m.prompt()
    assert "hello" in m.command("echo hello")
    m.type("echo typed blind\n")  # the keyboard works all the same
    m.expect(rb"\ntyped blind\r?\n")


def test_no_serial_line(boot):
    m = boot(serial=False)
    m.expect_screen(r"(?m)^minOS>$")
    m.type("echo hello\n")
    m.expect_screen(r"(?m)^hello$")


def test_two_disks_booting_from_the_second(boot, tmp_path):
    """An empty disk on the first channel; the firmware is told to boot from the other one."""
    empty = tmp_path / "empty.img"
    empty.write_bytes(bytes(1 << 20))
    m = boot(machine="pc", media=None, extra=[
        "-drive", f"file={empty},format=raw,if=none,id=e",
        "-device", "ide-hd,drive=e,bus=ide.0,bootindex=2",
        "-drive", f"file={machine.IMAGE},format=raw,if=none,id=m,snapshot=on",
        "-device", "ide-hd,drive=m,bus=ide.1,bootindex=1"])
    m.prompt()


def test_idle_machine_halts(boot):
    """A waiting prompt must not burn the host's CPU: the idle thread executes HLT."""
    m = boot()
    m.prompt()
    time.sleep(1)
    before = cpu_seconds(m.process.pid)
    time.sleep(2)
    assert cpu_seconds(m.process.pid) - before < 1.0


def cpu_seconds(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii") as f:
        fields = f.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / 100


def test_wall_clock(boot):
    m = boot(extra=["-rtc", "base=2027-03-14T15:09:26"])
    m.prompt()
    assert re.search(r"2027.*15:(09|10)|15:(09|10).*2027", m.command("date"))


@pytest.mark.parametrize("cpus", ["2"])
def test_more_processors_than_we_use(boot, cpus):
    m = boot(extra=["-smp", cpus])
    m.prompt()


@pytest.mark.parametrize("cpu,screen", [("max", "WC"), ("max,-pat", "UC-"),
                                        ("max,-pat,-pge,-pdpe1gb", "UC-"), ("qemu64,-nx", "WC")])
def test_page_tables_of_lesser_cpus(boot, cpu, screen):
    """Cache types without PAT; no global pages, no 1 GiB pages, no NX."""
    m = boot(cpu=cpu)
    m.prompt()
    assert f"cache type {screen} (" in m.command("vmmap 0xffffffff800b8000")
    for group in ("tlb", "vmm"):
        assert ", 0 failed" in m.command(f"test {group}")
