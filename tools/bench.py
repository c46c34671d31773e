#!/usr/bin/env python3
"""bench.py - the figures of docs/performance.md: `make bench`.

Runs under `-icount shift=0,sleep=off`: one instruction is one nanosecond of guest time, the same on
every machine and day, except while the guest waits for the disk.  Those waits are measured by the
loader around each int 13h and shown apart; every figure is the median of five runs.

The time until the first instruction of the boot sector is read by a boot sector of our own that
does nothing but RDTSC: the real one may not use it before the processor was looked at.
"""

import os
import re
import statistics
import struct
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(ROOT, "tests", "boot"))
import bench_media  # noqa: E402
import bench_programs  # noqa: E402
import irqsoff  # noqa: E402
import kernel_size  # noqa: E402
from vm import BUILD, IMAGE, QEMU, SMALL_INITRD, Machine, VmError, boot_trace, image_copy  # noqa: E402  (the path above)

RUNS = int(os.environ.get("BENCH_RUNS", "5"))
ICOUNT = ["-icount", "shift=0,sleep=off"]
MACHINES = [("q35", "q35, AHCI"), ("pc", "pc, IDE")]
REPORT = os.path.join(ROOT, "docs", "performance.md")
BEGIN, END = "<!-- figures: written by make bench -->", "<!-- end of figures -->"

# mov ebx:ecx <- TSC, then its eight bytes to COM1, then stop.
PROBE = bytes.fromhex(
    "0f31"  # rdtsc
    "6689c3" "6689d6"  # mov ebx, eax; mov esi, edx
    "baf803"  # mov dx, 3f8h
    "b90400"  # mov cx, 4
    "88d8" "ee" "66c1eb08" "e2f7"  # mov al, bl; out dx, al; shr ebx, 8; loop
    "6689f3"  # mov ebx, esi
    "b90400"
    "88d8" "ee" "66c1eb08" "e2f7"
    "faf4ebfd")  # cli; hlt; jmp


def small_image(folder):
    """The image with the floppy's initrd: what the system itself takes until the prompt."""
    with open(SMALL_INITRD, "rb") as f:
        return image_copy(folder, files=[("INITRD.TAR", f.read())], name="small.img")


def handover(machine, folder, runs=RUNS):
    """Nanoseconds from reset to the first instruction of the boot sector."""
    probe = os.path.join(folder, "probe.img")
    with open(IMAGE, "rb") as f:
        image = bytearray(f.read())
    image[0:len(PROBE)] = PROBE
    with open(probe, "wb") as f:
        f.write(image)
    times = []
    for _ in range(runs):
        with Machine(probe, machine=machine, extra=ICOUNT) as vm:
            data = vm.expect(rb"(?s).{8}").group(0)
            times.append(struct.unpack("<Q", data)[0])
    return statistics.median(times)


def trace(machine, image):
    """One boot: [(name, nanoseconds since reset, of which disk)]."""
    with Machine(image, machine=machine, extra=ICOUNT) as vm:
        vm.prompt()
        return [(row["name"], row["tsc"], row["disk"]) for row in boot_trace(vm)
                if row["tsc"] is not None]


def medians(machine, image=IMAGE, runs=RUNS):
    """The trace with the median of several boots in each row; a fourth column is without disk waits."""
    runs = [trace(machine, image) for _ in range(runs)]
    names = [name for name, _, _ in runs[0]]
    rows = []
    for i, name in enumerate(names):
        rows.append((name, statistics.median(run[i][1] for run in runs),
                     statistics.median(run[i][2] for run in runs),
                     statistics.median(run[i][1] - run[i][2] for run in runs)))
    return rows


def operations():
    """The shell's `bench`, once the TSC is known and no tick looks at another counter: its lines."""
    with Machine(extra=ICOUNT) as vm:
        vm.prompt()
        return vm.command("sleep 12; bench", timeout=300).rstrip("\n")


def memory_used():
    with Machine(mem="8M") as vm:
        vm.prompt()
        match = re.search(r"^\s*used\s+([\d,]+)", vm.command("mem"), re.M)
        return int(match[1].replace(",", "")) * 4


def irqs_off():
    """A row: the longest time without interrupts, and where."""
    with tempfile.TemporaryDirectory(prefix="minos-irqsoff-") as folder:
        what, cycles, code = irqsoff.figure(folder)
    return (f"| longest time with interrupts off (`{what}`: {' to '.join(code)}) | {cycles:,} instructions | "
            f"≤ {irqsoff.IRQS_MAX:,} | {goal(cycles, irqsoff.IRQS_MAX)} |")


def ms(ns):
    return f"{ns / 1e6:.3f}"


def goal(value, limit):
    return "met" if value <= limit else "**missed**"


def boot_table(label, first, rows):
    """Markdown for one machine; returns (text, prompt ns, ours without disk waits ns)."""
    lines = [f"### {label}", "", "| transition | since reset, ms | disk waits so far, ms | "
             "without them, since the boot sector, ms |", "|---|---|---|---|",
             f"| boot sector's first instruction | {ms(first)} | 0.000 | 0.000 |"]
    for name, total, disk, clean in rows:
        lines.append(f"| {name} | {ms(total)} | {ms(disk)} | {ms(clean - first)} |")
    _, total, _, clean = rows[-1]
    return "\n".join(lines) + "\n", total, clean - first


def figures():
    summary = ["| figure | value | goal | |", "|---|---|---|---|"]
    tables = []
    with tempfile.TemporaryDirectory(prefix="minos-bench-") as folder:
        for machine, label in MACHINES:
            first = handover(machine, folder)
            text, total, ours = boot_table(label, first, medians(machine, small_image(folder)))
            tables.append(text)
            _, with_programs, _, clean = medians(machine)[-1]
            summary.append(f"| {label}: reset to prompt | {ms(total)} ms | ≤ 30 ms | "
                           f"{goal(total, 30e6)} |")
            summary.append(f"| {label}: boot sector to prompt without disk waits | {ms(ours)} ms | "
                           f"≤ 5 ms | {goal(ours, 5e6)} |")
            summary.append(f"| {label}: the same two with the programs of the default image | {ms(with_programs)} ms, "
                           f"{ms(clean - first)} ms | | |")
    size = {name: n / 1024 for name, n in kernel_size.sizes(BUILD).items()}
    summary.append(f"| kernel (its file: {size['file']:.1f} KiB with {size['tests']:.1f} of self-tests; "
                   f"{size['packed']:.1f} packed) | {size['kernel']:.1f} KiB | ≤ 400 KiB | "
                   f"{goal(size['kernel'], 400)} (docs/decisions.md) |")
    used = memory_used()
    summary.append(f"| memory used at the prompt, programs included, 8 MiB machine | {used} KiB | < 4096 KiB | "
                   f"{goal(used, 4095)} |")
    summary.append(irqs_off())
    version = subprocess.run([QEMU, "--version"], stdout=subprocess.PIPE, check=True)
    where = version.stdout.decode().splitlines()[0]
    return "\n".join([
        f"Measured with {where}, `-accel tcg -icount shift=0,sleep=off -cpu max`, median of {RUNS}:",
        "one instruction is one nanosecond.", "", *summary, "", *tables, bench_media.table(), bench_programs.table(),
        "### Instructions per operation (the shell's `bench`)", "", "```", operations(), "```", ""])


def write(text):
    """Put the figures between their marks; what people wrote around them stays."""
    try:
        with open(REPORT, encoding="utf-8") as f:
            old = f.read()
    except OSError:
        old = ""
    if BEGIN not in old:
        old = (old or "# Performance\n\n") + f"{BEGIN}\n{END}\n"
    before, rest = old.split(BEGIN, 1)
    after = rest.split(END, 1)[1]
    os.makedirs(os.path.dirname(REPORT), exist_ok=True)
    with open(REPORT, "w", encoding="utf-8") as f:
        f.write(f"{before}{BEGIN}\n{text}{END}{after}")


def main():
    try:
        text = figures()
    except VmError as problem:
        print(problem)
        return 1
    print(text)
    write(text)
    print(f"bench: written to {os.path.relpath(REPORT, ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
