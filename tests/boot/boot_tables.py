"""boot_tables.py - the tables of docs/boot.md, each compared with what was measured.

A handler gets a docnumbers.Result and the table's rows.  It covers the cells that it compares;
digits elsewhere (in reasons) are left to claims and names.
"""

import os
import re
import struct

import vm
from docnumbers import Fact, number

# Bits by name.  Spec: Intel SDM vol. 3A, "Control Registers", vol. 1, "EFLAGS Register"; vol. 3A,
# "Extended Feature Enable Register".
BITS = {
    "CR0": {0: "PE", 1: "MP", 2: "EM", 3: "TS", 4: "ET", 5: "NE", 16: "WP", 18: "AM", 29: "NW",
            30: "CD", 31: "PG"},
    "CR3": {},
    "CR4": {0: "VME", 1: "PVI", 2: "TSD", 3: "DE", 4: "PSE", 5: "PAE", 6: "MCE", 7: "PGE",
            8: "PCE", 9: "OSFXSR", 10: "OSXMMEXCPT", 11: "UMIP", 12: "LA57", 16: "FSGSBASE",
            17: "PCIDE", 18: "OSXSAVE", 20: "SMEP", 21: "SMAP"},
    "EFER": {0: "SCE", 8: "LME", 10: "LMA", 11: "NXE"},
    "RFLAGS": {0: "CF", 2: "PF", 4: "AF", 6: "ZF", 7: "SF", 8: "TF", 9: "IF", 10: "DF", 11: "OF",
               21: "ID"},
}
SEGMENT = {"CS:IP": ("CS", "IP"), "SS:SP": ("SS", "SP")}
CHANGING = ["SS:SP", "CR0", "CR3", "CR4", "EFER", "RFLAGS", "A20", "GDTR", "IDTR"]
FIRST = "reset"


def bit_names(register, value):
    if register == "RFLAGS":
        value &= ~2  # always 1, and nameless
    names = BITS[register]
    return [names.get(i, f"bit {i}") for i in range(64) if value >> i & 1]


class Tables:
    """The handlers, with the Run that they compare with."""

    def __init__(self, run):
        self.run = run
        self.order = [n for n in run.stops if n != "bios_int" and n not in
                      ("mov cr4, eax", "mov cr3, eax", "wrmsr", "mov cr0, eax")]
        self.handlers = [
            (r"\| register \| value", self.stop),
            (r"\| selector \| `gdt` of `boot/", self.loader_gdt),
            (r"\| selector \| `gdt` of `kernel/", self.kernel_gdt),
            (r"\| address \| bytes", self.handoff),
            (r"\| offset \| bytes", self.fields),
            (r"\| medium \| DL", self.media),
            (r"\| transition \| code", self.transitions),
            (r"\| after \|", self.changes),
            (r"\| start \| end \| type", self.memory_map),
            (r"\| row \| CS", self.init_rows),
        ]

    # --- one stop -----------------------------------------------------------------------------
    def symbols(self, name):
        return self.run.symbols[self.run.part[name]]

    def value(self, stop, key):
        regs = self.run.stops[stop]
        if key in SEGMENT:
            segment, offset = SEGMENT[key]
            return regs[segment]["sel"], regs[offset]
        if key in ("GDTR", "IDTR"):
            return regs[key]["base"], regs[key]["limit"]
        if key == "RFLAGS":
            return regs["RFLAGS"]
        return regs[key] & 0xFFFF if len(key) == 2 else regs[key]

    def stop(self, result, rows):
        match = re.match(r"\*\*Stop `([^`]+)`\*\*(?: in `([^`]+)`)?", result.block.context)
        name = match.group(1)
        listed = {}
        for (key_at, key), (at, cell), (_, reason) in rows[2:]:
            listed[key] = True
            result.cover(key_at, key_at + len(key))
            if key == "next":
                self._next(result, name, match.group(2), at, cell)
                continue
            self._cell(result, name, key, (at, cell), "firmware" in reason)
            if key in BITS and cell.endswith("h"):
                self._bits(result, key, at, cell, reason)
        self._complete(result, name, listed)

    def _complete(self, result, name, listed):
        """Whatever changed since the stop before must be there."""
        place = self.order.index(name)
        wanted = ["CS:IP"] + [k for k in CHANGING if name == FIRST or self.value(name, k) !=
                              self.value(self.order[place - 1], k)]
        for key in wanted:
            if key not in listed:
                result.complain(0, f"stop {name}: {key} has changed and is not listed")

    def _bits(self, result, key, at, cell, reason):
        names = bit_names(key, number(cell))
        stated = re.split(r"[:;,]", reason)[0].split()
        if key != "CR3" and stated != (names or ["none"]):
            result.complain(at, f"{key} {cell} is {' '.join(names) or 'none'}, stated: "
                                f"{' '.join(stated)}")

    def _next(self, result, name, path, at, cell):
        result.cover(at, at + len(cell))
        found = next_instruction(path, name)
        if cell.strip("`") != found:
            result.complain(at, f"{path} goes on with `{found}`, stated: {cell}")

    def _cell(self, result, name, key, place, firmware):
        at, cell = place
        value = self.value(name, key)
        if key == "A20":
            if cell != ("on" if value else "off"):
                result.complain(at, f"stop {name}: A20 is stated as {cell}")
        elif key in SEGMENT:
            sel, offset = cell.split(":", 1)
            self._hex(result, at, sel, value[0], f"stop {name}: selector of {key}", firmware)
            self._part(result, at + len(sel) + 1, offset, value[1], name, key, firmware)
        elif key in ("GDTR", "IDTR"):
            base, limit = cell.split(", limit ")
            self._part(result, at, base, value[0], name, key, firmware)
            self._part(result, at + len(cell) - len(limit), limit, value[1], name,
                       key + "'s limit", firmware)
        else:
            self._part(result, at, cell, value, name, key, firmware)

    def _hex(self, result, at, text, value, what, firmware):
        result.cover(at, at + len(text))
        if firmware:
            result.firmware.append((at, at + len(text)))
            if not result.reference:
                return
        if int(text, 16) != value:
            result.complain(at, f"{what} is stated as {text}, measured: {value:04X}")

    def _part(self, result, at, text, value, name, key, firmware):
        what = f"stop {name}: {key}"
        if re.fullmatch(r"[0-9A-F]+h", text):
            result.compare(at, at + len(text), what, Fact(value, firmware))
            return
        result.cover(at, at + len(text))
        if not self._holds(text.strip("`"), value, name):
            result.complain(at, f"{what}: {text} is not so, measured: {value:X}h")

    def _holds(self, text, value, name):
        """A value given by a symbol, or by what it must satisfy."""
        low, high = self.run.stops["to_protected.far"]["SP"] - 0x1000, 0x7000
        conditions = {
            "IF clear": not value & 0x200, "IF set": bool(value & 0x200),
            "IF and ZF set": value & 0x240 == 0x240,
            "in the stack": low <= value <= high,
            "in the kernel": value >> 31 == 0x1FFFFFFFF,
            "in a thread's stack": 0xFFFFC00000000000 <= value < 0xFFFFC08000000000}
        if text in conditions:
            return conditions[text]
        symbol, _, minus = text.partition(" - ")
        return self.symbols(name)[symbol] - int(minus or 0) == value

    # --- other tables -------------------------------------------------------------------------
    def _numbers(self, result, cells, values, what):
        """Cells that are numbers, one value each."""
        if len(cells) != len(values):
            result.complain(cells[0][0] if cells else 0, f"{what}: {len(values)} cells expected")
        for (at, cell), value in zip(cells, values):
            token = re.match(r"(?:[0-9A-F]+h|[0-9]+)?", cell).group()
            if not token:
                result.complain(at, f"{what}: a number expected, stated: {cell or 'nothing'}")
                continue
            firmware = isinstance(value, Fact) and value.firmware
            value = value.value if isinstance(value, Fact) else value
            result.compare(at, at + len(token), what, Fact(value, firmware))

    def changes(self, result, rows):
        expected = ["mov cr4, eax", "mov cr3, eax", "wrmsr", "mov cr0, eax"]
        if [row[0][1].strip("`") for row in rows[2:]] != expected:
            result.complain(0, f"the rows must be {expected}")
        for row, name in zip(rows[2:], expected):
            result.cover(row[0][0], row[0][0] + len(row[0][1]))
            regs = self.run.stops[name]
            self._numbers(result, row[1:5], [regs[r] for r in ("CR4", "CR3", "EFER", "CR0")],
                          f"after {name}")

    def memory_map(self, result, rows):
        memory = self.run.memory["_start"]
        count, = struct.unpack_from("<I", memory, memory.index(b"BotMinOS") + 0x58)
        entries = [struct.unpack_from("<QQI", memory, 0x1000 + 24 * i) for i in range(count)]
        if len(rows) - 2 != count and result.reference:
            result.complain(0, f"the memory map has {count} entries")
        for i, row in enumerate(rows[2:]):
            start, size, kind = entries[i] if i < count else (0, 0, 0)
            self._numbers(result, row, [Fact(v, True) for v in (start, start + size, kind)],
                          f"memory map, entry {i}")

    def init_rows(self, result, rows):
        names = [e["name"] for e in self.run.trace]
        entries = self.run.trace[names.index("kernel_main"):]
        if [row[0][1] for row in rows[2:]] != [e["name"] for e in entries]:
            result.complain(0, f"the rows must be {[e['name'] for e in entries]}")
        for row, e in zip(rows[2:], entries):
            values = [e["cs"], e["cr0"], e["cr3"], e["cr4"], e["efer"], e["rflags"] >> 9 & 1]
            self._numbers(result, row[1:7], values, f"after row {e['name']}")

    def handoff(self, result, rows):
        """Stage 1's stack: addresses must follow each other, values are read from memory."""
        memory = self.run.memory["stage2_entry"]
        end = self.run.stops["stage2_entry"]["BP"]
        for (at, address), (size_at, size), _, (value_at, value) in rows[2:]:
            end -= int(size)
            result.compare(at, at + len(address), "address on the stack", Fact(end))
            result.cover(size_at, size_at + len(size))
            if value != "differs":
                token = value.split()[0]
                measured = int.from_bytes(memory[end:end + int(size)], "little")
                result.compare(value_at, value_at + len(token), f"the word at {end:X}h",
                               Fact(measured, "firmware" in value))
        if end != self.run.stops["stage2_entry"]["SP"]:
            result.complain(0, f"the stack ends at {end:X}h, SP is elsewhere")

    def fields(self, result, rows):
        """A structure in memory, whose address a register of the stop holds: field by field."""
        if "`int13`" in result.block.context:
            memory, base = self.run.memory["int13"], self.run.stops["int13"]["SI"]
            size = memory[base]
        else:
            memory, base = self.run.memory["_start"], self.run.stops["_start"]["DI"]
            size = struct.unpack_from("<I", memory, base + 12)[0]
            named = [row[2][1].strip("`") for row in rows[2:]]
            if named != struct_fields("boot_info"):
                result.complain(0, f"the fields must be {struct_fields('boot_info')}")
        offset = 0
        for row in rows[2:]:
            (at, stated), (size_at, length), _, (value_at, value) = row[:4]
            result.compare(at, at + len(stated), "the offset of a field", Fact(offset))
            result.cover(size_at, size_at + len(length))
            start, offset = base + offset, offset + int(length)
            if value not in ("differs", "text"):
                measured = int.from_bytes(memory[start:base + offset], "little")
                token = value.split()[0]
                result.compare(value_at, value_at + len(token), f"the field at {stated}",
                               Fact(measured, "firmware" in value))
        if offset != size:
            result.complain(0, f"the structure has {size} bytes, not {offset}")

    def media(self, result, rows):
        """Stage 1's hand-over on each medium: its variables, and LBA and count on the stack."""
        order = ["disk", "usb", "cd", "floppy"]
        for row, name in zip(rows[2:], order, strict=True):
            regs, memory = self.run.media[name]
            word = lambda at: struct.unpack_from("<H", memory, at)[0]  # noqa: E731
            bp, sp = regs["BP"], regs["SP"]
            calls = "AH=42h" if memory[bp + 4] else "AH=02h"
            at, cell = row[3]
            result.cover(at, at + len(cell))
            if cell != calls:
                result.complain(at, f"{name}: reads by {calls}, stated: {cell}")
            values = [Fact(memory[bp + 3], True), word(bp + 0x38), word(sp + 14), word(sp)]
            self._numbers(result, [row[1], row[2], row[4], row[5]], values, f"stage 1 on {name}")

    def transitions(self, result, rows):
        """The loader's records in the boot trace; "-" is what was not read there."""
        names = [e["name"] for e in self.run.trace]
        entries = self.run.trace[:names.index("kernel_main")]
        if [row[0][1] for row in rows[2:]] != [e["name"] for e in entries]:
            result.complain(0, f"the rows must be {[e['name'] for e in entries]}")
        for row, e in zip(rows[2:], entries):
            result.cover(row[0][0], row[0][0] + len(row[0][1]))
            values = [e[f] for f in ("bits", "cs", "cr0", "cr3", "cr4", "efer")]
            values.append(None if e["rflags"] is None else e["rflags"] >> 9 & 1)
            values.append(e["a20"])
            for cell, value in zip(row[1:], values, strict=True):
                if value is None and cell[1] != "-":
                    result.complain(cell[0], f"{e['name']}: not read there, stated: {cell[1]}")
                elif value is not None:
                    self._numbers(result, [cell], [value], f"transition {e['name']}")

    # --- descriptors --------------------------------------------------------------------------
    def loader_gdt(self, result, rows):
        """As it was read from the disk: the CPU writes accessed bits once it uses a descriptor."""
        gdtr = self.run.stops["to_protected.far"]["GDTR"]
        data = self.run.memory["stage2_entry"][gdtr["base"]:gdtr["base"] + gdtr["limit"] + 1]
        self._gdt(result, rows, data, len(data) // 8)

    def kernel_gdt(self, result, rows):
        self._gdt(result, rows, self.run.kernel_gdt, len(self.run.kernel_gdt) // 8 - 1)

    def _gdt(self, result, rows, data, count):
        if len(rows) - 2 != count:
            result.complain(0, f"the table has {count} descriptors")
        for i, row in enumerate(rows[2:]):
            raw, = struct.unpack_from("<Q", data, 8 * i)
            base, *fields = decode(raw)
            values = [raw, base, *fields]
            cells = row[1:]
            if row[1][1] == "`TSS`":
                base |= struct.unpack_from("<Q", data, 8 * i + 8)[0] << 32
                if base != self.run.symbols["kernel"][row[2][1].strip("`")]:
                    result.complain(row[2][0], f"the TSS is at {base:X}h")
                cells, values = row[3:], fields
            self._numbers(result, row[:1], [8 * i], "selector")
            self._numbers(result, cells, values, f"descriptor {8 * i:02X}h")


def decode(raw):
    """Base, limit, G, D, L, P, DPL, S, type.  Spec: Intel SDM vol. 3A, "Segment Descriptors"."""
    base = raw >> 16 & 0xFFFFFF | (raw >> 56 & 0xFF) << 24
    limit = raw & 0xFFFF | (raw >> 48 & 0xF) << 16
    flags = [raw >> i & 1 for i in (55, 54, 53, 47)]
    return [base, limit, *flags, raw >> 45 & 3, raw >> 44 & 1, raw >> 40 & 0xF]


def struct_fields(name):
    """The names of a structure's fields in include/boot/boot_info.h, in order."""
    with open(os.path.join(vm.ROOT, "include/boot/boot_info.h"), encoding="utf-8") as f:
        body = re.search(rf"(?ms)^struct {name} {{\n(.*?)^}};", f.read()).group(1)
    body = re.sub(r"/\*.*?\*/", "", body, flags=re.S)
    body = re.sub(r"struct \{.*?\}", "struct", body, flags=re.S)  # the framebuffer is one
    lines = [re.sub(r"\[.*?\]", "", line.strip()) for line in body.split(";")]
    return [name for line in lines if line
            for name in re.findall(r"(\w+)(?=,|$)", line.split(" ", 1)[1])]


def next_instruction(path, label):
    """The first instruction behind a label in an assembly file, spaces made single."""
    with open(os.path.join(vm.ROOT, path), encoding="utf-8") as f:
        text = re.sub(r";.*", "", f.read())
    place = 0
    for part in re.findall(r"^[^.]+|\.[^.]+", label):
        place = re.compile(rf"(?m)^{re.escape(part)}:").search(text, place).end()
    for line in text[place:].split("\n"):
        words = line.split()
        if words and words[0] not in ("bits", "org"):
            return " ".join(words)
    return ""
