"""frame.py - minos-frame: a trap frame, as trap.asm left it, in words."""

import gdb

from . import bits, disasm, stack, symbols
from .cpu import Command, cpu, read_linear

PF_BITS = ((0, "page present, its rights forbid the access", "page not present"),
           (1, "write", "read"), (2, "from ring 3", "from ring 0"),
           (3, "a reserved bit is set in an entry", None), (4, "instruction fetch", None))
NAMED = {0: "#DE divide error", 1: "#DB debug", 2: "NMI", 3: "#BP breakpoint", 4: "#OF overflow",
         5: "#BR bound range", 6: "#UD invalid opcode", 7: "#NM no x87", 8: "#DF double fault",
         10: "#TS invalid TSS", 11: "#NP segment not present", 12: "#SS stack fault",
         13: "#GP general protection", 14: "#PF page fault", 16: "#MF x87 error",
         17: "#AC alignment check", 18: "#MC machine check", 19: "#XM SIMD error",
         20: "#VE virtualization", 21: "#CP control protection", 28: "#HV hypervisor injection",
         29: "#VC VMM communication", 30: "#SX security"}
WITH_ERROR = (8, 10, 11, 12, 13, 14, 17, 21, 29, 30)
REGISTERS = ("rax", "rbx", "rcx", "rdx", "rsi", "rdi", "rbp", "rsp", "r8", "r9", "r10", "r11", "r12",
             "r13", "r14", "r15")


def vector_name(vector):
    if vector < 32:
        return NAMED.get(vector, "reserved exception")
    if 0x20 <= vector < 0x30:
        return f"interrupt line {vector - 0x20}"
    return "no trap: registers kept by panic()" if vector == 256 else "software interrupt"


def error_code(vector, error):
    """Spec: Intel SDM vol. 3A, "Error Code", "Page-Fault Exceptions"."""
    if vector == 14:
        words = [yes if error >> bit & 1 else no for bit, yes, no in PF_BITS]
        return ", ".join(word for word in words if word)
    if vector in WITH_ERROR and error:
        table = ("GDT", "IDT", "LDT", "IDT")[error >> 1 & 3]
        return f"selector {error & 0xFFF8:04x}h in the {table}" + (", external" if error & 1 else "")
    return "none" if vector not in WITH_ERROR or not error else ""


def type_of(name):
    return gdb.lookup_type(name)


def find():
    """The newest trap frame on the stack that the CPU uses, or None."""
    state = cpu()
    if state.bits != 64 or not state.pc >> 63:
        return None
    return next((value for what, value in stack.from_cpu(state) if what == stack.TRAP), None)


def show(address):
    size = type_of("struct trapframe").sizeof
    read_linear(address, size)  # a clear error when it is not there
    frame = gdb.Value(address).cast(type_of("struct trapframe").pointer()).dereference()
    value = {f.name: int(frame[f.name]) for f in frame.type.fields()}
    vector = value["vector"]
    print(f"trap frame at {address:#x}: vector {vector:#x}, {vector_name(vector)}")
    print(f"  error  {value['error']:#x}  {error_code(vector, value['error'])}".rstrip())
    if vector == 14:
        print(f"  CR2    {cpu()['CR2']:016x}  (as it is now)")
    ring = value["cs"] & 3
    print(f"  rip    {value['cs']:x}:{value['rip']:016x}  ring {ring}  "
          f"{symbols.describe(value['rip'])}  {symbols.line(value['rip'])}".rstrip())
    print(f"  rflags {value['rflags']:016x}  {bits.names(value['rflags'], bits.RFLAGS)}")
    print(f"  stack  {value['ss']:x}:{value['rsp']:016x}")
    for at in range(0, len(REGISTERS), 4):
        print("  " + "  ".join(f"{n:<3} {value[n]:016x}" for n in REGISTERS[at:at + 4]))
    try:
        disasm.show(value["rip"], 1, 64, value["rip"])
    except gdb.MemoryError:
        print("   (the code there cannot be read)")


class Frame(Command):
    """A trap frame, decoded: minos-frame [ADDRESS]

Without ADDRESS (of a struct trapframe), the newest one on the stack: inside an exception or
interrupt, that of the code that was interrupted."""

    def __init__(self):
        super().__init__("minos-frame", gdb.COMMAND_STACK, gdb.COMPLETE_SYMBOL)

    def run(self, words):
        address = disasm.evaluate(" ".join(words)) if words else find()
        if address is None:
            raise gdb.GdbError("there is no trap frame on this stack: no exception or interrupt is "
                               "being handled; minos-frame ADDRESS shows one elsewhere")
        show(address)


def setup():
    Frame()
