"""test_loader.py - what the loader says when something is wrong, and that it stops there.

Each failure must be readable on the serial line and on the screen, name what failed and where,
and neither reset nor go on.  Damage that has an equal on every medium is in twists.py.
"""

import re
import time

import pytest

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
    data = bytearray(file_contents("MINOS.ELF"))
    length = len(data) - trailer_size()
    body = data[:length]
    body[offset] = value
    if offset in (32, 56):
        body[offset + 1] = 0xff
    m = boot(files=[("MINOS.ELF", trailer(bytes(body)))])
    says(m, r"(?i)\bELF\b")


def trailer_size():
    return len(trailer(b"x")) - 1


def test_loader_reports_in_the_boot_command(boot):
    m = boot()
    m.prompt()
    text = m.command("boot")
    for stage in ("stage1", "stage2", "A20", "protected", "paging", "long"):
        assert re.search(stage.replace("stage", r"stage ?"), text, re.I), (stage, text)
