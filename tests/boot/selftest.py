#!/usr/bin/env python3
"""selftest.py - run the self-tests inside the kernel, in a VM, and report them as two tiers.

usage: selftest.py [PREFIX]
The groups named user.* run code in ring 3 and are the user tier, all others the kernel tier.
Ends with `kernel: N passed, N failed` and `user: N passed, N failed`.  After a failure the image
and QEMU's command line are kept (FAILURES=folder), and the command is printed that runs them
again: time is counted in instructions, so that it goes the same way.  RECORD=0 keeps nothing.
"""

import os
import re
import shlex
import sys
import tempfile

import recording
from vm import BUILD, ELF, EXIT_FAIL, EXIT_PASS, ROOT, Machine, VmError, image_copy, plain

TIMEOUT = 600
# Guest time by instructions: the tests judge the kernel's sleeps and shares, not how busy the
# machine is that runs QEMU.  The RTC must follow the same time.
EXACT_TIME = ["-icount", "shift=0,sleep=off", "-rtc", "clock=vm"]


def keep(machine, prefix):
    """Save what runs the same tests again; returns what to say of that."""
    if os.environ.get("RECORD") == "0":
        return ""
    parent = os.environ.get("FAILURES") or os.path.join(BUILD, "failures")
    folder = os.path.join(parent, "-".join(["selftest", *re.findall(r"\w+", prefix)]))
    try:
        recording.save(machine, folder, ELF, f"self-tests {prefix}".rstrip())
        recording.prune(parent)
    except (OSError, recording.RecordingError) as problem:
        return f"not kept: {problem}"
    inside = os.path.relpath(folder, ROOT)
    where = folder if inside.startswith("..") else inside
    return f"run it again: make replay FROM={shlex.quote(where)}"


def run(prefix):
    """Returns ({tier: [passed, failed]}, text to show or None)."""
    tiers = {"kernel": [0, 0], "user": [0, 0]}
    option = f"selftest={prefix}" if prefix else "selftest"
    with tempfile.TemporaryDirectory(prefix="minos-test-") as folder:
        image = image_copy(folder, cmdline=f"console=both panic=exit {option}")
        with Machine(image, extra=EXACT_TIME) as vm:
            problem = None
            try:
                status = vm.wait_exit(TIMEOUT)
            except VmError as hung:
                problem, status = str(hung), None
            text = plain(bytes(vm.output))
            for good, name in re.findall(r"^\[(ok|FAIL)\] (\S+?):?(?=\s|$)", text, re.M):
                tier = "user" if name.startswith("user.") else "kernel"
                tiers[tier][good != "ok"] += 1
            failed = tiers["kernel"][1] + tiers["user"][1]
            total = re.findall(r"^(\d+) passed, (\d+) failed$", text, re.M)
            if problem is None and not total:
                problem = vm.report(f"QEMU ended with {status} before the tests did")
            elif problem is None and status != (EXIT_FAIL if failed else EXIT_PASS):
                problem = vm.report(f"QEMU ended with {status}")
            elif problem is None and failed:
                problem = text
            if problem and not failed:
                tiers["kernel"][1] += 1
            if problem:
                problem += "\n" + keep(vm, prefix)
    return tiers, problem


def main():
    tiers, problem = run(sys.argv[1] if len(sys.argv) > 1 else "")
    if problem:
        print(problem)
    for tier, (passed, failed) in tiers.items():
        print(f"{tier}: {passed} passed, {failed} failed")
    return 1 if problem else 0


if __name__ == "__main__":
    sys.exit(main())
