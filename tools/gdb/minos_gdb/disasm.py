"""disasm.py - minos-x: instructions as the CPU will take them, in every mode.

gdb adds no segment base to IP, so that its own `x/i $pc` looks at the wrong place as soon as CS is
not 0.  Here the bytes at the linear address go through ndisasm (NASM's, the syntax of our sources)
or, where that is missing, objdump.
"""

import re
import shutil
import subprocess

import gdb

from . import symbols
from .cpu import Command, cpu, read_linear

LONGEST = 15  # bytes an instruction may have.  Spec: Intel SDM vol. 2A, "Instruction Format"


def readable(where, size):
    """As much of [where, where + size) as there is."""
    try:
        return read_linear(where, size)
    except gdb.MemoryError:
        pass
    page = 4096 - where % 4096
    return read_linear(where, min(size, page))


def _ndisasm(data, where, bits):
    text = subprocess.run(["ndisasm", "-b", str(bits), "-o", f"{where:#x}", "-"], input=data,
                          stdout=subprocess.PIPE, check=True).stdout.decode()
    rows = []
    for line in text.splitlines():
        if match := re.match(r"([0-9A-F]+)  ([0-9A-F]+)\s+(.*)", line):
            rows.append([int(match[1], 16), match[2], match[3]])
        elif match := re.match(r"\s+-([0-9A-F]+)", line):
            rows[-1][1] += match[1]
    return rows


def _objdump(data, where, bits):
    mode = {16: "i8086", 32: "i386", 64: "x86-64"}[bits]
    tool = shutil.which("objdump") or shutil.which("x86_64-elf-objdump") or "objdump"
    text = subprocess.run(
        [tool, "-D", "-w", "-b", "binary", "-m", "i386", "-M", f"intel,{mode}",
         f"--adjust-vma={where:#x}", "/dev/stdin"], input=data, stdout=subprocess.PIPE,
        check=True).stdout.decode()
    return [[int(at, 16), code.replace(" ", "").upper(), name.strip()] for at, code, name in
            re.findall(r"^\s*([0-9a-f]+):\s+((?:[0-9a-f]{2} )+)\s*(.*)$", text, re.M)]


def instructions(where, count, bits):
    """[(address, bytes in hexadecimal, text)] of @count instructions from the linear address."""
    data = readable(where, count * LONGEST)
    rows = (_ndisasm if shutil.which("ndisasm") else _objdump)(data, where, bits)
    return [tuple(row) for row in rows[:count]]


def one(where, bits):
    """The text of the instruction at @where."""
    return instructions(where, 1, bits)[0][2]


def show(where, count, bits, mark=None):
    """Print them, each with its label and line; @mark is the one that runs next."""
    width = 16 if bits == 64 else 8
    for at, code, text in instructions(where, count, bits):
        comment = "  ".join(part for part in (symbols.describe(at), symbols.line(at)) if part)
        arrow = "=>" if at == mark else "  "
        print(f"{arrow} {at:0{width}X}  {code:<16}  {text:<36}{'; ' + comment if comment else ''}"
              .rstrip())


class Disassemble(Command):
    """Instructions as the CPU will take them: minos-x [ADDRESS [COUNT [BITS]]]

Without ADDRESS, from CS:IP.  ADDRESS is a linear address or a symbol; COUNT is 6 unless given; BITS
(16, 32 or 64) is the CPU's mode unless given."""

    def __init__(self):
        super().__init__("minos-x", gdb.COMMAND_DATA, gdb.COMPLETE_SYMBOL)

    def run(self, words):
        if len(words) > 3 or (len(words) == 3 and words[2] not in ("16", "32", "64")):
            raise gdb.GdbError("usage: minos-x [ADDRESS [COUNT [BITS]]]")
        state = cpu()
        where = evaluate(words[0]) if words else state.pc
        count = evaluate(words[1]) if len(words) > 1 else 6
        bits = int(words[2]) if len(words) > 2 else bits_of(where, state)
        if not 0 < count <= 1000:
            raise gdb.GdbError(f"{count} instructions?  1 to 1000")
        show(where, count, bits, state.pc)


def bits_of(where, state):
    """Code of the kernel is 64-bit code, even before the CPU can run it."""
    return 64 if where >> 32 else state.bits


def evaluate(text):
    """An address or number that a person typed: an expression, a register, a function's name."""
    value = gdb.parse_and_eval(text)
    if value.type.strip_typedefs().code in (gdb.TYPE_CODE_FUNC, gdb.TYPE_CODE_ARRAY):
        value = value.address
    return int(value) & 0xFFFFFFFFFFFFFFFF


def setup():
    Disassemble()
