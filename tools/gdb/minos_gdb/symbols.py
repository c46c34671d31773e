"""symbols.py - the three programs of the boot, and where their labels are.

gdb's own look-up takes the first of several symbols of a name (stage 2 and the kernel share
functions); `address("stage2", "trace")` says whose is meant, labels of the assembler included.
"""

import os
import struct

import gdb

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
BUILD = os.path.join(ROOT, os.environ.get("BUILD") or "build")
PROGRAMS = {"stage1": "stage1.elf", "stage2": "stage2.elf", "kernel": "minos.elf"}
SHT_SYMTAB = 2
_tables = {}


def path(program):
    return os.path.join(BUILD, PROGRAMS[program])


def _symbol_table(data):
    """{name: value} of an ELF file.  Spec: System V ABI, "Symbol Table"."""
    wide = data[4] == 2
    if wide:
        start, = struct.unpack_from("<Q", data, 0x28)
        size, count = struct.unpack_from("<HH", data, 0x3A)
        section, symbol = "<IIQQQQI", "<IBBHQ"
    else:
        start, = struct.unpack_from("<I", data, 0x20)
        size, count = struct.unpack_from("<HH", data, 0x2E)
        section, symbol = "<IIIIIII", "<II"
    headers = [struct.unpack_from(section, data, start + i * size) for i in range(count)]
    symbols = {}
    for _, kind, _, _, offset, length, link in headers:
        if kind != SHT_SYMTAB:
            continue
        names = headers[link][4]
        for at in range(offset, offset + length, 24 if wide else 16):
            fields = struct.unpack_from(symbol, data, at)
            name = data[names + fields[0]:data.index(0, names + fields[0])].decode()
            symbols[name] = fields[-1]
    return symbols


def table(program):
    """All symbols of "stage1", "stage2" or "kernel"; read again when the file has changed."""
    name = path(program)
    try:
        stamp = os.stat(name).st_mtime_ns
        if _tables.get(program, (None,))[0] != stamp:
            with open(name, "rb") as f:
                _tables[program] = stamp, _symbol_table(f.read())
    except OSError as problem:
        raise gdb.GdbError(f"{name}: {problem.strerror}; `make` builds it") from None
    return _tables[program][1]


def address(program, name):
    try:
        return table(program)[name]
    except KeyError:
        raise gdb.GdbError(f"{path(program)} has no symbol {name}") from None


def trap_returns():
    """Return addresses right above which a trap frame stands (kernel/x86/trap.asm)."""
    return [address("kernel", name) for name in ("trap_return", "trap_paranoid_return")]


def describe(where):
    """`name+offset` of a code address, or "" where no program of ours has code."""
    text = gdb.execute(f"info symbol {where:#x}", to_string=True)
    if text.startswith("No symbol"):
        return ""
    return text.split(" in section")[0].replace(" + ", "+")


def line(where):
    """`file:line` of a code address, or ""."""
    found = gdb.find_pc_line(where)
    if found.symtab is None or found.line == 0:
        return ""
    name = found.symtab.filename
    name = os.path.relpath(name, ROOT) if os.path.isabs(name) else os.path.normpath(name)
    return f"{name}:{found.line}"


def load():
    """Give gdb the symbols of all three; they were linked to where they run."""
    gdb.execute(f'directory "{ROOT}"', to_string=True)
    loaded = {os.path.realpath(o.filename) for o in gdb.objfiles() if o.filename}
    if os.path.realpath(path("kernel")) not in loaded:
        table("kernel")  # says what to do when it is not there
        gdb.execute(f"symbol-file \"{path('kernel')}\"", to_string=True)
    for program in ("stage1", "stage2"):
        known = os.path.realpath(path(program)) in loaded
        if not known and os.path.exists(path(program)):  # a recording may hold the kernel alone
            gdb.execute(f'add-symbol-file "{path(program)}"', to_string=True)
