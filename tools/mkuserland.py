#!/usr/bin/env python3
"""mkuserland.py - the folder that becomes the root of programs: busybox, shells, programs of ours.

usage: mkuserland.py [--if-changed STAMP] [--all] FOLDER [PROGRAM...]

Nothing of it is ours but /etc and the PROGRAMs, which go to /bin: the rest is taken as it is from Debian's packages
busybox-static and mksh, and with --all bash-static and libc-bin, wherever they are installed.  What is missing is left
out, and said.  With STAMP nothing is done when all sources are as they were when it was written.
"""

import hashlib
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
    "inittab": "::sysinit:/bin/hostname -F /etc/hostname\ntty1::respawn:-/bin/sh\n::ctrlaltdel:/sbin/reboot\n",
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


def is_static(path):
    """No interpreter is named in its ELF program headers."""
    with open(path, "rb") as f:
        head = f.read(4096)
    count, at = int.from_bytes(head[56:58], "little"), int.from_bytes(head[32:40], "little")
    return head[:5] == b"\x7fELF\x02" and not any(head[at + i * 56] == 3 for i in range(min(count, 60)))


def sources(everything):
    """[(file of a package, name in the folder)]; what is not there, or is not static, is said and left out."""
    wanted = [("busybox-static", "bin/busybox", ["/bin/busybox", "/usr/bin/busybox"]),
              ("mksh", "bin/mksh", ["/usr/lib/x86_64-linux-musl/bin/mksh", "/usr/lib/mksh/mksh-static",
                                    "/bin/mksh-static"])]
    if everything:
        wanted += [("bash-static", "bin/bash-static", ["/bin/bash-static"]),
                   ("libc-bin", "sbin/ldconfig", ["/sbin/ldconfig", "/usr/sbin/ldconfig"])]
    found = []
    for package, name, paths in wanted:
        path = first_of(*paths)
        if path is not None and is_static(path):
            found.append((path, name))
        else:
            print(f"mkuserland: no static {os.path.basename(name)} here (package {package}); left out", file=sys.stderr)
    return found


def fingerprint(files):
    digest = hashlib.sha256()
    for path in files:
        digest.update(path.encode() + b"\0")
        with open(path, "rb") as f:
            digest.update(hashlib.sha256(f.read()).digest())
    return digest.hexdigest() + "\n"


def is_current(stamp, text):
    try:
        with open(stamp, encoding="ascii") as f:
            return f.read() == text
    except OSError:
        return False


def main():
    arguments, stamp = sys.argv[1:], None
    if arguments[:1] == ["--if-changed"]:
        stamp, arguments = arguments[1], arguments[2:]
    everything = arguments[:1] == ["--all"]
    folder, *programs = arguments[1:] if everything else arguments
    packages = sources(everything)
    text = fingerprint([path for path, _ in packages] + programs + [os.path.abspath(__file__)])
    if stamp is not None and is_current(stamp, text) and os.path.isdir(folder):
        return
    make_folder(folder, packages, programs)
    if stamp is not None:
        with open(stamp, "w", encoding="ascii") as f:
            f.write(text)


def make_folder(folder, packages, programs):
    shutil.rmtree(folder, ignore_errors=True)
    for name in DIRS:
        os.makedirs(os.path.join(folder, name))
    for name, text in ETC.items():
        with open(os.path.join(folder, "etc", name), "w", encoding="utf-8") as f:
            f.write(text)
    for source, name in packages:
        copy(source, folder, name)
    for program in programs:
        copy(program, folder, os.path.join("bin", os.path.basename(program)))
    busybox = os.path.join(folder, "bin/busybox")
    if os.path.exists(busybox):
        names = subprocess.run([busybox, "--list-full"], stdout=subprocess.PIPE, check=True).stdout.decode().split()
        for name in names:
            if name != "linuxrc":
                link(folder, name, "/bin/busybox")
        link(folder, "bin/sh", "/bin/busybox")
    elif os.path.exists(os.path.join(folder, "bin/mksh")):
        link(folder, "bin/sh", "/bin/mksh")


if __name__ == "__main__":
    main()
