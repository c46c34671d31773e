"""twists.py - the matrix's twists: firmware that errs, odd machines, damaged media; see matrix.py.

Each row is one known misbehaviour or fault, with what MinOS must make of it.
"""

import functools
import os
import subprocess
import threading

import faults
import vm as machine
from matrix_types import Stops, Table, Twist, boots

BUILDING = threading.Lock()  # matrix_run.py runs cases side by side
DISK = ("disk",)
BY_EDD = "a CD and this medium's sectors can only be read by extended calls (42h)"
READS_BY_CHS = {"kinds": ("disk", "floppy"), "sectors": (512,), "why": BY_EDD}
COUNTED = {"kinds": DISK, "why": "counts the reads of a hard disk"}
HANDED = {"kinds": DISK, "why": "the option ROM starts a hard disk's boot sector"}
OWN_IMAGE = {"kinds": ("disk", "CD"), "why": "made of the disk image"}
BAD_SECTOR = {"kinds": ("disk", "CD"), "errors": True, "why": "made of the disk image"}
ON_DISK = {"kinds": DISK, "why": "made of a hard disk"}
BY_ORDER = {"kinds": DISK, "machines": ("pc", "q35"), "media": (
    "ide", "ahci", "virtio-blk", "virtio-scsi", "nvme", "nvme-4096", "usb-ehci", "usb-xhci", "lsi"),
    "why": "by a boot order, which QEMU gives neither isapc nor every controller"}
PCI_ONLY = {"machines": ("pc", "q35"), "why": "isapc does not have it"}
CUT = {"kinds": DISK, "sectors": (512,), "why": "of a CD the BIOS does not tell the size; "
       "and it starts no disk of 256 sectors"}
NO_SD = {"media": ("ide", "ahci", "virtio-blk", "virtio-scsi", "nvme", "usb-ehci", "usb-xhci",
                   "usb-ohci", "usb-uhci", "lsi", "esp", "pvscsi", "megasas", "mptsas"),
         "why": CUT["why"] + "; an SD card has 2^n bytes"}
CUT_CD = {"kinds": ("CD",), "why": "about CDs"}
NO_STAGE2 = Stops(r"bad MinOS stage2 LBA 128: renew", "boot sector")
UNREAD = Stops(r"I/O bad MinOS stage2 LBA 128: renew", "boot sector")


def _rom(name, title, outcome, *flags, **more):
    return Twist(name, title, outcome, flags=flags or (name,), **more)


def _edited(edit):
    return lambda folder: faults.changed(folder, edit)


def _bad(*where, once=False):
    """The drive `d` with bad sectors: LBAs, or files whose middle is meant."""
    def drive(folder, _image):
        sectors = [faults.sector_of(w) if isinstance(w, str) else w for w in where]
        return faults.bad_sectors(folder, sectors, once)
    return drive


def _slow_disk(_folder, image):
    return ["-drive", f"file={image},format=raw,if=none,id=d,snapshot=on,throttling.bps-read=200000"]


def _other_disk(edit, options=""):
    """Options for one more disk, on the machine's second channel."""
    def make(folder):
        path = faults.changed(folder, edit, "other.img")
        return ["-drive", f"file={path},format=raw,if=none,id=other",
                "-device", f"ide-hd,drive=other,bus=ide.1{options}"]
    return make


@functools.cache
def _build_stuck_a20():
    build = os.path.join(machine.BUILD, "test-a20")
    env = {k: v for k, v in os.environ.items() if not k.startswith(("MAKEFL", "MFL"))}
    subprocess.run([os.environ.get("MAKE", "make"), "-s", "--no-print-directory", f"BUILD={build}",
                    "S2DEFS=-DTEST_A20_STUCK", "all"], cwd=machine.ROOT, env=env, check=True,
                   stdout=subprocess.PIPE)
    return os.path.join(build, "minos.img")


def stuck_a20(_folder):
    """Stage 2 built so that its A20 test always says off: no emulator keeps the line off."""
    with BUILDING:
        return _build_stuck_a20()


DISK_CALLS = (
    _rom("no-edd", "no extended calls (41h, 42h, 48h)", boots("CHS"), "NO_EDD", **READS_BY_CHS),
    _rom("no-packet", "41h answers without packet calls", boots("CHS"), "NO_PACKET", **READS_BY_CHS),
    _rom("fail-42", "42h fails although 41h promises it", boots("CHS", "retry"), "FAIL_42",
         kinds=DISK, sectors=(512,), why=BY_EDD),
    _rom("no-48", "no drive parameters (48h)", boots(), "NO_48", kinds=("disk", "floppy"),
         sectors=(512,), why="without 48h nobody knows sectors of another size"),
    _rom("zero-48", "48h says 0 bytes per sector", boots(), "ZERO_48", kinds=("disk", "floppy"),
         sectors=(512,), why="taken for 512, which this medium's sectors are not"),
    _rom("max-127", "at most 127 sectors per call", boots(), "MAX_SECTORS=127"),
    _rom("max-31", "at most 31 sectors per call", boots("retry", "smaller"), "MAX_SECTORS=31",
         kinds=DISK, sectors=(512,), why="this medium's transfers are shorter anyway"),
    _rom("max-31-cd", "at most 31 sectors of 2048 bytes per call", boots(), "MAX_SECTORS=31",
         kinds=("CD",), why="about a CD's sectors"),
    _rom("max-17", "at most 17 sectors per call", boots("retry", "smaller"), "MAX_SECTORS=17",
         kinds=DISK, sectors=(512,), why="this medium's transfers are shorter anyway"),
    _rom("max-1", "one sector per call", boots("retry", "smaller"), "MAX_SECTORS=1"),
    _rom("max-5-chs", "no extended calls, at most 5 sectors per call",
         boots("CHS", "retry", "smaller"), "NO_EDD", "MAX_SECTORS=5", **READS_BY_CHS),
    _rom("one-segment", "reads across a 64 KiB boundary fail", boots(), "ONE_SEGMENT",
         sectors=(512,), why="the option ROM counts in sectors of 512 bytes"),
    _rom("fail-first-1", "the first read fails", boots(), "FAIL_FIRST=1", **COUNTED),
    _rom("fail-first-3", "the first 3 reads fail", boots(), "FAIL_FIRST=3", **COUNTED),
    _rom("fail-later", "a read of the loader fails", boots("retry"), "FAIL_AT=2", **COUNTED),
    _rom("flip-stage2", "one bit of stage 2 A read wrongly", boots("copy B"), "FLIP_READ=1",
         **COUNTED),
    _rom("flip-kernel", "one bit of the kernel read wrongly",
         Stops(r"MINOS\.ELF: wrong checksum: CRC-32 \w+, expected \w+"), "FLIP_READ=4", **COUNTED),
    _rom("trash", "int 13h spoils registers, DF and IF", boots(), "TRASH"),
    _rom("trash-chs", "the same, and no extended calls", boots("CHS"), "TRASH", "NO_EDD",
         **READS_BY_CHS),
    _rom("trash-fail", "the same, and the first 2 reads fail", boots(), "TRASH", "FAIL_FIRST=2",
         **COUNTED),
)

HANDOVER = tuple(
    _rom(f"dl-{drive:02x}", f"DL = {drive:02X}h, CS = 07C0h, registers arbitrary",
         boots("drive", says=r"drive 80h \(the BIOS named another\)"), f"WRONG_DL={drive}", **HANDED)
    for drive in (0, 1, 0x7F, 0x81, 0x9F, 0xFF)) + (
    _rom("bpb", "the BIOS writes a BPB into the boot sector", boots(), "WRONG_DL=0x80", "BPB_WRITTEN",
         **HANDED),
    _rom("bpb-chs", "the same, and no extended calls", boots("CHS"), "WRONG_DL=0x80", "BPB_WRITTEN",
         "NO_EDD", kinds=DISK, sectors=(512,), why=BY_EDD),
    _rom("as-floppy", "a stick as drive 0", boots(says="drive 00h"), "WRONG_DL=0", "AS_FLOPPY",
         **HANDED),
    _rom("as-floppy-chs", "the same, and no extended calls", boots("CHS", says="drive 00h"),
         "WRONG_DL=0", "AS_FLOPPY", "NO_EDD", kinds=DISK, sectors=(512,), why=BY_EDD),
    _rom("as-floppy-bpb", "the same, and a BPB written",
         boots("CHS", says="drive 00h"), "WRONG_DL=0", "AS_FLOPPY", "NO_EDD", "BPB_WRITTEN",
         kinds=DISK, sectors=(512,), why=BY_EDD),
    _rom("graphics", "the screen in graphics mode", boots(), "GRAPHICS"),
)

MEMORY_MAPS = (
    _rom("e820-unsorted", "E820 in no order", boots("overlap"), "E820_UNSORTED"),
    _rom("e820-overlap", "E820 entries overlap", boots("overlap"), "E820_OVERLAP"),
    _rom("e820-empty", "E820 entries of size 0", boots(), "E820_EMPTY"),
    _rom("e820-ignore", "E820 entries marked to be ignored", boots(), "E820_IGNORE"),
    _rom("e820-20", "E820 entries of 20 bytes", boots(), "E820_20BYTE"),
    _rom("e820-carry", "E820 ends by carry, after the last entry", boots(), "E820_CARRY"),
    _rom("e820-messy", "all of these", boots("overlap"), "MESSY_E820"),
    _rom("e820-endless", "E820 never ends", boots("overlap", "map cut"), "ENDLESS_E820"),
    _rom("e820-no-smap", "E820 answers without SMAP", boots("E801"), "BAD_SMAP"),
    _rom("e820-short", "E820 answers with 16 bytes", boots("E801"), "SHORT_E820"),
    _rom("e801", "no E820", boots("E801", says="KiB, E801h"), "NO_E820"),
    _rom("88", "no E820, no E801", boots("88", says="KiB, 88h"), "NO_E820", "NO_E801", memory="32M"),
    _rom("no-sizes", "no E820, no E801, no 88h", Stops(
        r"the BIOS tells no memory size: int 15h E820h, E801h and 88h all failed"),
         "NO_E820", "NO_E801", "NO_88"),
    _rom("ebda-low", "EBDA at 512 KiB, no E820", boots("E801"), "EBDA_LOW", "NO_E820"),
    Twist("mem-1M", "1 MiB of memory", Stops(r"too little memory: \d+ KiB above 1 MiB"), memory="1M",
          media=("ide", "cd-ide", "floppy-144", "floppy-288"),
          why="QEMU's BIOS itself needs more memory for this controller"),
    Twist("mem-2M", "2 MiB of memory", Stops(r"too little memory: \d+ KiB above 1 MiB"), memory="2M"),
    Twist("low-hole", "memory hole at 64 MiB", boots(), memory="512M",
          machine=",max-ram-below-4g=64M", **PCI_ONLY),
    Twist("numa", "two NUMA nodes", boots(), options=(
        "-object", "memory-backend-ram,id=m0,size=64M",
        "-object", "memory-backend-ram,id=m1,size=64M",
        "-numa", "node,memdev=m0", "-numa", "node,memdev=m1"), **PCI_ONLY),
    Twist("dimm", "memory that E820 leaves out (pc-dimm)", boots(),
          memory="128M,slots=1,maxmem=1G", options=(
              "-object", "memory-backend-ram,id=more,size=128M", "-device", "pc-dimm,memdev=more"),
          **PCI_ONLY),
)

PARTS = (
    _rom("a20-off", "A20 off after each int 13h, 2401h refuses",
         boots(says=r"a20 on already\? by int 15h\? by port 92h\? yes"), "A20_OFF"),
    Twist("a20-stuck", "A20 stays off (build flag)", Stops(r"A20"), image=stuck_a20, **OWN_IMAGE),
    Twist("no-8042", "no keyboard controller, no port 92h", boots(), machine=",i8042=off",
          machines=("q35", "pc"), why="isapc does not have the option"),
    Twist("cpu-486", "486: no CPUID", Stops(r"this CPU[^\n]* no long mode"), cpu="486"),
    Twist("cpu-32", "32-bit CPU", Stops(r"this CPU[^\n]* no long mode"), cpu="qemu32"),
    Twist("cpu-no-lm", "long mode switched off", Stops(r"this CPU[^\n]* no long mode"),
          cpu="qemu64,-lm"),
    Twist("geometry", "geometry 980/4/17, not translated", boots(), media=("ide",),
          device=",cyls=980,heads=4,secs=17,bios-chs-trans=none", why="about IDE disks"),
    Twist("geometry-chs", "the same, and no extended calls", boots("CHS"), flags=("NO_EDD",),
          media=("ide",), device=",cyls=980,heads=4,secs=17,bios-chs-trans=none",
          why="about IDE disks"),
    Twist("second-disk", "an empty disk beside it", boots(),
          options=_other_disk(lambda data: bytes(1 << 20)), device=",bootindex=1", **BY_ORDER),
    Twist("wrong-disk", "the BIOS starts a disk with stage 1 only",
          boots("drive", says=r"drive 81h \(the BIOS named another\)"),
          options=_other_disk(faults.wipe(1, 4095), ",bootindex=1"), **BY_ORDER),
    Twist("slow-disk", "200 KB/s", boots(), drive=_slow_disk, slow=True, **ON_DISK),
)

DAMAGE = (
    Twist("stage2-a", "stage 2 A damaged", boots("copy B", says="copy B"),
          image=_edited(faults.flip(faults.STAGE2_A + 3)), **OWN_IMAGE),
    Twist("stage2-both", "stage 2 A and B damaged", NO_STAGE2,
          image=_edited(faults.flip(faults.STAGE2_A + 3, faults.STAGE2_B + 5)), **OWN_IMAGE),
    Twist("bad-stage2-a", "stage 2 A unreadable", boots("copy B"),
          drive=_bad(faults.STAGE2_A + 2), **BAD_SECTOR),
    Twist("bad-stage2-once", "stage 2 A unreadable once", boots(),
          drive=_bad(faults.STAGE2_A + 2, once=True), **BAD_SECTOR),
    Twist("bad-stage2-both", "stage 2 A and B unreadable", UNREAD,
          drive=_bad(faults.STAGE2_A + 2, faults.STAGE2_B + 2), **BAD_SECTOR),
    Twist("kernel-bit", "one bit wrong in the kernel",
          Stops(r"MINOS\.ELF: wrong checksum: CRC-32 \w+, expected \w+"),
          image=lambda folder: faults.with_bit_flipped(folder, "MINOS.ELF"), **OWN_IMAGE),
    Twist("initrd-bit", "one bit wrong in the initrd",
          Stops(r"INITRD\.TAR: wrong checksum: CRC-32 \w+, expected \w+"),
          image=lambda folder: faults.with_bit_flipped(folder, "INITRD.TAR"), **OWN_IMAGE),
    Twist("no-kernel", "no kernel in the volume", Stops(r"MINOS\.ELF[^\n]* not found"),
          image=lambda folder: faults.without(folder, "MINOS.ELF"), **OWN_IMAGE),
    Twist("no-config", "no MINOS.CFG", boots("config"),
          image=lambda folder: faults.without(folder, "MINOS.CFG"), **OWN_IMAGE),
    Twist("bad-kernel", "a sector of the kernel unreadable",
          Stops(r"disk read error: drive \w+h, LBA \d+, status \w+h \("),
          drive=_bad("MINOS.ELF"), **BAD_SECTOR),
    Twist("bad-kernel-silent", "the same, and the BIOS does not tell",
          Stops(r"MINOS\.ELF: wrong checksum: CRC-32 \w+, expected \w+"), drive=_bad("MINOS.ELF"),
          media=("pvscsi", "megasas", "sdhci"), why="about controllers whose errors the BIOS hides"),
    Twist("bad-kernel-once", "a sector of the kernel unreadable once", boots("retry", "smaller"),
          drive=_bad("MINOS.ELF", once=True), **BAD_SECTOR),
    Twist("bad-volume", "the volume's first sector unreadable",
          Stops(r"disk read error: drive \w+h, LBA 2048, status \w+h \("),
          drive=_bad(2048), **BAD_SECTOR),
    Twist("cut-stage2", "image cut short in stage 2 A", NO_STAGE2,
          image=_edited(faults.cut(136)), media=("ide", "ahci", "virtio-blk", "cd-ide", "cd-ahci"),
          why="QEMU's BIOS starts no disk as small as that there"),
    Twist("cut-volume", "image cut short in front of the volume",
          Stops(r"LBA 2048 is behind the end of the medium \(\d+ sectors\)"),
          image=_edited(faults.cut(2048)), **CUT),
    Twist("cut-volume-cd", "the same, a CD", Stops(r"disk read error: drive e0h, LBA 2048, status"),
          image=_edited(faults.cut(2048)), **CUT_CD),
    Twist("cut-kernel", "image cut short in the kernel",
          Stops(r"LBA \d+ is behind the end of the medium \(\d+ sectors\)"),
          image=_edited(faults.cut(2048 + 400)), **CUT | NO_SD),
    Twist("cut-kernel-cd", "the same, a CD", Stops(r"disk read error: drive e0h, LBA \d+, status"),
          image=_edited(faults.cut(2048 + 400)), **CUT_CD),
    Twist("no-volume", "the volume overwritten", Stops(r"holds no FAT volume"),
          image=_edited(faults.wipe(2048, 8)), **OWN_IMAGE),
)

GROUPS = {"Disk calls": DISK_CALLS, "Hand-over and screen": HANDOVER, "Memory": MEMORY_MAPS,
          "CPU, A20, disks": PARTS, "Damaged media": DAMAGE}
TWISTS = Table(*(twist for group in GROUPS.values() for twist in group))
