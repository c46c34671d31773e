"""test_loader_faults.py - exceptions before the kernel is up, the initrd's ways, random damage."""

import os
import random
import re
import struct
import subprocess
import sys
import time

import pytest

import vm as machine
from faults import trailer
from firmware import option_rom
from test_loader import says

sys.path.insert(0, os.path.join(machine.ROOT, "tools"))
import mkimage  # noqa: E402  (the path above)

STAGE2 = os.path.join(machine.BUILD, "stage2")
KERNEL_VMA = 0xFFFFFFFF80000000


def symbol(name):
    """Where a function of stage 2 lies in its file."""
    table = subprocess.run(["nm", f"{STAGE2}.elf"], check=True, stdout=subprocess.PIPE,
                           text=True).stdout
    return int(re.search(rf"^([0-9a-f]+) [tT] {name}$", table, re.M)[1], 16) - 0x8000


@pytest.mark.parametrize("function,code,vector", [
    ("cpu_check", b"\x0f\x0b", 6),  # ud2
    ("a20_enable", b"\xb8\xff\xff\x00\x00\x8e\xd8", 13),  # mov eax, 0ffffh; mov ds, eax
    ("disk_init", b"\x31\xc9\xf7\xf1", 0),  # xor ecx, ecx; div ecx
])
def test_exception_in_stage2(boot, tmp_path, function, code, vector):
    with open(f"{STAGE2}.bin", "rb") as f:
        stage2 = bytearray(f.read())
    at = symbol(function)
    stage2[at:at + len(code)] = code
    stage2 = mkimage.finish_stage2(bytes(stage2))
    with open(machine.IMAGE, "rb") as f:
        image = bytearray(f.read())
    mkimage.put(image, mkimage.STAGE2_LBA[0] * mkimage.SECTOR, stage2)
    path = tmp_path / "fault.img"
    path.write_bytes(image)
    m = boot(image=str(path))
    says(m, rf"exception {vector}, .*32-bit code at\s8:")


def tiny_kernel(code):
    """An ELF file whose one segment is @code, at 1 MiB."""
    entry = KERNEL_VMA + 0x100000
    header = b"\x7fELF\2\1\1" + bytes(9) + struct.pack("<HHIQQQIHHHHHH", 2, 62, 1, entry, 64, 0, 0,
                                                      64, 56, 1, 64, 0, 0)
    segment = struct.pack("<IIQQQQQQ", 1, 5, 0x1000, entry, 0x100000, 0x1000, 0x1000, 0x1000)
    return trailer((header + segment).ljust(0x1000, b"\0") + code.ljust(0x1000, b"\x90"))


@pytest.mark.parametrize("code,vector", [
    (b"\x0f\x0b", 6),
    (b"\x48\xb8" + struct.pack("<Q", 0xFFFF800000000000) + b"\x48\x8b\x00", 14),
    (b"\x48\xb8" + struct.pack("<Q", 0x0100000000000000) + b"\x48\x8b\x00", 13),
])
def test_exception_in_the_kernels_first_instructions(boot, code, vector):
    m = boot(files=[("MINOS.ELF", tiny_kernel(code))])
    says(m, rf"exception {vector}, .*64-bit code at\s28:ffffffff801000")
    if vector == 14:
        assert "CR2 ffff800000000000h" in m.serial_text()


def tar(*members):
    data = b""
    for name, size in members:
        header = bytearray(512)
        header[0:len(name)] = name.encode()
        header[124:136] = b"%011o\0" % size
        header[257:265] = b"ustar\00000"
        header[148:156] = b" " * 8
        header[148:156] = b"%06o\0 " % sum(header)
        data += bytes(header) + bytes(size) + bytes(-size % 512)
    return data + bytes(1024)


def test_initrd_that_is_a_plain_tar(boot):
    m = boot(files=[("INITRD.TAR", tar(("a", 1000), ("b", 0)))])
    m.prompt()
    assert re.search(r"INITRD\.TAR \d+ KiB, no checksum", m.serial_text())
    assert re.search(r"(?i)checksum|verif", m.command("boot"))


def test_initrd_that_is_a_damaged_plain_tar(boot):
    data = bytearray(tar(("a", 1000), ("b", 700)))
    data[512 + 1024] ^= 1
    m = boot(files=[("INITRD.TAR", bytes(data))])
    says(m, r"INITRD\.TAR: no sound tar archive: wrong header")


def test_initrd_larger_than_memory(boot):
    m = boot(mem="8M", files=[("INITRD.TAR", trailer(tar(("big", 8 << 20))))])
    m.prompt()
    assert re.search(r"initrd INITRD\.TAR 8\d\d\d KiB: no memory for it, going on without", m.serial_text())
    assert "too little memory for the initrd" in m.command("boot")
    assert "no such" in m.command("run /bin/sh")


def test_initrd_of_10_mib(boot):
    m = boot(mem="32M", files=[("INITRD.TAR", trailer(tar(("big", 10 << 20))))])
    m.prompt()


def test_initrd_none(boot):
    m = boot(files=[("MINOS.CFG", b"initrd none\n")])
    m.prompt()
    assert "INITRD" not in m.serial_text()


def test_kernel_without_checksum(boot, tmp_path):
    local = tmp_path / "kernel"
    subprocess.run(["mcopy", "-n", "-i", f"{machine.IMAGE}@@{machine.VOLUME_OFFSET}", "::MINOS.ELF",
                    str(local)], check=True)
    plain = local.read_bytes()[:-16]
    m = boot(files=[("MINOS.ELF", plain)])
    says(m, r"MINOS\.ELF: no checksum at its end")
    m = boot(files=[("MINOS.ELF", plain), ("MINOS.CFG", b"verify off\n")])
    m.prompt()
    assert "(not verified)" in m.serial_text()


def test_screen_in_graphics_mode_is_put_into_text_mode(boot, tmp_path):
    """Through the option ROM, since QEMU's BIOS leaves text mode."""
    m = boot(extra=option_rom(tmp_path, ["GRAPHICS"]))
    m.expect_screen(r"(?m)^minOS>$")


# What the loader reads and believes nothing of: partition table, boot sector, FAT, root directory,
# MINOS.CFG, the kernel's headers, stage 2 itself.
REGIONS = [(0x1B8, 70), (2048 * 512, 512), (2052 * 512, 1024), (2112 * 512, 160), (2120 * 512, 200),
           (2124 * 512, 512), (128 * 512, 20000)]


def test_random_damage_ends_in_a_prompt_or_a_message(boot, tmp_path):
    """Never in silence, never in a reset.  SEED= repeats a run."""
    seed = int(os.environ.get("SEED", time.time_ns() % 10 ** 9))
    with open(machine.IMAGE, "rb") as f:
        original = f.read()
    for number in range(seed, seed + 12):
        print("SEED", number)
        rng = random.Random(number)
        data = bytearray(original)
        for _ in range(rng.choice([1, 1, 2, 5, 20])):
            start, length = rng.choice(REGIONS)
            data[start + rng.randrange(length)] = rng.choice([0, 0xFF, rng.randrange(256)])
        path = tmp_path / "damaged.img"
        path.write_bytes(data)
        m = boot(image=str(path), machine=rng.choice(["pc", "q35"]),
                 media=rng.choice(["disk", "cd"]))
        m.expect(r"minOS> |Stopped\.|bad MinOS stage2")
        assert not [e for e in m.events if e["event"] == "RESET"], m.report("reset")
        m.stop()
