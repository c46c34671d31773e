#!/usr/bin/env python3
"""compdb.py - write compile_commands.json, which clangd and other tools read.

usage: compdb.py OUTPUT FLAGS FILE... [-- FLAGS FILE...]
A file that is compiled twice (kernel and loader) is listed with its first flags.
"""

import json
import os
import shlex
import sys


def main():
    output, rest = sys.argv[1], sys.argv[2:]
    entries = {}
    while rest:
        end = rest.index("--") if "--" in rest else len(rest)
        flags, files = shlex.split(rest[0]), rest[1:end]
        rest = rest[end + 1:]
        for name in files:
            entries.setdefault(name, {"directory": os.getcwd(), "file": name,
                                      "arguments": flags + ["-c", name]})
    text = json.dumps(list(entries.values()), indent=1) + "\n"
    try:
        with open(output, encoding="utf-8") as f:
            if f.read() == text:
                return
    except OSError:
        pass
    with open(output, "w", encoding="utf-8") as f:
        f.write(text)


if __name__ == "__main__":
    main()
