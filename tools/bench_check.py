#!/usr/bin/env python3
"""bench_check.py - is anything slower than it may be?  `make bench-check`, also a test.

usage: bench_check.py [--update]

Runs the shell's `bench` and a boot under -icount, where an instruction is a nanosecond and every run
gives the same numbers, and compares them with the committed ones of tests/budgets.txt: more than 3%
above is a failure.  What became more than 3% cheaper is named, so that its budget can follow:
--update writes the budgets anew.  Another compiler makes other code: then the limit is 25%.
"""

import os
import re
import subprocess
import sys
import tempfile

import bench
from vm import BUILD, VmError

ROOT = bench.ROOT
BUDGETS = os.path.join(ROOT, "tests/budgets.txt")
TOLERANCE, OTHER_COMPILER = 0.03, 0.25
HEAD = """# Instructions per operation, as the shell's `bench` prints them under -icount; bytes; instructions
# of a boot.  `make bench-check` fails where one is exceeded by more than 3%; after a change that is
# worth its price, `tools/bench_check.py --update` writes them anew.
"""


def compiler():
    """The compiler that built the kernel, as the kernel's own file says it."""
    elf = os.path.join(BUILD, "minos.elf")
    text = subprocess.run(["readelf", "-p", ".comment", elf], check=False,
                          stdout=subprocess.PIPE).stdout.decode()
    names = re.findall(r"\]\s+(.*(?:GCC|clang).*)", text)
    return names[0].strip() if names else "unknown"


def boot_instructions(machine, programs):
    """From the boot sector's first instruction to the prompt, without what the disk took."""
    with tempfile.TemporaryDirectory(prefix="minos-bench-") as folder:
        first = bench.handover(machine, folder, runs=1)
        image = bench.IMAGE if programs else bench.small_image(folder)
        return round(bench.medians(machine, image, runs=1)[-1][3] - first)


def measure():
    found = {name: int(n)
             for name, n in re.findall(r"(?m)^bench (\w+)\s+(\d+)", bench.operations())}
    found["boot_q35"] = boot_instructions("q35", programs=False)
    found["boot_with_programs_q35"] = boot_instructions("q35", programs=True)
    found["kernel_bytes"] = os.path.getsize(os.path.join(BUILD, "minos.stripped"))
    return found


def read(path=BUDGETS):
    """(compiler, {name: budget})"""
    with open(path, encoding="utf-8") as f:
        text = f.read()
    return (re.search(r"(?m)^# compiler: (.*)$", text)[1],
            {name: int(n) for name, n in re.findall(r"(?m)^(\w+)\s+(\d+)$", text)})


def compare(found, budgets, tolerance):
    """Returns (too slow, cheaper by more than TOLERANCE, names without budget or figure)."""
    slow, cheap = [], []
    for name in sorted(found.keys() & budgets.keys()):
        line = f"{name}: {found[name]} (budget {budgets[name]}, {found[name] / max(budgets[name], 1):.1%})"
        if found[name] > budgets[name] * (1 + tolerance):
            slow.append(line)
        elif found[name] < budgets[name] * (1 - TOLERANCE):
            cheap.append(line)
    return slow, cheap, sorted(found.keys() ^ budgets.keys())


def update(found):
    with open(BUDGETS, "w", encoding="utf-8") as f:
        f.write(f"{HEAD}# compiler: {compiler()}\n")
        f.writelines(f"{name:<24} {value}\n" for name, value in found.items())


def main():
    try:
        found = measure()
    except VmError as problem:
        print(problem)
        return 1
    if sys.argv[1:] == ["--update"]:
        update(found)
        print(f"bench-check: {len(found)} budgets written to {os.path.relpath(BUDGETS, ROOT)}")
        return 0
    built_by, budgets = read()
    same = built_by == compiler()
    slow, cheap, odd = compare(found, budgets, TOLERANCE if same else OTHER_COMPILER)
    if not same:
        print(f"bench-check: the budgets are for {built_by}; this is {compiler()}: 25% are allowed")
    for what, lines in (("too slow", slow), ("cheaper than its budget", cheap),
                        ("has no budget, or no figure", odd)):
        for line in lines:
            print(f"bench-check: {what}: {line}")
    bad = len(slow) + len(odd)
    print(f"bench-check: {len(found) - len(slow)} within budget, {bad} wrong")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
