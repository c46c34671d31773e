"""firmware.py - assemble firmware.asm, the option ROM that makes the BIOS misbehave."""

import os
import re
import subprocess

SOURCE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "firmware.asm")


def switches():
    """The flags that firmware.asm lists in its head: {name: does it take a number}."""
    with open(SOURCE, encoding="utf-8") as f:
        head = f.read().split("\n\tbits")[0]
    lists = re.findall(r"(?m)^;\t((?:[A-Z][A-Z0-9_]+(?:=n)?(?:, )?)+)(?:\t|$)", head)
    flags = ", ".join(lists).split(", ")
    return {flag.partition("=")[0]: flag.endswith("=n") for flag in flags}


def build_rom(path, flags):
    """Write the ROM with these flags ("NO_EDD", "FAIL_FIRST=1"; see firmware.asm) to @path."""
    subprocess.run([os.environ.get("NASM") or "nasm", "-f", "bin", *(f"-D{flag}" for flag in flags),
                    "-o", path, SOURCE], check=True)
    with open(path, "r+b") as f:
        data = f.read()
        f.seek(len(data) - 1)
        f.write(bytes([(data[-1] - sum(data)) & 0xFF]))  # the BIOS runs it only if the sum is 0
    return path


def option_rom(folder, flags):
    """QEMU's options for such a ROM, made in @folder."""
    return ["-option-rom", build_rom(os.path.join(str(folder), "rom.bin"), flags)]
