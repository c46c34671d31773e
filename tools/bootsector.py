#!/usr/bin/env python3
"""bootsector.py - assemble one boot sector, run it in QEMU, print what it writes to COM1.

usage: bootsector.py [--bios FLAG]... FILE.asm [-DNAME[=VALUE]]... [-- QEMU option...]

--bios makes the BIOS misbehave in one of the ways that tests/boot/firmware.asm lists.  The sector
ends the machine by a write to port F4h; a machine that resets instead is reported.
Environment: BUILD (where the assembled files go), QEMU, NASM.
"""

import os
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BUILD = os.path.join(ROOT, os.environ.get("BUILD") or "build")
QEMU = os.environ.get("QEMU") or "qemu-system-x86_64"
NASM = os.environ.get("NASM") or "nasm"
FIRMWARE = os.path.join(ROOT, "tests", "boot", "firmware.asm")
TIMEOUT = 120  # seconds: a machine that hangs
MEDIUM = 1 << 20  # bytes: a disk of a single sector is none to some BIOSes
WRITTEN = 1  # isa-debug-exit: QEMU's status is (byte << 1) | 1, so it is odd


def assemble(source, output, defines):
    command = [NASM, "-f", "bin", "-I", os.path.dirname(os.path.abspath(source)) + "/",
               *defines, "-o", output, source]
    if subprocess.run(command, check=False).returncode:
        sys.exit(f"bootsector: {source} cannot be assembled")


def option_rom(flags):
    """An option ROM's bytes must sum to 0: the last one makes it so."""
    path = os.path.join(BUILD, "bootsector.rom")
    assemble(FIRMWARE, path, [f"-D{flag}" for flag in flags])
    with open(path, "r+b") as f:
        data = f.read()
        f.seek(len(data) - 1)
        f.write(bytes([-sum(data[:-1]) & 0xFF]))
    return path


def run(sector, more):
    machine = [QEMU, "-nodefaults", "-display", "none", "-M", "q35", "-cpu", "max", "-accel", "tcg",
               "-no-reboot", "-serial", "stdio", "-monitor", "none",
               "-device", "isa-debug-exit,iobase=0xf4",
               "-drive", f"file={sector},format=raw,if=none,id=disk,snapshot=on",
               "-device", "ide-hd,drive=disk", *more]
    try:
        status = subprocess.run(machine, stdin=subprocess.DEVNULL, timeout=TIMEOUT,
                                check=False).returncode
    except subprocess.TimeoutExpired:
        sys.exit(f"bootsector: still running after {TIMEOUT} s")
    except FileNotFoundError:
        sys.exit(f"bootsector: {QEMU} is missing: tools/setup run installs it")
    if not status & WRITTEN:
        print("(the machine was reset)")


def main():
    arguments, more = sys.argv[1:], []
    if "--" in arguments:
        place = arguments.index("--")
        arguments, more = arguments[:place], arguments[place + 1:]
    flags = []
    while len(arguments) > 1 and arguments[0] == "--bios":
        flags.append(arguments[1])
        arguments = arguments[2:]
    if not arguments or not arguments[0].endswith(".asm"):
        sys.exit(__doc__)
    if not os.path.exists(arguments[0]):
        sys.exit(f"bootsector: {arguments[0]} is missing")
    os.makedirs(BUILD, exist_ok=True)
    sector = os.path.join(BUILD, "bootsector.bin")
    assemble(arguments[0], sector, arguments[1:])
    os.truncate(sector, MEDIUM)
    if flags:
        more += ["-option-rom", option_rom(flags)]
    run(sector, more)


if __name__ == "__main__":
    main()
