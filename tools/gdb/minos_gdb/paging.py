"""paging.py - minos-pt: how the processor translates an address, table by table.

Read from physical memory, so that it works whatever the tables map, and for tables that the CPU
does not use yet (minos-pt ADDRESS CR3).
Spec: Intel SDM vol. 3A, "4-Level Paging and 5-Level Paging".
"""

import gdb

from . import bits
from .cpu import Command, cpu, number, read_physical
from .disasm import evaluate

LEVELS = (("PML4", 39, None), ("PDPT", 30, 1 << 30), ("PD", 21, 2 << 20), ("PT", 12, 4 << 10))
FRAME = 0x000FFFFFFFFFF000
PAGE_SIZES = {1 << 30: "1 GiB", 2 << 20: "2 MiB", 4 << 10: "4 KiB"}


def steps(address, root):
    """[(level, table, index, entry, bytes mapped by a page here)] down to the page or a hole."""
    table, found = root & FRAME, []
    for name, shift, size in LEVELS:
        index = address >> shift & 511
        entry = number(read_physical(table + 8 * index, 8))
        found.append((name, table, index, entry, size))
        if not entry & 1 or (entry & 0x80 and size) or name == "PT":
            break
        table = entry & FRAME
    return found


def translate(address, root):
    """(physical address, size of the page, walk); the address is None where nothing is mapped."""
    walk = steps(address, root)
    _, _, _, entry, size = walk[-1]
    if not entry & 1:
        return None, 0, walk
    return entry & FRAME & ~(size - 1) | address & (size - 1), size, walk


def show(address, root):
    physical, size, walk = translate(address, root)
    print(f"{address:016x} by the tables at {root & FRAME:#x}:")
    for name, table, index, entry, _ in walk:
        print(f"  {name:<4} {table:10x}[{index:3}] = {entry:016x}  "
              f"{bits.names(entry & ~FRAME, bits.PTE) or 'not present'}")
    if physical is None:
        print(f"  not mapped: the {walk[-1][0]} entry is not present")
        return
    every = [entry for _, _, _, entry, _ in walk]
    rights = ["writable" if all(e & 2 for e in every) else "read-only",
              "ring 3 too" if all(e & 4 for e in every) else "ring 0 only",
              "not executable" if any(e >> 63 for e in every) else "executable"]
    print(f"  -> physical {physical:#x}, page of {PAGE_SIZES[size]}; {', '.join(rights)}")


class PageWalk(Command):
    """How an address is translated: minos-pt ADDRESS [CR3]

Prints the entry at each level with its bits, and the physical address.  Without CR3, by the tables
in use."""

    def __init__(self):
        super().__init__("minos-pt", gdb.COMMAND_DATA, gdb.COMPLETE_SYMBOL)

    def run(self, words):
        if not 1 <= len(words) <= 2:
            raise gdb.GdbError("usage: minos-pt ADDRESS [CR3]")
        address, state = evaluate(words[0]), cpu()
        if address + (1 << 47) & (1 << 64) - 1 >= 1 << 48:
            raise gdb.GdbError(f"{address:#x} is not canonical: bits 63 to 47 must be alike")
        if len(words) == 2:
            show(address, evaluate(words[1]))
        elif not state.paging:
            print(f"paging is off (CR0.PG = 0): linear {address:#x} is physical {address:#x}")
        elif not state["CR4"] & 1 << 5:
            raise gdb.GdbError("paging without PAE: the tables have a form MinOS does not use")
        else:
            show(address, state["CR3"])


def setup():
    PageWalk()
