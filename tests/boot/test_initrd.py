"""test_initrd.py - the archive that becomes the root: every kind of entry, both ways of long names, hostile ones."""

import hashlib
import io
import os
import re
import sys
import tarfile

import pytest

import userland
from faults import trailer
from vm import ROOT

sys.path.insert(0, os.path.join(ROOT, "tools"))
import mktar  # noqa: E402  (the path above)

BUSYBOX = userland.busybox()
DEEP = "/".join(["a-long-directory-name-" + "x" * 30] * 6) + "/file"  # more than ustar's 100 + 155


def entry(name, data=None, kind=None, link="", mode=0o644, **fields):
    info = tarfile.TarInfo(name)
    info.type = kind or tarfile.REGTYPE
    info.linkname, info.mode = link, mode
    info.size = len(data) if data else 0
    for field, value in fields.items():
        setattr(info, field, value)
    return info, data


def archive(entries, form=tarfile.PAX_FORMAT):
    """With busybox as its first: somebody has to look at the rest."""
    with open(BUSYBOX, "rb") as f:
        busybox = f.read()
    out = io.BytesIO()
    tools = [entry("bin", kind=tarfile.DIRTYPE, mode=0o755), entry("bin/busybox", busybox, mode=0o755)]
    tools += [entry(f"bin/{name}", kind=tarfile.SYMTYPE, link="busybox")
              for name in ("cat", "ls", "md5sum", "stat", "readlink", "wc", "sh")]
    with tarfile.open(fileobj=out, mode="w", format=form) as tar:
        for info, data in tools + list(entries):
            tar.addfile(info, io.BytesIO(data) if data else None)
    return out.getvalue()


@pytest.fixture
def start(boot):
    def go(data):
        m = boot(files=[("INITRD.TAR", trailer(data))])
        m.prompt()
        return m
    return go


def lines(m, command):
    return [line for line in m.command(command).split("\n") if line.strip() and not line.startswith("[")]


@pytest.mark.parametrize("form", [tarfile.PAX_FORMAT, tarfile.GNU_FORMAT], ids=["pax", "gnu"])
def test_every_kind_and_long_names(start, form):
    target = "t" * 150 + "/" + "u" * 150
    m = start(archive([
        entry(DEEP, b"deep\n"),
        entry("long-link", kind=tarfile.SYMTYPE, link=target),
        entry("etc/first", b"shared\n", mode=0o640, uid=12, gid=34, mtime=86400),
        entry("etc/second", kind=tarfile.LNKTYPE, link="etc/first"),
        entry("null", kind=tarfile.CHRTYPE, devmajor=1, devminor=3, mode=0o666),
        entry("disk", kind=tarfile.BLKTYPE, devmajor=8, devminor=1, mode=0o600),
        entry("pipe", kind=tarfile.FIFOTYPE),
        entry("sticky", kind=tarfile.DIRTYPE, mode=0o1777),
        entry("empty"),
    ], form))
    assert lines(m, "cat /" + DEEP)[-1] == "deep"  # the line typed is longer than the screen is wide
    assert lines(m, "readlink /long-link") == [target]
    assert lines(m, "stat -c '%h %a %u %g %Y' /etc/first") == ["2 640 12 34 86400"]
    assert lines(m, "cat /etc/second") == ["shared"]
    kinds = lines(m, "stat -c '%n %F %a %t %T' /null /disk /pipe /sticky /empty")
    assert kinds == ["/null character special file 666 1 3", "/disk block special file 600 8 1",
                     "/pipe fifo 644 0 0", "/sticky directory 1777 0 0", "/empty regular empty file 644 0 0"]
    assert "initrd:" not in m.command("dmesg warn")


def test_pages_are_not_copied(boot, tmp_path):
    """As tools/mktar.py packs them: whole pages stay where the loader put them."""
    folder, contents = tmp_path / "root", {}
    (folder / "bin").mkdir(parents=True)
    (folder / "bin" / "md5sum").symlink_to("busybox")
    with open(BUSYBOX, "rb") as f:
        contents["bin/busybox"] = f.read()
    for size in (1, 4095, 4096, 4097, 8191, 100000):
        contents[f"file{size}"] = os.urandom(size)
    for name, data in contents.items():
        (folder / name).write_bytes(data)
        (folder / name).chmod(0o755)
    plain = tmp_path / "plain.tar"
    sys.argv = ["mktar.py", str(plain), "-C", str(folder)]
    mktar.main()
    with tarfile.open(plain) as tar:  # others read it, too
        assert {i.name: tar.extractfile(i).read() for i in tar if i.isreg()} == contents
    m = boot(files=[("INITRD.TAR", trailer(plain.read_bytes()))])
    m.prompt()
    in_place, copied = re.search(r"(\d+) KiB in place, (\d+) copied", m.command("dmesg")).groups()
    whole = sum(len(data) // 4096 for data in contents.values())
    assert int(in_place) == whole * 4 and int(copied) <= 4 * len(contents)
    for name, data in contents.items():
        assert lines(m, f"md5sum /{name}")[0].split()[0] == hashlib.md5(data).hexdigest(), name
    assert not re.search(r"(?m)^ +initrd ", m.command("mem")), "what no file took is free again"


def test_hostile_names(start):
    m = start(archive([
        entry("../escape", b"out\n"),
        entry("etc/../../escape2", b"out\n"),
        entry("/absolute", b"in\n"),
        entry("a", kind=tarfile.SYMTYPE, link="b"),
        entry("b", kind=tarfile.SYMTYPE, link="a"),
        entry("a/below", b"loop\n"),
        entry("up", kind=tarfile.SYMTYPE, link="../../../.."),
        entry("hard", kind=tarfile.LNKTYPE, link="../../bin/busybox"),
        entry("nowhere", kind=tarfile.LNKTYPE, link="not/there"),
        entry("c" * 300, b"too long a part\n"),
        entry("bin", b"now a file\n"),
        entry("good", b"good\n"),
    ]))
    log = m.command("dmesg warn")
    for said in (r"\.\./escape: \"\.\.\" in its name", r"etc/\.\./\.\./escape2: \"\.\.\" in its name",
                 r"/absolute: its name is absolute: taken from the root", r"a/below: symbolic links in a circle",
                 r"hard: cannot be made", r"nowhere: its target is not there", r"c{60}: name too long",
                 r"bin: "):
        assert re.search("initrd: " + said, log), (said, log)
    assert lines(m, "cat /good /absolute") == ["good", "in"]
    assert "escape" not in m.command("ls /")
    assert lines(m, "ls /up/") == lines(m, "ls /"), "the root's parent is the root"


def damaged(data, how):
    data = bytearray(data)
    at = data.index(b"broken\0") // 512 * 512
    if how == "cut":
        return bytes(data[:at + 700])
    if how == "header":
        data[at + 3] ^= 1
    else:
        data[at + 124:at + 136] = b"77777777777\0"
        data[at + 148:at + 156] = b" " * 8
        data[at + 148:at + 156] = f"{sum(data[at:at + 512]):06o}\0 ".encode()
    return bytes(data)


@pytest.mark.parametrize("how,said", [("cut", "member longer than the archive"), ("header", "wrong header checksum"),
                                      ("size", "member longer than the archive")])
def test_damage(start, how, said):
    """What stands before it is there; the place is named."""
    data = archive([entry("good", b"good\n"), entry("broken", b"x" * 1000), entry("behind", b"lost\n")])
    m = start(damaged(data, how))
    at = data.index(b"broken\0") // 512 * 512
    assert f"initrd: {said} at byte {at}; what stands before it is there" in m.command("dmesg warn")
    assert lines(m, "cat /good") == ["good"]
    assert "No such file" in m.command("cat /behind")
