"""view.py - shows gdb the processor that the code at hand was compiled for.

QEMU describes a 64-bit CPU whatever mode it is in, and gdb then unwinds and disassembles all code
as 64-bit code.  After each stop the description and the architecture are set to what the mode
demands: x86-64, i386 (low-view.xml), or i8086 for 16-bit code (the same registers).
"""

import os
import tempfile

import gdb

from .cpu import cpu

LOW_VIEW = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "low-view.xml")
ARCHITECTURE = {16: "i8086", 32: "i386", 64: "i386:x86-64"}
_current = 64
_following = False
_copy = None  # removed when gdb ends


def _quietly(command):
    """Between two steps of a change the description and the architecture do not fit: no matter."""
    try:
        gdb.execute(command, to_string=True)
    except gdb.error:
        pass


def _description(bits):
    """
    The file that describes the registers of 16-bit or 32-bit code.  The architecture named in it is
    what gdb disassembles by, whatever `set architecture` says; so 16-bit code has a copy of its own.
    """
    if bits == 32:
        return LOW_VIEW
    global _copy
    if _copy is None:
        with open(LOW_VIEW, encoding="ascii") as f:
            text = f.read()
        _copy = tempfile.NamedTemporaryFile("w", prefix="minos-gdb-", suffix=".xml")
        _copy.write(text.replace(">i386<", f">{ARCHITECTURE[bits]}<"))
        _copy.flush()
    return _copy.name


def _show(bits):
    global _current
    # Single registers have other numbers in the low views; writing them all goes through stub.py.
    how = "auto" if bits == 64 else "off"
    _quietly(f"set remote set-register-packet {how}")
    _quietly(f"set remote fetch-register-packet {how}")
    _quietly("unset tdesc filename" if bits == 64 else f"set tdesc filename {_description(bits)}")
    _quietly(f"set architecture {ARCHITECTURE[bits]}")
    _current = bits


def follow(*_):
    """Fit the view to the CPU's mode."""
    global _following
    if _following or gdb.selected_inferior().connection is None:
        return
    _following = True
    try:
        bits = cpu().bits
        if bits != _current:
            _show(bits)
    finally:
        _following = False
_copy = None  # removed when gdb ends


def stopped(*_):
    """Behind gdb's message about a stop, which still named the place in the old view."""
    before = _current
    follow()
    if (before == 64) != (_current == 64):
        _quietly_shown("frame")


def _quietly_shown(command):
    try:
        gdb.execute(command)
    except gdb.error:
        pass


def reset(*_):
    """The machine has gone: the next one's first registers come in the wide view."""
    if _current != 64:
        _show(64)


def setup():
    for command in ("set osabi none", "set remoteaddresssize 64", "set disassembly-flavor intel",
                    "set pagination off", "set demangle-style none"):
        gdb.execute(command, to_string=True)
    gdb.events.stop.connect(stopped)
    gdb.events.before_prompt.connect(follow)
    gdb.events.connection_removed.connect(reset)
