#!/usr/bin/env python3
"""check-init.py - nothing that stays may refer to start-up code or data: part of the kernel's link.

usage: check-init.py OBJECT...
What lies in .init.* sections is given back after the start (include/kern/init.h).  A relocation in
another section that leads there would become a call or an access into unmapped memory, so each is
an error - except from code that says it runs only while .init is there: ALLOWED.  Only what is
loaded counts, debug information does not.  Spec: System V ABI, "Sections", "Relocation".
"""
import struct
import sys

# The entry code (kernel/x86/entry*.asm) and what is marked INIT_CALLER.
ALLOWED = (".text.entry", ".text.entry32", ".text.init_caller")
SHT_SYMTAB, SHT_RELA = 2, 4
SHF_ALLOC = 2
SHN_LORESERVE = 0xff00
STB_GLOBAL_OR_WEAK = (1, 2)


class Object:
    """Sections, symbols and relocations of one ELF64 object."""

    def __init__(self, path):
        self.path = path
        with open(path, "rb") as f:
            self.data = f.read()
        if self.data[:5] != b"\x7fELF\x02":
            sys.exit(f"check-init: {path}: not an ELF64 object")
        offset, = struct.unpack_from("<Q", self.data, 0x28)
        size, count, names = struct.unpack_from("<HHH", self.data, 0x3a)
        # name, type, flags, addr, offset, size, link, info, align, entsize
        self.headers = [struct.unpack_from("<IIQQQQIIQQ", self.data, offset + i * size)
                        for i in range(count)]
        self.names = [self.string(self.headers[names], h[0]) for h in self.headers]
        self.symbols = []  # (name, section name or None, global?)
        for header in self.headers:
            if header[1] == SHT_SYMTAB:
                self.read_symbols(header)

    def string(self, table, at):
        start = table[4] + at
        return self.data[start:self.data.index(b"\0", start)].decode()

    def read_symbols(self, table):
        strings = self.headers[table[6]]
        for at in range(table[4], table[4] + table[5], 24):
            name, info, _, section, _, _ = struct.unpack_from("<IBBHQQ", self.data, at)
            where = self.names[section] if 0 < section < SHN_LORESERVE else None
            self.symbols.append((self.string(strings, name) or where, where,
                                 info >> 4 in STB_GLOBAL_OR_WEAK))

    def references(self):
        """(section, offset in it, symbol's name, symbol's section here) of each relocation."""
        for table in self.headers:
            if table[1] != SHT_RELA or not self.headers[table[7]][2] & SHF_ALLOC:
                continue
            for at in range(table[4], table[4] + table[5], 24):
                offset, info, _ = struct.unpack_from("<QQq", self.data, at)
                name, where, _ = self.symbols[info >> 32]
                yield self.names[table[7]], offset, name, where

    def place(self, section, offset):
        """The symbol that holds @offset of @section, as a person would say it."""
        best, index = None, self.names.index(section)
        for table in self.headers:
            if table[1] != SHT_SYMTAB:
                continue
            strings = self.headers[table[6]]
            for at in range(table[4], table[4] + table[5], 24):
                name, info, _, where, value, _ = struct.unpack_from("<IBBHQQ", self.data, at)
                if where == index and info & 15 in (1, 2) and value <= offset:
                    best = max(best or (value, ""), (value, self.string(strings, name)))
        return best[1] if best else section


def is_init(section):
    return section is not None and section.startswith(".init.")


def errors(objects):
    home = {name: where for o in objects for name, where, shared in o.symbols if shared and where}
    for o in objects:
        for section, offset, name, where in o.references():
            if is_init(section) or section in ALLOWED:
                continue
            target = where or home.get(name)
            if is_init(target):
                yield f"{o.path}: {o.place(section, offset)} ({section}) refers to {name} ({target})"


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    found = list(dict.fromkeys(errors([Object(path) for path in sys.argv[1:]])))
    for text in found:
        print(f"check-init: {text}")
    if found:
        print("check-init: .init is given back after the start: mark the one INIT (kern/init.h), or "
              "take the mark off the other")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
