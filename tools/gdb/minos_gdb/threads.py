"""threads.py - minos-threads: the kernel's threads, and where those that do not run stand.

A thread that does not run has its callee-saved registers on its stack, as context_switch() left
them (kernel/x86/switch.asm); the one that runs has them in the CPU.
"""

import gdb

from . import stack, symbols
from .cpu import Command, cpu, number, read_linear

SAVED = 7 * 8  # r15 r14 r13 r12 rbx rbp, return address
DEPTH_BRIEF = 12


def kernel_ready():
    if cpu().bits != 64 or not cpu().pc >> 63:
        raise gdb.GdbError("the kernel does not run yet: minos-boot kernel_main")


def all_threads():
    """Every struct thread, in the order of creation."""
    kernel_ready()
    head = gdb.parse_and_eval("&sched_all")
    kind = gdb.lookup_type("struct thread")
    offset = next(f.bitpos // 8 for f in kind.fields() if f.name == "all_node")
    node = head.dereference()["next"]
    seen = 0
    while int(node) not in (0, int(head)):
        yield gdb.Value(int(node) - offset).cast(kind.pointer()).dereference()
        node = node.dereference()["next"]
        seen += 1
        if seen > 10000:
            raise gdb.GdbError("the list of threads has no end: it is damaged")


def running():
    return int(gdb.parse_and_eval("(unsigned long)sched_current"))


def backtrace(thread):
    """(what, value) as stack.walk() yields them, innermost first."""
    if int(thread.address) == running():
        yield from stack.from_cpu(cpu())
        return
    rsp = int(thread["rsp"])
    saved = read_linear(rsp, SAVED)
    first, rbp = number(saved[48:56]), number(saved[40:48])
    # A thread that has never run would return to the beginning of the trampoline.
    new = first == symbols.address("kernel", "thread_trampoline")
    yield (stack.AT if new else stack.RET), first
    yield from stack.walk(rbp, rsp)


def state_name(thread):
    return str(thread["state"]).replace("THREAD_", "").lower()


def show_list(full):
    kernel_ready()
    print("  ID  NAME                     STATE     SWITCHES  STACK")
    for thread in all_threads():
        mark = "*" if int(thread.address) == running() else " "
        print(f"{mark}{int(thread['id']):3}  {thread['name'].string():<24} {state_name(thread):<9} "
              f"{int(thread['switches']):8}  {int(thread['stack']):#x}")
        if full or mark == " ":
            try:
                stack.show(backtrace(thread), None if full else DEPTH_BRIEF)
            except gdb.MemoryError as problem:
                print(f"    stack cannot be read: {problem}")


def show_one(number_wanted):
    for thread in all_threads():
        if int(thread["id"]) == number_wanted:
            print(f"struct thread at {int(thread.address):#x}")
            print(thread.format_string(max_elements=24))
            stack.show(backtrace(thread))
            return
    raise gdb.GdbError(f"there is no thread {number_wanted}")


class Threads(Command):
    """The kernel's threads: minos-threads [ID | all]

Lists them; those that do not run with their backtrace (`all`: the running one too, and to the end).  With
ID, all of one.  * marks the one that has the CPU."""

    def __init__(self):
        super().__init__("minos-threads", gdb.COMMAND_STATUS)

    def run(self, words):
        word = " ".join(words)
        if word in ("", "all"):
            show_list(word == "all")
        elif word.isdigit():
            show_one(int(word))
        else:
            raise gdb.GdbError("usage: minos-threads [ID | all]")


def setup():
    Threads()
