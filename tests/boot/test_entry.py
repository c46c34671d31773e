"""test_entry.py - started by others: QEMU's -kernel (Multiboot 1, PVH), GRUB (Multiboot 1 and 2).

QEMU takes a file with a Multiboot 1 header by that protocol and looks for a PVH note only in a file
without one: `pvh_elf` is the kernel with that header's magic number wiped out.
"""

import hashlib
import os
import re
import shutil
import struct
import subprocess

import pytest

import vm as machine

STRIPPED = os.path.join(machine.BUILD, "minos.stripped")
INITRD = os.path.join(machine.BUILD, "image", "INITRD.TAR")
MB1_MAGIC = struct.pack("<I", 0x1BADB002)


@pytest.fixture(scope="module")
def pvh_elf(tmp_path_factory):
    with open(STRIPPED, "rb") as f:
        data = bytearray(f.read())
    at = data.index(MB1_MAGIC)
    data[at:at + 4] = bytes(4)
    path = tmp_path_factory.mktemp("pvh") / "pvh.elf"
    path.write_bytes(data)
    return str(path)


@pytest.fixture(scope="module")
def grub_iso(tmp_path_factory):
    path = str(tmp_path_factory.mktemp("grub") / "grub.iso")
    subprocess.run([os.path.join(machine.ROOT, "tools", "iso-grub"), machine.BUILD, path,
                    "console=both loglevel=2"], check=True)
    return path


@pytest.fixture
def kernel(boot):
    """kernel(elf, cmdline, initrd, **Machine's options): QEMU loads the kernel by itself."""

    def start(elf=STRIPPED, cmdline=None, initrd=None, extra=(), **options):
        extra = [*extra, "-kernel", elf]
        if cmdline is not None:
            extra += ["-append", cmdline]
        if initrd is not None:
            extra += ["-initrd", initrd]
        options.setdefault("media", None)
        return boot(extra=extra, **options)

    return start


@pytest.fixture
def grub(boot, grub_iso):
    """grub("1", ...): GRUB's menu, entry chosen by its key."""

    def start(key, **options):
        m = boot(image=grub_iso, media="cd", **options)
        m.expect(r"MinOS by Multiboot 2", timeout=120)
        m.send(key)
        return m

    return start


@pytest.fixture
def by(kernel, grub, pvh_elf, boot):
    """by(who, **options): the machine, loaded by one of LOADERS or by "minos"."""

    def start(who, **options):
        if who.startswith("grub"):
            return grub(who[-1], **options)
        if who == "minos":
            return boot(**options)
        return kernel(pvh_elf if who == "pvh" else STRIPPED, "console=both loglevel=2", INITRD,
                      **options)

    return start


LOADERS = {"multiboot1": "a Multiboot 1 loader: qemu", "pvh": "a PVH loader",
           "grub1": "a Multiboot 1 loader: GRUB", "grub2": "a Multiboot 2 loader: GRUB"}


def info(m):
    """The rows of `boot info`, by their first word."""
    rows = re.findall(r"(?m)^(\w+) +(.*)$", m.command("boot info"))
    return dict(rows)


def initrd_crc(path=INITRD):
    """As the trailer has it: the last 4 bytes."""
    with open(path, "rb") as f:
        return f"{struct.unpack('<I', f.read()[-4:])[0]:08x}"


def clean_map(m):
    return re.findall(r"(?m)^ +\d+  ([0-9a-f]{16}) - ([0-9a-f]{16})  .*?  (\S.*)$",
                      m.command("e820").split("Sorted")[1])


@pytest.mark.parametrize("who", LOADERS)
def test_what_the_loader_tells_arrives(by, who):
    m = by(who)
    m.prompt(timeout=120)
    told = info(m)
    assert told["started"].startswith("by " + LOADERS[who])
    assert told["cmdline"] == "console=both loglevel=2"
    assert told["medium"].startswith("not known")
    assert initrd_crc() in told["initrd"]
    assert "quirks" in told and "text 80x25" in told["firmware"]
    assert ("RSDP not told" in told["firmware"]) == (who in ("multiboot1", "grub1"))
    assert "init: console" in m.serial_text() and "init: cpu" not in m.serial_text()
    names = [e["name"] for e in machine.boot_trace(m)]
    assert names[:3] == ["32-bit entry", "long mode", "kernel_main"] and names[-1] == "prompt"
    assert "hello" in m.command("echo hello")
    m.type("echo typed\n")
    m.expect(rb"\ntyped\r?\n")
    m.send("poweroff\r")
    assert m.wait_exit() == 0, "ACPI was found, whoever told of it"


@pytest.mark.parametrize("mem", ["64M", "5G"])
def test_memory_map_is_our_loaders(by, mem):
    """Each loader's map, cleaned, is the one that our own loader gets from the BIOS."""
    maps = {}
    for who in ["minos", *LOADERS]:
        # With a disk for all: the BIOS reserves memory for each controller's driver.
        options = {} if who.startswith("grub") else {"media": "disk"}
        m = by(who, mem=mem, **options)
        m.prompt(timeout=120)
        maps[who] = clean_map(m)
        m.stop()
    assert len(maps["minos"]) > 3
    assert {who: found for who, found in maps.items() if found != maps["minos"]} == {}


@pytest.mark.parametrize("who", LOADERS)
def test_initrd_is_kept(by, who):
    """Whatever memory is asked for, that of its files is never handed out."""
    m = by(who)
    m.prompt(timeout=120)
    assert "\n0 differ" in m.command("memtest")
    with open(os.path.join(machine.BUILD, "root", "bin", "busybox"), "rb") as f:
        assert hashlib.md5(f.read()).hexdigest() in m.command("md5sum /bin/busybox")


@pytest.mark.parametrize("chipset", ["pc", "q35"])
@pytest.mark.parametrize("elf", [machine.ELF, STRIPPED], ids=os.path.basename)
def test_kernel_alone(kernel, chipset, elf):
    m = kernel(elf, machine=chipset)
    m.prompt()
    told = info(m)
    assert told["initrd"] == "none"
    assert told.get("cmdline", "") == ""
    assert "driver acpi: ACPI tables" in m.command("dmesg")


def test_machine_without_a_bios(kernel, pvh_elf):
    """microvm's firmware does next to nothing: no video, no RTC's help, and LINT0 closed."""
    for elf in (STRIPPED, pvh_elf):
        m = kernel(elf, "console=ttyS0", INITRD, machine="microvm,rtc=on", vga="none",
                   debug_exit=False)
        m.prompt()
        assert "let nothing through from the 8259A" in m.command("dmesg")
        assert initrd_crc() in info(m)["initrd"] and "display none" in info(m)["firmware"]
        assert "passed, 0 failed" in m.command("test clock")
        assert "\n0 differ" in m.command("memtest")


def test_symbols_survive_the_copy_in_one_piece(kernel):
    """Multiboot's address fields place the symbol table wrongly; entry32.asm puts it right."""
    m = kernel()
    m.prompt()
    m.send("crash pagefault\r")
    m.expect(r"KERNEL PANIC")
    m.expect(r"at crash_page_fault\+0x")
    m.expect(r"cmd_crash\+0x")
    m.expect(r"kernel_main|thread_start|shell")


@pytest.mark.parametrize("who", ["multiboot1", "pvh"])
def test_self_tests(by, who):
    m = by(who)
    m.prompt()
    for group in ["pmm", "vmm", "kmalloc", "trap", "lib"]:
        assert "passed, 0 failed" in m.command(f"test {group}", timeout=300)


def test_two_modules(kernel):
    m = kernel(initrd=f"{INITRD},{STRIPPED}")
    m.prompt()
    text = m.command("dmesg warn")
    assert "ignored: the first one is the initrd" in text
    assert initrd_crc() in info(m)["initrd"]
    assert "a module of the loader's" in m.command("boot info")


def test_damaged_initrd(kernel, tmp_path):
    bad = tmp_path / "bad.tar"
    with open(INITRD, "rb") as f:
        data = bytearray(f.read())
    data[1000] ^= 1
    bad.write_bytes(data)
    m = kernel(initrd=str(bad))
    m.prompt()
    assert "there is no initrd: its checksum is wrong" in m.serial_text()
    assert info(m)["initrd"] == "none"


def test_plain_tar_as_initrd(kernel, tmp_path):
    plain = tmp_path / "plain.tar"
    shutil.copyfile(INITRD, plain)
    os.truncate(plain, os.path.getsize(plain) - 16)  # the trailer
    m = kernel(initrd=str(plain))
    m.prompt()
    assert initrd_crc() in info(m)["initrd"]
    assert "the initrd carries no checksum" in m.command("boot info")


def test_long_command_line(kernel):
    m = kernel(cmdline="loglevel=7 " + "x" * 700)
    m.prompt()
    assert "command line longer than 511 bytes" in m.serial_text()
    assert len(info(m)["cmdline"]) == 511


@pytest.mark.parametrize("cpu,lacks", [("qemu32", "no long mode"), ("qemu64,-lm", "no long mode"),
                                       ("qemu64,-pae", "lacks TSC, MSR, PAE or FXSAVE")])
def test_unfit_processor(kernel, cpu, lacks):
    m = kernel(cpu=cpu)
    m.expect(rf"MinOS: this CPU.*{lacks}")
    m.expect_screen(rf"MinOS: this CPU.*{lacks}")


def segments(path):
    with open(path, "rb") as f:
        data = f.read()
    phoff, = struct.unpack_from("<Q", data, 32)
    number, = struct.unpack_from("<H", data, 56)
    rows = [struct.unpack_from("<IIQQQQQQ", data, phoff + 56 * i) for i in range(number)]
    return data, [row for row in rows if row[0] == 1]


@pytest.mark.parametrize("path", [machine.ELF, STRIPPED], ids=os.path.basename)
def test_multiboot_header_fits_the_file(path):
    """Copied in one piece, each segment but the last lands where it belongs."""
    data, loads = segments(path)
    at = data.index(MB1_MAGIC)
    header, load, load_end, bss_end, entry = struct.unpack_from("<5I", data, at + 12)
    assert sum(struct.unpack_from("<3I", data, at)) % (1 << 32) == 0 and at < 8192 - 48
    start = at - (header - load)
    for _, _, offset, _, paddr, file_size, _, _ in loads[:-1]:
        assert offset - start == paddr - load
    symbols = loads[-1]
    assert symbols[2] + symbols[5] - start == load_end - load, "the last thing in the copy"
    assert bss_end == symbols[4] + symbols[6]
    assert loads[0][4] <= entry < loads[0][4] + loads[0][5]
    two = data.index(struct.pack("<I", 0xE85250D6))
    assert two % 8 == 0 and two < 32768
    assert sum(struct.unpack_from("<4I", data, two)) % (1 << 32) == 0
