"""test_programs.py - the programs of the default image, used as people use them: at both consoles, full-screen, as init."""

import re
import subprocess

import pytest

import userland
from vm import Machine

SHELL = r"[#$] $"


def lines(text):
    return [line.rstrip() for line in text.replace("\r", "").split("\n") if line.strip()]


def type_line(m, line, wanted):
    m.send(line + "\r")
    return m.expect(wanted)


def start_sleeping(m):
    """What is typed from here on is not the shell's."""
    type_line(m, "sh -c 'echo asleep; sleep 100'", r"\nasleep\r?\n")


def test_programs_of_ours(boot):
    m = boot()
    m.prompt()
    text = m.command("run GREETING=hi hello one 'two words'")
    assert re.search(r"Hello from process \d+ on minos \(MinOS [\d.]+\)", text)
    assert "argument 2: two words" in text and "environment: GREETING=hi" in text
    text = m.command("forks 20")
    assert text.count("the sum up to") == 20 and "all 20 are done; my counter is still 100" in text
    assert "usage: forks" in m.command("forks 0") and "exit 2" in m.command("forks 0")


@pytest.mark.parametrize("shell", ["sh", "mksh"])
def test_a_shell_at_the_serial_line(boot, shell):
    m = boot()
    m.prompt()
    type_line(m, shell, SHELL)
    type_line(m, "for i in 1 2 3; do echo $((i * i)); done | tac | tr '\\n' ' '; echo", r"\n9 4 1 \r?\n")
    type_line(m, "echo *a*[cv]", r"\netc\b|\n\*a\*")
    type_line(m, "f() { echo \"<$1>\"; }; f 'a b'", r"\n<a b>\r?\n")
    m.send("cat << E\rhere $((40 + 2))\rE\r")
    m.expect(r"\nhere 42\r?\n")
    start_sleeping(m)
    m.send("\x03")
    m.expect(SHELL)
    type_line(m, "echo status $?", r"\nstatus 130\r?\n")
    start_sleeping(m)
    m.send("\x1a")
    m.expect(r"(?i)stopped|suspended")
    type_line(m, "jobs", r"(?i)(stopped|suspended) +\\?sh -c")
    type_line(m, "kill %1; bg; wait; echo back", r"\nback\r?\n")
    type_line(m, "sleep 0.2 & wait; echo waited", r"\nwaited\r?\n")
    m.send("exit 5\r")
    m.expect(r"exit 5")
    m.prompt()


def test_a_shell_at_the_keyboard(boot):
    m = boot()
    m.prompt()
    m.type("sh\n")
    m.expect_screen(r"(?m)^/ # *$")
    m.type("ls -d /b* /e*\n")
    m.expect_screen(r"(?m)^/bin +/etc *\n/ # *$")
    m.type("cat | tr a-z A-Z\n")
    m.type("shout\n")
    m.expect_screen(r"(?m)^shout *$")
    m.keys("ctrl-d")
    m.expect_screen(r"(?m)^SHOUT *$")
    m.type("sh -c 'echo asleep; sleep 50'\n")
    m.expect_screen(r"(?m)^asleep *$")
    m.keys("ctrl-c")
    m.expect_screen(r"(?m)^\^C *\n/ # *$")
    m.type("exit\n")
    m.expect_screen(r"(?m)^minOS> *$")


def test_full_screen_programs(boot):
    m = boot()
    m.prompt()
    m.send("vi /etc/motd\r")
    m.expect_screen(r"(?m)^Programs run here.*\n(~ *\n)+- /etc/motd 1/1 100%")
    m.send("Oa line of mine\x1b")
    m.expect_screen(r"(?m)^a line of mine *\nPrograms run here")
    m.send(":wq\r")
    m.expect("minOS> ")
    assert lines(m.command("cat /etc/motd"))[0] == "a line of mine"
    m.send("sh -c 'seq 1 300 | less'\r")
    m.expect_screen(r"(?m)^1 *\n2 *\n(.*\n)*24 *\n")
    m.send("G")
    m.expect_screen(r"(?m)^299 *\n300 *\n")
    m.send("q")
    m.expect("minOS> ")
    m.send("run top\r")
    m.expect_screen(r"Mem: \d+K used, \d+K free(.*\n)*.*PID +PPID USER +STAT +VSZ %VSZ %CPU COMMAND(.*\n)*.*\btop\b")
    m.send("q")
    m.expect("minOS> ")
    m.send("snake\r")
    m.expect_screen(r"(?m)^#{80}\n(.*\n)*.*ooo(O|o)(.*\n)*#{80}\n score 0")
    m.send("q")
    m.expect(r"Your score: \d+")
    m.prompt()
    assert "icanon" in m.command("stty -a") and "-icanon" not in m.command("stty -a"), "the terminal is as it was"


def test_what_ps_and_free_show(boot):
    m = boot(mem="64M")
    m.prompt()
    m.command("run sleep 1000 &")
    text = m.command("run /bin/ps -o pid,ppid,stat,comm,args")
    assert re.search(r"(?m)^ +1 +0 +S\w* +kernel", text)
    assert re.search(r"(?m)^ +2 +1 +S\w* +sleep +sleep 1000", text)
    assert re.search(r"(?m)^ +3 +1 +R\w* +ps +/bin/ps -o", text)
    total = int(re.search(r"Mem: +(\d+)", m.command("free"))[1])
    assert 60 * 1024 < total < 64 * 1024
    maps = m.command("cat /proc/self/maps")
    assert re.search(r"(?m)^[0-9a-f]+-[0-9a-f]+ r-xp [0-9a-f]{8} 00:01 \d+ +/bin/busybox", maps)
    assert "[heap]" in maps and "[stack]" in maps
    assert lines(m.command("sh -c 'readlink /proc/2/cwd; tr \"\\\\0\" : < /proc/2/cmdline; echo'"))[-2:] == [
        "/", "sleep:1000:"]
    assert lines(m.command("readlink /proc/2/exe")) == ["/bin/busybox"]
    assert "tmpfs on / type tmpfs" in m.command("mount")
    assert "Filesystem" in m.command("df")
    assert re.search(r"load average: \d", m.command("/usr/bin/uptime"))
    m.command("run kill 2; sleep 1")
    assert "No such process" in m.command("run kill 2")


def test_init_has_the_console(boot):
    m = boot(cmdline="console=both init=/sbin/init")
    m.expect(r"init: starting /sbin/init")
    m.expect(r"minos:/# $")
    type_line(m, "ps; tty", r"\n +1 root +init\r?\n(.*\n)*/dev/tty1\r?\n")
    start_sleeping(m)
    m.send("\x03")
    m.expect(SHELL)
    type_line(m, "echo $?", r"\n130\r?\n")
    m.send("exit\r")
    m.expect(r"(?s)exit.*minos:/# $")
    m.send("sleep 90 & (sleep 91 &)\r")
    type_line(m, "poweroff", r"The system is going down NOW!")
    assert m.wait_exit() == 0


@pytest.mark.parametrize("init,said", [("/no/init", "/no/init: no such file"), ("/bin/false", "exit 1"),
                                       ("/etc/passwd", "it may not be executed")])
def test_init_that_does_not_run(boot, init, said):
    m = boot(cmdline=f"console=both init={init}")
    m.expect(re.escape(said))
    m.expect(rf"init: {init} is not running, so this is the kernel's shell")
    m.prompt()
    assert "[kernel]" in m.command("run /bin/ps"), "orphans have a parent again"
    assert "Hello" in m.command("hello")


def test_unknown_system_calls_are_said_once(boot):
    m = boot()
    m.prompt()
    for _ in range(2):
        assert re.search(r"(?m)^unknown_call +\d+", m.command("run bench unknown_call"))
    assert re.findall(r"(\w+)\[\d+\]: system call (\d+) is not implemented", m.command("dmesg")) == [("bench", "511")]


CRASHER = """
#include <stdio.h>
static int __attribute__((noinline)) explode(int *p) { return *p; }
int main(void) { puts("going"); fflush(stdout); return explode((int *)8) + 1; }
"""


def test_a_fault_is_named(tmp_path):
    """By the function that the program's own symbol table has there; a stripped one by the place in its file."""
    source, root = tmp_path / "crasher.c", tmp_path / "root"
    source.write_text(CRASHER)
    root.mkdir()
    for name, command in (("plain", "musl-gcc -static"), ("pie", "gcc -static-pie"), ("stripped", "musl-gcc -static -s")):
        subprocess.run([*command.split(), "-O1", str(source), "-o", str(root / name)], check=True)
    with Machine(userland.make_image(str(tmp_path), str(root), "console=both")) as m:
        m.prompt()
        for name, place in (("plain", r"explode\+0"), ("pie", r"explode\+0"), ("stripped", r"byte 0x[0-9a-f]+ of its file")):
            text = m.command(f"/{name}")
            assert "going" in text and "killed by SIGSEGV" in text
            assert re.search(rf"{name}\[\d+\]: SIGSEGV, address 0x8, at rip 0x[0-9a-f]+ \({place}\)", text), text


def test_who_takes_all_memory_is_ended(boot):
    """And nobody else; a file that fills all of it is refused, not paid for with a program."""
    m = boot(mem="64M")
    m.prompt()
    m.command("run sleep 10000 &")

    def free():
        return int(re.search(r"(?m)^  free +([\d,]+)", m.command("sleep 1; mem shrink; mem"))[1].replace(",", ""))

    m.command("sh -c 'ls -lR / > /tmp/list 2> /dev/null; rm /tmp/list'")
    before = free()
    text = m.command("sh -c 'x=aaaaaaaa; while :; do x=$x$x; done'", timeout=300)
    assert re.search(r"out of memory: sh\[\d+\] is ended, it holds \d{5} KiB", text) and "killed by SIGKILL" in text
    text = m.command("sh -c 'dd if=/dev/zero of=/tmp/all bs=1M count=200; rm /tmp/all'", timeout=300)
    assert "No space left on device" in text or "out of memory" in text
    assert "sleep 10000" in m.command("run /bin/ps")
    m.command("rm -f /tmp/all")
    assert abs(free() - before) < 16


@pytest.mark.parametrize("cpu", ["qemu64", "core2duo", "Nehalem", "Haswell-noTSX", "max,-xsave,-smap,-smep,-rdrand,-fsgsbase"])
def test_processors_with_less(boot, cpu):
    """Without RDRAND, XSAVE, SMAP, FSGSBASE ... : whatever the processor lacks, programs do not notice."""
    m = boot(cpu=cpu)
    m.prompt()
    assert "Hello from process" in m.command("hello")
    assert "all 10 are done" in m.command("forks 10")
    assert lines(m.command("sh -c 'echo $((6 * 7)) | md5sum; awk \"BEGIN { print 22 / 7 }\"'"))[-2:] == [
        "50a2fabfdd276f573ff97ace8b11c5f4  -", "3.14286"]


def test_the_end_of_a_program_is_interrupted(boot):
    """Giving 40 MiB back takes long, and others want the CPU: what the CPU knew of the program is forgotten all the same
    (process_free() asserts it)."""
    m = boot()
    m.prompt()
    m.command("spawn spin; spawn spin")
    for _ in range(30):
        assert "1+0 records in" in m.command("dd if=/dev/zero of=/dev/null bs=40M count=1")
