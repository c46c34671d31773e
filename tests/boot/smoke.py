#!/usr/bin/env python3
"""smoke.py - does the system boot and answer one command?  For `make smoke`: seconds, no pytest."""

import sys
import time

from vm import Machine, VmError


def main():
    start = time.monotonic()
    try:
        with Machine() as vm:
            vm.prompt()
            answer = vm.command("uname -a")
            if "MinOS" not in answer:
                raise VmError(vm.report(f"`uname -a` answered {answer!r}"))
    except VmError as problem:
        print(problem)
        print("smoke: 0 passed, 1 failed")
        return 1
    print(f"{answer.strip()}\nsmoke: booted and answered within {time.monotonic() - start:.1f} s")
    print("smoke: 1 passed, 0 failed")
    return 0


if __name__ == "__main__":
    sys.exit(main())
