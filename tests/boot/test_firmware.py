"""test_firmware.py - firmware that errs: an option ROM (firmware.asm) makes the BIOS misbehave."""

import re

import pytest

from firmware import build_rom
from test_loader import says


@pytest.fixture
def errs(boot, tmp_path):
    """errs("NO_EDD", "TRASH", ...): a Machine whose BIOS does so."""

    def start(*flags, **options):
        rom = build_rom(str(tmp_path / "rom.bin"), flags)
        options["extra"] = [*options.get("extra", []), "-option-rom", rom]
        options.setdefault("machine", "pc")
        return boot(**options)

    return start


@pytest.mark.parametrize("flags", [
    ["NO_EDD"], ["NO_48"], ["ZERO_48"], ["MAX_SECTORS=127"], ["MAX_SECTORS=17"], ["MAX_SECTORS=1"],
    ["NO_EDD", "MAX_SECTORS=5"], ["FAIL_FIRST=1"], ["FAIL_FIRST=3"], ["TRASH"], ["TRASH", "NO_EDD"],
    ["TRASH", "FAIL_FIRST=2"]], ids=" ".join)
def test_disk_calls(errs, flags):
    m = errs(*flags)
    m.prompt()
    assert "hello" in m.command("echo hello")


@pytest.mark.parametrize("drive", ["0", "1", "0x7f", "0x81", "0x9f", "0xff"])
def test_wrong_drive_number(errs, drive):
    m = errs(f"WRONG_DL={drive}")
    m.prompt()
    assert "drive 80h (the BIOS named another)" in m.serial_text()


@pytest.mark.parametrize("flags", [[], ["NO_EDD"]], ids=" ".join)
def test_bpb_written_by_the_bios(errs, flags):
    m = errs("WRONG_DL=0x80", "BPB_WRITTEN", *flags)
    m.prompt()


@pytest.mark.parametrize("flags", [["NO_EDD"], ["NO_EDD", "BPB_WRITTEN"], []], ids=" ".join)
def test_stick_as_floppy(errs, flags):
    """As BIOSes do that take a stick for a floppy: drive 0, but a hard disk's geometry."""
    m = errs("WRONG_DL=0", "AS_FLOPPY", *flags)
    m.prompt()
    assert "drive 00h" in m.serial_text()


def test_retries_are_reported(errs):
    m = errs("FAIL_AT=3")
    m.prompt()
    assert re.search(r"(?i)retr", m.command("boot"))


def test_stage2_a_read_wrongly(errs):
    m = errs("FLIP_READ=1")
    m.prompt()
    assert "copy B" in m.serial_text()


def test_kernel_read_wrongly(errs):
    m = errs("FLIP_READ=4")
    says(m, r"MINOS\.ELF: wrong checksum")


def test_messy_memory_map(errs):
    m = errs("MESSY_E820")
    m.prompt()
    text = m.command("e820")
    assert re.search(r"(?i)0*2000000\D+0*2100000\D+.*reserved|overlap|unsorted", text), text


def test_endless_memory_map(errs):
    m = errs("ENDLESS_E820")
    says(m, r"(?i)memory")


def test_e801(errs):
    m = errs("NO_E820")
    m.prompt()
    assert "KiB, E801h" in m.serial_text()


def test_88(errs):
    m = errs("NO_E820", "NO_E801", mem="32M")
    m.prompt()
    assert "KiB, 88h" in m.serial_text()


def test_a20_off(errs):
    m = errs("A20_OFF")
    m.prompt()
    assert re.search(r"a20 on already\? by int 15h\? by port 92h\? yes", m.serial_text())
