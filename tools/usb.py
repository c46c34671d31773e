#!/usr/bin/env python3
"""usb.py - write the image to a USB stick, after making sure that it is one.

usage: usb.py IMAGE /dev/sdX

Refuses what is not a block device, a partition, not removable, mounted (itself or a part of it),
used for swap, held by another device (RAID, LVM, crypto), or smaller than the image.  Then it
shows model and size, asks for the device's name, writes, reads everything back and compares.

The facts come from sysfs and /proc.  USB_SYSFS and USB_PROC name other folders for them: so the
tests play through every case with plain files.  Source: Linux, Documentation/ABI, "sysfs-block".
"""

import fcntl
import hashlib
import os
import stat
import sys

SYSFS = os.environ.get("USB_SYSFS", "/sys")
PROC = os.environ.get("USB_PROC", "/proc")
STAND_IN = "USB_SYSFS" in os.environ
CHUNK = 1 << 20
BLKFLSBUF = 0x1261  # linux/fs.h: drop what the kernel has cached of the device


class Refused(Exception):
    """Why the device is left alone."""


def read(path, default=""):
    try:
        with open(path, encoding="utf-8", errors="replace") as f:
            return f.read().strip()
    except OSError:
        return default


def family(name):
    """The device's own sysfs folder and those of its partitions."""
    top = os.path.join(SYSFS, "class/block", name)
    parts = []
    for entry in sorted(os.listdir(top)):
        if os.path.exists(os.path.join(top, entry, "partition")):
            parts.append(os.path.join(top, entry))
    return [top] + parts


def check_unused(name):
    """Refuse when the device or a partition of it is mounted, swap, or part of something else."""
    folders = family(name)
    numbers = {read(os.path.join(f, "dev")): os.path.basename(f) for f in folders}
    for line in read(os.path.join(PROC, "self/mountinfo")).splitlines():
        fields = line.split()
        source = fields[fields.index("-") + 2] if "-" in fields else ""
        used = numbers.get(fields[2]) or next(
            (n for n in numbers.values() if source == f"/dev/{n}"), None)
        if used:
            raise Refused(f"/dev/{used} is mounted on {fields[4]}; unmount it first")
    for line in read(os.path.join(PROC, "swaps")).splitlines()[1:]:
        if os.path.basename(line.split()[0]) in numbers.values():
            raise Refused(f"{line.split()[0]} is used for swap")
    for folder in folders:
        holders = os.path.join(folder, "holders")
        if os.path.isdir(holders) and os.listdir(holders):
            raise Refused(f"{os.path.basename(folder)} is in use by {os.listdir(holders)[0]}")


def inspect(device):
    """Check everything; returns (description, size in bytes)."""
    if not os.path.exists(device):
        raise Refused(f"{device} does not exist")
    device = os.path.realpath(device)
    if not stat.S_ISBLK(os.stat(device).st_mode) and not STAND_IN:
        raise Refused(f"{device} is not a block device")
    name = os.path.basename(device)
    folder = os.path.join(SYSFS, "class/block", name)
    if not os.path.isdir(folder):
        raise Refused(f"{device}: the kernel knows no such block device ({folder})")
    if os.path.exists(os.path.join(folder, "partition")):
        raise Refused(f"{device} is a partition; name the whole stick")
    if read(os.path.join(folder, "removable")) != "1":
        raise Refused(f"{device} is not removable: a built-in disk is never written")
    if read(os.path.join(folder, "ro")) == "1":
        raise Refused(f"{device} is write-protected")
    check_unused(name)
    size = int(read(os.path.join(folder, "size"), "0")) * 512  # always in units of 512 bytes
    if size == 0:
        raise Refused(f"{device} has no medium in it")
    model = " ".join(filter(None, (read(os.path.join(folder, "device", part))
                                   for part in ("vendor", "model")))) or "unknown model"
    return f"{device}: {model}, {size / 1e9:.1f} GB", size


def write_and_compare(image, device):
    """Copy, flush, read back; returns the SHA-256.  Raises OSError or Refused."""
    with open(image, "rb") as f:
        data = f.read()
    # O_EXCL on a block device: fail if the kernel uses it meanwhile.
    flags = os.O_RDWR | (0 if STAND_IN else os.O_EXCL)
    fd = os.open(device, flags)
    try:
        for start in range(0, len(data), CHUNK):
            piece = memoryview(data)[start:start + CHUNK]
            while piece:
                piece = piece[os.write(fd, piece):]
            print(f"\r  writing {100 * min(start + CHUNK, len(data)) // len(data)}%", end="",
                  flush=True)
        os.fsync(fd)
        if not STAND_IN:
            fcntl.ioctl(fd, BLKFLSBUF)
        elif "USB_TEST_DAMAGE" in os.environ:  # the test's bad stick: one byte changes
            os.pwrite(fd, bytes([data[4096] ^ 1]), 4096)
        os.lseek(fd, 0, os.SEEK_SET)
        print("\r  comparing  ", end="", flush=True)
        for start in range(0, len(data), CHUNK):
            want = data[start:start + CHUNK]
            back = b""
            while len(back) < len(want):
                more = os.read(fd, len(want) - len(back))
                if not more:
                    raise Refused("the stick gave back less than was written to it")
                back += more
            if back != want:
                at = start + next(i for i, (a, b) in enumerate(zip(back, want)) if a != b)
                raise Refused(f"what was read back differs at byte {at} (LBA {at // 512}): "
                              "the stick is bad, do not use it")
    finally:
        os.close(fd)
    return hashlib.sha256(data).hexdigest()


def main():
    if len(sys.argv) != 3:
        print("usage: make usb DEV=/dev/sdX   (lsblk lists the devices)", file=sys.stderr)
        return 2
    image, device = sys.argv[1], sys.argv[2]
    if sys.platform != "linux":
        print("usb: this check needs Linux.  On macOS: diskutil list; diskutil unmountDisk diskN; "
              f"sudo dd if={image} of=/dev/rdiskN bs=1m", file=sys.stderr)
        return 1
    try:
        what, size = inspect(device)
        need = os.path.getsize(image)
        if need > size:
            raise Refused(f"{device} holds {size} bytes, the image needs {need}")
        print(f"{what}\n  The first {need / 1e6:.1f} MB are overwritten, the partition table with "
              "them: everything on the stick is lost.")
        name = os.path.basename(os.path.realpath(device))
        print(f"Type {name} to go on: ", end="", flush=True)
        if sys.stdin.readline().strip() != name:
            raise Refused("not confirmed; nothing was written")
        digest = write_and_compare(image, device)
        print(f"\r  done: written and read back alike, SHA-256 {digest}")
        return 0
    except Refused as why:
        print(f"\nusb: {why}", file=sys.stderr)
    except PermissionError:
        print(f"\nusb: no right to write {device}: sudo make usb DEV={device}", file=sys.stderr)
    except OSError as problem:
        print(f"\nusb: {problem}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
