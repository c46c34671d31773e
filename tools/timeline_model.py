"""timeline_model.py - the phases of a boot and the machine's state between them, from its trace.

Pure functions for tools/timeline.py; a trace is what tests/boot/vm.py's boot_trace() returns.

A record of the trace is made at an instant, and most bear the name of the work that led there: the
time between two records belongs to the later one.  Only "stage 1" and "stage 2" are made before
their work; so what ends at the first is the firmware's, and what ends at the second is stage 1's.

Times are TSC ticks since reset.  Under `-icount shift=0` a tick is one instruction and one
nanosecond, as long as the processor is not halted.
"""

import statistics
from collections import namedtuple

# ticks: with the wait for the disk; None where the trace has no TSC: the next phase has that time.
Phase = namedtuple("Phase", "name group start ticks disk")
# group: whose code runs from here on.  phase: index of the phase that ends here, None at reset.
# before: the last known value of each field; changed: which FIELDS are new here.
Edge = namedtuple("Edge", "name group at phase state before changed")

GROUPS = ("firmware", "stage 1", "stage 2", "kernel")
# The record that ends each group; the last one ends with the trace.
GROUP_ENDS = ("stage 1", "stage 2", "kernel entry")

# What makes an edge: the registers that decide how code runs, and where it runs.
REGISTERS = ("bits", "cs", "cr0", "cr3", "cr4", "efer", "a20")
FIELDS = REGISTERS + ("if", "half")

# Spec: Intel SDM vol. 3A, "Control Registers" and "Extended Feature Enable Register".
BITS = {
    "cr0": {0: "PE", 1: "MP", 2: "EM", 3: "TS", 4: "ET", 5: "NE", 16: "WP", 18: "AM", 29: "NW",
            30: "CD", 31: "PG"},
    "cr4": {0: "VME", 1: "PVI", 2: "TSD", 3: "DE", 4: "PSE", 5: "PAE", 6: "MCE", 7: "PGE",
            8: "PCE", 9: "OSFXSR", 10: "OSXMMEXC", 11: "UMIP", 12: "LA57", 13: "VMXE", 14: "SMXE",
            16: "FSGSBASE", 17: "PCIDE", 18: "OSXSAVE", 20: "SMEP", 21: "SMAP", 22: "PKE",
            23: "CET"},
    "efer": {0: "SCE", 8: "LME", 10: "LMA", 11: "NXE", 12: "SVME", 14: "FFXSR"},
}
RFLAGS_IF = 1 << 9


def bit_names(register, value):
    """Names of the set bits, highest first; one without a name is `bit N`."""
    names = BITS[register]
    return [names.get(i, f"bit {i}") for i in reversed(range(64)) if value >> i & 1]


def median_trace(traces):
    """
    One trace from several boots: each phase gets the median of its instructions and of its disk
    waits.  ValueError if the boots differ in more than time.
    """
    first = traces[0]
    for number, other in enumerate(traces[1:], 2):
        _must_match(first, other, number)
    merged, tsc, disk, last = [], 0, 0, None
    for i, row in enumerate(first):
        row = dict(row)
        if row["tsc"] is not None:
            now, before = [t[i] for t in traces], [t[last] if last is not None else None
                                                   for t in traces]
            waits = [_since(n, b, "disk") for n, b in zip(now, before)]
            clean = [_since(n, b, "tsc") - w for n, b, w in zip(now, before, waits)]
            wait = statistics.median_low(waits)
            disk += wait
            tsc += statistics.median_low(clean) + wait
            row["tsc"], row["disk"], last = tsc, disk, i
        merged.append(row)
    return merged


def _since(row, before, field):
    return row[field] - (before[field] if before else 0)


def _must_match(first, other, number):
    names, others = [row["name"] for row in first], [row["name"] for row in other]
    if names != others:
        raise ValueError(f"boot {number} went through other transitions than boot 1: "
                         f"{', '.join(others)}; not {', '.join(names)}")
    for a, b in zip(first, other):
        for field in REGISTERS + ("ip",):
            if a[field] != b[field]:
                raise ValueError(f"boot {number} differs from boot 1 at \"{a['name']}\": {field} "
                                 f"is {b[field]!r}, not {a[field]!r}")


def _groups(trace):
    """The group that each record ends in."""
    names = [row["name"] for row in trace]
    missing = [name for name in GROUP_ENDS if name not in names]
    if missing:
        raise ValueError(f"the boot trace has no record \"{missing[0]}\", only {', '.join(names)}")
    ends = [names.index(name) for name in GROUP_ENDS]
    return [GROUPS[sum(i > end for end in ends)] for i in range(len(trace))]


def phases(trace):
    """The phases in their order, one per record."""
    result, tsc, disk = [], 0, 0
    for row, group in zip(trace, _groups(trace)):
        name = group if group in ("firmware", "stage 1") else row["name"]
        if row["tsc"] is None:
            result.append(Phase(name, group, tsc, None, None))
            continue
        result.append(Phase(name, group, tsc, row["tsc"] - tsc, row["disk"] - disk))
        tsc, disk = row["tsc"], row["disk"]
    return result


def group_times(found):
    """(group, start, end) of each group that has any time."""
    result = []
    for group in GROUPS:
        timed = [p for p in found if p.group == group and p.ticks is not None]
        if timed:
            result.append((group, timed[0].start, timed[-1].start + timed[-1].ticks))
    return result


def _state(row):
    """FIELDS and the address of a record; None for what was not read there."""
    state = {field: row[field] for field in REGISTERS + ("ip",)}
    flags = row["rflags"]
    state["if"] = None if flags is None else int(flags & RFLAGS_IF != 0)
    state["half"] = int(row["ip"] >> 63)  # 1: the upper half of the address space
    return state


def edges(reset, trace):
    """
    Reset, each record at which the machine's state is not what it was before, and the last one.
    A field that could be read again after a stretch where it could not counts as changed, too.
    """
    result, known, previous = [], {}, {}
    groups = _groups(trace) + [GROUPS[-1]]
    for i, row in enumerate([reset] + trace):
        state = _state(row)
        changed = {f for f in FIELDS if state[f] is not None
                   and (state[f] != known.get(f) or previous.get(f) is None)}
        if changed or i == len(trace):
            result.append(Edge(row["name"], groups[i], row["tsc"], i - 1 if i else None, state,
                               dict(known), changed))
        known.update({f: v for f, v in state.items() if v is not None})
        previous = state
    return result


def bit_changes(edge, register):
    """(set here, cleared here): names of bits, against the last known value of the register."""
    value, before = edge.state[register], edge.before.get(register)
    if value is None:
        return [], []
    new, old = bit_names(register, value), bit_names(register, before or 0)
    return [n for n in new if n not in old], [n for n in old if n not in new]


def news(edge):
    """What an edge changes, in a few words."""
    def differs(field):
        return field in edge.changed and edge.state[field] != edge.before.get(field)

    words = [f"{edge.state['bits']}-bit"] if differs("bits") else []
    changes = [bit_changes(edge, register) for register in BITS]
    words += [" ".join(on) for on, _ in changes if on]
    words += [f"{' '.join(off)} cleared" for _, off in changes if off]
    for field, text in (("cr3", "new CR3"), ("half", "upper half"), ("if", "interrupts on")):
        if differs(field) and edge.state[field]:
            words.append(text)
    if not words and differs("cs"):
        words.append("new CS")
    return ", ".join(words)
