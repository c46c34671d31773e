#!/usr/bin/env python3
"""nasm-dwarf.py - take the build folder's path out of an object that NASM made with -g.

usage: nasm-dwarf.py OBJECT

NASM (2.16 at least) writes the absolute folder of the source into .debug_info, so that two people's
builds differ.  This replaces it by `.`, which is right for names relative to the tree, shortens the
section and moves the relocations behind it.  ELF32 and ELF64, little-endian, as NASM writes them.
Spec: DWARF 3, "Compilation Unit Header"; System V ABI, "Sections", "Relocation".
"""

import struct
import sys


class Elf:
    def __init__(self, data):
        self.data = data
        self.wide = data[4] == 2
        if self.wide:
            table, = struct.unpack_from("<Q", data, 0x28)
            size, count, names = struct.unpack_from("<HHH", data, 0x3A)
        else:
            table, = struct.unpack_from("<I", data, 0x20)
            size, count, names = struct.unpack_from("<HHH", data, 0x2E)
        self.headers = [table + i * size for i in range(count)]
        offset, _ = self.extent(self.headers[names])
        self.sections = {}
        for header in self.headers:
            start = offset + struct.unpack_from("<I", data, header)[0]
            self.sections[bytes(data[start:data.index(0, start)]).decode()] = header

    def extent(self, header):
        """File offset and size of a section."""
        if self.wide:
            return struct.unpack_from("<QQ", self.data, header + 0x18)
        return struct.unpack_from("<II", self.data, header + 0x10)

    def set_size(self, header, size):
        if self.wide:
            struct.pack_into("<Q", self.data, header + 0x20, size)
        else:
            struct.pack_into("<I", self.data, header + 0x14, size)

    def relocations(self, section):
        """File offsets of the r_offset fields of a section's relocations, and their format."""
        name = (".rela" if self.wide else ".rel") + section
        if name not in self.sections:
            return [], "<I"
        start, size = self.extent(self.sections[name])
        return range(start, start + size, 24 if self.wide else 8), "<Q" if self.wide else "<I"


def shorten(elf):
    header = elf.sections[".debug_info"]
    start, size = elf.extent(header)
    data = elf.data
    pointer = data[start + 10]
    name = start + 11 + 1 + 2 * pointer + 4  # abbreviation, low_pc, high_pc, stmt_list
    folder = data.index(0, name) + 1
    end = data.index(0, folder)
    if data[folder:folder + 1] != b"/":
        return  # a NASM that writes none
    cut = end - folder - 1
    at = end - start  # what lies behind this moves down
    data[folder:start + size - cut] = b"." + data[end:start + size]
    data[start + size - cut:start + size] = bytes(cut)
    length, = struct.unpack_from("<I", data, start)
    struct.pack_into("<I", data, start, length - cut)
    elf.set_size(header, size - cut)
    where, form = elf.relocations(".debug_info")
    for field in where:
        offset, = struct.unpack_from(form, data, field)
        if offset > at:
            struct.pack_into(form, data, field, offset - cut)


def main():
    with open(sys.argv[1], "r+b") as f:
        elf = Elf(bytearray(f.read()))
        if ".debug_info" in elf.sections:
            shorten(elf)
            f.seek(0)
            f.write(elf.data)


if __name__ == "__main__":
    main()
