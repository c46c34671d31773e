"""regs.py - minos-regs: control registers, segments and descriptor tables, bit by bit."""

import gdb

from . import bits, symbols
from .cpu import SEGMENTS, Command, cpu, number, read_linear

REGISTERS = {"cr0": ("CR0", bits.CR0), "cr4": ("CR4", bits.CR4), "efer": ("EFER", bits.EFER),
             "rflags": ("RFL", bits.RFLAGS)}
GATE_KINDS = {14: "interrupt gate", 15: "trap gate", 5: "task gate"}


def show_register(name):
    key, table = REGISTERS[name]
    value = cpu()[key]
    print(f"{name.upper():<6} {value:016x}  {bits.names(value, table)}".rstrip())
    for bit, short, meaning, state in bits.explain(value, table):
        print(f"    bit {bit:2}  {short:<10} {state}  {meaning}")


def show_general(state):
    wide = state.bits == 64
    names = ["RAX", "RBX", "RCX", "RDX", "RSI", "RDI", "RBP", "RSP"]
    if wide:
        names += [f"R{n}" for n in range(8, 16)]
    for at in range(0, len(names), 4):
        print("  ".join(f"{n if wide else 'E' + n[1:]:<3} {state[n]:0{16 if wide else 8}x}"
                        for n in names[at:at + 4]))


def show_control(state):
    print(f"mode   {state.mode}; A20 {'on' if state['A20'] else 'off'}, ring {state['CPL']}")
    print(f"next   {state.describe_pc()}, linear {state.pc:x}  {symbols.describe(state.pc)}".rstrip())
    for name, (key, table) in REGISTERS.items():
        print(f"{name.upper():<6} {state[key]:016x}  {bits.names(state[key], table)}".rstrip())
    print(f"CR2    {state['CR2']:016x}  address of the last page fault")
    print(f"CR3    {state['CR3']:016x}  page tables at {state['CR3'] & ~0xFFF:#x}")


def show_segments(state):
    print("     SELECTOR               BASE     LIMIT  DESCRIPTOR")
    for name in SEGMENTS:
        s = state.segments[name]
        print(f"{name:<4} {s.selector:04x} {where(s.selector):<7} {s.base:016x}  {s.limit:08x}  "
              f"{bits.segment_flags(s.flags)}: {bits.segment_type(s.flags)}")
    for name, (base, limit) in state.tables.items():
        print(f"{name}  base {base:016x}, limit {limit:04x}")


def where(selector):
    """Which table and privilege level a selector names."""
    return f"{'LDT' if selector & 4 else 'GDT'}/{selector & 3}"


def show_gdt(state):
    base, limit = state.tables["GDT"]
    print(f"GDT at {base:#x}, {(limit + 1) // 8} entries of 8 bytes")
    at = 0
    while at + 7 <= limit:
        low, high = number(read_linear(base + at, 4)), number(read_linear(base + at + 4, 4))
        address = low >> 16 | (high & 0xFF) << 16 | high & 0xFF000000
        size = low & 0xFFFF | high & 0xF0000
        size = size << 12 | 0xFFF if high >> 23 & 1 else size
        step = 8
        if not low | high:
            print(f"  {at:02x}h  {high:08x}{low:08x}  null")
        else:
            if state.bits == 64 and not high >> 12 & 1:  # system descriptors have 16 bytes there
                address |= number(read_linear(base + at + 8, 4)) << 32
                step = 16
            print(f"  {at:02x}h  {high:08x}{low:08x}  {bits.segment_type(high)}; base {address:x}, "
                  f"limit {size:x}\n       {bits.segment_flags(high)}")
        at += step


def show_gate(state, vector):
    """One entry of the IDT; returns False behind its end."""
    base, limit = state.tables["IDT"]
    if state.bits == 16 and not state["CR0"] & 1:
        if vector * 4 + 3 > limit:
            return False
        data = read_linear(base + vector * 4, 4)
        print(f"  {vector:02x}h  {number(data[2:]):04X}:{number(data[:2]):04X}")
        return True
    size = 16 if state["EFER"] >> 10 & 1 else 8
    if vector * size + size - 1 > limit:
        return False
    data = read_linear(base + vector * size, size)
    target = number(data[0:2]) | number(data[6:8]) << 16
    if size == 16:
        target |= number(data[8:12]) << 32
    kind = GATE_KINDS.get(data[5] & 15, f"type {data[5] & 15}")
    absent = "" if data[5] & 0x80 else ", NOT PRESENT"
    stack = f", IST {data[4] & 7}" if size == 16 and data[4] & 7 else ""
    print(f"  {vector:02x}h  {number(data[2:4]):02x}:{target:x}  {kind}, DPL {data[5] >> 5 & 3}{stack}"
          f"{absent}  {symbols.describe(target)}")
    return True


def show_idt(state, first=0, count=32):
    base, limit = state.tables["IDT"]
    print(f"IDT at {base:#x}, limit {limit:#x}")
    if not base and not limit:
        print("  empty: an exception now resets the machine")
    for vector in range(first, min(256, first + count)):
        if not show_gate(state, vector):
            break


class Registers(Command):
    """The processor's registers, bit by bit: minos-regs [cr0|cr4|efer|rflags|segments|gdt|idt [VECTOR]]

Without argument: general and control registers with the names of the set bits, and the segment
registers with what the CPU keeps of their descriptors."""

    PARTS = [*REGISTERS, "segments", "gdt", "idt"]

    def __init__(self):
        super().__init__("minos-regs", gdb.COMMAND_STATUS)

    def complete(self, text, word):
        return [part for part in self.PARTS if part.startswith(word)]

    def run(self, words):
        if not words:
            show_general(cpu())
            show_control(cpu())
            show_segments(cpu())
        elif words[0] == "idt" and len(words) == 2 and words[1].isalnum():
            show_idt(cpu(), int(gdb.parse_and_eval(words[1])) & 0xFF, 1)
        elif len(words) > 1 or words[0] not in self.PARTS:
            raise gdb.GdbError("usage: minos-regs [" + "|".join(self.PARTS) + " [VECTOR]]")
        elif words[0] in REGISTERS:
            show_register(words[0])
        else:
            {"segments": show_segments, "gdt": show_gdt, "idt": show_idt}[words[0]](cpu())


def setup():
    Registers()
