#!/usr/bin/env python3
"""mkimage.py - builds the boot media: the disk image, the floppy image, and checksummed files.

    mkimage.py trailer IN OUT           append the 16-byte trailer: mark, length, CRC-32
    mkimage.py disk   --stage1 F --stage2 F -o OUT FILE...
    mkimage.py floppy --stage1 F --stage2 F -o OUT FILE...

The disk image is hard disk, USB stick and CD in one (LBA in units of 512 bytes):

    0          stage 1 with a disk id and one active FAT partition
    64 - 99    ISO 9660 descriptors, El Torito catalog, root directory, copy of stage 1
    128, 192   stage 2, copies A and B, 32 KiB each
    2048 -     FAT16 volume with FILE...

The same input gives the same bytes: serial numbers come from the content, times from
SOURCE_DATE_EPOCH (default: a fixed day).  Numbers shared with the boot code: include/boot/loader.h.
Specifications: ECMA-119 (ISO 9660); El Torito Bootable CD-ROM Format 1.0; Microsoft FAT.
"""
import argparse
import hashlib
import os
import shutil
import struct
import subprocess
import sys
import tempfile
import zlib

SECTOR = 512
CD_SECTOR = 2048
TRAILER_MARK = b"MINOSCRC"
STAGE2_MAGIC = 0x32534F4D
STAGE2_MAX = 0x8000
STAGE2_LBA = (128, 192)
DISK_ID_AT, PARTITIONS_AT = 0x1B8, 0x1BE
VOLUME_LBA = 2048
VOLUME_SECTORS = 32768  # 16 MiB in clusters of 2 KiB: about 8,000 clusters, which makes it FAT16
FAT16_LBA = 0x0E
FLOPPY_SECTORS = 2880
HEADS, SECTORS_PER_TRACK = 255, 63
EPOCH = "1767225600"  # 2026-01-01, unless SOURCE_DATE_EPOCH says otherwise


class Problem(Exception):
    """What is wrong, in words for the person who runs the build."""


def read(path):
    try:
        with open(path, "rb") as f:
            return f.read()
    except OSError as e:
        raise Problem(f"{path}: {e.strerror}") from e


def write(path, data):
    with open(path, "wb") as f:
        f.write(data)


# --- pieces -----------------------------------------------------------------------------------


def add_trailer(data):
    return data + TRAILER_MARK + struct.pack("<II", len(data), zlib.crc32(data))


def seal_stage2(code):
    """Fill in the header: length in dwords and the sum that stage 1 checks (loader.h)."""
    code += bytes(-len(code) % 4)
    if len(code) > STAGE2_MAX:
        raise Problem(f"stage 2 has {len(code)} bytes, {STAGE2_MAX} is the most")
    if struct.unpack_from("<I", code)[0] != STAGE2_MAGIC:
        raise Problem("stage 2 does not begin with its header")
    body = code[12:]
    total = 0
    for (dword,) in struct.iter_unpack("<I", body):
        total = (((total << 1) | (total >> 31)) + dword) & 0xFFFFFFFF
    return struct.pack("<III", STAGE2_MAGIC, len(body) // 4, total) + body


def check_stage1(code):
    if len(code) != SECTOR or code[510:] != b"\x55\xaa" or code[:3] != b"\xeb\x3c\x90":
        raise Problem("stage 1 is not a boot sector of 512 bytes that begins with EB 3C 90")
    if any(code[3:0x3E]) or any(code[DISK_ID_AT:510]):
        raise Problem("stage 1 has code where the BPB, disk id or partition table belong")


def chs(lba):
    """Cylinder, head and sector as the partition table packs them."""
    cylinder, rest = divmod(lba, HEADS * SECTORS_PER_TRACK)
    head, sector = divmod(rest, SECTORS_PER_TRACK)
    if cylinder > 1023:
        return bytes([254, 0xFF, 0xFF])
    return bytes([head, (sector + 1) | (cylinder >> 2 & 0xC0), cylinder & 0xFF])


def master_boot_record(stage1, disk_id):
    entry = (
        b"\x80" + chs(VOLUME_LBA) + bytes([FAT16_LBA]) + chs(VOLUME_LBA + VOLUME_SECTORS - 1)
        + struct.pack("<II", VOLUME_LBA, VOLUME_SECTORS)
    )
    return stage1[:DISK_ID_AT] + struct.pack("<IH", disk_id, 0) + entry + bytes(48) + stage1[510:]


# --- ISO 9660 and El Torito -------------------------------------------------------------------
# CD sectors: 16 volume, 17 boot record, 18 end, 19 boot catalog, 20-21 path tables, 22 root, 24 stage 1.

CD_CATALOG, CD_PATH_L, CD_PATH_M, CD_ROOT, CD_STAGE1 = 19, 20, 21, 22, 24


def both16(n):
    return struct.pack("<H", n) + struct.pack(">H", n)


def both32(n):
    return struct.pack("<I", n) + struct.pack(">I", n)


def directory_record(name, extent, size):
    date = bytes([126, 1, 1, 0, 0, 0, 0])
    body = b"\0" + both32(extent) + both32(size) + date + b"\x02\0\0" + both16(1)
    body += bytes([len(name)]) + name + bytes((len(name) + 1) % 2)
    return bytes([len(body) + 1]) + body


def primary_descriptor(total_sectors):
    date = b"2026010100000000\0"
    path_size = 10
    d = b"\x01CD001\x01\0" + b" " * 32 + b"MINOS".ljust(32) + bytes(8) + both32(total_sectors)
    d += bytes(32) + both16(1) + both16(1) + both16(CD_SECTOR) + both32(path_size)
    d += struct.pack("<II", CD_PATH_L, 0) + struct.pack(">II", CD_PATH_M, 0)
    d += directory_record(b"\0", CD_ROOT, CD_SECTOR)
    d += b" " * (128 * 4) + b" " * (37 * 3)
    d += date + date + b"0" * 16 + b"\0" + date + b"\x01\0"
    return d


def boot_catalog():
    validation = bytearray(b"\x01\0\0\0" + b"MinOS".ljust(24, b"\0") + b"\0\0\x55\xaa")
    total = sum(struct.unpack("<16H", validation)) & 0xFFFF
    struct.pack_into("<H", validation, 28, -total & 0xFFFF)
    # Bootable, no emulation, default segment, 4 virtual sectors (some BIOSes load just these 2 KiB).
    entry = struct.pack("<BBHBBHI", 0x88, 0, 0, 0, 0, 4, CD_STAGE1)
    return bytes(validation) + entry.ljust(32, b"\0")


def iso_structures(total_sectors, stage1):
    def path_table(order):
        return b"\x01\0" + struct.pack(order + "IH", CD_ROOT, 1) + b"\0\0"

    root = directory_record(b"\0", CD_ROOT, CD_SECTOR) + directory_record(b"\x01", CD_ROOT, CD_SECTOR)
    boot_record = b"\0CD001\x01" + b"EL TORITO SPECIFICATION".ljust(64, b"\0")
    return {
        16: primary_descriptor(total_sectors),
        17: boot_record + struct.pack("<I", CD_CATALOG),
        18: b"\xffCD001\x01",
        CD_CATALOG: boot_catalog(),
        CD_PATH_L: path_table("<"),
        CD_PATH_M: path_table(">"),
        CD_ROOT: root,
        CD_STAGE1: stage1,
    }


# --- FAT volume, by mtools and dosfstools -----------------------------------------------------


def run_tool(*args):
    # Dates on the volume are those of SOURCE_DATE_EPOCH; mtools' checks know odd geometries as errors.
    env = dict(os.environ, TZ="UTC", MTOOLS_SKIP_CHECK="1", MTOOLSRC="/dev/null")
    env.setdefault("SOURCE_DATE_EPOCH", EPOCH)
    try:
        done = subprocess.run(args, env=env, capture_output=True, text=True, check=False)
    except FileNotFoundError as e:
        raise Problem(f"{args[0]} is missing: install mtools and dosfstools") from e
    if done.returncode != 0:
        raise Problem(f"{' '.join(args)}: {done.stderr.strip() or done.stdout.strip()}")


def copy_in(image, files):
    stamp = int(os.environ.get("SOURCE_DATE_EPOCH", EPOCH))
    with tempfile.TemporaryDirectory() as folder:
        for path in files:
            copy = os.path.join(folder, os.path.basename(path))
            try:
                shutil.copyfile(path, copy)
            except OSError as e:
                raise Problem(f"{path}: {e.strerror}") from e
            os.utime(copy, (stamp, stamp))
            run_tool("mcopy", "-m", "-i", image, copy, "::")


def check_fit(files, room):
    total = sum(os.path.getsize(f) for f in files)
    if total > room:
        sizes = ", ".join(f"{os.path.basename(f)} {os.path.getsize(f)}" for f in files)
        raise Problem(f"the files ({sizes}) have {total} bytes, the volume takes {room}")


def content_id(*parts):
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part)
    return struct.unpack("<I", digest.digest()[:4])[0] | 1  # never 0


# --- images -----------------------------------------------------------------------------------


def place(image, offset, data):
    image[offset : offset + len(data)] = data


def build_disk(args):
    stage1, stage2 = read(args.stage1), seal_stage2(read(args.stage2))
    check_stage1(stage1)
    check_fit(args.files, (VOLUME_SECTORS - 512) * SECTOR)
    disk_id = content_id(stage1, stage2, *(read(f) for f in args.files))
    total = (VOLUME_LBA + VOLUME_SECTORS) * SECTOR
    image = bytearray(total)
    mbr = master_boot_record(stage1, disk_id)
    place(image, 0, mbr)
    for sector, data in iso_structures(total // CD_SECTOR, mbr).items():
        place(image, sector * CD_SECTOR, data)
    for lba in STAGE2_LBA:
        place(image, lba * SECTOR, stage2)
    write(args.output, image)
    volume = f"{args.output}@@{VOLUME_LBA * SECTOR}"
    run_tool("mformat", "-i", volume, "-T", str(VOLUME_SECTORS), "-h", str(HEADS), "-s",
           str(SECTORS_PER_TRACK), "-H", str(VOLUME_LBA), "-c", "4", "-N", f"{disk_id:08x}",
           "-v", "MINOS", "::")
    copy_in(volume, args.files)


def build_floppy(args):
    stage1, stage2 = read(args.stage1), seal_stage2(read(args.stage2))
    check_stage1(stage1)
    reserved = STAGE2_LBA[1] + STAGE2_MAX // SECTOR
    check_fit(args.files, (FLOPPY_SECTORS - reserved - 32) * SECTOR)
    disk_id = content_id(stage1, stage2, *(read(f) for f in args.files))
    write(args.output, bytes(FLOPPY_SECTORS * SECTOR))
    # Not mformat: it knows at most 255 reserved sectors.
    run_tool("mkfs.fat", "-F", "12", "-g", "2/18", "-M", "0xf0", "-f", "2", "-r", "224", "-s", "1",
           "-R", str(reserved), "-i", f"{disk_id:08x}", "-n", "MINOS", "--invariant", args.output)
    copy_in(args.output, args.files)
    image = bytearray(read(args.output))
    place(image, 0x3E, stage1[0x3E:])  # keep the jump and the BPB that mformat wrote
    place(image, 0, stage1[:3])
    place(image, DISK_ID_AT, struct.pack("<I", disk_id))
    for lba in STAGE2_LBA:
        place(image, lba * SECTOR, stage2)
    write(args.output, image)


def main():
    parser = argparse.ArgumentParser(description="Build MinOS boot media.")
    commands = parser.add_subparsers(dest="command", required=True)
    trailer = commands.add_parser("trailer")
    trailer.add_argument("input")
    trailer.add_argument("output")
    for name in ("disk", "floppy"):
        sub = commands.add_parser(name)
        sub.add_argument("--stage1", required=True)
        sub.add_argument("--stage2", required=True)
        sub.add_argument("-o", "--output", required=True)
        sub.add_argument("files", nargs="+")
    args = parser.parse_args()
    try:
        if args.command == "trailer":
            write(args.output, add_trailer(read(args.input)))
        elif args.command == "disk":
            build_disk(args)
        else:
            build_floppy(args)
    except (Problem, OSError) as e:
        output = getattr(args, "output", None)
        if output and os.path.exists(output):
            os.unlink(output)
        print(f"mkimage: {e}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
