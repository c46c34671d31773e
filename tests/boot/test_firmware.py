"""
test_firmware.py - firmware that errs: an option ROM (firmware.asm) makes the BIOS misbehave.

Whether MinOS boots with each misbehaviour, and says so, is in twists.py; here is what goes deeper.
"""

import re

import pytest

from firmware import option_rom


@pytest.fixture
def errs(boot, tmp_path):
    """errs("NO_EDD", "TRASH", ...): a Machine whose BIOS does so."""

    def start(*flags, **options):
        options["extra"] = [*options.get("extra", ()), *option_rom(tmp_path, flags)]
        options.setdefault("machine", "pc")
        return boot(**options)

    return start


def test_retries_are_reported(errs):
    m = errs("FAIL_AT=3")
    m.prompt()
    assert re.search(r"(?i)retr", m.command("boot"))


def test_messy_memory_map(errs):
    m = errs("MESSY_E820")
    m.prompt()
    text = m.command("e820")
    assert re.search(r"(?i)0*2000000\D+0*2100000\D+.*reserved|overlap|unsorted", text), text
