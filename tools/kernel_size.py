#!/usr/bin/env python3
"""kernel_size.py - how large the kernel is: its file, packed, and what of it is self-tests.

usage: kernel_size.py [BUILD]
The self-tests and benchmarks are part of every kernel (`test` and `bench` at the prompt), but are not
what the kernel needs: the limit of 400 KiB is for the rest.
"""

import glob
import os
import subprocess
import sys


def sizes(build):
    """Bytes: {"file": without symbols for gdb, "packed": as it lies on the medium, "tests", "kernel": the rest}."""
    objects = glob.glob(os.path.join(build, "tests", "**", "*.o"), recursive=True)
    rows = subprocess.run(["size", *objects], check=True, stdout=subprocess.PIPE).stdout.decode().splitlines()[1:]
    tests = sum(int(text) + int(data) for text, data in (row.split()[:2] for row in rows))
    file = os.path.getsize(os.path.join(build, "minos.stripped"))
    return {"file": file, "packed": os.path.getsize(os.path.join(build, "image/MINOS.ELF")), "tests": tests,
            "kernel": file - tests}


if __name__ == "__main__":
    for name, size in sizes(sys.argv[1] if len(sys.argv) > 1 else "build").items():
        print(f"{name:8}{size / 1024:8.1f} KiB")
