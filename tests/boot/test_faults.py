"""
test_faults.py - what comes after a panic's report, and what the hardware reports by itself: the
debugger at both consoles, NMI, machine checks, the log of the boot before.
"""

import os
import re

import pytest

from vm import ROOT, plain

PROMPT = r"kdb> "
MORE = r"-- more: a key; q ends --"
KEEP = 0x3F0000  # LOG_KEEP_PHYS of include/mm/layout.h
KEEP_SIZE = 0x10000


# --- the debugger ---------------------------------------------------------------------------------

def crash(m, kind):
    m.prompt()
    m.send(f"crash {kind}\r")
    m.expect(r"KERNEL PANIC")
    m.expect(r"System halted\.  Press a key for the debugger\.\r?\n")


def open_debugger(m, kind="divide"):
    crash(m, kind)
    m.send("x")
    m.expect(PROMPT)


def kdb(m, line):
    """Type a command; returns what it printed, through all its pages."""
    start = len(m.output)
    m.send(line + "\r")
    while b"more" in m.expect(f"{PROMPT}|{MORE}").group():
        m.send(" ")
    text = plain(bytes(m.output[start:])).split("\n", 1)[1].rsplit("kdb> ", 1)[0]
    return re.sub(MORE + r" *", "", text)


def test_every_command(boot):
    m = boot()
    open_debugger(m)
    commands = re.findall(r"(?m)^  (\w+) ", kdb(m, "help"))
    assert commands[:2] == ["help", "bt"] and "poweroff" in commands
    assert "crash_divide+0xc" in kdb(m, "bt")
    every = kdb(m, "bt all")
    assert re.search(r'thread 1 "main":\n(.*\n)*.*thread_main_loop(.*\n)*.*_start\+', every), every
    assert re.search(r'thread 4 "shell":\n.*crash_divide\+0xc\n', every), every
    assert kdb(m, "bt 1") in every
    assert "there is no thread 99" in kdb(m, "bt 99")
    assert re.search(r"divide error\nat crash_divide\+0xc\nrax 0{15}1", kdb(m, "regs"))
    threads = kdb(m, "threads")
    assert re.search(r"4\* shell +running.*at crash_divide\+0xc", threads), threads
    assert re.search(r"1  main +sleeping.*at thread_main_loop", threads), threads
    assert re.search(r"driver acpi", kdb(m, "log"))
    assert len(kdb(m, "log 3").splitlines()) == 3
    assert re.search(r" 0 +\d+ +0  timer", kdb(m, "irq"))
    assert "no bank holds an error" in kdb(m, "mca")
    assert "there is no command 'foo'" in kdb(m, "foo")


def test_memory_and_symbols(boot):
    m = boot()
    open_debugger(m)
    address = re.match(r"([0-9a-f]{16}) panic\+0", kdb(m, "sym panic")).group(1)
    assert kdb(m, f"sym {address}") == f"{address} panic+0\n"
    assert f"{int(address, 16) + 4:016x} panic+0x4" in kdb(m, "sym panic+4")
    assert re.search(r"walk: pml4e \w+  pdpte \w+\n +pde \w+ +pte \w+ -> 0x1\w+",
                     kdb(m, f"walk {address}"))
    assert "walk: pml4e 0 (not present)" in kdb(m, "walk 0x1000")
    code = re.search(r"<55> 48 89 e5((?: \w\w)+)", kdb(m, "code panic"))
    assert code, "push rbp; mov rbp, rsp"
    assert f"{address}  55 48 89 e5" in kdb(m, "mem panic 16").replace("  ", " ").replace(
        " 55", "  55", 1)
    assert len(kdb(m, "mem rsp 400").splitlines()) == 25
    nothing = kdb(m, "mem 8")
    assert "--" in nothing and "nothing can be read there; see walk 0x8" in nothing
    assert "at most 4096" in kdb(m, "mem")
    assert "is no number" in kdb(m, "mem nonsense")


def test_a_fault_comes_back_to_the_prompt(boot):
    m = boot()
    open_debugger(m)
    for _ in range(40):  # more than nested panics of a report are allowed
        assert re.search(r"that failed: invalid opcode\nat crash_bad_opcode\+0x4\n",
                         kdb(m, "fault"))
    m.qmp("inject-nmi")
    m.expect(r"that failed: non-maskable interrupt")
    m.expect(PROMPT)
    assert "divide error" in kdb(m, "regs"), "the first panic's registers"


@pytest.mark.parametrize("kind", ["output", "printer", "pml4", "cr3", "thread", "frames", "rsp"])
def test_debugger_after_hard_crashes(boot, kind):
    m = boot()
    open_debugger(m, kind)
    threads = kdb(m, "threads")
    assert re.search(r"4. shell +running", threads), threads
    assert "thread_main_loop" in kdb(m, "bt 1")
    assert re.search(r"sym\w* |panic\+0", kdb(m, "sym panic"))


def test_at_the_keyboard(boot):
    """Typed at the PS/2 keyboard, corrected, read on the screen; the report is scrolled back to."""
    m = boot()
    crash(m, "divide")
    m.keys("x")
    m.expect_screen("kdb>")
    m.type("sym panik")
    m.keys("backspace")
    m.type("c\n")
    m.expect_screen(r"panic\+0\nkdb>")
    m.type("help\n")
    m.expect_screen(r"ADDR: a number")
    m.keys("shift-pgup")
    m.expect_screen(r"KERNEL PANIC: divide error")
    m.type("q")  # back to the newest line
    m.expect_screen(r"kdb> q")


def test_paging_and_line_editing(boot):
    m = boot()
    open_debugger(m)
    m.send("log 100\r")
    m.expect(MORE)
    m.send("q")
    m.expect(PROMPT)
    m.send("nonsense\x15regs\r")  # Ctrl-U
    m.expect(r"divide error")
    m.expect(PROMPT)
    m.send("\x1b[Asym\x7f\x7f\x7fmca\r")  # an arrow key is nothing
    m.expect(r"no bank holds an error")


@pytest.mark.parametrize("kind, lock", [("output", r"console +taken at console_write\+0x"),
                                        ("alloc", r"slab cache +taken at kmalloc\+0x")])
def test_locks_of_a_debug_build(boot, kind, lock):
    m = boot()
    open_debugger(m, kind)
    text = kdb(m, "locks")
    assert "DEBUG=1" in text or re.search(lock, text), text


@pytest.mark.parametrize("command, code", [("poweroff", 0), ("reboot", 0)])
def test_leaving(boot, command, code):
    m = boot()  # -no-reboot: QEMU ends at the reset
    open_debugger(m)
    m.send(f"{command}\r")
    assert m.wait_exit() == code


def test_halt(boot):
    m = boot(cmdline="console=both panic=debug")
    open_debugger(m)
    m.send("halt\r")
    m.expect(r"System halted\.\r?\n")


def documented_session():
    """The sample in docs/traps.md: [(command, [line...])]."""
    with open(os.path.join(ROOT, "docs", "traps.md"), encoding="utf-8") as f:
        text = f.read()
    block = re.search(r"## The panic debugger\n(?:.*\n)*?```\n(System halted[^`]*)```", text)
    parts = re.split(r"(?m)^kdb> ", block.group(1))[1:]
    return [(p.split("\n")[0], p.rstrip("\n").split("\n")[1:]) for p in parts]


def shape(line):
    """A line with what differs from build to build, and where the idle thread was, taken out."""
    line = re.sub(r"( idle +ready .* at )\w+", r"\1IDLE", line)
    line = re.sub(r"\+0x[0-9a-f]+", "+0x", re.sub(r"\b[0-9a-f]{16}\b", "ADDRESS", line))
    return re.sub(r"\b\d+\b|\b[0-9a-f]{6,}\b", "N", re.sub(r" +", " ", line)).strip()


def test_the_documented_session(boot):
    m = boot()
    open_debugger(m, "pagefault")
    session = documented_session()
    assert len(session) > 3
    for command, lines in session:
        got = kdb(m, command).splitlines()
        assert [shape(line) for line in got] == [shape(line) for line in lines], command


# --- NMI and machine checks -------------------------------------------------------------------------

def test_nmi_is_a_panic(boot):
    m = boot(cmdline="console=both panic=halt")
    m.prompt()
    m.qmp("inject-nmi")
    m.expect(r"KERNEL PANIC: non-maskable interrupt \(no reason given\)")
    m.expect(r"exception 2 NMI")
    m.expect(r"System halted")


def test_nmi_is_reported(boot):
    m = boot(cmdline="console=both panic=halt nmi=report")
    m.prompt()
    for _ in range(2):
        m.qmp("inject-nmi")
        m.expect(r"nmi: 1 came, the last: no reason given")
    assert "nmi: 1 came" in m.command("dmesg warn")


def test_nmi_reaches_a_machine_that_hangs(boot):
    """Interrupts off for good, no output: the button shows where it is."""
    m = boot(cmdline="console=both panic=halt")
    m.prompt()
    m.send("crash hang\r")
    m.expect(r"hanging")
    m.qmp("inject-nmi")
    m.expect(r"KERNEL PANIC: non-maskable interrupt")
    m.expect(r"crash_hang\+0x")


def test_corrected_machine_checks_are_logged(boot):
    m = boot()
    m.prompt()
    m.hmp("mce 0 3 0x9400000000000145 0 0x12345000 0")
    m.expect(r"machine check: bank 3: corrected, data cache: data write, level 1; "
             r"status 9400000000000145 addr 12345000\r?\n")
    m.hmp("mce 0 3 0x8000000000000005 0 0 0")
    m.expect(r"machine check: bank 3: corrected, internal parity; status 8000000000000005\r?\n")
    m.sync()


def test_uncorrected_machine_check(boot):
    m = boot(cmdline="console=both panic=halt")
    m.prompt()
    m.hmp("mce 0 2 0xbe00000000000135 5 0xabcd000 0x8c")
    m.expect(r"KERNEL PANIC: machine check")
    m.expect(r"exception 18 #MC")
    m.expect(r"MCG_STATUS 5: restartable, rip has nothing to do with it\r?\n"
             r"bank 2: uncorrected, processor context corrupt, data cache: data read, level 1\r?\n"
             r"  status be00000000000135 addr abcd000 misc 8c\r?\n")
    m.expect(r"System halted")


# --- the log of the boot before ---------------------------------------------------------------------

@pytest.mark.parametrize("mem", ["8M", "128M", "5G"])
def test_log_of_a_panic(boot, mem):
    m = boot(cmdline="console=both panic=reboot", mem=mem, reboot=True)
    m.prompt()
    assert m.command("dmesg -p") == "none: memory holds no log of an earlier boot\n"
    m.send("crash pagefault\r")
    m.expect(r"KERNEL PANIC")
    m.prompt()
    text = m.command("dmesg -p")
    assert text.startswith("The log of boot 1, the one before this:\n"), text
    assert re.search(r"init: shell +ok\n(.*\n)* KERNEL PANIC: page fault: kernel reading 0x8"
                     r"(.*\n)*rax(.*\n)*code:(.*\n)*  \w+ crash_page_fault\+0x", text), text
    assert "KERNEL PANIC" not in m.command("dmesg"), "this boot's log is another one"


def test_log_over_reboot(boot):
    m = boot(reboot=True)
    m.prompt()
    for number in range(1, 4):
        m.send("reboot\r")
        m.expect(r"Restarting")
        m.prompt()
        text = m.command("dmesg -p")
        assert text.startswith(f"The log of boot {number}, the one before this:\n"), text
        assert re.search(r"MinOS [\d.]+ x86_64\n(.*\n)*.*init: shell +ok\n.*data given back\n$", text), text


def halves(m):
    """Where the headers of both halves of the kept log lie, and their boots' numbers."""
    area = m.memory(KEEP, KEEP_SIZE)
    return [int.from_bytes(area[at + 8:at + 16], "little") for at in (0, KEEP_SIZE // 2)]


def damage(m, address):
    """Change a byte of physical memory, by the shell."""
    byte = m.memory(address, 1)[0] ^ 0x5A
    assert "->" in m.command(f"poke -p {address:#x} {byte:#x} b")


def test_damaged_log(boot):
    m = boot(reboot=True)
    m.prompt()
    m.send("reboot\r")
    m.expect(r"Restarting")
    m.prompt()
    ours = halves(m).index(2) * (KEEP_SIZE // 2) + KEEP
    line = m.memory(ours, 0x4000).index(b"init: heap")
    damage(m, ours + line)
    m.send("reboot\r")
    m.expect(r"Restarting")
    m.prompt()
    text = m.command("dmesg -p")
    assert "init: paging" in text and "init: heap" not in text, text
    assert text.endswith("\n(the rest is damaged)\n"), text


def test_refused_log(boot):
    m = boot(reboot=True)
    m.prompt()
    half = KEEP + halves(m).index(1) * (KEEP_SIZE // 2)
    for header in (half, half + 48):  # both of the only half in use: the number of the boot
        damage(m, header + 8)
    # What this boot logs would repair a header: nothing may be logged from here on.
    m.send("reboot\r")
    m.expect(r"Restarting")
    m.prompt()
    assert m.command("dmesg -p") == "refused: there is one, but its checksum is wrong\n"
