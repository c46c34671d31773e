"""userland.py - an image whose root has busybox, shells, and the programs of tests/abi."""

import glob
import os
import shutil
import subprocess

from vm import BUILD, ROOT, image_copy

TOOLS = os.path.join(ROOT, "tools")
ABI = os.path.join(ROOT, "tests", "abi")
# In a folder of its own, nothing but the program's output on a pipe.
GO = """#!/bin/sh
mkdir -p /tmp/$1
cd /tmp/$1
exec /bin/busybox env -i /abi/$1 < /dev/null 2>&1 | cat
"""
SCRIPT_SHELLS = {"ash": "/bin/busybox sh", "mksh": "/bin/mksh", "bash": "/bin/bash-static"}
# The same for the script and a shell.
GO_SCRIPT = """#!/bin/sh
name=$1
shift
mkdir -p /tmp/$name
cd /tmp/$name
cp /abi/script.sh .
exec /bin/busybox env -i PATH=/bin:/usr/bin:/sbin:/usr/sbin "$@" ./script.sh < /dev/null 2>&1 | cat
"""


def busybox():
    return next(path for path in ("/bin/busybox", "/usr/bin/busybox") if os.path.exists(path))


def abi_programs():
    return sorted(os.path.basename(path)[:-2] for path in glob.glob(os.path.join(ABI, "*.c")))


def compile_static(source, output):
    subprocess.run(["musl-gcc", "-static", "-O1", "-w", f"-I{ABI}", source, "-o", output], check=True)


def make_root(folder):
    """The folder that becomes the root of programs."""
    subprocess.run(["tools/mkuserland.py", "--all", folder], cwd=ROOT, check=True)
    os.makedirs(os.path.join(folder, "abi"))
    for name in abi_programs():
        compile_static(os.path.join(ABI, name + ".c"), os.path.join(folder, "abi", name))
    shutil.copy(os.path.join(ABI, "script.sh"), os.path.join(folder, "abi", "script.sh"))
    for name, text in (("go", GO), ("go-script", GO_SCRIPT)):
        path = os.path.join(folder, "abi", name)
        with open(path, "w", encoding="ascii") as f:
            f.write(text)
        os.chmod(path, 0o755)


def make_image(folder, root, cmdline="console=both quiet"):
    """A copy of the built image with @root as its initrd."""
    plain, packed = os.path.join(folder, "initrd.plain"), os.path.join(folder, "INITRD.TAR")
    subprocess.run(["python3", os.path.join(TOOLS, "mktar.py"), plain, "-C", root], check=True)
    subprocess.run(["python3", os.path.join(TOOLS, "mkimage.py"), "trailer", plain, packed], check=True)
    with open(packed, "rb") as f:
        data = f.read()
    return image_copy(folder, cmdline=cmdline, source=os.path.join(BUILD, "minos.img"), files=[("INITRD.TAR", data)], name="userland.img")
