#!/usr/bin/env python3
"""check.py - exercise 3: does the loader reach 64-bit mode, in the order that the manual wants?

The boot trace holds the control registers as they really were at each step (`boot state` shows it).
"""

import os
import re
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from checklib import Wrong, expect, main, symbols, vm  # noqa: E402
import gdbstub  # noqa: E402  (checklib knows where it is)

CR0_PE, CR0_PG, CR4_PAE = 1, 1 << 31, 1 << 5
EFER_LME, EFER_LMA = 1 << 8, 1 << 10
DESCRIPTOR_L, DESCRIPTOR_D = 1 << 21, 1 << 22  # of the upper dword
CPUS = ("max", "qemu64", "kvm64")


def boots():
    """the machine reaches the prompt, with different processors, without a reset"""
    for cpu in CPUS:
        with vm.Machine(cpu=cpu) as m:
            try:
                m.expect("minOS> ")
            except vm.VmError:
                last = m.serial_text().strip().split("\n")[-1]
                ended = m.process.poll() is not None
                raise Wrong(f"expected: the prompt, with -cpu {cpu}\nseen:     "
                            + ("the CPU was reset" if ended else "nothing more")
                            + f' after "{last}" on the serial line') from None


def steps():
    """{name: record} of the boot trace; of two with one name the first, which is the loader's."""
    with vm.Machine() as m:
        m.prompt()
        return {row["name"]: row for row in reversed(vm.boot_trace(m))}


def shown(row):
    return " ".join(f"{key}={row[key]:x}" if row[key] is not None else f"{key}=-"
                    for key in ("bits", "cs", "cr0", "cr3", "cr4", "efer"))


def paging_step():
    """"paging": 32-bit code, paging on, long mode active (compatibility mode)"""
    row = steps()["paging"]
    wanted = {"cr0": CR0_PE | CR0_PG, "cr4": CR4_PAE, "efer": EFER_LME | EFER_LMA}
    good = row["bits"] == 32 and row["cs"] == 8
    good = good and all(row[name] & bits == bits for name, bits in wanted.items())
    expect(good, "bits=20 cs=8, CR0.PG, CR4.PAE, EFER.LME and EFER.LMA set (hexadecimal)",
           shown(row))


def long_mode_step():
    """"long mode": 64-bit code in the segment 28h, on the tables that stage 2 has built"""
    trace = steps()
    row = trace["long mode"]
    expect(row["bits"] == 64 and row["cs"] == 0x28 and row["cr3"] == trace["paging"]["cr3"],
           "bits=40 cs=28, CR3 as in the step before (hexadecimal)", shown(row))


def code_segment():
    """the code segment at the kernel's first instruction is one that every CPU takes"""
    with vm.Machine(paused=True) as m:
        with gdbstub.attach(m) as gdb:
            gdb.run_to(symbols("minos.elf")["_start"])
        cs = re.search(r"(?m)^CS =(\w+) (\w+) (\w+) (\w+)", m.hmp("info registers"))
    flags = int(cs[4], 16)
    expect(flags & (DESCRIPTOR_L | DESCRIPTOR_D) == DESCRIPTOR_L,
           "L=1 and D=0 in its descriptor (with D=1 it is reserved: QEMU takes it, a CPU does not)",
           f"selector {cs[1]}, upper dword {flags:08x}: L={bool(flags & DESCRIPTOR_L):d} "
           f"D={bool(flags & DESCRIPTOR_D):d}")


if __name__ == "__main__":
    main(boots, paging_step, long_mode_step, code_segment)
