#!/usr/bin/env python3
"""screenshot.py - boot, type a few commands at the keyboard, and take the screen: `make screenshot`.

usage: screenshot.py OUTPUT.png
"""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tests", "boot"))
from vm import Machine, VmError  # noqa: E402  (the path above)

COMMANDS = ["uname -a", "ps", "lspci", "vmmap ffffffff80100000"]


def main():
    output = os.path.abspath(sys.argv[1])
    try:
        with Machine(machine="q35") as vm:
            vm.prompt()
            vm.command("clear")
            for command in COMMANDS:
                vm.type(command + "\n")
                vm.prompt()
            vm.expect_screen(r"(?m)^minOS>\s*\Z")
            vm.screendump(output)
    except VmError as problem:
        print(problem)
        return 1
    print(f"screenshot: {sys.argv[1]}, {os.path.getsize(output)} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
