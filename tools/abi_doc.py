#!/usr/bin/env python3
"""abi_doc.py - docs/abi.md: which system calls there are, and which program proves each.

usage: abi_doc.py [--check]	(check: say whether the file is up to date, write nothing)

A call counts as proven when a program of tests/abi names it in a line "SYSCALLS:"; tests/boot/test_abi.py runs those
programs here and under Linux and compares what they print.
"""

import glob
import os
import re
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
DOC = os.path.join(ROOT, "docs", "abi.md")
BEGIN, END = "<!-- table: written by tools/abi_doc.py -->", "<!-- end of table -->"


def table():
    """{number: name} of kernel/syscalls.tbl."""
    with open(os.path.join(ROOT, "kernel", "syscalls.tbl"), encoding="utf-8") as f:
        return {int(m[1]): m[2] for m in re.finditer(r"(?m)^(\d+)\s+(\w+)", f.read())}


def proven():
    """{call: program} by what the programs say of themselves."""
    found = {}
    for path in sorted(glob.glob(os.path.join(ROOT, "tests", "abi", "*.c"))):
        with open(path, encoding="utf-8") as f:
            for line in re.findall(r"SYSCALLS: ([a-z0-9_ ]+)", f.read()):
                found.update({name: os.path.basename(path) for name in line.split()})
    return found


def text():
    calls, by = table(), proven()
    count = sum(name in by for name in calls.values())
    lines = [f"{len(calls)} system calls, {count} of them proven.", "", "| number | call | proven by |", "|---|---|---|"]
    lines += [f"| {nr} | `{name}` | {by.get(name, '')} |" for nr, name in sorted(calls.items())]
    return "\n".join(lines) + "\n"


def main():
    with open(DOC, encoding="utf-8") as f:
        old = f.read()
    before, rest = old.split(BEGIN, 1)
    new = f"{before}{BEGIN}\n{text()}{END}{rest.split(END, 1)[1]}"
    if "--check" in sys.argv[1:]:
        return new != old
    with open(DOC, "w", encoding="utf-8") as f:
        f.write(new)
    return 0


if __name__ == "__main__":
    sys.exit(main())
