#!/usr/bin/env python3
"""check.py - exercise 4: is the memory map fit for use, whatever the firmware says?"""

import os
import re
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from checklib import Erring, expect, main, make, vm  # noqa: E402

ROW = re.compile(r"(?m)^ *\d+  ([0-9a-f]{16}) - ([0-9a-f]{16}) .*?  ([A-Za-z][A-Za-z ]*)")
PAGE = 4096
# What MESSY_E820 of tests/boot/firmware.asm comes to.
MESSY = [(0, 0x9F000, "RAM"), (0x9F000, 0xA0000, "reserved"), (0xF0000, 0x100000, "reserved"),
         (0x100000, 0x2000000, "RAM"), (0x2000000, 0x2100000, "reserved"),
         (0x2100000, 0x7F00000, "RAM"), (0xFFFC0000, 0x100000000, "reserved")]


def clean_map(machine):
    """The second table of `e820`: [(start, end, type)]."""
    text = machine.command("e820").split("Sorted, without overlaps")[1]
    return [(int(start, 16), int(end, 16), kind.strip()) for start, end, kind in ROW.findall(text)]


def table(rows):
    return "".join(f"\n  {start:012x} - {end:012x} {kind}" for start, end, kind in rows)


def good_firmware():
    """a map that was good stays as it was (QEMU's own BIOS)"""
    with vm.Machine(mem="5G") as m:
        m.prompt()
        rows = clean_map(m)
    expect(all(a[1] <= b[0] for a, b in zip(rows, rows[1:])), "no overlaps, in order", table(rows))
    ram = sum(end - start for start, end, kind in rows if kind == "RAM")
    expect(5 * 1024 - 2 < ram >> 20 <= 5 * 1024, "nearly all of 5 GiB is RAM", table(rows))


def messy_firmware():
    """a map that is unsorted and overlaps comes out sorted and cut (MESSY_E820)"""
    with Erring("MESSY_E820") as m:
        m.prompt()
        rows = clean_map(m)
        quirk = re.search(r"(?i)overlap|unsorted", m.command("boot info"))
    expect(rows == MESSY, "the map" + table(MESSY), table(rows))
    expect(quirk, "`boot info` says that entries overlapped or were unsorted", "it does not")


def nothing_reserved_is_used():
    """no reserved frame is handed out: the kernel can take all memory and give it back"""
    with Erring("MESSY_E820") as m:
        m.prompt()
        text = m.command("test pmm")
    expect(re.search(r"\d+ passed, 0 failed", text), "`test pmm` passes", text.strip())


def all_rules():
    """20,000 random maps obey the rules of e820.h page by page (host test test_e820)"""
    make("host-test", "T=test_e820")


if __name__ == "__main__":
    main(good_firmware, messy_firmware, nothing_reserved_is_used, all_rules)
