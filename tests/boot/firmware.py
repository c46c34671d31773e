"""firmware.py - assemble firmware.asm, the option ROM that makes the BIOS misbehave."""

import os
import subprocess

SOURCE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "firmware.asm")


def build_rom(path, flags):
    """Write the ROM with these flags ("NO_EDD", "FAIL_FIRST=1"; see firmware.asm) to @path."""
    subprocess.run([os.environ.get("NASM") or "nasm", "-f", "bin", *(f"-D{flag}" for flag in flags),
                    "-o", path, SOURCE], check=True)
    with open(path, "r+b") as f:
        data = f.read()
        f.seek(len(data) - 1)
        f.write(bytes([(data[-1] - sum(data)) & 0xFF]))  # the BIOS runs it only if the sum is 0
    return path
