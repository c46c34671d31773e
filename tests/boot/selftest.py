#!/usr/bin/env python3
"""selftest.py - run the self-tests inside the kernel, in a VM, and report them.

usage: selftest.py kernel|user
`selftest=kernel` leaves out the groups named user.*, `selftest=user` runs only those: two tiers,
reported apart.  Ends with `TIER: N passed, N failed`.
"""

import re
import sys
import tempfile

from vm import EXIT_FAIL, EXIT_PASS, Machine, VmError, image_copy

TIMEOUT = 300


def run(tier):
    """Returns (passed, failed, text)."""
    with tempfile.TemporaryDirectory(prefix="minos-test-") as folder:
        image = image_copy(folder, cmdline=f"console=both panic=exit selftest={tier}")
        with Machine(image) as vm:
            try:
                status = vm.wait_exit(TIMEOUT)
            except VmError as problem:
                return 0, 1, str(problem)
            text = vm.serial_text()
            counts = re.findall(r"(\d+) passed, (\d+) failed", text)
            if not counts:
                return 0, 1, vm.report(f"QEMU ended with {status}, and no result")
            passed, failed = map(int, counts[-1])
            if status != (EXIT_FAIL if failed else EXIT_PASS):
                failed += 1
                text += f"\nQEMU ended with exit status {status}\n"
            return passed, failed, text


def main():
    tier = sys.argv[1]
    passed, failed, text = run(tier)
    if failed:
        print(text)
    print(f"{tier}: {passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
