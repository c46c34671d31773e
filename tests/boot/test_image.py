"""test_image.py - what stands where on the media, read independently of tools/mkimage.py."""

import os
import re
import shutil
import struct
import subprocess
import sys
import zlib

import pytest

import vm as machine

MKIMAGE = os.path.join(machine.ROOT, "tools", "mkimage.py")
FILES = ["MINOS.CFG", "MINOS.ELF", "INITRD.TAR"]


@pytest.fixture(scope="module")
def image():
    with open(machine.IMAGE, "rb") as f:
        return f.read()


def build(kind, output, files, *options, **environment):
    """Run mkimage.py with the stages of the build; returns its output on failure, else None."""
    done = subprocess.run([sys.executable, MKIMAGE, kind, *options,
                           "--stage1", os.path.join(machine.BUILD, "stage1.bin"),
                           "--stage2", os.path.join(machine.BUILD, "stage2.bin"),
                           "-o", str(output), *map(str, files)],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
                          env={**os.environ, **environment})
    return done.stdout if done.returncode else None


def image_files():
    return [os.path.join(machine.BUILD, "image", name) for name in FILES]


def test_boot_sector(image):
    assert image[:3] == b"\xeb\x3c\x90" and image[510:512] == b"\x55\xaa"
    assert not any(image[3:0x3E]), "some BIOSes are confused by a BPB on a disk"
    active, first_chs, kind, last_chs, first, count = struct.unpack("<B3sB3sII", image[0x1BE:0x1CE])
    assert (active, kind, first) == (0x80, 0x0E, 2048)
    assert (first + count) * 512 == len(image)
    assert first_chs == bytes([32, 33, 0]), "LBA 2048 with 255 heads and 63 sectors"
    assert last_chs[1] & 0x3F, "sectors count from 1"
    assert not any(image[0x1CE:0x1FE]), "one partition"
    assert any(image[0x1B8:0x1BC]), "disk id"


@pytest.mark.parametrize("lba", [128, 192])
def test_stage2_sums_to_zero(image, lba):
    magic, dwords = struct.unpack_from("<IH", image, lba * 512)
    assert magic == 0x32534F4D and dwords * 4 + 6 <= 32768
    total = magic
    for (word,) in struct.iter_unpack("<I", image[lba * 512 + 6:lba * 512 + 6 + dwords * 4]):
        total = ((total << 1 | total >> 31) + word) & 0xFFFFFFFF
    assert total == 0


@pytest.mark.parametrize("name", FILES[1:])
def test_trailers(name):
    with open(os.path.join(machine.BUILD, "image", name), "rb") as f:
        data = f.read()
    assert data[-16:-8] == b"MINOSCRC"
    assert struct.unpack("<II", data[-8:]) == (len(data) - 16, zlib.crc32(data[:-16]))


def other_program(name):
    """The path of a program that looks at the image; systems other than Linux may lack it."""
    path = shutil.which(name, path=os.environ["PATH"] + ":/usr/sbin:/sbin:/opt/homebrew/sbin")
    if not path and not sys.platform.startswith("linux"):
        pytest.skip(f"no {name} here")
    assert path, f"{name} is missing: tools/setup test"
    return path


def output(*argv):
    done = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    text = done.stdout.decode(errors="replace")
    assert done.returncode == 0, text
    return text


def test_partition_table_is_sound():
    text = output(other_program("sfdisk"), "-V", machine.IMAGE)
    assert "No errors detected" in text, text


def test_cd_is_sound():
    text = output(other_program("xorriso"), "-indev", machine.IMAGE)
    assert re.search(r"Boot record +: El Torito", text) and "Volume id    : 'MINOS'" in text, text
    assert not re.search(r"(?m)SORRY|FAILURE|FATAL", text), text


def test_volume_is_sound(image, tmp_path):
    fsck = other_program("fsck.vfat")
    (tmp_path / "volume").write_bytes(image[2048 * 512:])
    subprocess.run([fsck, "-n", str(tmp_path / "volume")], check=True, stdout=subprocess.DEVNULL)
    assert struct.unpack_from("<I", image, 2048 * 512 + 28)[0] == 2048, "hidden sectors"


def test_volume_begins_where_4_kib_sectors_can_read_it(image):
    reserved, fats, roots, fat_size = struct.unpack_from("<HBH3xH", image, 2048 * 512 + 14)
    assert (reserved + fats * fat_size + roots // 16) % 8 == 0


def test_cd_shows_the_same_files(tmp_path):
    subprocess.run([other_program("xorriso"), "-osirrox", "on", "-indev", machine.IMAGE,
                    "-extract", "/", str(tmp_path / "cd")],
                   check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    for name, original in zip(FILES, image_files()):
        with open(original, "rb") as f:
            assert (tmp_path / "cd" / name).read_bytes() == f.read()


def test_cd_boot_record(image):
    catalog = struct.unpack_from("<I", image, 17 * 2048 + 0x47)[0] * 2048
    entry = image[catalog:catalog + 64]
    assert sum(struct.unpack("<16H", entry[:32])) & 0xFFFF == 0, "validation entry"
    assert entry[32] == 0x88 and entry[33] == 0, "bootable, no emulation"
    sector = struct.unpack_from("<I", entry, 40)[0]
    assert sector != 0, "some BIOSes refuse block 0"
    assert image[sector * 2048:sector * 2048 + 0x1B8] == image[:0x1B8], "a copy of stage 1"


def test_same_bytes_from_other_places_and_times(image, tmp_path):
    for number, zone in enumerate(("Pacific/Auckland", "America/Lima")):
        folder = tmp_path / str(number)
        folder.mkdir()
        files = [shutil.copy(f, folder) for f in image_files()]
        for f in files:
            os.utime(f, (10 ** 9 + number, 10 ** 9 + number))
        assert build("disk", folder / "d.img", files, TZ=zone) is None
        assert (folder / "d.img").read_bytes() == image


def test_floppy(tmp_path):
    files = image_files()[:2] + [machine.SMALL_INITRD]
    assert build("floppy", tmp_path / "f.img", files) is None
    data = (tmp_path / "f.img").read_bytes()
    assert len(data) == 1474560
    fields = struct.unpack_from("<HBHBHHBHHH", data, 11)
    size, cluster, reserved, fats, _, total, media, _, track, heads = fields
    assert (size, cluster, fats, total, media, track, heads) == (512, 1, 2, 2880, 0xF0, 18, 2)
    assert reserved >= 248, "both copies of stage 2 lie in front of the FAT"
    assert not any(data[0x1BE:0x1FE])


@pytest.mark.parametrize("size,kind", [("10", 0x0E), ("129", 0x0E), ("130", 0x0C), ("300", 0x0C)])
def test_other_sizes(tmp_path, size, kind):
    assert build("disk", tmp_path / "d.img", image_files(), "--size", size) is None
    with open(tmp_path / "d.img", "rb") as f:
        assert f.read(512)[0x1C2] == kind
    assert os.path.getsize(tmp_path / "d.img") == int(size) << 20


def test_errors_say_what_to_do(tmp_path):
    big = tmp_path / "BIG.BIN"
    big.write_bytes(bytes(20 << 20))
    assert re.search(r"BIG\.BIN.*--size", build("disk", tmp_path / "d.img", [big]))
    assert re.search(r"BIG\.BIN.*floppy has room", build("floppy", tmp_path / "d.img", [big]))
    assert "absent: No such file" in build("disk", tmp_path / "d.img", [tmp_path / "absent"])
    assert "tools/setup" in build("disk", tmp_path / "d.img", image_files(), PATH=str(tmp_path))
