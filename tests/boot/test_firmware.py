"""test_firmware.py - the loader under BIOSes that misbehave (hostile.asm says how)."""

import os
import re
import subprocess

import pytest

import vm as machine


def rom(tmp_path, *switches):
    """Assemble hostile.asm with these switches; returns QEMU's options."""
    path = os.path.join(str(tmp_path), "hostile.rom")
    source = os.path.join(machine.ROOT, "tests/boot/hostile.asm")
    subprocess.run([os.environ.get("NASM", "nasm"), "-f", "bin", *(f"-D{s}" for s in switches),
                    source, "-o", path], check=True)
    with open(path, "r+b") as f:
        data = f.read()
        f.seek(len(data) - 1)
        f.write(bytes([-sum(data) & 0xff]))
    return ["-option-rom", path]


@pytest.mark.parametrize("switch,quirk", [
    ("NO_EDD", "(?i)cylinder|CHS"),
    ("NO_48", None),
    ("MAX_SECTORS=8", "(?i)smaller|halved"),
    ("MAX_SECTORS=1", "(?i)smaller|halved"),
    ("ONE_SEGMENT", None),
    ("FAIL_READS=1", "(?i)retry"),
    ("FAIL_READS=2", "(?i)retry"),
    ("DESTROY", None),
    ("WRONG_DL=0x81", "(?i)drive number"),
    ("WRONG_DL=0", "(?i)drive number"),
    ("WRONG_DL=0xff", "(?i)drive number"),
    ("E820_CF_END", None),
    ("NO_E820", "(?i)E801"),
    ("A20_OFF", "(?i)port 92|8042|port EE")])
@pytest.mark.parametrize("chipset", ["pc", "q35"])
def test_boots_nevertheless(boot, tmp_path, switch, quirk, chipset):
    m = boot(machine=chipset, extra=rom(tmp_path, switch))
    m.prompt()
    if quirk:
        assert re.search(quirk, m.command("boot info")), m.report("no word of it in `boot`")


def test_memory_map_that_overlaps(boot, tmp_path):
    m = boot(extra=rom(tmp_path, "E820_EXTRA"))
    m.prompt()
    assert re.search("(?i)overlap", m.command("boot info"))
    clean = m.command("e820").split("Sorted")[1]
    ram = [(int(a, 16), int(b, 16)) for a, b in
           re.findall(r"([0-9a-f]{16}) - ([0-9a-f]{16}).*\bRAM\b", clean)]
    reserved = [(0x600000, 0x700000), (0x700000, 0x702000), (0xa00000, 0xa01000)]
    for start, end in ram:
        for low, high in reserved:
            assert end <= low or start >= high, f"{start:x}-{end:x} overlaps {low:x}-{high:x}"
    assert any(start <= 0x900000 < end for start, end in ram), "an empty entry reserves nothing"
    assert any(start <= 0x2000000 < end for start, end in ram), "an invalid entry is ignored"
    assert ram == sorted(ram)


def test_no_way_to_learn_the_memory_but_88h(boot, tmp_path):
    m = boot(machine="pc", mem="32M", extra=rom(tmp_path, "NO_E820", "NO_E801"))
    m.prompt()
    assert re.search(r"(?i)88h", m.command("boot info"))


def test_all_at_once(boot, tmp_path):
    m = boot(machine="pc", extra=rom(tmp_path, "NO_EDD", "FAIL_READS=1", "DESTROY", "WRONG_DL=0x83",
                                     "NO_E820", "A20_OFF"))
    m.prompt(timeout=120)
    assert "hello" in m.command("echo hello")


@pytest.mark.parametrize("number", [2, 4, 8])
def test_a_read_that_lies_is_caught(boot, tmp_path, number):
    """One flipped bit: stage 2's, the FAT's or a file's checksum must notice, or nobody reads it."""
    m = boot(extra=rom(tmp_path, f"FLIP_READ={number}"))
    match = m.expect(r"(?i)CRC|checksum|damaged|minOS> ")
    if b"minOS" in match.group(0):
        assert number < 8, "a flipped bit went through"
