"""bench_media.py - what a boot costs on each medium: the second part of docs/performance.md.

Read calls and bytes are the loader's own count (stage 1 reads stage 2 in one call more).  Under
icount an instruction is a nanosecond; there, time without the disk is the same in every boot, and
the disk's own is not meaningful.  The wall times are the best of several boots of an otherwise
idle machine, by the TSC, from the boot sector's first instruction to the kernel's.
"""

import os
import re
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(ROOT, "tests", "boot"))
import matrix  # noqa: E402  (the path above)
import matrix_run  # noqa: E402
from vm import boot_trace  # noqa: E402

RUNS = int(os.environ.get("BENCH_MEDIA_RUNS", "10"))
ICOUNT = ("-icount", "shift=0,sleep=off")
CASES = [("ide", "pc"), ("ahci", "q35"), ("virtio-blk", "q35"), ("virtio-scsi", "q35"),
         ("nvme", "q35"), ("nvme-4096", "q35"), ("usb-ehci", "q35"), ("usb-xhci", "q35"),
         ("cd-ide", "pc"), ("cd-ahci", "q35"), ("floppy-144", "pc")]
GOAL_MS = 5
GOAL_MEDIA = ("ahci", "virtio-blk", "virtio-scsi", "nvme", "nvme-4096")


def reads(vm):
    """(calls, bytes) of the loader's reads."""
    text = vm.command("boot info")
    calls, sectors = map(int, re.search(r"reads +(\d+) BIOS calls, (\d+) sectors", text).groups())
    return calls, sectors * int(re.search(r"(\d+)-byte sectors", text)[1])


def boot(medium, chipset, extra=()):
    """One boot: (calls, bytes, ticks from stage 1 to kernel entry, of which int 13h, ticks per ms)."""
    case = matrix.Case(medium, chipset)
    with tempfile.TemporaryDirectory(prefix="minos-bench-") as folder, \
            matrix_run.start(case, folder, extra) as vm:
        vm.prompt()
        mhz = float(re.search(r"clock: tsc, \d+ bits at ([\d.]+) MHz", vm.serial_text())[1])
        trace = {row["name"]: row for row in boot_trace(vm) if row["name"] != "paging"}
        first, last = trace["stage 1"], trace["kernel entry"]
        return (*reads(vm), last["tsc"] - first["tsc"], last["disk"] - first["disk"], mhz * 1000)


def row(medium, chipset, runs):
    calls, size, total, disk, per_ms = boot(medium, chipset, ICOUNT)
    counted = (total - disk) / per_ms
    total, disk, per_ms = min((boot(medium, chipset)[2:] for _ in range(runs)),
                              key=lambda r: r[0] / r[2])
    wall = total / per_ms
    goal = "" if medium not in GOAL_MEDIA else "met" if wall <= GOAL_MS else "**missed**"
    return (f"| {matrix.MEDIA[medium].title} | {chipset} | {calls} | {size >> 10} | "
            f"{calls * (1 << 20) / size:.1f} | {counted:.2f} | {wall:.1f} | {disk / per_ms:.1f} | "
            f"{goal} |")


def table(runs=RUNS):
    return "\n".join([
        "### Media: boot sector to kernel", "",
        f"Instructions are counted as above. Wall time is the best of {runs} boots; the goal for it is "
        f"{GOAL_MS} ms.", "",
        "| medium | machine | read calls | KiB read | calls per MiB | without disk, counted, ms | "
        "wall, ms | of which int 13h, ms | goal |", "|---|---|---|---|---|---|---|---|---|",
        *(row(*case, runs) for case in CASES)]) + "\n"


if __name__ == "__main__":
    print(table(int(sys.argv[1]) if len(sys.argv) > 1 else RUNS))
