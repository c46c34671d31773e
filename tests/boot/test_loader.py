"""test_loader.py - what the loader says when something is wrong, and that it stops there.

Each failure must be readable on the serial line and on the screen, name what failed and where,
and neither reset nor go on.
"""

import os
import re
import subprocess
import time

import pytest

import vm as machine

STAGE2_A, STAGE2_B = 128, 192  # LBA (docs/boot.md, "The image")


def says(m, pattern, screen=True):
    """The loader prints this on both consoles, and then stands still."""
    match = m.expect(pattern)
    if screen:
        m.expect_screen(pattern)
    time.sleep(0.7)
    m.qmp("query-status")
    assert m.process.poll() is None, m.report("the machine went away")
    assert not [e for e in m.events if e["event"] == "RESET"], m.report("reset")
    assert "minOS>" not in m.serial_text()
    return match


def changed(tmp_path, edit):
    """A copy of the image after edit(bytearray)."""
    with open(machine.IMAGE, "rb") as f:
        data = bytearray(f.read())
    data = edit(data) or data
    path = tmp_path / "changed.img"
    path.write_bytes(data)
    return str(path)


def flip(lba, offset=100):
    def edit(data):
        data[lba * 512 + offset] ^= 0x10
    return edit


def volume_file(tmp_path, name):
    local = tmp_path / name
    subprocess.run(["mcopy", "-n", "-i", f"{machine.IMAGE}@@{machine.VOLUME_OFFSET}",
                    f"::{name}", str(local)], check=True)
    return bytearray(local.read_bytes())


def without(tmp_path, name):
    path = machine.image_copy(tmp_path)
    subprocess.run(["mdel", "-i", f"{path}@@{machine.VOLUME_OFFSET}", f"::{name}"], check=True)
    return path


def test_stage2_a_damaged_b_is_used(boot, tmp_path):
    m = boot(image=changed(tmp_path, flip(STAGE2_A + 3)))
    m.prompt()
    assert re.search(r"(?i)copy B|stage ?2 ?B", m.command("boot") + m.serial_text())


def test_stage2_both_damaged(boot, tmp_path):
    def edit(data):
        flip(STAGE2_A + 3)(data)
        flip(STAGE2_B + 5)(data)
    m = boot(image=changed(tmp_path, edit))
    # The BIOS then goes on to the next device, which is none: no reset.
    says(m, r"bad MinOS stage2 LBA 128")


def test_a_bit_flipped_in_the_kernel(boot, tmp_path):
    data = volume_file(tmp_path, "MINOS.ELF")
    data[len(data) // 2] ^= 4
    m = boot(files=[("MINOS.ELF", bytes(data))])
    says(m, r"(?i)MINOS\.ELF[^\n]*(CRC|checksum)|(CRC|checksum)[^\n]*MINOS\.ELF")


def test_a_bit_flipped_in_the_initrd(boot, tmp_path):
    data = volume_file(tmp_path, "INITRD.TAR")
    data[len(data) // 2] ^= 4
    m = boot(files=[("INITRD.TAR", bytes(data))])
    says(m, r"(?i)INITRD\.TAR[^\n]*(CRC|checksum)|(CRC|checksum)[^\n]*INITRD\.TAR")


def test_no_kernel(boot, tmp_path):
    m = boot(image=without(tmp_path, "MINOS.ELF"))
    says(m, r"(?i)MINOS\.ELF[^\n]*not[^\n]*|(no|missing)[^\n]*MINOS\.ELF")


def test_no_config_boots_with_defaults_or_says_so(boot, tmp_path):
    m = boot(image=without(tmp_path, "MINOS.CFG"))
    m.expect(r"(?i)MINOS\.CFG")


def test_nonsense_in_the_config(boot):
    m = boot(files=[("MINOS.CFG", b"kernel MINOS.ELF\nfrobnicate yes\n\xff\xfe\n")])
    m.expect(r"(?i)MINOS\.CFG")
    m.prompt()


def test_config_names_a_missing_kernel(boot):
    m = boot(files=[("MINOS.CFG", b"kernel OTHER.ELF\n")])
    says(m, r"(?i)OTHER\.ELF")


def test_empty_kernel_file(boot):
    m = boot(files=[("MINOS.ELF", b"")])
    says(m, r"(?i)MINOS\.ELF")


def test_kernel_that_is_no_elf(boot):
    m = boot(files=[("MINOS.ELF", trailer(b"#!/bin/sh\necho no kernel\n" * 100))])
    says(m, r"(?i)\bELF\b")


def trailer(data):
    """The file with the loader's length and CRC-32 trailer, as tools/mkimage.py writes it."""
    path = os.path.join(machine.BUILD, f"trailer-{os.getpid()}")
    with open(path, "wb") as f:
        f.write(data)
    subprocess.run(["/usr/bin/env", "python3", os.path.join(machine.ROOT, "tools/mkimage.py"),
                    "trailer", path, path + ".out"], check=True)
    with open(path + ".out", "rb") as f:
        result = f.read()
    os.unlink(path)
    os.unlink(path + ".out")
    return result


@pytest.mark.parametrize("offset,value,what", [
    (4, 1, "32-bit"), (18, 3, "other machine"), (54, 7, "wrong header size"),
    (56, 0xff, "absurd count"), (32, 0xff, "headers beyond the file")])
def test_damaged_elf_header(boot, tmp_path, offset, value, what):
    data = volume_file(tmp_path, "MINOS.ELF")
    length = len(data) - trailer_size()
    body = data[:length]
    body[offset] = value
    if offset in (32, 56):
        body[offset + 1] = 0xff
    m = boot(files=[("MINOS.ELF", trailer(bytes(body)))])
    says(m, r"(?i)\bELF\b")


def trailer_size():
    return len(trailer(b"x")) - 1


def test_image_cut_short(boot, tmp_path):
    def edit(data):
        return data[:(2048 + 600) * 512]
    m = boot(image=changed(tmp_path, edit))
    says(m, r"(?i)read|LBA|volume|FAT|CRC|checksum|MINOS\.")


def test_volume_overwritten(boot, tmp_path):
    def edit(data):
        data[2048 * 512:2056 * 512] = bytes(8 * 512)
    m = boot(image=changed(tmp_path, edit))
    says(m, r"(?i)FAT|volume")


def bad_disk(tmp_path, sector, once):
    """A disk with a sector that cannot be read, once or for ever."""
    path = machine.image_copy(tmp_path, name="bad.img")  # blkdebug wants the file for itself
    error = (f"driver=blkdebug,image=file0,node-name=bad,inject-error.0.event=none,"
             f"inject-error.0.iotype=read,inject-error.0.sector={sector},inject-error.0.errno=5")
    if once:
        error += ",inject-error.0.once=on"
    return ["-blockdev", f"driver=file,filename={path},node-name=file0",
            "-blockdev", error, "-device", "ide-hd,drive=bad"]


def sector_of(name):
    """LBA in the middle of a file's contents."""
    with open(machine.IMAGE, "rb") as f:
        image = f.read()
    data = subprocess.run(["mtype", "-i", f"{machine.IMAGE}@@{machine.VOLUME_OFFSET}", f"::{name}"],
                          check=True, stdout=subprocess.PIPE).stdout
    start = image.index(data[:512], machine.VOLUME_OFFSET)
    return start // 512 + len(data) // 1024


def test_unreadable_sector_in_the_kernel(boot, tmp_path):
    sector = sector_of("MINOS.ELF")
    m = boot(media=None, machine="pc", extra=bad_disk(tmp_path, sector, once=False))
    match = says(m, r"(?i)(read|LBA|disk)[^\n]*")
    assert re.search(r"(?i)LBA", m.serial_text()), match


def test_sector_unreadable_once(boot, tmp_path):
    m = boot(media=None, machine="pc",
             extra=bad_disk(tmp_path, sector_of("MINOS.ELF"), once=True))
    m.prompt()
    assert re.search(r"(?i)retr", m.command("boot"))


def test_unreadable_sector_in_stage2_a(boot, tmp_path):
    m = boot(media=None, machine="pc", extra=bad_disk(tmp_path, STAGE2_A + 2, once=False))
    m.prompt()


@pytest.mark.parametrize("mem", ["1M", "2M"])
def test_too_little_memory(boot, mem):
    m = boot(mem=mem, machine="pc")
    says(m, r"(?i)memory|RAM")


@pytest.mark.parametrize("cpu,missing", [("qemu64,-lm", "(?i)long mode|64-bit"),
                                         ("qemu32", "(?i)long mode|64-bit"),
                                         ("486", "(?i)long mode|64-bit|CPUID")])
def test_processor_without_long_mode(boot, cpu, missing):
    m = boot(cpu=cpu, machine="pc")
    says(m, missing)


@pytest.fixture(scope="module")
def stuck_a20_build():
    """Stage 2 built so that its A20 test always says off."""
    build = os.path.join(machine.BUILD, "test-a20")
    subprocess.run([os.environ.get("MAKE", "make"), "-s", "--no-print-directory",
                    f"BUILD={build}", "S2DEFS=-DTEST_A20_STUCK", "all"], cwd=machine.ROOT,
                   env={k: v for k, v in os.environ.items() if not k.startswith(("MAKEFL", "MFL"))},
                   check=True, stdout=subprocess.PIPE)
    return os.path.join(build, "minos.img")


def test_a20_stuck(boot, stuck_a20_build):
    m = boot(image=stuck_a20_build)
    says(m, r"A20")


def test_loader_reports_in_the_boot_command(boot):
    m = boot()
    m.prompt()
    text = m.command("boot")
    for stage in ("stage1", "stage2", "A20", "protected", "paging", "long"):
        assert re.search(stage.replace("stage", r"stage ?"), text, re.I), (stage, text)
