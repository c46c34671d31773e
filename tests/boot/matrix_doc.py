#!/usr/bin/env python3
"""matrix_doc.py - docs/boot-matrix.md, written from the tables of matrix.py: `make boot-matrix`.

The same tables always give the same text, so that a change of the document is a change of what is
tested.
"""

import os
import re
import sys

import matrix
import vm as machine
from matrix_types import Boots

PATH = os.path.join(machine.ROOT, "docs", "boot-matrix.md")

INTRO = """# What it boots from, and on

Written by `make boot-matrix` from the tables in `tests/boot/matrix.py` and `tests/boot/twists.py`. `make test-boot`
runs every case named here (a word after `T=` chooses: `make test-boot T=nvme`), `make test` a choice: all pairs of
medium, machine, memory and CPU, and each row of the later tables on each machine.
Each case either comes to the prompt, with exactly the quirks that `boot info` must tell, or stops with its message
on COM1 and on the screen.
"""


class Notes:
    """Reasons, numbered as they come."""

    def __init__(self):
        self.reasons = []

    def mark(self, reason):
        if reason not in self.reasons:
            self.reasons.append(reason)
        return f"no ({self.reasons.index(reason) + 1})"

    def lines(self):
        return [f"{i}. {reason}" for i, reason in enumerate(self.reasons, 1)]


def table(head, rows):
    return ["| " + " | ".join(head) + " |", "|" + "---|" * len(head),
            *("| " + " | ".join(row) + " |" for row in rows)]


def readable(pattern):
    """A message's pattern as people read it."""
    text = re.sub(r"\\[wd]\+", "...", pattern).replace("[^\\n]*", " ... ")
    return re.sub(r" +", " ", re.sub(r"\\(.)", r"\1", text))


def result(expected):
    if isinstance(expected, Boots):
        quirks = ", ".join(matrix.QUIRKS[q] for q in matrix.QUIRKS if q in expected.quirks)
        return "boots" + (f": {quirks}" if quirks else "")
    return f"stops: `{readable(expected.message)}`"


def media_table():
    notes = Notes()
    rows = []
    for name, medium in matrix.MEDIA.items():
        row = [f"`{name}`", medium.title, medium.drive, str(medium.sector)]
        for chipset in matrix.MACHINES:
            why = matrix.impossible(matrix.Case(name, chipset))
            row.append(notes.mark(why) if why else "boots")
        rows.append(row)
    head = ["name", "medium", "drive", "bytes per sector", *(f"`-M {m}`" for m in matrix.MACHINES)]
    return [*table(head, rows), "", *notes.lines()]


def where(name, twist):
    """On how many of the possible pairs of medium and machine, and why not on the others."""
    pairs = [matrix.Case(m, c) for m in matrix.MEDIA for c in matrix.MACHINES
             if not matrix.impossible(matrix.Case(m, c))]
    reasons = [matrix.impossible(matrix.Case(c.medium, c.machine, twist=name)) for c in pairs]
    count = reasons.count(None)
    if count == len(pairs):
        return "all"
    return f"{count}: " + "; ".join(dict.fromkeys(r for r in reasons if r))


def twist_tables():
    lines = []
    for group, twists in matrix.GROUPS.items():
        rows = [[f"`{t.name}`", t.title, result(t.outcome), where(t.name, t)] for t in twists]
        lines += [f"## {group}", "", *table(["name", "what", "outcome", "cases"], rows), ""]
    return lines


def text():
    pairs = sum(not matrix.impossible(matrix.Case(m, c))
                for m in matrix.MEDIA for c in matrix.MACHINES)
    sizes, cpus = ", ".join(matrix.MEMORY), ", ".join(f"`{c}`" for c in matrix.CPUS)
    lines = [
        INTRO, "## Media and machines", "", *media_table(), "",
        f"Each of these {pairs} pairs also with {sizes} of memory (isapc: below 4 GiB) and the CPUs {cpus};",
        f"otherwise it is {matrix.USUAL_MEMORY} and `{matrix.USUAL_CPU}`.", "",
        "In Bochs, whose BIOS and CPU are not QEMU's: " + ", ".join(matrix.BOCHS.values()) + ".", "",
        f"The number of cases in the tables below is out of the {pairs} pairs above.", "",
        *twist_tables()]
    return "\n".join(lines).rstrip() + "\n"


def main():
    with open(PATH, "w", encoding="utf-8") as f:
        f.write(text())
    print(f"boot-matrix: written to {os.path.relpath(PATH, machine.ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
