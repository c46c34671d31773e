#!/usr/bin/env python3
"""mkimage.py - the media that MinOS boots from.

    mkimage.py trailer IN OUT           append the length and CRC-32 that the loader checks
    mkimage.py disk   --stage1 S1 --stage2 S2 -o IMAGE [--size MIB] FILE...
    mkimage.py floppy --stage1 S1 --stage2 S2 -o IMAGE FILE...

The disk image is hard disk, USB stick and CD in one (LBA of 512 bytes):

    0           stage 1, one active partition
    64-99       ISO 9660 and El Torito: what a PC that boots it as a CD looks at
    128, 192    stage 2, copies A and B, 32 KiB each
    2048-       FAT volume with the FILEs in its root directory

The floppy is 1.44 MB, FAT12; stage 2 lies at the same places, in its reserved sectors.

The same input gives the same bytes: serial numbers come from the contents, times from
SOURCE_DATE_EPOCH (without it: 1 January 1980).  Needs mtools; no root, no mounts.
"""

import argparse
import datetime
import os
import struct
import subprocess
import sys
import tempfile
import zlib

SECTOR = 512
CD_SECTOR = 2048
MIB = 1 << 20

# include/boot/loader.h
STAGE2_LBA = (128, 192)
STAGE2_MAX = 0x8000
STAGE2_MAGIC = 0x32534F4D
STAGE2_SUMMED = 6  # offset of the first dword that is summed: the balance
TRAILER_MAGIC = b"MINOSCRC"

VOLUME_LBA = 2048
ISO_FIRST = 16  # in CD sectors, as are the following
ISO_CATALOG, ISO_PATH_LE, ISO_PATH_BE, ISO_ROOT, ISO_STAGE1 = 19, 20, 21, 22, 24
# Sectors before the FAT: mformat's limit, one less than two copies of stage 2 at their largest.
FLOPPY_RESERVED = 255
CODE_END = 0x1B8
FAT_EPOCH = 315532800  # 1980-01-01: FAT knows nothing earlier


class Error(Exception):
    """Something that the user can set right."""


def epoch():
    return max(int(os.environ.get("SOURCE_DATE_EPOCH", FAT_EPOCH)), FAT_EPOCH)


def read(path):
    try:
        with open(path, "rb") as f:
            return f.read()
    except OSError as e:
        raise Error(f"{path}: {e.strerror}") from e


def write(path, data):
    with open(path, "wb") as f:
        f.write(data)


# --- stages ---------------------------------------------------------------------------------------

def rol(value, n=1):
    n %= 32
    return ((value << n) | (value >> (32 - n))) & 0xFFFFFFFF


def finish_stage2(code):
    """Fill in length and balance of struct stage2_header, so that stage 1's sum comes to 0."""
    if len(code) < 16 or struct.unpack_from("<I", code)[0] != STAGE2_MAGIC:
        raise Error("stage 2 has no header")
    code = bytearray(code) + bytes(-(len(code) - STAGE2_SUMMED) % 4)
    if len(code) > STAGE2_MAX:
        raise Error(f"stage 2 is {len(code)} bytes; {STAGE2_MAX} is the limit")
    words = struct.unpack_from(f"<{(len(code) - STAGE2_SUMMED) // 4}I", code, STAGE2_SUMMED)
    wanted = 0
    for word in reversed(words[1:]):
        wanted = rol((wanted - word) & 0xFFFFFFFF, 31)
    balance = (wanted - rol(STAGE2_MAGIC)) & 0xFFFFFFFF
    struct.pack_into("<HI", code, 4, len(words), balance)
    return bytes(code)


def check_stage1(code):
    if len(code) != SECTOR or code[:3] != b"\xeb\x3c\x90" or code[510:] != b"\x55\xaa":
        raise Error("stage 1 is no boot sector of 512 bytes beginning with EB 3C 90")
    if any(code[3:0x3E]) or any(code[CODE_END:510]):
        raise Error("stage 1 uses the area of the BPB or of the partition table")


def put(image, offset, data):
    image[offset:offset + len(data)] = data


def put_stages(image, stage1, stage2):
    put(image, 0, stage1)
    for lba in STAGE2_LBA:
        put(image, lba * SECTOR, stage2)


def identity(*parts):
    """A serial number that depends on the contents and on nothing else."""
    value = 0
    for part in parts:
        value = zlib.crc32(part, value)
    return value or 1


# --- FAT volume -----------------------------------------------------------------------------------

def mtools(*args):
    env = dict(os.environ, MTOOLSRC=os.devnull, MTOOLS_SKIP_CHECK="1", TZ="UTC", LC_ALL="C",
               SOURCE_DATE_EPOCH=str(epoch()))
    try:
        done = subprocess.run(args, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              text=True, check=False)
    except FileNotFoundError as e:
        raise Error(f"{args[0]} is missing: install the package mtools (tools/setup)") from e
    if done.returncode:
        raise Error(f"{' '.join(args)}: {done.stdout.strip()}")


def format_volume(path, sectors, serial, options):
    """An empty FAT volume whose data starts at a multiple of 4 KiB."""
    with open(path, "wb") as f:
        f.truncate(sectors * SECTOR)
    reserved = 32 if "-F" in options else 1
    for _ in range(8):
        mtools("mformat", "-i", path, "-T", str(sectors), "-h", "255", "-s", "63", "-v", "MINOS",
               "-N", f"{serial:08x}", "-R", str(reserved), *options, "::")
        start = Fat(read(path)).data_start
        if start % 8 == 0:
            return
        reserved += -start % 8
    raise Error("mformat: no aligned layout found")


def add_files(path, names):
    """Copy the files into the root directory, with one time for all."""
    with tempfile.TemporaryDirectory() as tmp:
        for name in names:
            copy = os.path.join(tmp, os.path.basename(name).upper())
            write(copy, read(name))
            os.utime(copy, (epoch(), epoch()))
            mtools("mcopy", "-m", "-i", path, copy, "::")


def le32(data, offset):
    return struct.unpack_from("<I", data, offset)[0]


class Fat:
    """Just enough of a FAT volume to see where mtools put things."""

    def __init__(self, data):
        self.data = data
        (self.bytes, self.per_cluster, self.reserved, self.fats, self.roots, total16, _,
         fat16) = struct.unpack_from("<HBHBHHBH", data, 11)
        total32, fat32 = le32(data, 32), le32(data, 36)
        self.fat_size = fat16 or fat32
        self.root_start = self.reserved + self.fats * self.fat_size
        self.data_start = self.root_start + (self.roots * 32 + SECTOR - 1) // SECTOR
        self.clusters = ((total16 or total32) - self.data_start) // self.per_cluster
        self.type = 12 if self.clusters < 4085 else 16 if self.clusters < 65525 else 32

    def files(self):
        """(name, first sector, bytes) of each file in the root directory."""
        if self.type == 32:
            cluster = le32(self.data, 44)
            at, length = self.sector(cluster) * SECTOR, self.per_cluster * SECTOR
        else:
            at, length = self.root_start * SECTOR, self.roots * 32
        for entry in range(at, at + length, 32):
            name, attr = self.data[entry:entry + 11], self.data[entry + 11]
            if name[0] == 0:
                break
            if name[0] == 0xE5 or attr & 0x18:
                continue
            high, low, size = struct.unpack_from("<H4xHI", self.data, entry + 20)
            base, ext = name[:8].decode("ascii").strip(), name[8:].decode("ascii").strip()
            yield f"{base}.{ext}", self.sector(high << 16 | low), size

    def sector(self, cluster):
        return self.data_start + (cluster - 2) * self.per_cluster


def make_volume(sectors, serial, options, names):
    with tempfile.TemporaryDirectory() as tmp:
        path = os.path.join(tmp, "volume")
        format_volume(path, sectors, serial, options)
        empty = Fat(read(path))
        room = empty.clusters * empty.per_cluster * SECTOR
        needed = sum(-(-os.path.getsize(n) // SECTOR // empty.per_cluster) * empty.per_cluster
                     * SECTOR for n in names)
        if needed > room:
            largest = max(names, key=os.path.getsize)
            raise Error(f"the files need {needed} bytes, the volume has room for {room}; the "
                        f"largest is {largest} ({os.path.getsize(largest)} bytes); "
                        "--size MIB makes a larger image")
        add_files(path, names)
        return read(path)


# --- ISO 9660 -------------------------------------------------------------------------------------

def both(value, size):
    """A number in both byte orders, as ISO 9660 has them."""
    return value.to_bytes(size, "little") + value.to_bytes(size, "big")


def iso_time():
    t = datetime.datetime.fromtimestamp(epoch(), datetime.timezone.utc)
    short = bytes([t.year - 1900, t.month, t.day, t.hour, t.minute, t.second, 0])
    return short, t.strftime("%Y%m%d%H%M%S00").encode() + b"\0"


def iso_record(name, sector, size, directory):
    """ECMA-119, "Format of a Directory Record"."""
    record = (b"\0" + both(sector, 4) + both(size, 4) + iso_time()[0]
              + bytes([2 if directory else 0, 0, 0]) + both(1, 2) + bytes([len(name)]) + name)
    record += bytes(len(record) + 1 & 1)
    return bytes([len(record) + 1]) + record


def iso_primary(sectors, root):
    """ECMA-119, "Primary Volume Descriptor"."""
    date = iso_time()[1]
    path_size = 10
    d = b"\x01CD001\x01\0" + b"".ljust(32) + b"MINOS".ljust(32) + bytes(8) + both(sectors, 4)
    d += bytes(32) + both(1, 2) + both(1, 2) + both(CD_SECTOR, 2) + both(path_size, 4)
    d += struct.pack("<II", ISO_PATH_LE, 0) + struct.pack(">II", ISO_PATH_BE, 0) + root
    d += b"".ljust(128) * 4 + b"".ljust(37) * 3 + date + date + b"0" * 16 + b"\0" + date + b"\x01"
    return d


def el_torito(sectors_to_load):
    """El Torito 1.0, "Booting Catalog": one BIOS entry, no emulation, at the copy of stage 1."""
    check = bytearray(struct.pack("<BBH24sHBB", 1, 0, 0, b"MinOS", 0, 0x55, 0xAA))
    total = sum(struct.unpack("<16H", check)) & 0xFFFF
    struct.pack_into("<H", check, 28, -total & 0xFFFF)
    return bytes(check) + struct.pack("<BBHBBHI20x", 0x88, 0, 0, 0, 0, sectors_to_load, ISO_STAGE1)


def put_iso(image, volume):
    """The CD's structures; its files are the FAT volume's, at the same place."""
    root = iso_record(b"\0", ISO_ROOT, CD_SECTOR, True)
    entries = root + iso_record(b"\1", ISO_ROOT, CD_SECTOR, True)
    for name, sector, size in sorted(Fat(volume).files()):
        lba = VOLUME_LBA + sector
        if size and lba % 4 == 0:
            entries += iso_record(name.encode() + b";1", lba // 4, size, False)
    if len(entries) > CD_SECTOR:
        raise Error("too many files for the CD's directory")
    path = struct.pack("<BBIHBB", 1, 0, ISO_ROOT, 1, 0, 0)
    path_be = struct.pack(">BBIHBB", 1, 0, ISO_ROOT, 1, 0, 0)
    boot = b"\0CD001\x01" + b"EL TORITO SPECIFICATION".ljust(64, b"\0")
    boot += struct.pack("<I", ISO_CATALOG)
    for sector, data in ((ISO_FIRST, iso_primary(len(image) // CD_SECTOR, root)),
                         (ISO_FIRST + 1, boot), (ISO_FIRST + 2, b"\xffCD001\x01"),
                         (ISO_CATALOG, el_torito(4)), (ISO_PATH_LE, path), (ISO_PATH_BE, path_be),
                         (ISO_ROOT, entries), (ISO_STAGE1, bytes(image[:SECTOR]))):
        put(image, sector * CD_SECTOR, data)


# --- images ---------------------------------------------------------------------------------------

def chs(lba):
    """Partition table form for 255 heads and 63 sectors; what does not fit becomes the last one."""
    cylinder, rest = divmod(lba, 255 * 63)
    head, sector = divmod(rest, 63)
    if cylinder > 1023:
        cylinder, head, sector = 1023, 254, 62
    return bytes([head, (sector + 1) | cylinder >> 2 & 0xC0, cylinder & 0xFF])


def partition(kind, first, count):
    return (b"\x80" + chs(first) + bytes([kind]) + chs(first + count - 1)
            + struct.pack("<II", first, count))


def load_parts(args):
    stage1, stage2 = read(args.stage1), finish_stage2(read(args.stage2))
    check_stage1(stage1)
    return stage1, stage2, identity(stage1, stage2, *(read(f) for f in args.files))


def make_disk(args):
    stage1, stage2, serial = load_parts(args)
    image = bytearray(args.size * MIB)
    sectors = len(image) // SECTOR - VOLUME_LBA
    if args.size < 10:
        raise Error("the image must have at least 10 MiB")
    # Clusters of 2 KiB are a CD's sectors.  FAT16 holds 65524 of them, and its FATs take 131 more.
    fat32 = sectors // 4 > 65524 + 131
    # A root directory of 128 entries: it and the FATs lie in the 40 KiB that the loader keeps.
    volume = make_volume(sectors, serial, (["-F"] if fat32 else ["-r", "8"])
                         + ["-c", "4", "-H", str(VOLUME_LBA)], args.files)
    if Fat(volume).type != (32 if fat32 else 16):
        raise Error(f"mformat made a FAT{Fat(volume).type} volume")
    put_stages(image, stage1, stage2)
    put(image, CODE_END, struct.pack("<I", serial))
    put(image, 0x1BE, partition(0x0C if fat32 else 0x0E, VOLUME_LBA, sectors))
    put(image, VOLUME_LBA * SECTOR, volume)
    put_iso(image, volume)
    write(args.output, image)


def make_floppy(args):
    stage1, stage2, serial = load_parts(args)
    room = (FLOPPY_RESERVED - STAGE2_LBA[1]) * SECTOR
    if len(stage2) > room:
        raise Error(f"stage 2 is {len(stage2)} bytes; a floppy has room for {room}")
    with tempfile.TemporaryDirectory() as tmp:
        path = os.path.join(tmp, "volume")
        write(path, bytes(2880 * SECTOR))
        mtools("mformat", "-i", path, "-f", "1440", "-R", str(FLOPPY_RESERVED), "-v", "MINOS",
               "-N", f"{serial:08x}", "::")
        fat = Fat(read(path))
        room = fat.clusters * fat.per_cluster * SECTOR
        for name in args.files:
            if os.path.getsize(name) > room:
                raise Error(f"{name} has {os.path.getsize(name)} bytes; "
                            f"the floppy has room for {room}")
        add_files(path, args.files)
        image = bytearray(read(path))
    bpb = bytes(image[0x0B:0x3E])
    put_stages(image, stage1, stage2)
    put(image, 3, b"MINOS1.0")
    put(image, 0x0B, bpb)
    put(image, CODE_END, struct.pack("<I", serial))
    write(args.output, image)


def make_trailer(args):
    data = read(args.input)
    write(args.output, data + TRAILER_MAGIC + struct.pack("<II", len(data), zlib.crc32(data)))


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    commands = parser.add_subparsers(dest="command", required=True)
    trailer = commands.add_parser("trailer")
    trailer.add_argument("input")
    trailer.add_argument("output")
    trailer.set_defaults(run=make_trailer)
    for name, run in (("disk", make_disk), ("floppy", make_floppy)):
        image = commands.add_parser(name)
        image.add_argument("--stage1", required=True)
        image.add_argument("--stage2", required=True)
        image.add_argument("-o", dest="output", required=True)
        image.add_argument("files", nargs="+")
        if name == "disk":
            image.add_argument("--size", type=int, default=16, help="MiB (default 16)")
        image.set_defaults(run=run)
    args = parser.parse_args()
    try:
        args.run(args)
    except Error as e:
        sys.exit(f"mkimage: {e}")


if __name__ == "__main__":
    main()
