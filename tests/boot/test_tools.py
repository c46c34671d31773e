"""test_tools.py - the commands around the system: usb, setup, layers, run.

None of them touches a device or installs anything here: usb.py reads a stand-in of /sys and
/proc, setup is shown other systems and an empty PATH.
"""

import os
import pty
import re
import shutil
import subprocess
import sys

import pytest

import vm as machine

TOOLS = os.path.join(machine.ROOT, "tools")


def run(*argv, env=None, text="", timeout=300):
    """Returns (exit status, all output)."""
    done = subprocess.run(argv, cwd=machine.ROOT, env={**os.environ, **(env or {})},
                          input=text.encode(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          timeout=timeout, check=False)
    return done.returncode, done.stdout.decode(errors="replace")


# --- usb ------------------------------------------------------------------------------------------
class Stick:
    """A plain file as stick, and a /sys and /proc that describe it."""

    def __init__(self, folder, size=8 << 20):
        self.folder = str(folder)
        self.device = os.path.join(self.folder, "sdz")
        with open(self.device, "wb") as f:
            f.truncate(size)
        self.put("sys/class/block/sdz/removable", "1")
        self.put("sys/class/block/sdz/ro", "0")
        self.put("sys/class/block/sdz/dev", "8:240")
        self.put("sys/class/block/sdz/size", str(size // 512))
        self.put("sys/class/block/sdz/device/vendor", "ACME    ")
        self.put("sys/class/block/sdz/device/model", "Flash Voyager")
        self.put("sys/class/block/sdz/sdz1/partition", "1")
        self.put("sys/class/block/sdz/sdz1/dev", "8:241")
        self.put("proc/self/mountinfo", "22 1 8:1 / / rw - ext4 /dev/sda1 rw")
        self.put("proc/swaps", "Filename Type Size Used Priority")
        self.image = os.path.join(self.folder, "image")
        with open(self.image, "wb") as f:
            f.write(os.urandom(3 << 20))

    def put(self, name, text):
        path = os.path.join(self.folder, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="ascii") as f:
            f.write(text + "\n")

    def write(self, answer="sdz\n", device=None, **env):
        before = self.contents()
        status, text = run(sys.executable, "tools/usb.py", self.image, device or self.device,
                           env={"USB_SYSFS": self.folder + "/sys", "USB_PROC": self.folder + "/proc",
                                **env}, text=answer)
        return status, text, self.contents() != before

    def contents(self):
        with open(self.device, "rb") as f:
            return f.read()


@pytest.fixture
def stick(tmp_path):
    return Stick(tmp_path)


def test_usb_writes_and_compares(stick):
    status, text, changed = stick.write()
    assert status == 0 and changed, text
    assert "ACME Flash Voyager" in text and "0.0 GB" in text and "SHA-256" in text
    with open(stick.image, "rb") as f:
        assert stick.contents().startswith(f.read())


@pytest.mark.parametrize("name,content,why", [
    ("sys/class/block/sdz/removable", "0", "not removable"),
    ("sys/class/block/sdz/ro", "1", "write-protected"),
    ("sys/class/block/sdz/partition", "1", "is a partition"),
    ("sys/class/block/sdz/size", "0", "no medium"),
    ("sys/class/block/sdz/size", "100", "the image needs"),
    ("proc/self/mountinfo", "30 22 8:240 / /media/stick rw - vfat /dev/sdz rw", "is mounted on"),
    ("proc/self/mountinfo", "30 22 8:241 / /media/stick rw - vfat /dev/sdz1 rw", "is mounted on"),
    ("proc/self/mountinfo", "30 22 0:44 / /mnt rw - btrfs /dev/sdz1 rw", "is mounted on"),
    ("proc/swaps", "Filename Type\n/dev/sdz1 partition 100 0 -2", "swap"),
    ("sys/class/block/sdz/sdz1/holders/dm-0/x", "", "in use by dm-0")])
def test_usb_refuses(stick, name, content, why):
    stick.put(name, content)
    status, text, changed = stick.write()
    assert status != 0 and why in text and not changed, text


def test_usb_asks(stick):
    for answer in ("", "y\n", "sda\n"):
        status, text, changed = stick.write(answer)
        assert status != 0 and not changed and "nothing was written" in text


def test_usb_sees_a_bad_stick(stick):
    status, text, _ = stick.write(USB_TEST_DAMAGE="1")
    assert status != 0 and "differs at byte 4096" in text


def test_usb_refuses_what_is_no_block_device(tmp_path):
    plain = tmp_path / "file"
    plain.write_bytes(b"x" * 100)
    status, text = run(sys.executable, "tools/usb.py", machine.IMAGE, str(plain))
    assert status != 0 and "not a block device" in text
    assert plain.read_bytes() == b"x" * 100
    status, text = run(sys.executable, "tools/usb.py", machine.IMAGE, "/dev/nothing-here")
    assert status != 0 and "does not exist" in text


# --- setup ----------------------------------------------------------------------------------------
@pytest.fixture
def bare_folder(tmp_path):
    (tmp_path / "bin").mkdir()
    return tmp_path


@pytest.fixture
def bare(bare_folder):
    """A PATH with almost nothing in it, and a way to name another system."""
    folder = bare_folder / "bin"
    real = {shutil.which(name) for name in "sh uname sed tr id printf env cat".split()}
    before = {path: os.stat(path).st_mtime_ns for path in real}
    for path in real:
        os.symlink(path, folder / os.path.basename(path))

    def setup(*arguments, system="debian", text="", extra=None, **env):
        release = bare_folder / "os-release"
        release.write_text(system if "=" in system else f"ID={system}\n")
        for name, script in (extra or {}).items():
            stand_in = folder / name
            stand_in.unlink(missing_ok=True)  # never write through a link into the real system
            stand_in.write_text("#!/bin/sh\n" + script)
            stand_in.chmod(0o755)
        return run("tools/setup", *arguments, text=text,
                   env={"PATH": str(folder), "SETUP_OS_RELEASE": str(release),
                        "SETUP_PYTHON": "no-python", "CC": "", **env})
    yield setup
    assert before == {path: os.stat(path).st_mtime_ns for path in real}, "the real programs are untouched"


@pytest.mark.parametrize("system,line", [
    ("fedora", "sudo dnf install gcc"), ("ID=rocky\nID_LIKE=\"rhel centos fedora\"\n", "dnf install"),
    ("arch", "sudo pacman -S --needed gcc"), ("ID=manjaro\nID_LIKE=arch\n", "pacman")])
def test_setup_on_other_systems(bare, system, line):
    status, text = bare("run", system=system)
    assert status != 0 and line in text and "qemu" in text


def test_setup_on_macos(bare):
    status, text = bare("run", SETUP_UNAME="Darwin")
    assert status != 0 and "brew install" in text and "gmake" in text and "x86_64-elf-gcc" in text


def test_setup_on_an_unknown_system(bare):
    status, text = bare("run", system="plan9")
    assert status != 0 and "neither" in text and "nasm" in text


APT = 'echo "apt: $*"\n'


def test_setup_installs_as_root(bare):
    status, text = bare("run", extra={"apt-get": APT, "apt-cache": "exit 0\n", "id": "echo 0\n"})
    assert status == 0, text
    assert re.search(r"apt: install -y --no-install-recommends .*nasm.*qemu-system-x86", text)


def test_setup_updates_the_lists_first_when_they_are_empty(bare):
    status, text = bare("build", extra={"apt-get": APT, "apt-cache": "exit 100\n", "id": "echo 0\n"})
    assert status == 0
    assert text.index("apt: update") < text.index("apt: install")


def test_setup_without_root_uses_sudo(bare):
    status, text = bare("build", extra={
        "apt-get": APT, "apt-cache": "exit 0\n", "id": "echo 1000\n",
        "sudo": 'shift; [ "$1" = true ] && exit 0; echo "sudo: $*"; "$@"\n'})
    assert status == 0 and "sudo: " in text and "apt: install" in text


def test_setup_without_root_and_sudo(bare):
    status, text = bare("build", extra={"id": "echo 1000\n"})
    assert status != 0 and "needs root" in text and "apt-get install" in text


def test_setup_when_sudo_wants_a_password(bare):
    status, text = bare("build", extra={"id": "echo 1000\n", "sudo": "exit 1\n"})
    assert status != 0 and "password" in text and "apt-get install" in text


def test_setup_reports_a_failed_install(bare):
    status, text = bare("build", extra={"apt-get": "exit 100\n", "apt-cache": "exit 0\n",
                                        "id": "echo 0\n"})
    assert status != 0 and "failed" in text


@pytest.mark.parametrize("answer,installs", [("y", True), ("", True), ("n", False)])
def test_setup_asks_a_person(bare_folder, bare, answer, installs):
    """At a terminal, which a pipe cannot stand in for."""
    bare("build", extra={"apt-get": APT, "apt-cache": "exit 0\n", "id": "echo 0\n"})  # the stand-ins
    master, slave = pty.openpty()
    env = {**os.environ, "PATH": str(bare_folder / "bin"), "SETUP_PYTHON": "no-python", "CC": "",
           "CI": "", "SETUP_OS_RELEASE": str(bare_folder / "os-release")}
    with subprocess.Popen(["tools/setup", "build"], cwd=machine.ROOT, env=env, stdin=slave,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as process:
        os.write(master, (answer + "\n").encode())
        text = process.communicate(timeout=30)[0].decode()
    os.close(master)
    os.close(slave)
    assert "[Y/n]" in text
    assert ("apt: install" in text) == installs
    assert (process.returncode == 0) == installs


# --- layers ---------------------------------------------------------------------------------------
@pytest.mark.parametrize("path,text,why", [
    ("mm/x.c", "/* x.c - t */\n#include <dev/vga.h>\n", "may include only"),
    ("kernel/lib/x.c", "/* x.c - t */\n#include <kern/log.h>\n", "may include only"),
    ("drivers/x.c", "/* x.c - t */\n#include <boot/boot_info.h>\n", "may include only"),
    ("boot/x.c", "/* x.c - t */\n#include <kern/log.h>\n", "may include only"),
    ("mm/x.c", "/* x.c - t */\n#include <stdio.h>\n", "nor of the compiler's"),
    ("mm/x.c", "/* x.c - t */\nextern int y;\n", "extern"),
    ("mm/x.c", "/* x.c - t */\nstatic void f(void) { __asm__(\"nop\"); }\n", "inline assembly"),
    ("mm/x.c", "int y;\n", "first line"),
    ("mm/x.c", "/* x.c - t */\n#ifdef DEBUG\n#endif\n", "conditional"),
    ("mm/x.c", "/* x.c - t */\nvoid\nf(void)\n{\n" + "\tf();\n" * 70 + "}\n", "has 73 lines"),
    ("mm/x.c", "/* x.c - t */\nvoid\nf(int a, int b, int c, int d, int e, int g)\n{\n}\n", "6 parameters"),
    ("mm/x.c", "/* x.c - t */\n" + "int y;\n" * 800, "801 lines"),
    ("include/mm/x.h", "/* x.h - t */\nsize_t f(void);\n", "does not compile alone")], ids=lambda value: value if len(value) < 30 else "text")
def test_layers_finds(tmp_path, path, text, why):
    target = tmp_path / path
    target.parent.mkdir(parents=True)
    target.write_text(text)
    status, out = run(sys.executable, "tools/check-layers.py", "--root", str(tmp_path))
    assert status != 0 and why in out and "0 passed, 1 failed" in out, out


def test_layers_is_content_with_good_code(tmp_path):
    good = tmp_path / "kernel/x.c"
    good.parent.mkdir()
    good.write_text("/*\n * x.c - a test; asm and extern are words in a comment.\n */\n"
                    "#include <kern/log.h>\n#include <stdint.h>\n\nvoid\nf(int a, int (*b)(int, int))\n"
                    "{\n\tg(\"__asm__\");\n}\n")
    status, out = run(sys.executable, "tools/check-layers.py", "--root", str(tmp_path))
    assert status == 0, out


# --- .init ----------------------------------------------------------------------------------------
@pytest.mark.parametrize("text,found", [
    ("void start(void);\nvoid go(void) { start(); }", "go (.text) refers to start (.init.text)"),
    ("void start(void);\nvoid (*go)(void) = start;", "go (.data) refers to start (.init.text)"),
    ("extern int rows[];\nint go(void) { return rows[1]; }", "go (.text) refers to rows (.init.data)"),
    ("void start(void);\n__attribute__((section(\".init.text\"))) void go(void) { start(); }", ""),
    ("void start(void);\n__attribute__((section(\".text.init_caller\"))) void go(void) { start(); }", ""),
    ("void stays(void);\nvoid go(void) { stays(); }", "")], ids=range(6))
def test_init_is_not_referred_to(tmp_path, text, found):
    (tmp_path / "a.c").write_text(
        "__attribute__((section(\".init.text\"))) void start(void) {}\nvoid stays(void) {}\n"
        "__attribute__((section(\".init.data\"))) int rows[2] = {1, 2};\n")
    (tmp_path / "b.c").write_text(text + "\n")
    for name in "ab":
        subprocess.run(["gcc", "-m64", "-O1", "-fno-pic", "-fno-asynchronous-unwind-tables", "-c",
                        f"{name}.c"], cwd=tmp_path, check=True)
    status, out = run(sys.executable, "tools/check-init.py", str(tmp_path / "a.o"), str(tmp_path / "b.o"))
    assert (status != 0) == bool(found) and found in out, out


# --- run -----------------------------------------------------------------------------------
def test_run_says_how_to_leave(tmp_path):
    fake = tmp_path / "qemu"
    fake.write_text('#!/bin/sh\n[ "$1" = -display ] && echo gtk && exit\necho "argv: $*"\n')
    fake.chmod(0o755)
    status, text = run("tools/qemu", "window", "x.img",
                       env={"QEMU": str(fake), "DISPLAY": ":0", "ACCEL": "", "MEM": "",
                            "QEMU_EXTRA": "-smp 2"})
    assert status == 0 and "Ctrl-A X" in text and "Ctrl-A C" in text
    assert "-display gtk" in text and "-serial mon:stdio" in text and "-smp 2" in text
    assert ("-accel tcg -cpu max" in text) or ("-accel kvm -cpu host" in text)
    status, text = run("tools/qemu", "window", "x.img",
                       env={"QEMU": str(fake), "DISPLAY": "", "WAYLAND_DISPLAY": "", "ACCEL": "kvm"})
    assert "-display none" in text and "-accel kvm -cpu host" in text and "no window" in text


def test_a_failure_shows_the_serial_log_and_the_screen():
    with machine.Machine() as m:
        m.prompt()
        m.command("echo a line to be seen")
        with pytest.raises(machine.VmError) as failure:
            m.expect("what nobody prints", timeout=1)
    serial, screen = str(failure.value).split("--- serial log")[1].split("--- screen")
    assert "init: cpu" in serial and "a line to be seen" in serial
    assert "|a line to be seen" in screen


def test_a_machine_that_ends_is_noticed_at_once():
    with machine.Machine() as m:
        m.prompt()
        m.send("poweroff\r")
        with pytest.raises(machine.VmError, match="QEMU ended"):
            m.expect("what nobody prints", timeout=120)


def test_smoke():
    status, text = run(sys.executable, "tests/boot/smoke.py")
    assert status == 0 and "smoke: 1 passed, 0 failed" in text
