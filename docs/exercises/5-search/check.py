#!/usr/bin/env python3
"""check.py - exercise 5: what does finding a frame cost, and does it grow with memory?

Three measures: the host test of the allocator says whether it is right; cost.c counts the basic
blocks of single allocations for 1, 16 and 64 GiB; and the real kernel takes all its memory under
-icount, where a nanosecond is an instruction.
"""

import glob
import os
import re
import shutil
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.dirname(HERE))
from checklib import EXACT, expect, main, make, run, vm  # noqa: E402

SIZES_GIB = (1, 16, 64)
BLOCKS_PER_GIB, BLOCKS_FIXED = 8, 100  # twice what a simple solution takes
GROWTH = 1.05  # of the instructions per frame, from 32 to 256 MiB
WORK = os.path.join(vm.BUILD, "exercise5")


def still_right():
    """the allocator gives each frame once, in the order of use (host test test_pmm)"""
    make("host-test", "T=test_pmm")


def compile_cost():
    cc = os.environ.get("HOST_CC") or next(filter(shutil.which, ("gcc", "clang", "cc")))
    common = [*cc.split(), "-std=gnu11", "-O1", "-DHOST_TEST", "-Itests/host", "-Iinclude"]
    counted = ["-fsanitize-coverage=trace-pc"]
    kernel = ["-ffreestanding", "-include", "tests/host/rename.h"]
    os.makedirs(WORK, exist_ok=True)
    objects = []
    allocator = sorted(glob.glob(os.path.join(vm.ROOT, "mm", "pmm*.c")))
    for source, flags in (*((name, kernel + counted) for name in allocator),
                          ("kernel/lib/bitmap.c", kernel + counted),
                          ("kernel/lib/printf.c", kernel), ("kernel/lib/string.c", kernel),
                          (os.path.join(HERE, "cost.c"), [])):
        objects.append(os.path.join(WORK, os.path.basename(source) + ".o"))
        run(*common, *flags, "-c", source, "-o", objects[-1])
    program = os.path.join(WORK, "cost")
    run(*cc.split(), *objects, "-lcmocka", "-o", program)
    return program


def no_dear_allocation():
    """no single allocation costs more than a handful of steps, whatever the size of memory"""
    program = compile_cost()
    rows = [list(map(int, run(program, str(gib)).split())) for gib in SIZES_GIB]
    table = "\n".join(f"  {gib:3} GiB: {worst:8} blocks at worst, {empty:8} to find nothing"
                      for gib, worst, empty, _ in rows)
    print(table.lstrip("\n"))
    for gib, worst, empty, wrong in rows:
        limit = BLOCKS_FIXED + BLOCKS_PER_GIB * gib
        expect(wrong == 0, "the two frames that are free are found, and nothing when none is",
               f"with {gib} GiB that was not so {wrong} times")
        expect(max(worst, empty) <= limit, f"at most {limit} basic blocks with {gib} GiB", table)


def per_frame(mem):
    """Guest instructions for each frame of the machine's memory, taken and given back."""
    with vm.Machine(mem=mem, extra=EXACT) as m:
        m.prompt()
        frames = int(re.search(r"(?m)^ *free +([\d,]+)", m.command("mem"))[1].replace(",", ""))
        text = m.command("time test pmm.exhaustion")
        expect("1 passed, 0 failed" in text, "`test pmm.exhaustion` passes", text.strip())
        ticks = int(re.search(r"([\d,]+) TSC ticks", text)[1].replace(",", ""))
    return ticks / frames


def the_kernel_feels_it():
    """taking all memory costs the same for each frame with 32 and with 256 MiB"""
    small, large = per_frame("32M"), per_frame("256M")
    print(f"  instructions per frame: {small:.1f} with 32 MiB, {large:.1f} with 256 MiB")
    expect(large <= small * GROWTH, f"at most {small * GROWTH:.1f} instructions per frame with "
           "256 MiB", f"{large:.1f}")


if __name__ == "__main__":
    main(still_right, the_kernel_feels_it, no_dear_allocation)
