#!/usr/bin/env python3
"""timeline.py - a picture of the boot, from reset to the prompt and to scale: `make timeline`.

usage: timeline.py OUTPUT.svg...

Boots the image several times (TIMELINE_RUNS, 5) on the reference machine, q35 with an AHCI disk,
under `-icount shift=0,sleep=off`: a tick of the TSC is one instruction and one nanosecond of guest
time.  Times and machine states are the boot trace's, as the shell's `boot` shows them; the state
at reset is read from QEMU before the first instruction.  The emulated clock starts at a fixed date,
since the work of telling the time depends on it.

What is drawn: tools/timeline_model.py.  How: tools/timeline_svg.py.
"""

import os
import re
import subprocess
import sys
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(ROOT, "tests", "boot"))
import timeline_model as model  # noqa: E402  (the path above)
import timeline_svg as picture  # noqa: E402
from vm import QEMU, TIMEOUT, Machine, VmError, boot_trace  # noqa: E402

RUNS = int(os.environ.get("TIMELINE_RUNS", "5"))
MACHINE = "q35"
OPTIONS = ["-icount", "shift=0,sleep=off", "-rtc", "base=2024-01-01T00:00:00,clock=vm"]


def reset_state(text):
    """A record like the trace's from QEMU's `info registers` of a processor just reset."""
    def number(pattern):
        match = re.search(pattern, text, re.M)
        if match is None:
            raise ValueError(f"QEMU's `info registers` shows nothing like {pattern!r}:\n{text}")
        return int(match[1], 16)

    return {"name": "reset", "tsc": 0, "disk": 0, "bits": 16, "cs": number(r"^CS =([0-9a-f]+)"),
            "ip": number(r"\b[ER]IP=([0-9a-f]+)"), "rflags": number(r"\b[ER]FL=([0-9a-f]+)"),
            "cr0": number(r"\bCR0=([0-9a-f]+)"), "cr3": number(r"\bCR3=([0-9a-f]+)"),
            "cr4": number(r"\bCR4=([0-9a-f]+)"), "efer": number(r"\bEFER=([0-9a-f]+)"),
            "a20": number(r"\bA20=([01])")}


def wait_idle(vm):
    """
    Wait until the processor is halted.  The prompt is seen before the code that printed it has made
    the trace's last record, and what is typed then would interrupt it.
    """
    deadline = time.monotonic() + TIMEOUT
    while "HLT=1" not in vm.hmp("info registers"):
        if time.monotonic() > deadline:
            raise VmError(vm.report(f"not idle within {TIMEOUT:.0f} s of its prompt"))


def one_boot():
    """(state at reset, boot trace) of one boot."""
    with Machine(machine=MACHINE, extra=OPTIONS, paused=True) as vm:
        reset = reset_state(vm.hmp("info registers"))
        vm.qmp("cont")
        vm.prompt()
        wait_idle(vm)
        return reset, boot_trace(vm)


def qemu_version():
    out = subprocess.run([QEMU, "--version"], stdout=subprocess.PIPE, check=True).stdout.decode()
    match = re.search(r"version (\d[\d.]*\d)", out)
    return f"QEMU {match[1]}" if match else out.splitlines()[0]


def draw(boots):
    """The picture of several boots as text."""
    trace = model.median_trace([trace for _, trace in boots])
    origin = (f"{qemu_version()}, {MACHINE} with AHCI disk, -icount shift=0: one instruction is "
              f"1 ns of guest time. Disk waits: median of {len(boots)}. Made by make timeline.")
    return picture.draw(model.phases(trace), model.edges(boots[0][0], trace), origin)


def main():
    outputs = sys.argv[1:]
    if not outputs or RUNS < 1:
        print("usage: timeline.py OUTPUT.svg...  (TIMELINE_RUNS: how many boots, at least 1)")
        return 2
    try:
        text = draw([one_boot() for _ in range(RUNS)])
    except (VmError, ValueError) as problem:
        print(f"timeline: {problem}")
        return 1
    for path in outputs:
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)
    print(f"timeline: {RUNS} boots of {MACHINE}, drawn to {' and '.join(outputs)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
