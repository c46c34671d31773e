"""bits.py - the bits of the control registers, of descriptors and of page table entries.

Spec: Intel SDM vol. 3A, "Control Registers", "System Flags and Fields in the EFLAGS Register",
"Segment Descriptors", "4-Level Paging"; vol. 4, "IA32_EFER".
"""

CR0 = {0: ("PE", "protected mode"), 1: ("MP", "WAIT looks at TS"), 2: ("EM", "no x87"),
       3: ("TS", "task switched"), 4: ("ET", "x87 of a 387, fixed"), 5: ("NE", "x87 errors as #MF"),
       16: ("WP", "ring 0 obeys read-only pages"), 18: ("AM", "alignment checks possible"),
       29: ("NW", "not write-through"), 30: ("CD", "caches off"), 31: ("PG", "paging")}
CR4 = {0: ("VME", "virtual-8086 extensions"), 1: ("PVI", "virtual interrupts"),
       2: ("TSD", "RDTSC for ring 0 only"), 3: ("DE", "debugging extensions"),
       4: ("PSE", "4 MiB pages"), 5: ("PAE", "64-bit page table entries"),
       6: ("MCE", "machine checks"), 7: ("PGE", "global pages"), 8: ("PCE", "RDPMC for all rings"),
       9: ("OSFXSR", "FXSAVE, SSE"), 10: ("OSXMMEXCPT", "#XM"), 11: ("UMIP", "no SGDT in ring 3"),
       12: ("LA57", "5-level paging"), 13: ("VMXE", "VMX"), 14: ("SMXE", "SMX"),
       16: ("FSGSBASE", "WRFSBASE and kin"), 17: ("PCIDE", "process-context identifiers"),
       18: ("OSXSAVE", "XSAVE"), 20: ("SMEP", "ring 0 runs no user pages"),
       21: ("SMAP", "ring 0 touches no user pages"), 22: ("PKE", "protection keys"),
       23: ("CET", "control-flow enforcement"), 24: ("PKS", "supervisor protection keys")}
EFER = {0: ("SCE", "SYSCALL"), 8: ("LME", "long mode enabled"), 10: ("LMA", "long mode active"),
        11: ("NXE", "no-execute bit"), 12: ("SVME", "SVM"), 14: ("FFXSR", "fast FXSAVE")}
RFLAGS = {0: ("CF", "carry"), 1: ("1", "always set"), 2: ("PF", "parity"), 4: ("AF", "auxiliary carry"),
          6: ("ZF", "zero"),
          7: ("SF", "sign"), 8: ("TF", "single step"), 9: ("IF", "interrupts on"),
          10: ("DF", "strings go down"), 11: ("OF", "overflow"), 14: ("NT", "nested task"),
          16: ("RF", "resume"), 17: ("VM", "virtual-8086"), 18: ("AC", "alignment check"),
          19: ("VIF", "virtual IF"), 20: ("VIP", "virtual interrupt pending"),
          21: ("ID", "CPUID is there")}
PTE = {0: ("P", "present"), 1: ("W", "writable"), 2: ("U", "ring 3 may"),
       3: ("PWT", "write-through"), 4: ("PCD", "cache off"), 5: ("A", "accessed"),
       6: ("D", "dirty"), 7: ("PS", "page of this level"), 8: ("G", "global"),
       63: ("NX", "not executable")}

SYSTEM_TYPES = {2: "LDT", 9: "TSS, available", 11: "TSS, busy", 12: "call gate",
                14: "interrupt gate", 15: "trap gate"}


def names(value, table):
    """The set bits' names, lowest first; bits without a name as numbers."""
    found = []
    for bit in range(64):
        if value >> bit & 1:
            found.append(table[bit][0] if bit in table else f"bit{bit}")
    return " ".join(found)


def explain(value, table):
    """[(bit, name, meaning, set)] of every named bit, highest first, and of set ones without a name."""
    rows = []
    for bit in reversed(range(64)):
        state = value >> bit & 1
        if bit in table:
            rows.append((bit, *table[bit], state))
        elif state:
            rows.append((bit, "-", "reserved", state))
    return rows


def segment_type(flags):
    """The type of a descriptor whose second dword is @flags, in words."""
    kind = flags >> 8 & 15
    if not flags >> 12 & 1:
        return SYSTEM_TYPES.get(kind, f"system type {kind}")
    accessed = ", accessed" if kind & 1 else ""
    if kind & 8:
        size = "64-bit" if flags >> 21 & 1 else "32-bit" if flags >> 22 & 1 else "16-bit"
        return (f"code, {size}, execute{'/read' if kind & 2 else ''}"
                f"{', conforming' if kind & 4 else ''}{accessed}")
    size = "32-bit" if flags >> 22 & 1 else "16-bit"
    return (f"data, {size}, read{'/write' if kind & 2 else ''}"
            f"{', expand down' if kind & 4 else ''}{accessed}")


def segment_flags(flags):
    """P, DPL, S, G, D/B, L, AVL of the descriptor's second dword."""
    parts = [f"P={flags >> 15 & 1}", f"DPL={flags >> 13 & 3}", f"S={flags >> 12 & 1}",
             f"type={flags >> 8 & 15:X}h", f"G={flags >> 23 & 1}", f"D/B={flags >> 22 & 1}",
             f"L={flags >> 21 & 1}", f"AVL={flags >> 20 & 1}"]
    return " ".join(parts)
