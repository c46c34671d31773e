#!/usr/bin/env python3
"""compdb.py - write compile_commands.json, which clangd and other tools read.

usage: compdb.py OUTPUT OBJECT FLAGS FILE... [-- OBJECT FLAGS FILE...]...
Each group is files that are compiled alike: OBJECT is the object's path with {} for the file's,
FLAGS the command without file and `-o`.  A file of two groups (kernel and loader) is listed with
its first flags.
"""

import json
import os
import shlex
import sys


def entries(groups):
    """The database's entries, one for each file, in the order of the groups."""
    found = {}
    while groups:
        end = groups.index("--") if "--" in groups else len(groups)
        (pattern, flags), files = groups[:2], groups[2:end]
        groups = groups[end + 1:]
        for name in files:
            output = pattern.replace("{}", name)
            command = shlex.split(flags) + [name, "-o", output]
            found.setdefault(name, {"directory": os.getcwd(), "file": name, "output": output,
                                    "arguments": command})
    return list(found.values())


def main():
    if len(sys.argv) < 5:
        sys.exit(__doc__)
    text = json.dumps(entries(sys.argv[2:]), indent=1) + "\n"
    with open(sys.argv[1], "w", encoding="utf-8") as f:
        f.write(text)


if __name__ == "__main__":
    main()
