#!/usr/bin/env python3
"""mktar.py - pack files into a USTAR archive that depends on their contents and names alone.

usage: mktar.py OUTPUT FILE...
       mktar.py OUTPUT -C FOLDER	(all that is in it)

Not tar(1): its options for this differ between GNU, BSD and busybox.  Contents of a page or more begin at a multiple
of 4096, so that the kernel need not copy them: before such a file stands a PAX global header with a comment, which
tar(1) and all others pass over.
"""

import os
import sys
import tarfile

PAGE, BLOCK = 4096, 512


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


def comment(blocks):
    """A global header of that many blocks, two or more: `LENGTH comment=...` and a newline fill it."""
    length = (blocks - 1) * BLOCK
    text = f"{length} comment="
    header = tarfile.TarInfo("././@Align")
    header.type, header.size = tarfile.XGLTYPE, length
    return header.tobuf(tarfile.USTAR_FORMAT) + (text + " " * (length - len(text) - 1) + "\n").encode()


def align(tar, info):
    """Room before @info's header so that what follows it begins a page."""
    if not info.isreg() or info.size < PAGE:
        return
    missing = -(tar.offset + BLOCK) % PAGE // BLOCK
    if missing == 1:
        missing += PAGE // BLOCK
    if missing:
        filler = comment(missing)
        tar.fileobj.write(filler)
        tar.offset += len(filler)


def add(tar, path, name):
    info = clean(tar.gettarinfo(path, name))
    align(tar, info)
    if info.isreg():
        with open(path, "rb") as f:
            tar.addfile(info, f)
    else:
        tar.addfile(info)


def main():
    output, rest = sys.argv[1], sys.argv[2:]
    pairs = all_below(rest[1]) if rest[:1] == ["-C"] else [(name, name) for name in sorted(rest)]
    with tarfile.open(output, "w", format=tarfile.GNU_FORMAT) as tar:
        for path, name in pairs:
            add(tar, path, name)


if __name__ == "__main__":
    main()
