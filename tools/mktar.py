#!/usr/bin/env python3
"""mktar.py - pack files into a USTAR archive that depends on their contents and names alone.

usage: mktar.py OUTPUT FILE...

Not tar(1): its options for this differ between GNU, BSD and busybox.
"""

import sys
import tarfile


def clean(info):
    """Forget owner, time and the modes that depend on the umask."""
    info.uid = info.gid = info.mtime = 0
    info.uname = info.gname = ""
    info.mode = 0o755 if info.isdir() or info.mode & 0o100 else 0o644
    return info


def main():
    output, files = sys.argv[1], sorted(sys.argv[2:])
    with tarfile.open(output, "w", format=tarfile.USTAR_FORMAT) as tar:
        for name in files:
            tar.add(name, filter=clean, recursive=False)


if __name__ == "__main__":
    main()
