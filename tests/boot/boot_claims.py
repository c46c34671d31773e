"""boot_claims.py - sentences, drawings and names of docs/boot.md: where their numbers come from.

CLAIMS are phrases of the document with the names of measured facts (boot_measured.py) in place of
the numbers; NAMES are names with digits in them.  docnumbers.py compares.
"""

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
({reset.0} {reset.1} {reset.2} {reset.3} {reset.4}, firmware): to F000:{reset.ip}. It
the base becomes {bios}, and the BIOS
copy below 1 MiB
SDM vol. 3A, "Processor State After Reset"
the base of CS is {reset.base} |
bit 1 always reads as 1; IF clear
real mode's vectors: 4 bytes each, from address 0
reads the first sector to {mem.stage1}, looks
and calls int 19h. That
BIOS Boot Specification 1.01.
some BIOSes jump to 07C0:0000h, the same place
the vectors are {vectors} of 4 bytes |
DL is the drive, {drive} the first hard disk
A far jump makes CS 0, so that
raises exception 6; vector 6 points
grows down from {stage1.bp}. BP stays {stage1.bp} for good
DL, then 80h, 81h and 0. DL cannot
int 13h AH=41h asks for the extended calls. If there are some, AH=48h tells the sector size; \
otherwise 512
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
COM1 at {baud} baud, {uart.bits} bits, no parity, {uart.stop} stop bit;
(EFLAGS bit 21)
(leaf 1, EDX bits {cpuid.0}, {cpuid.1}, {cpuid.2}, {cpuid.3}), long mode (leaf 80000001h, EDX \
bit {cpuid.4})
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
below 4 GiB; the frame's header
The bytes are checked by CRC-32
physical address from {mem.kernel} on,
(`boot/stage2/lz4.c`)
is an LZ4 frame with
no LZ4 frame or ELF
LZ4 Frame Format; LZ4 Block Format
seven tables of 512 entries with 8 bytes each. Bit 0 is P (present), bit 1 is W (writable), bit \
7 is PS
a page of {page.mib} MiB and
A and D (bits 5, 6) as
SDM vol. 3A, "4-Level Paging and 5-Level Paging"
first three tables are 0; the directories are full
up to {mapped.gib} GiB at its
again at {kernel.vma}, where
entry point, {entry}, the walk takes index 511, then 510, then 0, and the page at 0 has the \
kernel at offset {kernel.offset}.
the pages have {page.mib} MiB. Everything
int 15h AX=EC00h tells the BIOS that 64-bit code comes; the NMI is masked (port 70h, bit 7), and \
both PICs (ports 21h and A1h: {pic1.masked} and {pic2.masked})
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
the PIT, for ticks at {hz} Hz
64-bit mode looks at
one has 16 bytes, since a TSS's base has 64 bits; type {tss.type} is a TSS in use. Its limit \
{tss.limit} is that of a TSS of {tss.bytes} bytes
{thread.kib} KiB between {thread.low} and {thread.high}, guarded
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
