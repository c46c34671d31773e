#!/usr/bin/env python3
"""mksyscalls.py - C from kernel/syscalls.tbl: the table of functions.

usage: mksyscalls.py < kernel/syscalls.tbl > build/syscall_table.c
"""

import re
import sys

MAX = 512
LINE = re.compile(r"^(\d+)\s+(\w+)(?:\s+([duxpsPfSo]*))?$")


def read(lines):
    """{number: (name, letters)}; SystemExit says which line is wrong."""
    calls = {}
    for number, line in enumerate(lines, 1):
        line = line.split("#")[0].strip()
        if not line:
            continue
        match = LINE.match(line)
        if not match or int(match[1]) >= MAX or int(match[1]) in calls:
            sys.exit(f"mksyscalls: line {number} is wrong, or its number is taken: {line}")
        calls[int(match[1])] = match[2], match[3] or ""
    return calls


def main():
    calls = read(sys.stdin)
    print("/* Made by tools/mksyscalls.py from kernel/syscalls.tbl. */")
    print("#include <kern/sys.h>\n#include <kern/syscall.h>\n")
    print("#define CALL(fn) ((syscall_fn)(void (*)(void))(fn))\n")
    print("const syscall_fn syscall_fns[SYSCALL_MAX] = {")
    for nr in range(MAX):
        print(f"\tCALL(sys_{calls[nr][0] if nr in calls else 'missing'}),")
    print("};")


if __name__ == "__main__":
    main()
