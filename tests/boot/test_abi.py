"""test_abi.py - unmodified Linux programs: what they see here is what they see under Linux.

Each program of tests/abi runs on this machine, which is the reference, and under MinOS; what they print must be
the same. Shells from Debian's packages are typed at.
"""

import os
import re
import shutil
import subprocess
import sys

import pytest

import userland
from vm import ROOT, Machine

sys.path.insert(0, os.path.join(ROOT, "tools"))
import abi_doc  # noqa: E402  (the path above)

AT_LEAST = 120  # calls proven
ROUNDS = 20


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    folder = str(tmp_path_factory.mktemp("userland") / "root")
    userland.make_root(folder)
    return folder


@pytest.fixture(scope="module")
def machine(root, tmp_path_factory):
    image = userland.make_image(str(tmp_path_factory.mktemp("image")), root)
    with Machine(image, mem="256M") as m:
        m.prompt()
        yield m


def without_log(text):
    lines = [line.rstrip("\r") for line in text.splitlines()]
    lines = [line for line in lines if not re.match(r"\[ *\d+\.\d+\] ", line)]
    while lines and not lines[-1]:
        lines.pop()
    return lines


def reference(root, name, folder):
    done = subprocess.run([os.path.join(root, "abi", name)], cwd=folder, env={}, check=False, timeout=120,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    return done.stdout.decode(errors="replace").splitlines()


@pytest.mark.parametrize("name", userland.abi_programs())
def test_the_same_as_under_linux(machine, root, tmp_path, name):
    wanted = reference(root, name, tmp_path)
    assert len(wanted) > 20
    assert without_log(machine.command(f"run /abi/go {name}", timeout=120)) == wanted


def without_pids(lines):
    """Shells name those that were killed by number."""
    return [re.sub(r" *\b\d+ +(Killed|Terminated)", r" PID \1", line) for line in lines]


@pytest.mark.parametrize("shell", userland.SCRIPT_SHELLS)
def test_a_script_of_200_lines(machine, root, tmp_path, shell):
    command = userland.SCRIPT_SHELLS[shell]
    shutil.copy(os.path.join(root, "abi", "script.sh"), tmp_path)
    path = ":".join(os.path.join(root, folder) for folder in ("bin", "usr/bin", "sbin", "usr/sbin"))
    program = os.path.join(root, command.split()[0].lstrip("/"))
    done = subprocess.run([program, *command.split()[1:], "./script.sh"], cwd=tmp_path, env={"PATH": path}, check=False,
                          timeout=120, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    wanted = without_pids(done.stdout.decode().splitlines())
    assert wanted[-1] == "11 sections" and len(wanted) > 120
    got = without_pids(without_log(machine.command(f"run /abi/go-script {shell} {command}", timeout=120)))
    assert got == wanted


def test_enough_calls_are_proven():
    by = abi_doc.proven()
    assert sum(name in by for name in abi_doc.table().values()) >= AT_LEAST
    assert not [name for name in by if name not in abi_doc.table().values()]
    done = subprocess.run([sys.executable, os.path.join(ROOT, "tools", "abi_doc.py"), "--check"], check=False)
    assert done.returncode == 0, "tools/abi_doc.py brings docs/abi.md up to date"


SCRIPTS = [
    ("sh", "echo $((6*7)) | cat", "42"),
    ("sh", "for i in 3 1 2; do echo $i; done | sort | tr '\\n' ' '; echo", "1 2 3"),
    ("sh", "f() { echo f $1; }; f x; (exit 3); echo $?", "f x\n3"),
    ("sh", "cat <<E\nhere\nE", "here"),
    ("mksh", "x=$(echo sub); print -r -- \"$x ${x#s}\"", "sub ub"),
    ("bash-static", "echo {a,b}{1,2}; [[ abc == a* ]] && echo yes", "a1 a2 b1 b2\nyes"),
    ("sh", "echo hello > /tmp/h; md5sum < /tmp/h; wc -c < /tmp/h", "b1946ac92492d2347c6235b4d2611184  -\n6"),
    ("sh", "cd /tmp; mkdir -p t; echo 1 > t/a; tar cf t.tar t; rm -r t; tar xf t.tar; cat t/a; gzip -c t.tar | gunzip | "
           "tar tf - | sort", "1\nt/\nt/a"),
    ("sh", "printf 'b 2\\na 1\\n' | awk '{print $2}' | sed s/1/one/ | grep -n .", "1:2\n2:one"),
    ("sh", "sleep 5 & usleep 200000; kill $!; wait $!; echo $?", "143"),
    ("sh", "find /etc -name pass*; cp /etc/passwd /tmp/p; mv /tmp/p /tmp/q; ls /tmp/q; dd if=/dev/zero bs=1k count=3 2>/dev/null | wc -c",
     "/etc/passwd\n/tmp/q\n3072"),
]


@pytest.mark.parametrize("shell,script,wanted", SCRIPTS)
def test_shells(machine, shell, script, wanted):
    with_lines = script.split("\n")
    machine.send(f"{shell}\r")
    machine.expect(r"[#$] $")
    seen = ""
    for line in with_lines:  # what is typed ahead would be echoed among the output
        machine.send(line + "\r")
        seen += machine.expect(r"(?s)(.*?)\n[^\n]*[#$>] $").group(1).decode(errors="replace").replace("\r", "") + "\n"
    machine.send("exit\r")
    machine.prompt()
    assert wanted in re.sub(r"[ ]+\n", "\n", seen), seen


HELLO_ASM = """
global _start
section .text
_start:	mov	eax, 1			; write
	mov	edi, 1
	lea	rsi, [rel text]
	mov	edx, text_end - text
	syscall
	mov	edi, eax		; exit: what write() said
	mov	eax, 60
	syscall
section .rodata
text:	db	"hello from assembler", 10
text_end:
"""
INT80_ASM = """
global _start
section .text
_start:	mov	eax, 1			; exit(0) of 32-bit programs
	xor	ebx, ebx
	int	80h
	hlt
"""
HELLO_C = '#include <stdio.h>\nint main(void) { return printf("hello from %s\\n", NAME); }\n'


@pytest.fixture(scope="module")
def hellos(tmp_path_factory):
    """A root with small programs of every make, and nothing else."""
    folder = tmp_path_factory.mktemp("hellos")
    root = folder / "root"
    root.mkdir()
    for name, text in (("asm", HELLO_ASM), ("int80", INT80_ASM)):
        (folder / f"{name}.asm").write_text(text)
        subprocess.run(["nasm", "-f", "elf64", str(folder / f"{name}.asm"), "-o", str(folder / f"{name}.o")], check=True)
        subprocess.run(["ld", "-o", str(root / name), str(folder / f"{name}.o")], check=True)
    (folder / "hello.c").write_text(HELLO_C)
    for name, command in (("musl", "musl-gcc -static"), ("glibc", "gcc -static"), ("pie", "gcc -static-pie")):
        subprocess.run([*command.split(), "-O1", f'-DNAME="{name}"', str(folder / "hello.c"), "-o", str(root / name)],
                       check=True)
    with Machine(userland.make_image(str(folder), str(root)), mem="64M") as m:
        m.prompt()
        yield m, root


@pytest.mark.parametrize("name", ["asm", "musl", "glibc", "pie"])
def test_hello(hellos, name):
    m, root = hellos
    done = subprocess.run([str(root / name)], stdout=subprocess.PIPE, check=False, env={})
    assert without_log(m.command(f"/{name}")) == [*done.stdout.decode().splitlines(), f"exit {done.returncode}"]


def test_the_call_gate_of_32_bit_programs_is_shut(hellos):
    """INT 80h is no way in: SIGSEGV, and the kernel is well."""
    m, _ = hellos
    assert "killed by SIGSEGV" in m.command("/int80")
    assert "hello" in m.command("/musl")


def test_position_independent_programs_of_glibc(machine):
    assert "ldconfig (" in machine.command("ldconfig --version")


def test_how_programs_end(machine):
    assert "exit 3" in machine.command("run /bin/sh -c 'exit 3'")
    assert "killed by SIGSEGV" in machine.command("run /bin/sh -c 'kill -SEGV $$'")
    assert "no such file" in machine.command("run /no/such")
    machine.send("cat\r")
    machine.send("echoed\r")
    machine.expect(r"echoed\r?\nechoed")
    machine.send("\x03")
    machine.expect("killed by SIGINT")
    machine.prompt()
    assert re.search(r"\[\d+\]", machine.command("run /bin/sleep 1 &"))


def frames_and_objects(m):
    """Frames in use by whom, and objects of each heap cache in use: tasks, files, inodes are among them."""
    m.command("sleep 1; mem shrink")
    text = m.command("mem")
    table = text.split("Physical memory")[1].split("highest address")[0]
    heap = text.split("Kernel heap")[1].split("all caches")[0]
    frames = re.findall(r"(?m)^ +([a-z: -]+?) +([\d,]+) ", table)
    return {name: int(n.replace(",", "")) for name, n in frames if name not in ("free", "used at most")}, \
        {name: int(n.replace(",", "")) for name, n in re.findall(r"(?m)^  (\S+) +\d+ +([\d,]+) ", heap)}


def test_nothing_is_left(machine):
    """After the programs ran often, as many frames and objects are in use as before."""
    def all_programs():
        for name in userland.abi_programs():
            machine.command(f"run /abi/go {name}", timeout=120)
            machine.command(f"run /bin/rm -rf /tmp/{name}")

    all_programs()
    before = frames_and_objects(machine)
    assert before[0]["used"] > 100 and sum(before[1].values()) > 100
    for _ in range(ROUNDS):
        all_programs()
    assert frames_and_objects(machine) == before
