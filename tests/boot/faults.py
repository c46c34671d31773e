"""faults.py - damage to the image and the disk that it lies on, for tests of the loader."""

import os
import subprocess
import sys

import vm as machine

STAGE2_A, STAGE2_B = 128, 192  # LBA (docs/boot.md, "The image")
VOLUME = f"{machine.IMAGE}@@{machine.VOLUME_OFFSET}"


def changed(folder, edit, name="changed.img"):
    """A copy of the image after edit(bytearray), which may return other bytes."""
    with open(machine.IMAGE, "rb") as f:
        data = bytearray(f.read())
    data = edit(data) or data
    path = os.path.join(str(folder), name)
    with open(path, "wb") as f:
        f.write(data)
    return path


def flip(*lbas, offset=100):
    """An edit: one wrong bit in each of these sectors."""
    def edit(data):
        for lba in lbas:
            data[lba * 512 + offset] ^= 0x10
    return edit


def cut(lba):
    """An edit: the image ends before this sector."""
    return lambda data: data[:lba * 512]


def wipe(lba, count):
    """An edit: sectors of zeros."""
    def edit(data):
        data[lba * 512:(lba + count) * 512] = bytes(count * 512)
    return edit


def file_contents(name):
    """A file of the image's volume."""
    return subprocess.run(["mtype", "-i", VOLUME, f"::{name}"], check=True,
                          stdout=subprocess.PIPE).stdout


def with_bit_flipped(folder, name):
    """The image with one wrong bit in the middle of a file."""
    data = bytearray(file_contents(name))
    data[len(data) // 2] ^= 4
    return machine.image_copy(folder, files=[(name, bytes(data))])


def without(folder, name):
    """The image without a file."""
    path = machine.image_copy(folder)
    subprocess.run(["mdel", "-i", f"{path}@@{machine.VOLUME_OFFSET}", f"::{name}"], check=True)
    return path


def trailer(data):
    """@data with the loader's length and CRC-32 behind it, as tools/mkimage.py writes them."""
    path = os.path.join(machine.BUILD, f"trailer-{os.getpid()}")
    with open(path, "wb") as f:
        f.write(data)
    subprocess.run([sys.executable, os.path.join(machine.ROOT, "tools/mkimage.py"),
                    "trailer", path, path + ".out"], check=True)
    with open(path + ".out", "rb") as f:
        result = f.read()
    os.unlink(path)
    os.unlink(path + ".out")
    return result


def sector_of(name):
    """LBA in the middle of a file's contents."""
    with open(machine.IMAGE, "rb") as f:
        image = f.read()
    data = file_contents(name)
    return image.index(data[:512], machine.VOLUME_OFFSET) // 512 + len(data) // 1024


def bad_sectors(folder, sectors, once=False):
    """QEMU's options for the image as drive `d` with sectors that cannot be read, once or ever."""
    path = machine.image_copy(folder, name="bad.img")  # blkdebug wants the file for itself
    error = "driver=blkdebug,image=file0,node-name=d"
    for i, sector in enumerate(sectors):
        rule = f"inject-error.{i}"
        error += (f",{rule}.event=none,{rule}.iotype=read,{rule}.sector={sector},{rule}.errno=5"
                  + (f",{rule}.once=on" if once else ""))
    return ["-blockdev", f"driver=file,filename={path},node-name=file0", "-blockdev", error]


def bad_disk(folder, sector, once):
    """The same on the machine's own disk controller."""
    return bad_sectors(folder, [sector], once) + ["-device", "ide-hd,drive=d"]
