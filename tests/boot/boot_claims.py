"""boot_claims.py - the sentences and drawings of docs/boot.md, and where their numbers come from.

derive() turns a run (bootfacts.Run) into named facts; CLAIMS are phrases of the document with
those names in place of the numbers; NAMES are names with digits in them.  docnumbers.py compares.
"""

import os
import re
import struct

import vm
from docnumbers import Fact

KIB, SECTOR = 1024, 512
# Offsets in struct boot_info (include/boot/boot_info.h).
INFO = {"map": 0x48, "raw_map_count": 0x58, "kernel_start": 0x68, "tables_end": 0xA8}


def constant(path, name):
    """A number that a header defines: for limits that only the code knows."""
    with open(os.path.join(vm.ROOT, path), encoding="utf-8") as f:
        text = re.search(rf"(?m)^#define\s+{name}\s+\(?([0-9a-fx]+)", f.read()).group(1)
    return int(text, 0)


def image_facts(image):
    """From the bytes of the image alone."""
    word = lambda at, form="<I": struct.unpack_from(form, image, at)[0]  # noqa: E731
    iso = image.index(b"\x01CD001")
    catalog = word(iso + 2048 + 0x47) * 2048
    copies = [at for at in range(0, 1 << 20, SECTOR) if image[at:at + 4] == b"MOS2"]
    entry = next(at for at in range(0x100, SECTOR - 16)
                 if image[at:at + 1] == b"\x80" and word(at + 12) * SECTOR + word(at + 8) * SECTOR
                 == len(image))
    volume = word(entry + 8) * SECTOR
    code = 2 + image[1]
    places = {"stage1": 0, "iso": iso, "catalog": catalog, "root": word(iso + 158) * 2048,
              "copy": word(catalog + 40) * 2048, "a": copies[0], "b": copies[1],
              "volume": volume, "end": len(image)}
    serial = image[volume + 39:volume + 43]  # FAT16's volume id is the disk id
    mark = image.index(b"\x55\xaa", entry)
    facts = {"mbr.jump0": image[0], "mbr.jump1": image[1], "mbr.jump2": image[2],
             "mbr.code": code, "mbr.id": image.index(serial), "mbr.partition1": entry,
             "mbr.active": image[entry], "mbr.type": image[entry + 4],
             "mbr.first": word(entry + 8), "mbr.partition2": entry + 16, "mbr.mark": mark,
             "mbr.mark0": image[mark], "mbr.mark1": image[mark + 1],
             "mbr.bytes": mark + 2, "iso.sector": iso // 2048, "image.mib": len(image) >> 20,
             "copy.kib": (copies[1] - copies[0]) // KIB, "stage2.magic": word(copies[0])}
    facts["mbr.bpb"] = next(i for i in range(3, SECTOR) if image[i]) - 3
    facts["copy.sectors"] = (copies[1] - copies[0]) // SECTOR
    facts["mbr.room"] = facts["mbr.id"] - code
    assert not any(image[entry + 16:mark]), "partitions 2 to 4 are empty"
    for name, at in places.items():
        facts[f"lba.{name}"], facts[f"byte.{name}"] = at // SECTOR, at
    return facts


def file_facts():
    with open(os.path.join(vm.BUILD, "image", "MINOS.ELF"), "rb") as f:
        data = f.read()
    mark = data.rindex(b"MINOSCRC")
    assert struct.unpack_from("<I", data, mark + 8)[0] == mark
    return {"trailer": len(data) - mark}


def loader_memory(run):
    """Where things were found in the stopped machine's memory."""
    at_entry, memory = run.memory["stage2_entry"], run.memory["_start"]
    stops, symbols = run.stops, run.symbols["stage2"]
    info = memory.index(b"BotMinOS")
    a = image_facts(run.image)["byte.a"]
    idt32 = struct.pack("<HI", stops["bios_int"]["IDTR"]["limit"], symbols["idt"])
    with open(os.path.join(vm.BUILD, "image", "INITRD.TAR"), "rb") as f:
        initrd = f.read()
    sectors = {initrd[i:i + SECTOR].ljust(SECTOR, b"\0") for i in range(0, len(initrd), SECTOR)}
    sectors.discard(bytes(SECTOR))
    bounce = next(p for p in range(0x18000, vm_end(memory), SECTOR)
                  if memory[p:p + SECTOR] in sectors)
    volume = image_facts(run.image)["byte.volume"]
    cache = memory.index(run.image[volume:volume + SECTOR], bounce + 0x10000)
    kib = constant("boot/stage2/volume.c", "CACHE_SIZE") * SECTOR // KIB
    assert memory[cache:cache + kib * KIB] == run.image[volume:volume + kib * KIB]
    end = constant("include/boot/loader.h", "LOADER_END")
    untouched = constant("boot/stage2/firmware.c", "EBDA_LOWEST")
    assert not any(memory[end:untouched]), "nothing was written there"
    word = lambda at, form="<Q": struct.unpack_from(form, memory, at)[0]  # noqa: E731
    return {"mem.info": info, "mem.raw": stops["bios_int.returned"]["DI"] & 0xFFFF,
            "mem.map": word(info + INFO["map"]), "mem.trace": memory.index(b"stage 1\0"),
            "mem.low": memory.index(idt32), "mem.stack": stops["to_protected.far"]["SP"],
            "mem.stack_end": constant("include/boot/loader.h", "LOADER_STACK_END"),
            "mem.handoff": stops["stage2_entry"]["SP"], "mem.stage1": stops["stage1"]["IP"],
            "mem.stage2": at_entry.index(run.image[a:a + SECTOR]),
            "mem.entry": stops["stage2_entry"]["IP"], "mem.tables": stops["_start"]["CR3"],
            "mem.idt64": stops["_start"]["IDTR"]["base"], "mem.tables_end": word(info + INFO["tables_end"]),
            "mem.bounce": bounce, "mem.bss": symbols["bss_start"], "mem.cache": cache,
            "cache.kib": kib, "mem.free": end, "mem.untouched": untouched,
            "bounce.kib": constant("include/boot/loader.h", "LOADER_BOUNCE_SIZE") // KIB,
            "mem.kernel": word(info + INFO["kernel_start"])}


def vm_end(memory):
    return len(memory) - SECTOR


def machine_facts(run):
    stops, memory = run.stops, run.memory["_start"]
    bios = run.memory["stage1"]
    loader, kernel = run.symbols["stage2"], run.symbols["kernel"]
    vectors = (stops["stage1"]["IDTR"]["limit"] + 1) // 4
    text = re.search(b"m.i.n.O.S.>", run.video, re.S).start() + 0xA0000
    info = memory.index(b"BotMinOS")
    call = struct.unpack_from("<I", run.memory["bios_int"], stops["bios_int"]["SP"] + 8)[0]
    tss, = struct.unpack_from("<Q", run.kernel_gdt, 0x28)
    return {
        "vectors": vectors, "bda": vectors * 4, "ebda": Fact(word16(bios, 0x40E) << 4, True),
        "ebda.word": next(at for at in range(0x400, 0x500)
                          if word16(bios, at) << 4 == int.from_bytes(memory[0x1000 + 8:0x1010],
                                                                     "little")),
        "screen": text & ~0x7FFF, "screen.columns": word16(bios, 0x44A),
        "screen.rows": bios[0x484] + 1, "bios": word16(bios, 0x13 * 4 + 2) << 4,
        "reset.cs": stops["reset"]["CS"]["sel"], "reset.base": stops["reset"]["CS"]["base"],
        "reset.at": stops["reset"]["CS"]["base"] + stops["reset"]["IP"],
        "reset.below": (1 << 32) - stops["reset"]["CS"]["base"] - stops["reset"]["IP"],
        "drive": Fact(stops["stage1"]["DX"] & 0xFF, True),
        "header": stops["stage2_entry"]["IP"] - 0x8000, "stage1.bp": stops["stage2_entry"]["BP"],
        "tables": (stops["_start"]["IDTR"]["base"] - stops["_start"]["CR3"]) // 4096,
        "gates64": (stops["_start"]["IDTR"]["limit"] + 1) // 16,
        "gates32": (stops["bios_int"]["IDTR"]["limit"] + 1) // 8,
        "gates": (stops["prompt"]["IDTR"]["limit"] + 1) // 16,
        "first.call": struct.unpack_from("<I", run.memory["bios_int"],
                                         stops["bios_int"]["SP"] + 4)[0],
        "first.ax": dword(run.memory["bios_int"], call + 28),
        "e820.bytes": dword(run.memory["bios_int"], call + 24),
        "smap": dword(run.memory["bios_int"], call + 20),
        "pic1.masked": run.pics["_start"][0][0], "pic2.masked": run.pics["_start"][1][0],
        "pic.first": run.pics["prompt"][0][1], "pic.last": run.pics["prompt"][1][1] + 7,
        "hz": constant("include/kern/clock.h", "CLOCK_HZ"),
        "read.sectors": constant("boot/stage2/disk.c", "MAX_TRANSFER"),
        "read.cd_sectors": constant("boot/stage2/disk.c", "MAX_TRANSFER") * SECTOR // 2048,
        "dap": stops["int13"]["SI"], "dap.bytes": run.memory["int13"][stops["int13"]["SI"]],
        "more_drives": run.symbols["stage1"]["more_drives"],
        "flat.limit": stops["to_protected.in"]["CS"]["limit"],
        "old.limit": stops["to_protected.in"]["DS"]["limit"],
        "p16.limit": stops["bios_int.protected16"]["CS"]["limit"],
        "e820.count": Fact(struct.unpack_from("<I", memory, info + INFO["raw_map_count"])[0], True),
        "e820.cut": struct.unpack_from("<Q", memory, struct.unpack_from(
            "<Q", memory, info + INFO["map"])[0] + 8)[0],
        "entry": stops["_start"]["IP"], "kernel.vma": kernel["_start"] - 0x100000,
        "kernel.offset": stops["_start"]["IP"] & 0x1FFFFF,
        "stack.kib": (kernel["boot_stack_top"] - kernel["boot_stack"]) // KIB,
        "thread.low": 0xFFFFC00000000000, "thread.high": 0xFFFFC08000000000,
        "frame": stops["prompt"]["CR3"] >> 20, "tss.limit": tss & 0xFFFF,
        "tss.bytes": (tss & 0xFFFF) + 1, "tss.type": tss >> 40 & 0xF,
        "code.type": gdt_type(memory, stops, 1), "data.type": gdt_type(memory, stops, 2),
        "efer": stops["wrmsr"]["CX"], "entry_state": loader["entry_state"],
        "dl": stops["stage2_entry"]["DX"] & 0xFF,
    }


def gdt_type(memory, stops, index):
    return memory[stops["_start"]["GDTR"]["base"] + 8 * index + 5] & 0xF


def dword(memory, at):
    return struct.unpack_from("<I", memory, at)[0]


def word16(memory, at):
    return struct.unpack_from("<H", memory, at)[0]


def table_facts(run):
    """The page tables as stage 2 wrote them, read before paging is on."""
    memory, base = run.memory["long_mode"], run.stops["_start"]["CR3"]
    entry = lambda table, i: struct.unpack_from("<Q", memory, table + 8 * i)[0]  # noqa: E731
    facts = {"cr3": base}
    low, high = entry(base, 0) & ~0xFFF, entry(base, 511) & ~0xFFF
    tables = {"pml4": base, "low": low, "high": high}
    tables.update({f"pd{i}": entry(low, i) & ~0xFFF for i in range(4)})
    for name, at in tables.items():
        facts[f"t.{name}"] = at
        used = [i for i in range(512) if entry(at, i)]
        for i in (0, 1, 2, 3, 510, 511):
            facts[f"{name}.{i}"] = entry(at, i)
        facts[f"{name}.used"] = len(used)
    facts["page.mib"] = (facts["pd0.1"] - facts["pd0.0"]) >> 20
    facts["mapped.gib"] = ((facts["pd3.511"] & ~0xFFF) + (facts["page.mib"] << 20)) >> 30
    for i in range(4):
        assert facts[f"pd{i}.used"] == 512, "the directories are full"
    assert [facts[f"{n}.used"] for n in ("pml4", "low", "high")] == [2, 4, 1], "the rest is 0"
    return facts


def derive(run):
    facts = {}
    for part in (image_facts(run.image), file_facts(), loader_memory(run), machine_facts(run),
                 table_facts(run)):
        facts.update(part)
    return {k: v if isinstance(v, Fact) else Fact(v) for k, v in facts.items()}


# Phrases of docs/boot.md.  Digits that stand here are what a specification or the code's form says
# (a command's number, a field's width); what a machine can show is a fact in braces.
CLAIMS = """
128 MiB of memory
of QEMU 7.2 does
LBA counts 512 bytes
{lba.stage1}  {byte.stage1}   stage 1: the boot
   {lba.iso}  {byte.iso}   ISO 9660 descriptors, where a CD has its sector {iso.sector}
   {lba.catalog}  {byte.catalog}   El Torito catalog
   {lba.root}  {byte.root}   the CD's root directory
   {lba.copy}  {byte.copy}   a copy of stage 1, which
  {lba.a}  {byte.a}   stage 2, copy A
  {lba.b}  {byte.b}   stage 2, copy B
 {lba.volume}  {byte.volume}   FAT16 volume
{lba.end}  {byte.end}   end of the image: {image.mib} MiB
The boot sector has {mbr.bytes} bytes
 000h  {mbr.jump0} {mbr.jump1} {mbr.jump2}: jump
 003h  free for a BPB, {mbr.bpb} bytes of 0
 {mbr.code}  code and messages, {mbr.room} bytes
 {mbr.id}  disk id
 {mbr.partition1}  partition 1: active ({mbr.active}), type {mbr.type}, first LBA {mbr.first}
 {mbr.partition2}  partitions 2 to 4: empty
 {mbr.mark}  {mbr.mark0} {mbr.mark1}: the mark
El Torito 1.0, "Booting Catalog"
has at most {copy.kib} KiB. It begins with a header of {header} bytes
the magic number {stage2.magic} (the text MOS2)
makes the sum come to 0. The code follows at byte {header}
in a trailer of {trailer} bytes
the CRC-32 of all
 00000000h  real-mode interrupt vectors, {vectors} of 4 bytes
 {bda}  BIOS data area
 {mem.info}  boot info
 {mem.raw}  memory map as the firmware gave it (E820)
 {mem.map}  memory map, cleaned
 {mem.trace}  boot trace
 {mem.low}  variables of stage 2 that real
 {mem.stack_end}  end of stage 2's stack
 {mem.stack}  top of that stack
 {mem.bss}  variables of stage 2 that start as 0
 {mem.cache}  the first {cache.kib} KiB of the volume
 {mem.free}  not used, and from {mem.untouched} on
 {ebda}  extended BIOS data area: its place is in the word at {ebda.word}
 {screen}  text screen, {screen.columns} columns by {screen.rows} rows of 2 bytes
CS is {reset.cs}, while its hidden base is {reset.base} and not 16 times
fetched from {reset.at}, {reset.below} bytes below 4 GiB
the base becomes {bios}, and the BIOS
copy below 1 MiB
SDM vol. 3A, "Processor State After Reset"
the base of CS is {reset.base} |
bit 1 always reads as 1; IF clear
real mode's vectors: 4 bytes each, from address 0
reads the first sector to {mem.stage1}, looks
to it by int 19h
some BIOSes jump to 07C0:0000h, the same place
the vectors are {vectors} of 4 bytes |
DL is the drive, {drive} the first hard disk
A far jump makes CS 0, so that
raises exception 6; vector 6 points
grows down from {stage1.bp}. BP stays {stage1.bp} for good
DL, then 80h, 81h and 0. DL cannot
int 13h AH=41h asks for the extended calls. If there are some, AH=48h tells the sector size; otherwise 512
Copy A is read to {mem.stage2} by AH=42h, or by cylinder, head and sector (AH=02h)
If it is 0, stage 1 jumps to {mem.entry}.
to the screen, and int 18h tells
Each int 13h goes
Specification 3.0, "Extended Read"
from AH=41h, "there are extended calls"
SI: where AH=48h wrote
the sum came to 0 |
at the first AH=42h
| {stage1.bp} less what
The packet stands on the stack at {dap} and has {dap.bytes} bytes: all {copy.sectors} sectors
takes its own stack at {mem.stack}, and lets vector 6 point
compiled for a 386, and a 386 gets
SDM vol. 3A, "Switching to Protected Mode", "Segment
still the old selector, base and 16-bit code
six descriptors of 8 bytes
only loading CS gives 32-bit code
base 0, limit {flat.limit}, D=1: 32-bit code
real mode's limit of {old.limit} |
Its limit is 0 at first
The variables from {mem.bss} on
The descriptors of stage 2. Each has 8 bytes:
in pages of 4 KiB. D=1 is 32-bit code, L=1 with D=0 is 64-bit code. Type {code.type} is code
type {data.type} data that may be written
0018h and 0020h are for the way back
is int {first.call} with AX={first.ax}, for the memory map
lies below 64 KiB, so SS:SP with SS=0 is
in the table at 0, load
2. Jump to 16-bit protected
| 16-bit code, limit {p16.limit} |
get limits of 64 KiB
| base 0 |
value, but base 0: loaded
bytes of the entry: 20, without
{gates32} gates of 8 bytes |
above 1 MiB is copied by 32-bit code
SDM vol. 3A, "Switching Back
COM1 at 115200 baud, 8N1;
(EFLAGS bit 21)
(leaf 1, EDX bits 4, 5, 6, 24), long mode (leaf 80000001h, EDX bit 29)
int 15h AX=2401h, port 92h, the 8042, port EEh
int 15h AX=E820h, else E801h, else AH=88h
at most {read.sectors} sectors of 512 bytes or {read.cd_sectors} of 2048 at once
a volume from sector 0 on; FAT12, FAT16, FAT32
An 8086 had 20 address lines, and its addresses wrapped at 1 MiB; PC/ATs can hold line 20 low
each address with bit 20 set means the one 1 MiB below
and looks 1 MiB above it
Each entry has {e820.bytes} bytes
This BIOS gives {e820.count} (all
Type 1 is RAM, 2 is reserved
ends it at {e820.cut}.
ACPI 6.4, "INT 15H, E820H - Query
address packet has {dap.bytes} bytes and names its buffer by segment and offset of 16 bits each
cannot be read to 1 MiB directly
to the transfer buffer at {mem.bounce} and
multiple of 1000h, so that no transfer crosses a 64 KiB boundary
physical address from {mem.kernel} on; the bytes are checked by CRC-32
seven tables of 512 entries with 8 bytes each. Bit 0 is P (present), bit 1 is W (writable), bit 7 is PS
a page of {page.mib} MiB and
A and D (bits 5, 6) as
SDM vol. 3A, "4-Level Paging and 5-Level Paging"
first three tables are 0; the directories are full
up to {mapped.gib} GiB at its
again at {kernel.vma}, where
entry point, {entry}, the walk takes index 511, then 510, then 0, and the page at 0 has the kernel at offset {kernel.offset}.
the pages have {page.mib} MiB. Everything
int 15h AX=EC00h tells the BIOS that 64-bit code comes; the NMI is masked (port 70h, bit 7), and both PICs (ports 21h and A1h: {pic1.masked} and {pic2.masked})
by which LMA becomes 1.
entries of 8 bytes, which long
32-bit code can load 32 bits, so it lies below 4 GiB
LME in MSR {efer}: long
L=0: compatibility mode, 32-bit code in
descriptor with L=1 makes it 64-bit code
another 32-bit descriptor
L=1, D=0: 64-bit code |
segments become 0, GDTR
loaded with 64-bit addresses
{gates64} gates of 16 bytes, stage 2's
and RBP becomes 0, where
(`struct boot_info` at {mem.info})
with this field 0 |
| 512 bytes |
section 2 shows these
boot stack has {stack.kib} KiB
TSS, {gates} gates: from
to vectors {pic.first} to {pic.last}, all
the PIT at {hz} Hz
64-bit mode looks at
one has 16 bytes, since a TSS's base has 64 bits; type {tss.type} is a TSS in use. Its limit {tss.limit} is that of a TSS of {tss.bytes} bytes
16 KiB between {thread.low} and {thread.high}, guarded
first frame from {frame} MiB on
seven entries of 8 bytes |
{gates} gates of 16 bytes |
"""

# Drawings are compared as a whole.
DRAWINGS = ["""
 63     56  55  54  53  52  51     48  47  46 45  44  43   40  39      16  15      0
+---------+---+---+---+---+----------+---+------+---+--------+-----------+---------+
|  base   | G | D | L | 0 |  limit   | P | DPL  | S |  type  |   base    |  limit  |
|  31-24  |   |   |   |   |  19-16   |   |      |   |        |   23-0    |  15-0   |
+---------+---+---+---+---+----------+---+------+---+--------+-----------+---------+
""", """
CR3 = {cr3}

 PML4        at {t.pml4}  [0]   = {pml4.0}   P W
                           [511] = {pml4.511}   P W
 PDPT, low   at {t.low}  [0]   = {low.0}   P W
                           [1]   = {low.1}   P W
                           [2]   = {low.2}   P W
                           [3]   = {low.3}   P W
 PDPT, high  at {t.high}  [510] = {high.510}   P W    the same directory again
 directory   at {t.pd0}  [0]   = {pd0.0}   P W PS
                           [1]   = {pd0.1}   P W PS
                           [511] = {pd0.511}   P W PS
 directory   at {t.pd1}  [0]   = {pd1.0}   P W PS
 directory   at {t.pd2}  [0]   = {pd2.0}   P W PS
 directory   at {t.pd3}  [0]   = {pd3.0}   P W PS
                           [511] = {pd3.511}   P W PS
""", """
 {mem.handoff}  what stage 1 leaves on its stack: section 4
 {mem.stage1}  stage 1
 {mem.stage2}  stage 2: header, then code from {mem.entry} on
 {mem.tables}  page tables at hand-over, {tables} of 4 KiB: section 9
 {mem.idt64}  interrupt descriptors for the first 64-bit code, {gates64} of 16 bytes
 {mem.tables_end}  not used
 {mem.bounce}  transfer buffer for the disk, {bounce.kib} KiB at a 64 KiB boundary
""", """
 {bios}  BIOS
 {mem.kernel}  the kernel, by its program headers
"""]

# Names that contain digits, and how often each stands outside the phrases and tables above.
NAMES = """
A20 5
COM1 2
CR0 7
CR3 5
CR4 6
FAT12 1
IA-32e 1
a20_method 1
vol. 3A 1
PML4 2
bios_int.protected16 1
boot/stage1.asm 4
boot/stage2/entry.asm 11
boot/stage2/longmode.asm 4
boot/stage2/main.c 1
boot/stage2/stage2.ld 1
e820 1
kernel/x86/entry.asm 2
kernel/x86/gdt.c 2
q35 1
stage 2 6
int13 1
Stage 1 2
stage1 1
Section 12 1
Stage 2 2
stage1_handoff 1
stage2_entry 1
stage2_main 2
start32 1
"""


def phrases():
    return [line for line in CLAIMS.split("\n") if line.strip()] + [d.strip() for d in DRAWINGS]


def names():
    return {line.rsplit(" ", 1)[0]: int(line.rsplit(" ", 1)[1])
            for line in NAMES.split("\n") if line.strip()}
