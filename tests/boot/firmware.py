"""firmware.py - an option ROM from firmware.asm, with the switches that a test asks for."""

import os
import subprocess

HERE = os.path.dirname(os.path.abspath(__file__))


def option_rom(folder, flags):
    """Assemble the ROM into @folder with @flags ("NO_EDD", "FAIL_AT=3"); returns QEMU's options."""
    path = os.path.join(str(folder), "rom.bin")
    subprocess.run(["nasm", "-f", "bin", *(f"-D{flag}" for flag in flags), "-o", path,
                    os.path.join(HERE, "firmware.asm")], check=True)
    with open(path, "r+b") as f:
        data = bytearray(f.read())
        data[-1] = -sum(data) & 0xFF  # the BIOS takes a ROM whose bytes sum to 0
        f.seek(0)
        f.write(data)
    return ["-option-rom", path]
