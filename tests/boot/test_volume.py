"""test_volume.py - the boot volume in every kind of FAT, contiguous or not, large clusters and small."""

import os
import re
import shutil
import struct
import subprocess
import tarfile

import pytest

import vm as machine

MIB = 1 << 20
FILES = ("MINOS.CFG", "MINOS.ELF", "INITRD.TAR")


def run(*argv):
    done = subprocess.run(argv, check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert done.returncode == 0, f"{argv}: {done.stdout.decode()}"


def make_volume(tmp_path, fat, size, cluster_sectors):
    """An image with our boot sectors and a volume made by mkfs.fat; returns (path, volume)."""
    path = os.path.join(str(tmp_path), "disk.img")
    with open(machine.IMAGE, "rb") as f:
        head = bytearray(f.read(machine.VOLUME_OFFSET))
    # Partition 1: type and length fit the volume.  Offsets: MBR partition table, 1BEh.
    head[0x1be + 4] = {12: 0x01, 16: 0x0e, 32: 0x0c}[fat]
    head[0x1be + 12:0x1be + 16] = struct.pack("<I", size // 512)
    with open(path, "wb") as f:
        f.write(head)
        f.truncate(machine.VOLUME_OFFSET + size)
    mkfs = next(p for p in ("/usr/sbin/mkfs.fat", "/sbin/mkfs.fat", "/opt/homebrew/sbin/mkfs.fat",
                            "/usr/bin/mkfs.fat") if os.path.exists(p))
    run(mkfs, "-F", str(fat), "-s", str(cluster_sectors), "-h", "2048", "--offset", "2048", path,
        str(size // 1024))
    return path, f"{path}@@{machine.VOLUME_OFFSET}"


def fetch(tmp_path):
    """The files of the real image, with the small initrd, as local files."""
    for name in FILES:
        local = os.path.join(str(tmp_path), name)
        if not os.path.exists(local) and name == "INITRD.TAR":
            shutil.copyfile(machine.SMALL_INITRD, local)
        elif not os.path.exists(local):
            run("mcopy", "-n", "-i", f"{machine.IMAGE}@@{machine.VOLUME_OFFSET}", f"::{name}", local)
        yield name, local


def free_bytes(volume):
    listing = subprocess.run(["mdir", "-i", volume, "::"], check=True, stdout=subprocess.PIPE)
    digits = listing.stdout.decode().strip().splitlines()[-1].split("bytes free")[0]
    return int("".join(c for c in digits if c.isdigit()))


def fill(tmp_path, volume, name, size):
    with open(tmp_path / name, "wb") as f:
        f.truncate(size)
    run("mcopy", "-i", volume, str(tmp_path / name), "::")


@pytest.mark.parametrize("fat,size,cluster_sectors", [
    (12, 4 * MIB, 4), (12, 8 * MIB, 8), (16, 16 * MIB, 4), (16, 200 * MIB, 64),
    (32, 40 * MIB, 1), (32, 300 * MIB, 8)])
def test_kinds_of_fat(boot, tmp_path, fat, size, cluster_sectors):
    path, volume = make_volume(tmp_path, fat, size, cluster_sectors)
    for name, local in fetch(tmp_path):
        run("mcopy", "-i", volume, local, f"::{name}")
    m = boot(image=path)
    m.prompt()


@pytest.mark.parametrize("fat,size,cluster_sectors", [
    (12, 4 * MIB, 2), (16, 16 * MIB, 4), (32, 40 * MIB, 1)])
def test_fragmented_files(boot, tmp_path, fat, size, cluster_sectors):
    path, volume = make_volume(tmp_path, fat, size, cluster_sectors)
    # Fill the volume but for 1.6 MiB; there, files of one cluster; then the rest.  With every other
    # one of them deleted, all that is free is holes of one cluster.
    cluster = cluster_sectors * 512
    fill(tmp_path, volume, "FILLER", free_bytes(volume) - 1600 * 1024)
    run("mmd", "-i", volume, "::FILL")
    names = []
    for i in range(1400 * 1024 // cluster):
        names.append(str(tmp_path / f"F{i:04}"))
        with open(names[-1], "wb") as f:
            f.write(b"%04d" % i * (cluster // 4))
    run("mcopy", "-i", volume, *names, "::FILL")
    fill(tmp_path, volume, "REST", free_bytes(volume) - 2 * cluster)
    there = subprocess.run(["mdir", "-b", "-i", volume, "::FILL"], check=True,
                           stdout=subprocess.PIPE).stdout.decode().split()
    run("mdel", "-i", volume, *there[::2])
    for name, local in fetch(tmp_path):
        run("mcopy", "-i", volume, local, f"::{name}")
    shown = subprocess.run(["mshowfat", "-i", volume, "::MINOS.ELF"], check=True,
                           stdout=subprocess.PIPE).stdout.decode()
    assert shown.count("<") > 20, "the test must fragment the kernel"
    m = boot(image=path)
    m.prompt()


def sieve(tmp_path, volume):
    """Leave holes of one cluster on the image's volume, and nothing else."""
    cluster = 2048
    run("mmd", "-i", volume, "::HOLES")
    names = []
    for i in range(400):
        names.append(str(tmp_path / f"H{i:03}"))
        with open(names[-1], "wb") as f:
            f.write(bytes(cluster))
    run("mcopy", "-i", volume, *names, "::HOLES")
    fill(tmp_path, volume, "FILLER", free_bytes(volume))
    run("mdel", "-i", volume, *(f"::HOLES/H{i:03}" for i in range(0, 400, 2)))


def test_files_replaced_on_a_full_volume(boot, tmp_path):
    """As a user does it with a file manager: MINOS.CFG edited, a plain tar in INITRD.TAR's place."""
    with open(machine.SMALL_INITRD, "rb") as f:
        path = machine.image_copy(tmp_path, files=[("INITRD.TAR", f.read())])
    volume = f"{path}@@{machine.VOLUME_OFFSET}"
    sieve(tmp_path, volume)
    with open(tmp_path / "big.txt", "wb") as f:
        f.write(b"text" * 50000)
    with tarfile.open(tmp_path / "INITRD.TAR", "w", format=tarfile.USTAR_FORMAT) as tar:
        tar.add(tmp_path / "big.txt", arcname="big.txt")
    size = os.path.getsize(tmp_path / "INITRD.TAR")
    with open(tmp_path / "MINOS.CFG", "w", encoding="ascii", newline="\r\n") as f:
        f.write("# filler\n" * 250 + "entry Edited\ncmdline console=both edited\n")
    for name in ("INITRD.TAR", "MINOS.CFG"):
        run("mdel", "-i", volume, f"::{name}")
        run("mcopy", "-i", volume, str(tmp_path / name), f"::{name}")
        shown = subprocess.run(["mshowfat", "-i", volume, f"::{name}"], check=True,
                               stdout=subprocess.PIPE).stdout.decode()
        assert shown.count("<") > 1, f"{name} must be in pieces: {shown}"
    check(path, tmp_path)
    m = boot(image=path)
    m.prompt()
    text = m.command("boot info")
    assert re.search(r'(?m)^cmdline +entry="Edited" console=both edited$', text), text
    start, end = re.search(r"(?m)^initrd +([0-9a-f]+)-([0-9a-f]+)", text).groups()
    assert int(end, 16) - int(start, 16) == size, text
    assert f"INITRD.TAR {(size + 1023) // 1024} KiB, no checksum" in m.serial_text()


def check(path, tmp_path):
    """fsck.fat is content with the image's volume."""
    with open(path, "rb") as f:
        f.seek(machine.VOLUME_OFFSET)
        (tmp_path / "volume.img").write_bytes(f.read())
    fsck = next(p for p in ("/usr/sbin/fsck.fat", "/sbin/fsck.fat", "/usr/bin/fsck.fat",
                            "/opt/homebrew/sbin/fsck.fat") if os.path.exists(p))
    run(fsck, "-n", str(tmp_path / "volume.img"))


def test_long_names_labels_and_folders_around(boot, tmp_path):
    path, volume = make_volume(tmp_path, 16, 16 * MIB, 4)
    run("mlabel", "-i", volume, "::MINOS")
    for i in range(40):
        local = os.path.join(str(tmp_path), f"a long name that needs several entries {i}.text")
        with open(local, "wb") as f:
            f.write(b"x")
        run("mcopy", "-i", volume, local, "::")
    run("mmd", "-i", volume, "::MINOS.EL")
    for name, local in fetch(tmp_path):
        run("mcopy", "-i", volume, local, f"::{name}")
    m = boot(image=path)
    m.prompt()


def test_floppy(boot):
    floppy = os.path.join(machine.BUILD, "minos-floppy.img")
    run(os.environ.get("MAKE", "make"), "-s", "--no-print-directory", "-C", machine.ROOT, "floppy")
    assert os.path.getsize(floppy) == 1474560
    m = boot(image=floppy, media="floppy", machine="pc")
    m.prompt(timeout=120)


def test_any_pc_can_read_the_volume():
    listing = subprocess.run(["mdir", "-b", "-i", f"{machine.IMAGE}@@{machine.VOLUME_OFFSET}", "::"],
                             check=True, stdout=subprocess.PIPE).stdout.decode()
    for name in FILES:
        assert name in listing


def test_the_volume_passes_fsck(tmp_path):
    check(machine.IMAGE, tmp_path)
