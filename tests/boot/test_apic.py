"""
test_apic.py - who delivers the interrupts: I/O APICs or the 8259A, on which machine, and that none
is lost.

The parser's nonsense is in tests/host/test_madt.c, the chips' states in tests/kernel/test_irq.c.
"""

import os
import re
import threading

import pytest

import vm as machine

APIC, PIC = "I/O APIC", "8259A"


@pytest.fixture
def start(boot):
    """start(mode, **options): a machine at its prompt, told `noapic` where @mode is the 8259A."""

    def run(mode, **options):
        m = boot(cmdline="console=both noapic" if mode == PIC else None, **options)
        m.prompt()
        return m

    return run


def lines(m):
    """`irq`: {handler: (line, count, controller)}."""
    rows = re.findall(r"(?m)^ *(\d+) +[0-9a-f]{2} +(\d+) +\d+ +(?:yes|no) +(\S.*?)  +(\S.*)$",
                      m.command("irq"))
    return {name: (int(line), int(count), by) for line, count, name, by in rows}


def uses(m, controller):
    """The ISA devices are there, and come by @controller."""
    found = lines(m)
    assert found["serial"][0] == 4 and found["serial"][2].startswith(controller)
    assert found["serial"][1] > 0
    return found


@pytest.mark.parametrize("mode", [APIC, PIC])
@pytest.mark.parametrize("chipset", ["q35", "pc"])
def test_devices_in_both_modes(start, chipset, mode):
    """Serial line, keyboard, timer and RTC: the drivers do not know which chip it is."""
    m = start(mode, machine=chipset)
    before = uses(m, mode)
    assert before["keyboard"][0] == 1 and before["keyboard"][2].startswith(mode)
    m.type("echo typed\n")
    m.expect(rb"\ntyped\r?\n")
    m.prompt()
    assert m.command("sleep 0.1") == "", "a sleep ends"
    after = uses(m, mode)
    assert after["keyboard"][1] >= before["keyboard"][1] + 2 * len("echo typed\n")
    assert after["timer"][1] > before["timer"][1]
    assert re.search(r"20\d\d", m.command("date"))
    pic = m.command("pic")
    assert ("IMR ffff" in pic) == (mode == APIC)
    assert ("noapic on the command line" in m.command("irq")) == (mode == PIC)
    assert ("used as   interrupt controller" in m.command("lapic")) == (mode == APIC)


@pytest.mark.parametrize("mode", [APIC, PIC])
def test_self_tests_in_both_modes(start, mode):
    m = start(mode)
    for group in ("irq", "trap", "clock", "timer"):
        assert "passed, 0 failed" in m.command(f"test {group}", timeout=200)


@pytest.mark.parametrize("options,why", [
    ({"machine": "isapc"}, "no ACPI tables"),
    ({"cpu": "qemu64,-apic"}, "the CPU has no local APIC"),
    ({"machine": "pc", "cpu": "qemu64,-apic"}, "the CPU has no local APIC"),
], ids=["isapc", "q35-no-apic", "pc-no-apic"])
def test_stays_with_the_8259a(start, options, why):
    m = start(None, **options)
    found = uses(m, PIC)
    assert found["timer"][0] == 0
    assert f"interrupts stay with the 8259A: {why}" in m.command("dmesg")
    assert f"The APICs are not used: {why}." in m.command("irq")
    m.type("echo typed\n")
    m.expect(rb"\ntyped\r?\n")
    m.prompt()
    assert f"not used: {why}" in m.command("ioapic")
    assert "passed, 0 failed" in m.command("test irq")


def test_more_processors(start):
    """The others stay where they are; all interrupts come to the first."""
    m = start(APIC, extra=["-smp", "4"])
    uses(m, APIC)
    cpus = m.command("cpus")
    assert len(re.findall(r"(?m)^ +\d+ +\d+ +\d+  waits", cpus)) == 3
    assert len(re.findall(r"(?m)^ +0 +0 +0  runs MinOS", cpus)) == 1
    pins = re.findall(r"(?m)^ +\d+ +\d+  [0-9a-f]{16} .* (\d+) +\S*$", m.command("ioapic"))
    assert len(pins) >= 2 and set(pins) == {"0"}
    registers = m.hmp("info registers -a")
    assert len(re.findall(r"HLT=1", registers)) >= 3


def test_hotpluggable_processors(start):
    m = start(APIC, extra=["-smp", "1,maxcpus=3"])
    cpus = m.command("cpus")
    assert "runs MinOS" in cpus and len(re.findall(r"not there|can be plugged in", cpus)) == 2


def test_routes_are_the_firmwares(start):
    """Line 0 is at pin 2, line 9 (ACPI's) level-triggered: QEMU's own tables say so."""
    m = start(APIC)
    m.command("test irq.register")  # line 13 has been open
    text = m.command("ioapic")
    assert re.search(r"(?m)^ +1 +1  0000000000000021  21 +edge +high +no +0 +keyboard", text)
    assert re.search(r"(?m)^ +4 +4  0000000000000024  24 +edge +high +no +0 +serial", text)
    assert re.search(r"(?m)^ +13 +13  000000000001002d  2d +edge +high +yes", text)
    assert "0 pin 1 edge high" in lines(m)["keyboard"][2]
    assert "IRQ 4, serial" in m.command("idt 0x24")
    assert "spurious, of the local APIC" in m.command("idt 0xff")


def counters(m):
    """(bytes over the serial line, of those lost, bytes from the keyboard)."""
    serial, kbd = m.command("serial"), m.command("kbd")
    received, lost = re.search(r"received +(\d+) bytes, (\d+) lost", serial).groups()
    return int(received), int(lost), int(re.search(r"received +(\d+) bytes", kbd)[1])


@pytest.mark.parametrize("mode", [APIC, PIC])
def test_storm_loses_nothing(start, mode):
    """Lines over COM1 and keys at the same time.  A shift key gives two bytes and types nothing."""
    presses, count = 40, 150
    m = start(mode)
    _, _, keys_before = counters(m)
    presser = threading.Thread(target=m.keys, args=["shift"] * presses, kwargs={"hold_ms": 5})
    presser.start()
    for i in range(count):
        assert m.command(f"echo line-{i}-{'x' * 40}") == f"line-{i}-{'x' * 40}\n"
    presser.join()
    m.sync()
    _, lost, keys_after = counters(m)
    assert lost == 0
    assert keys_after - keys_before == 2 * presses


@pytest.mark.parametrize("mode", [APIC, PIC])
def test_burst_of_input(start, mode):
    """Typed ahead at full speed: every byte arrives, in order."""
    m = start(mode)
    words = [f"echo w{i}e" for i in range(100)]
    m.send("\r".join(words) + "\r")
    for i in range(100):
        m.expect(rf"\nw{i}e\r?\n")
    m.sync()
    assert counters(m)[1] == 0


def test_interrupts_under_the_timer_of_the_chip(start):
    """The tick is the local APIC's where there is one, the 8254's else; `lapic` knows the rate."""
    m = start(APIC)
    rate = re.search(r"timer +initial \d+, current \d+, (\d+)\.\d+ MHz", m.command("lapic"))
    assert 900 <= int(rate[1]) <= 1100, "QEMU's counts nanoseconds"
    assert "local APIC" in lines(m)["timer"][2] or lines(m)["timer"][0] == 0


def test_8254_through_the_io_apic(boot):
    """Without the local APIC's timer the tick is line 0's, which is at pin 2."""
    m = boot(cmdline="console=both nolapictimer")
    m.prompt()
    line, count, by = lines(m)["timer"]
    assert line == 0 and by == "I/O APIC 0 pin 2 edge high"
    m.command("sleep 0.1")
    assert lines(m)["timer"][1] > count
    for group in ("irq", "clock"):
        assert "passed, 0 failed" in m.command(f"test {group}", timeout=200)


def microvm(boot, cmdline, options=""):
    """A machine without a BIOS: QEMU's microvm, started by Multiboot."""
    kernel = os.path.join(machine.BUILD, "minos.stripped")
    m = boot(machine="microvm,rtc=on" + options, media=None, vga="none", debug_exit=False,
             extra=["-kernel", kernel, "-append", cmdline])
    m.prompt()
    return m


def test_microvm(boot):
    """Two I/O APICs, no 8259A's wire until we open it, no NMI in the MADT; all the same."""
    m = microvm(boot, "console=ttyS0")
    uses(m, APIC)
    assert "I/O APIC 1 at" in m.command("ioapic")
    assert "passed, 0 failed" in m.command("test irq")


def test_no_8259a_at_all(boot):
    m = microvm(boot, "console=ttyS0", ",pic=off")
    uses(m, APIC)
    assert "passed, 0 failed" in m.command("test irq")


def test_wrong_firmware_gives_the_lines_back(boot):
    """
    microvm's MADT leaves line 0 at pin 0, where it is not.  If the tick depends on it, the 8259A
    gets the lines back, and all goes on.
    """
    m = microvm(boot, "console=ttyS0 nolapictimer")
    assert "interrupts go back to the 8259A: the timer's" in m.command("dmesg")
    found = uses(m, PIC)
    assert found["timer"][0] == 0 and found["timer"][1] > 0
    assert "the timer's interrupts do not come" in m.command("irq")
    for group in ("irq", "clock"):
        assert "passed, 0 failed" in m.command(f"test {group}", timeout=200)


def test_nmi_reaches_us(start):
    """By LINT1, as the MADT says."""
    m = start(APIC)
    assert re.search(r"LINT1 +00000400  NMI", m.command("lapic"))
    m.qmp("inject-nmi")
    m.expect(r"(?i)NMI|non-maskable")
