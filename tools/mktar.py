#!/usr/bin/env python3
"""mktar.py - pack files into a USTAR archive that depends on their contents and names alone.

usage: mktar.py OUTPUT FILE...
       mktar.py OUTPUT -C FOLDER	(all that is in it)

Not tar(1): its options for this differ between GNU, BSD and busybox.
"""

import os
import sys
import tarfile


def clean(info):
    """Forget owner, time and the modes that depend on the umask."""
    info.uid = info.gid = info.mtime = 0
    info.uname = info.gname = ""
    info.mode = 0o755 if info.isdir() or info.mode & 0o100 else 0o644
    return info


def all_below(folder):
    """[(path, name in the archive)], folders before what is in them."""
    found = []
    for where, folders, files in os.walk(folder):
        folders.sort()
        for name in sorted(folders + files):
            path = os.path.join(where, name)
            found.append((path, os.path.relpath(path, folder)))
    return sorted(found, key=lambda pair: pair[1].split("/"))


def main():
    output, rest = sys.argv[1], sys.argv[2:]
    pairs = all_below(rest[1]) if rest[:1] == ["-C"] else [(name, name) for name in sorted(rest)]
    with tarfile.open(output, "w", format=tarfile.GNU_FORMAT) as tar:
        for path, name in pairs:
            tar.add(path, name, filter=clean, recursive=False)


if __name__ == "__main__":
    main()
