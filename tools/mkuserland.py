#!/usr/bin/env python3
"""mkuserland.py - the folder that becomes the root of programs: busybox, shells, programs of ours.

usage: mkuserland.py FOLDER [PROGRAM...]

Nothing of it is ours but /etc and the PROGRAMs, which go to /bin: the rest is taken as it is from Debian's packages
busybox-static, mksh, bash-static, libc-bin, wherever they are installed.
"""

import os
import shutil
import subprocess
import sys

DIRS = ["bin", "sbin", "usr/bin", "usr/sbin", "etc", "tmp", "root", "proc", "dev", "home", "var/log", "var/tmp", "mnt"]
ETC = {
    "passwd": "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n",
    "group": "root:x:0:\ntty:x:5:\nnogroup:x:65534:\n",
    "hostname": "minos\n",
    "profile": "export PATH=/bin:/sbin:/usr/bin:/usr/sbin HOME=/root TERM=linux\nPS1='minos:$PWD# '\n",
    "inittab": "::sysinit:/bin/hostname -F /etc/hostname\n::respawn:-/bin/sh\n::ctrlaltdel:/sbin/reboot\n",
    "motd": "Programs run here as they do under Linux.\n",
}


def first_of(*paths):
    for path in paths:
        if os.path.isfile(path):
            return path
    return None


def copy(source, folder, name):
    path = os.path.join(folder, name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    shutil.copyfile(source, path)
    os.chmod(path, 0o755)


def link(folder, name, target):
    path = os.path.join(folder, name)
    if not os.path.lexists(path):
        os.makedirs(os.path.dirname(path), exist_ok=True)
        os.symlink(target, path)


def busybox():
    """The static one: with busybox (not -static) installed there is none."""
    path = first_of("/bin/busybox", "/usr/bin/busybox")
    if path is None:
        sys.exit("mkuserland: busybox is not installed: package busybox-static")
    return path


def main():
    folder, programs = sys.argv[1], sys.argv[2:]
    shutil.rmtree(folder, ignore_errors=True)
    for name in DIRS:
        os.makedirs(os.path.join(folder, name))
    for name, text in ETC.items():
        with open(os.path.join(folder, "etc", name), "w", encoding="utf-8") as f:
            f.write(text)
    mksh = first_of("/usr/lib/x86_64-linux-musl/bin/mksh", "/usr/lib/mksh/mksh-static", "/bin/mksh-static")
    for source, name in ((mksh, "bin/mksh"), (first_of("/bin/bash-static"), "bin/bash-static"),
                         (first_of("/sbin/ldconfig", "/usr/sbin/ldconfig"), "sbin/ldconfig")):
        if source:
            copy(source, folder, name)
    for program in programs:
        copy(program, folder, os.path.join("bin", os.path.basename(program)))
    copy(busybox(), folder, "bin/busybox")
    names = subprocess.run([busybox(), "--list-full"], stdout=subprocess.PIPE, check=True).stdout.decode().split()
    for name in names:
        link(folder, name, "/bin/busybox")
    link(folder, "bin/sh", "/bin/busybox")


if __name__ == "__main__":
    main()
