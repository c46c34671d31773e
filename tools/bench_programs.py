"""bench_programs.py - what programs pay for the kernel: user/bench.c under MinOS and under Debian's Linux.

Both run the same binary in the same QEMU under `-icount shift=0,sleep=off`, where a tick of the time stamp counter is an
instruction.  Linux is Debian's kernel for clouds, taken from its package (apt-get download, kept in the build
folder), with busybox and the benchmark in an initramfs.  Where there is no such package the column stays empty.
"""

import glob
import gzip
import os
import re
import shutil
import subprocess
import tempfile

from vm import BUILD, QEMU, Machine

ICOUNT = ["-icount", "shift=0,sleep=off"]
BENCH = os.path.join(BUILD, "user", "bench")
PACKAGE = "linux-image-cloud-amd64"
# Name in user/bench.c: (what it is, goal).
ROWS = {
    "getppid": ("getppid", 80),
    "unknown_call": ("a call that does not exist", 80),
    "read_zero": ("read 1 byte of /dev/zero", 180),
    "write_null": ("write 1 byte to /dev/null", 160),
    "read_file_1": ("read 1 byte of a file", 350),
    "fstat": ("fstat", 300),
    "stat": ("stat (path of 2 parts)", 900),
    "open_close": ("open + close", 1500),
    "poll_10": ("poll of 10 descriptors", 900),
    "pipe_alone": ("pipe: write + read by one process", 600),
    "pipe_round_trip": ("pipe: round trip between 2 processes", 2000),
    "sched_yield": ("sched_yield", 150),
    "clock_gettime": ("clock_gettime (vDSO)", 100),
    "signal_install": ("install a signal handler", 150),
    "signal_deliver": ("deliver a signal, return", 1000),
    "fault_anonymous": ("page fault, anonymous", 1000),
    "fault_copy": ("page fault, copy-on-write", 1500),
    "mmap_64k": ("mmap + munmap of 64 KiB, touched", 5000),
    "fork": ("fork + exit + wait", 40000),
    "fork_exec": ("fork + exec + wait, static program", 80000),
    "fork_8m": ("fork + exit + wait, 8 MiB resident", 120000),
    "pipe_4k": ("pipe: 4 KiB moved", 1400),
    "read_file_4k": ("read 4 KiB of a file", 650),
}
INIT = """#!/bin/busybox sh
/bin/busybox mount -t proc proc /proc
/bin/busybox mount -t devtmpfs dev /dev
/bin/bench
echo the end
/bin/busybox poweroff -f
"""


def parse(text):
    return {name: int(n) for name, n in re.findall(r"(?m)^(\w+) +(\d+)\r?$", text) if name in ROWS}


def minos():
    with Machine(extra=ICOUNT) as vm:
        vm.prompt()
        return parse(vm.command("sleep 12; run bench", timeout=300))


def linux_kernel():
    """The kernel's file and its version, or None: not Debian, or no way to the package."""
    folder = os.path.join(BUILD, "linux")
    found = glob.glob(os.path.join(folder, "boot", "vmlinuz-*"))
    if not found and shutil.which("apt-get") and shutil.which("dpkg-deb"):
        os.makedirs(folder, exist_ok=True)
        depends = subprocess.run(["apt-cache", "depends", PACKAGE], stdout=subprocess.PIPE, check=False).stdout.decode()
        real = re.search(r"Depends: (linux-image-\S+)", depends)
        if real:
            subprocess.run(["apt-get", "download", "-q", real[1]], cwd=folder, check=False,
                           stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for package in glob.glob(os.path.join(folder, "*.deb")):
            subprocess.run(["dpkg-deb", "-x", package, folder], check=False)
        found = glob.glob(os.path.join(folder, "boot", "vmlinuz-*"))
    return (found[0], os.path.basename(found[0]).partition("-")[2]) if found else None


def initramfs(path):
    with tempfile.TemporaryDirectory(prefix="minos-initramfs-") as root:
        for name in ("bin", "tmp", "dev", "proc"):
            os.mkdir(os.path.join(root, name))
        shutil.copy("/bin/busybox", os.path.join(root, "bin", "busybox"))
        shutil.copy(BENCH, os.path.join(root, "bin", "bench"))
        with open(os.path.join(root, "init"), "w", encoding="ascii") as f:
            f.write(INIT)
        os.chmod(os.path.join(root, "init"), 0o755)
        names = "".join(os.path.join(where, n)[len(root) + 1:] + "\n" for where, dirs, files in os.walk(root)
                        for n in sorted(dirs + files))
        packed = subprocess.run(["/bin/busybox", "cpio", "-o", "-H", "newc"], cwd=root, input=names.encode(),
                                stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True).stdout
    with gzip.open(path, "wb", 1) as f:
        f.write(packed)


def linux():
    """({name: instructions}, version), or None."""
    kernel = linux_kernel()
    if kernel is None or not os.path.exists("/bin/busybox"):
        return None
    with tempfile.TemporaryDirectory(prefix="minos-bench-") as folder:
        ramfs = os.path.join(folder, "initramfs.gz")
        initramfs(ramfs)
        done = subprocess.run([QEMU, "-nodefaults", "-display", "none", "-M", "q35", "-cpu", "max", "-m", "256M",
                               "-accel", "tcg", *ICOUNT, "-kernel", kernel[0], "-initrd", ramfs, "-append",
                               "console=ttyS0 quiet panic=-1", "-serial", "stdio", "-no-reboot"],
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                              timeout=600, check=False)
    rows = parse(done.stdout.decode(errors="replace"))
    return (rows, kernel[1]) if len(rows) == len(ROWS) else None


def table():
    """Markdown for docs/performance.md."""
    ours, other = minos(), linux()
    theirs, version = other if other is not None else ({}, "not at hand")
    lines = ["### Programs (`user/bench.c`), instructions per operation", "",
             f"| operation | MinOS | Linux {version} | ratio | goal | |", "|---|---|---|---|---|---|"]
    for name, (what, goal) in ROWS.items():
        n, m = ours[name], theirs.get(name)
        ratio = f"{n / m:.2f}" if m else ""
        lines.append(f"| {what} | {n:,} | {m or '':,} | {ratio} | ≤ {goal:,} | {'met' if n <= goal else 'missed'} |"
                     if m else f"| {what} | {n:,} | | | ≤ {goal:,} | {'met' if n <= goal else 'missed'} |")
    return "\n".join(lines) + "\n"
