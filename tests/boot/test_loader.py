"""test_loader.py - what the loader says when something is wrong, and that it stops there.

Each failure must be readable on the serial line and on the screen, name what failed and where,
and neither reset nor go on.  Damage that has an equal on every medium is in twists.py.
"""

import os
import re
import time

import pytest

import vm as machine
from faults import file_contents, trailer


def says(m, pattern, screen=True):
    """The loader prints this on both consoles, and then stands still."""
    match = m.expect(pattern)
    if screen:
        m.expect_screen(pattern)
    time.sleep(0.7)
    m.qmp("query-status")
    assert m.process.poll() is None, m.report("the machine went away")
    assert not [e for e in m.events if e["event"] == "RESET"], m.report("reset")
    assert "minOS>" not in m.serial_text()
    return match


def test_nonsense_in_the_config(boot):
    m = boot(files=[("MINOS.CFG", b"kernel MINOS.ELF\nfrobnicate yes\n\xff\xfe\n")])
    m.expect(r"(?i)MINOS\.CFG")
    m.prompt()


def test_config_names_a_missing_kernel(boot):
    m = boot(files=[("MINOS.CFG", b"kernel OTHER.ELF\n")])
    says(m, r"(?i)OTHER\.ELF")


def test_empty_kernel_file(boot):
    m = boot(files=[("MINOS.ELF", b"")])
    says(m, r"(?i)MINOS\.ELF")


def test_kernel_that_is_no_elf(boot):
    m = boot(files=[("MINOS.ELF", trailer(b"#!/bin/sh\necho no kernel\n" * 100))])
    says(m, r"(?i)\bELF\b")


@pytest.mark.parametrize("offset,value,what", [
    (4, 1, "32-bit"), (18, 3, "other machine"), (54, 7, "wrong header size"),
    (56, 0xff, "absurd count"), (32, 0xff, "headers beyond the file")])
def test_damaged_elf_header(boot, offset, value, what):
    body = bytearray(unpacked())
    body[offset] = value
    if offset in (32, 56):
        body[offset + 1] = 0xff
    m = boot(files=[("MINOS.ELF", trailer(bytes(body)))])
    says(m, r"(?i)\bELF\b")


def unpacked():
    """The kernel as an ELF file, without trailer."""
    with open(os.path.join(machine.BUILD, "minos.stripped"), "rb") as f:
        return f.read()


def test_kernel_that_is_not_packed(boot):
    m = boot(files=[("MINOS.ELF", trailer(unpacked()))])
    m.prompt()


def packed(**bytes_at):
    """The packed kernel with other bytes at some offsets (`at_15=...`), and a right checksum."""
    body = bytearray(file_contents("MINOS.ELF")[:-16])
    for at, value in bytes_at.items():
        at = int(at.split("_")[1])
        body[at:at + len(value)] = value
    return trailer(bytes(body))


# An LZ4 frame: magic, flags, content size at 6, sum; block size at 15; block from 19 on.
LZ4_DAMAGE = {
    "flags": ({"at_4": b"\x60"}, "LZ4 frame without content size"),
    "version": ({"at_4": b"\xa8"}, "no LZ4 frame"),
    "huge": ({"at_6": b"\xff\xff\xff\xff"}, "LZ4 content larger than 256 MiB"),
    "more than there is": ({"at_6": b"\0\0\0\x0f"}, r"no memory to unpack MINOS\.ELF"),
    "longer": ({"at_6": b"\0\x10\0\0"}, r"LZ4 content longer than its header says \(byte \d+ of"),
    "shorter": ({"at_6": b"\0\0\x10\0"}, "LZ4 content shorter than its header says"),
    "block size": ({"at_15": b"\0\0\x10\0"}, r"LZ4 data cut off \(byte 19 of \d+\)"),
    "block": ({"at_19": b"\xff" * 4000}, "LZ4 (data|match|content)"),
    "noise": ({"at_5000": bytes(range(256)) * 16}, "LZ4 (data|match|content)|ELF"),
    "no ELF inside": ({"at_20": b"XELF"}, "no ELF file"),
}


@pytest.mark.parametrize("name", LZ4_DAMAGE)
def test_damaged_packed_kernel(boot, name):
    """With a right checksum: as somebody's own tool may have made it."""
    change, message = LZ4_DAMAGE[name]
    m = boot(files=[("MINOS.ELF", packed(**change))])
    says(m, message, screen=False)  # the longer ones are broken into two lines there


@pytest.mark.parametrize("mem", ["4M", "8M"])
@pytest.mark.parametrize("form", ["packed", "ELF"])
def test_kernel_on_a_small_machine(boot, mem, form):
    files = [("MINOS.ELF", trailer(unpacked()))] if form == "ELF" else []
    m = boot(mem=mem, files=files)
    m.prompt()


def test_loader_reports_in_the_boot_command(boot):
    m = boot()
    m.prompt()
    text = m.command("boot")
    for stage in ("stage1", "stage2", "A20", "protected", "paging", "long"):
        assert re.search(stage.replace("stage", r"stage ?"), text, re.I), (stage, text)
