"""unwind.py - gdb's own backtraces go on from a trap handler into the code that was interrupted.

trap.asm has no call frame information; but when trap_dispatch() has been called, RSP is the struct
trapframe, and that holds every register of the interrupted code.
"""

import gdb
from gdb.unwinder import Unwinder, register_unwinder

from . import symbols

REGISTERS = ("rax", "rbx", "rcx", "rdx", "rsi", "rdi", "rbp", "rsp", "r8", "r9", "r10", "r11", "r12",
             "r13", "r14", "r15", "rip")


class FrameId:
    def __init__(self, sp, pc):
        self.sp, self.pc = sp, pc


class TrapUnwinder(Unwinder):
    def __init__(self):
        super().__init__("minos trap frame")

    def __call__(self, pending):
        if "x86-64" not in pending.architecture().name():
            return None
        pc, sp = pending.read_register("rip"), pending.read_register("rsp")
        try:
            if int(pc) not in symbols.trap_returns():
                return None
            frame = sp.cast(gdb.lookup_type("struct trapframe").pointer()).dereference()
            saved = {name: frame[name] for name in REGISTERS}
            for value in saved.values():
                value.fetch_lazy()
        except gdb.error:
            return None
        info = pending.create_unwind_info(FrameId(sp, pc))
        for name, value in saved.items():
            info.add_saved_register(name, value)
        return info


def setup():
    register_unwinder(None, TrapUnwinder(), replace=True)
