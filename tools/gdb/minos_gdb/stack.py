"""stack.py - call chains by frame pointers, as the kernel's own backtrace follows them.

[rbp] is the caller's RBP, [rbp + 8] the return address (-fno-omit-frame-pointer).  Where that
address lies behind trap.asm's call of trap_dispatch(), the trap frame above it says where the
interrupted code stood.
"""

import gdb

from . import symbols
from .cpu import number, read_linear

DEPTH = 200
RET, AT, TRAP = "return address", "where it stands", "trap frame"


def word(where):
    return number(read_linear(where, 8))


def at_function_start(where):
    """No frame is made there yet: the caller's address is on top of the stack."""
    name = symbols.describe(where)
    return name != "" and "+" not in name


def trap_frame(address, field):
    kind = gdb.lookup_type("struct trapframe")
    offset = next(f.bitpos // 8 for f in kind.fields() if f.name == field)
    return word(address + offset)


def walk(rbp, low=0):
    """(what, value) up the chain from RBP: return addresses, trap frames, where those stood."""
    landings = symbols.trap_returns()
    for _ in range(DEPTH):
        if rbp & 7 or rbp < low:
            return
        try:
            up, ret = word(rbp), word(rbp + 8)
            if ret in landings:
                frame = rbp + 16
                yield TRAP, frame
                yield AT, trap_frame(frame, "rip")
                if trap_frame(frame, "cs") & 3:
                    return  # ring 3 has frames of its own
                rbp, low = trap_frame(frame, "rbp"), 0
                continue
        except gdb.MemoryError:
            return
        if ret == 0:
            return
        yield RET, ret
        if up <= rbp:
            return
        rbp, low = up, rbp


def from_cpu(state):
    """The chain of the code that runs now."""
    yield AT, state.pc
    if at_function_start(state.pc):
        top = word(state["RSP"])
        if top in symbols.trap_returns():
            frame = state["RSP"] + 8
            yield TRAP, frame
            yield AT, trap_frame(frame, "rip")
        else:
            yield RET, top
    yield from walk(state["RBP"])


def show(rows, limit=None, indent="    "):
    """A line each; for a return address that of the call, which stands before it."""
    depth = 0
    for what, value in rows:
        if limit is not None and depth >= limit:
            print(f"{indent}... (minos-threads ID shows all)")
            return
        if what == TRAP:
            print(f"{indent}--- trap frame at {value:#x} (minos-frame {value:#x})")
            continue
        call = value - 1 if what == RET else value
        print(f"{indent}#{depth:<2} {value:016x}  {symbols.describe(call).split('+')[0]:<28} "
              f"{symbols.line(call)}".rstrip())
        depth += 1
