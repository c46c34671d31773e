"""test_commands.py - each command of the shell: what it prints, what it refuses, and that it fits the screen."""

import re
import struct
import time

import pytest

from vm import plain

# (command, regular expression that its output must match)
SAYS = [
    ("help", r"(?s)memory.*vmmap.*help NAME"),
    ("help memory", r"(?s)mem .*vmmap .*poke "),
    ("help vmmap", r"usage: vmmap \[ADDR\]"),
    ("echo 'a  b' c", r"^a  b c$"),
    ("echo -n x; echo y", r"xy|x\ny"),
    ("uname", r"^MinOS$"),
    ("uname -a", r"x86_64, command line: "),
    ("uptime", r"^up 00:\d\d:\d\d\.\d{3}, \d+ timer ticks, CPU busy \d+\.\d %"),
    ("date", r"^(Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day 20\d\d-\d\d-\d\d \d\d:\d\d:\d\d UTC$"),
    ("date -s 2028-02-29 12:34:56; date", r"(?s)Tuesday 2028-02-29 12:34:5\d UTC.*12:34:5\d"),
    ("clock", r"(?s)^tsc .*never  the clock.*^pit .*\d+ interrupts, \d+ a second"),
    ("clock check 1", r"(?s)^clock .*\(by tsc\).*^pit +[\d,]+ +[+-]\d+\.\d+ ppm"),
    ("dmesg", r"\[ +\d+\.\d{6}\] init: shell +ok"),
    ("boot", r"(?s)from the BIOS.*drive 80h.*stage 1.*protected mode.*kernel_main.*prompt .*EFER"),
    ("boot state", r" 0  16 +00:7c00 .* - +- +- +- +- -$"),
    ("e820", r"(?s)As the firmware gave it.*RAM.*Sorted"),
    ("mem", r"(?s)total +\d+ .*free.*Kernel heap.*kmalloc-.*kernel code"),
    ("vmmap", r"(?s)rw--g WC +b8000 +device.*r-x-g WB .*kernel code.*regions, "),
    ("mem leaks", r"(?s)COUNT +BYTES +ALLOCATED BY.*in all, by \d+ call sites"),
    ("mem mark; mem leaks since", r"(?s)marked: \d+ objects.* 0 +0 +in all, by 0 call sites"),
    ("mem check", r"^(0 objects damaged|Nothing to check: )"),
    ("mem shrink; mem shrink", r"(?s)slab caches +\d+ calls.*^0 frames given back$"),
    ("fail", r"^off$"),
    ("vmmap cmd_echo", r"(?s)PML4E.*PDPTE.*PDE.*PTE .* r-x.*physical address 0x1"),
    ("vmmap 0xffffffff800b8000", r"PTE .*rw--g\n.*physical address 0xb8000.*cache type WC \(PAT entry 4\)"),
    ("kmap", r"(?s)TYPE.*ranges, .*thread stacks.*searches looked at"),
    ("vmmap 0x1000", r"(?s)not present.*not mapped"),
    ("vmmap 0x8000000000000000", r"not canonical"),
    ("pte 8000000000001163", r"^entry 8000000000001163"),  # as printed: hexadecimal without 0x
    ("pte 0x8000000000105063", r"(?s)0 +1 +P .*63 +1 +XD .*0x105000.*cache type WB"),
    ("pte 0x80000000000001fb", r"cache type UC \(PAT entry 7\) in a PTE,\nUC \(PAT entry 3\) in a PDE"),
    ("peek -p 0x500", r"0000000000000500: 534f6e694d746f42 "),  # "BotMinOS"
    ("peek -p 0x500 b 2", r"(?s)500: 42 .*501: 6f "),
    ("dump -p 0x500 16", r"42 6f 74 4d 69 6e 4f 53 .* BotMinOS"),
    ("sym cmd_echo", r"^ffffffff80[0-9a-f]{6}  cmd_echo$"),
    ("sym cmd_", r"\A(?=(?s:.*)^[0-9a-f]{16}  cmd_boot$)([0-9a-f]{16}  cmd_\w*\n){40,}\Z"),
    ("sym cmd_echo+4", r"cmd_echo\+0x4"),
    ("regs", r"(?s)CR0 .* PE .*WP PG.*CR4 .*PAE.*EFER .*LME LMA.*GDTR.*CS 0008"),
    ("regs cr0", r"0 +1 +PE +protected mode"),
    ("regs EFER", r"(?s)MSR c0000080.*10 +1 +LMA"),
    ("regs all", r"(?s)CR0 = .*protected mode.*CR4 = .*RFLAGS = .*STAR = .*KGSBASE = "),
    ("cpu", r"(?s)vendor .*addresses .*features.* sse2 .*long-mode"),
    ("gdt", r"(?s)0008 .*ring 0 +code, 64-bit.*TSS, busy.*IST1 .*double fault"),
    ("idt", r"(?s)IST1 +#DF.*IRQ 0"),
    ("idt 14", r"#PF page fault"),
    ("pic", r"(?s)IRR .*ISR .*IMR "),
    ("irq", r"(?m)^ +\d+ +[0-9a-f]{2} +\d+ .*timer"),
    ("ps", r"(?s)main .*idle .*shell +running"),
    ("stack", r"(?s)cmd_stack\+0x.*shell_"),
    ("stack 1", r"thread_main_loop\+0x"),
    ("inb 0x64", r"port 0064: [0-9a-f]{2}$"),
    ("outl 0xcf8 0x80000000; inl 0xcf8", r"port 0cf8: 80000000$"),
    ("lspci", r"(?s)00:00\.0 8086:.*host bridge"),
    ("lspci -v", r"class 06\.00\.00"),
    ("kbd", r"(?s)us American \(in use\).*Caps off"),
    ("serial", r"115200 baud"),
    ("color", r"bright-yellow"),
    ("time echo hi", r"(?s)^hi\n.*time: \d+\.\d{3} ms, [\d,]+ TSC ticks"),
    ("sleep 0.01", r"\A\s*\Z"),
    ("test lib.crc", r"1 passed, 0 failed"),
    ("test -l", r"pmm\."),
    ("more echo hi", r"^hi$"),
    ("echo hi | more", r"^hi$"),
    ("crash", r"(?s)doublefault.*usage: crash KIND"),
]

# (command, what the refusal must say)
REFUSES = [
    ("hlep", r"^unknown command 'hlep', did you mean 'help'\?$"),
    ("qqqqqq", r"^unknown command 'qqqqqq'"),
    ("help qqqqqq", r"no command or group 'qqqqqq'"),
    ("uptime now", r"^usage: uptime$"),
    ("clock wind", r"^usage: clock \[check \[SECONDS\]\]$"),
    ("clock check 3601", r"3600"),
    ("sym nosuch", r"\A'nosuch' is no address: .*\n\Z"),
    ("kill 9999", r"\A.*no thread 9999.*\n\Z"),
    ("more peek", r"\Ausage: peek .*\n\Z"),
    ("peek", r"usage: peek"),
    ("peek zzz", r"'zzz' is no address"),
    ("peek 0", r"^0 is not mapped"),
    ("peek 0xffffffffffffffff", r"is not mapped"),
    ("peek 0xffffc00000000000", r"is not mapped"),
    ("peek -p 0xffffffffffffffff", r"beyond this CPU's limit"),
    ("dump 0x123456789abcdef0", r"is not mapped"),
    ("poke cmd_echo 0x90 b", r"is read-only"),
    ("poke -p 0x100000 0x90 b", r"read-only"),
    ("poke 0 1", r"is not mapped"),
    ("poke -p 0x500 0x100 b", r"too large"),
    ("inb 0x10000", r"too large"),
    ("pte hello", r"'hello' is not a number"),
    ("regs cr9", r"no register 'cr9'"),
    ("idt 256", r"too large"),
    ("date -s 2027-02-29", r"no such day"),
    ("date -s yesterday", r"a date is written"),
    ("kill 1", r"thread 1 stays"),
    ("kill 4", r"thread 4 stays"),
    ("kill 9999", r"no thread 9999"),
    ("renice 9999 0", r"no thread 9999"),
    ("renice 1 bg", r"thread 1: the system lives on it"),
    ("renice 1", r"usage: renice"),
    ("nice 5", r"usage: nice"),
    ("irqsoff", r"IRQSOFF=1"),
    ("stack 9999", r"no thread 9999"),
    ("mem nonsense", r"usage: mem"),
    ("mem leaks today", r"usage: mem"),
    ("fail often", r"usage: fail"),
    ("fail nth", r"usage: fail"),
    ("fail every 0", r"usage: fail"),
    ("fail site nosuch", r"there is no function 'nosuch'"),
    ("fail sweep nosuch", r"there is no command 'nosuch'"),
    ("spawn dance", r"usage: spawn"),
    ("sleep soon", r"usage: sleep"),
    ("kbd xx", r"no layout 'xx'"),
    ("color mud", r"'mud' is no colour"),
    ("dmesg loud", r"'loud' is no level"),
    ("crash softly", r"no crash of the kind 'softly'"),
    ("echo 'open", r"is opened but not closed"),
    ("ps | less", r"only the word more"),
    ("time", r"usage: time"),
]


@pytest.mark.parametrize("command,pattern", SAYS, ids=[c for c, _ in SAYS])
def test_says(vm, command, pattern):
    assert re.search(pattern, vm.command(command), re.M)


@pytest.mark.parametrize("command,pattern", REFUSES, ids=[c for c, _ in REFUSES])
def test_refuses(vm, command, pattern):
    assert re.search(pattern, vm.command(command), re.M)


@pytest.mark.parametrize("command,says", [
    ("kill abc", "is not a number"), ("kill 9999 abc", "is not a number"),
    ("pte -1", "is not a number"), ("peek zz", "is no address"), ("peek 0 b 9999", "too large"),
    ("poke zz 1", "is no address"), ("vmmap zz", "is no address"), ("outb 0x80 256", "too large"),
    ("inb zz", "is not a number"), ("stack shell", "is not a number"), ("idt 300", "too large"),
    ("regs x", "no register 'x'"), ("spawn spin 999999999", "too large"),
    ("renice 1 20", "too large"), ("spawn -n -21 spin", "too large"), ("nice x ps", "is not a number"),
    ("kbd zz", "no layout 'zz'"), ("color 99", "'99' is no colour"),
    ("dump cmd_echo -1", "is not a number"), ("crash nosuch", "no crash of the kind"),
    ("date -s 2026-02-30", "no such day")])
def test_bad_argument_gets_the_usage_too(vm, command, says):
    name = command.split()[0]
    assert re.search(rf"(?s)\A.*{says}.*\nusage: {name} [^\n]*\n\Z", vm.command(command))


def test_tab_behind_a_pipe(vm):
    for typed, completed in (("ps | m", "ps | more "), ("ps |", "ps |more "), ("ps | p", "ps | p"),
                             ("ps | more p", "ps | more p"), ("ps | more; unam", "ps | more; uname ")):
        vm.send(typed + "\t#")
        vm.expect_screen(rf"(?m)^minOS> {re.escape(completed)}#$")
        vm.send("\x15")


def test_ps_and_top_count_all_threads(vm):
    first, *_, last = re.findall(r"thread (\d+): demo-sleep", vm.command("spawn sleep 128"))
    rows = re.findall(r"^ *(\d+)  \S", vm.command("ps"), re.M)
    assert {str(i) for i in range(int(first), int(last) + 1)} <= set(rows)
    vm.send("top\r")
    assert int(vm.expect(r", (\d+) threads;").group(1)) == len(rows)
    vm.send("q")
    vm.prompt()
    for start in range(int(first), int(last) + 1, 20):
        vm.command("kill " + " ".join(str(i) for i in range(start, min(start + 20, int(last) + 1))))
    assert "demo" not in vm.command("sleep 0.1; ps")


def shares(vm):
    """CPU ms of each thread, by id."""
    return {int(i): int(ms) for i, ms in
            re.findall(r"^ *(\d+)  \S+ +\w+ +\S+ +(\d+) ", vm.command("ps"), re.M)}


def test_nice_and_renice(vm):
    ids = [int(i) for i in re.findall(r"thread (\d+):", vm.command(
        "spawn -n 5 spin; nice 10 spawn spin; spawn -n bg spin"))]
    text = vm.command("ps")
    for number, nice in zip(ids, ("5", "10", "bg")):
        assert re.search(rf"(?m)^ *{number}  demo-spin +\w+ +{nice} ", text), text
    before = shares(vm)
    vm.command("sleep 1")
    used = {i: n - before[i] for i, n in shares(vm).items() if i in ids}
    assert used[ids[0]] > used[ids[1]] > 0 and used[ids[2]] == 0, used
    vm.command(f"renice {ids[2]} -10")
    assert re.search(rf"(?m)^ *{ids[2]}  demo-spin +\w+ +-10 ", vm.command("ps"))
    before = shares(vm)
    vm.command("sleep 1")
    used = {i: n - before[i] for i, n in shares(vm).items() if i in ids}
    assert used[ids[2]] > used[ids[0]], used
    vm.command("kill " + " ".join(map(str, ids)))
    assert "demo" not in vm.command("sleep 0.1; ps")


def test_top_sorts_by_key_and_shows_the_load(vm):
    ids = re.findall(r"thread (\d+):", vm.command("spawn spin 2"))
    vm.send("top\r")
    vm.expect_screen(r"(?s)load [1-4]\.\d\d;.*CPU %.*\n *\d+  demo-spin .*\n *\d+  demo-spin ")
    vm.send("i")
    vm.expect_screen(r"(?s)sorted by ID.*CPU %[^\n]*\n *1  main .*\n *2  idle ")
    vm.send("t")
    vm.expect_screen(r"sorted by CPU in total")
    vm.send("q")
    vm.prompt()
    vm.command("kill " + " ".join(ids))


def test_tab_completes_arguments(vm):
    for typed, completed in (("help stac", "help stack "), ("help proc", "help processor "),
                             ("regs efe", "regs efe"), ("regs EFE", "regs EFER "),
                             ("kbd f", "kbd fr "), ("spawn sp", "spawn spin "),
                             ("crash dou", "crash doublefault "), ("vmmap cmd_ech", "vmmap cmd_echo "),
                             ("time unam", "time uname "), ("echo 1; upt", "echo 1; uptime "),
                             ("test pmm.doub", "test pmm.double_free "), ("boot sta", "boot state "),
                             ("dmesg -n deb", "dmesg -n debug "), ("color bright-cy", "color bright-cyan "),
                             ("mem lea", "mem leaks "), ("fail sw", "fail sweep ")):
        vm.send(typed + "\t#")
        vm.expect_screen(rf"(?m)^minOS> {re.escape(completed)}#$")
        vm.send("\x15")


def test_every_line_fits_80_columns(vm):
    names = re.findall(r"^  (\w+) ", vm.command("help all"), re.M)
    assert len(names) > 40
    commands = [c for c, _ in SAYS + REFUSES if not c.startswith("date -s")]
    commands += [f"help {name}" for name in names] + ["help all"]
    commands += [f"regs {r}" for r in "cr0 cr2 cr3 cr4 cr8 rflags rsp efer star lstar cstar sfmask "
                                      "fsbase gsbase kgsbase".split()]
    too_long = [(c, line) for c in commands if not c.startswith("dmesg")
                for line in vm.command(c).splitlines() if len(line) > 80]
    assert not too_long


def test_poke_reaches_memory(vm):
    vm.command("clear")
    vm.command("poke -p 0xb8f9c 0x4f21 w")  # the screen's last cell but one
    assert vm.memory(0xB8F9C, 2) == b"\x21\x4f"
    vm.command("poke -p 0xb8f9c 0x0720 w")  # the console does not know of it
    vm.command("poke ksym_poke_test 1")  # no such symbol: nothing happens
    address = int(re.search(r"highest address +(0x\w+)", vm.command("mem")).group(1), 16) - 8
    vm.command(f"poke -p {address:#x} 0x1122334455667788")
    assert struct.unpack("<Q", vm.memory(address, 8))[0] == 0x1122334455667788


def test_demo_threads(vm):
    ids = re.findall(r"thread (\d+): demo-spin", vm.command("spawn spin 2"))
    assert len(ids) == 2
    vm.command("sleep 0.5")  # of the guest's time
    rows = re.findall(r"demo-spin +\w+ +0 +(\d+) ", vm.command("ps"))
    assert len(rows) == 2 and all(int(ms) > 50 for ms in rows), "both run"
    vm.command("kill " + " ".join(ids))
    assert "demo-spin" not in vm.command("sleep 0.05; ps")


def test_a_printing_thread_leaves_the_typed_line_alone(vm):
    vm.command("clear; spawn print")
    vm.send("echo typed meanw")
    vm.expect(r"line 2 of 5\]")
    vm.send("hile")
    vm.expect_screen(r"(?m)^\[thread \d+: line 3 of 5\]\nminOS> echo typed meanwhile$")
    vm.send("\r")
    vm.expect(rb"\ntyped meanwhile\r?\n")
    vm.expect(r"line 5 of 5\]")


def test_line_that_ends_at_the_margin(vm):
    """The cursor waits in the next row's first column, on the real screen too, and comes back."""
    for above in ("", "; boot times"):  # with room below, and at the bottom of the screen
        vm.command("clear" + above)
        vm.send("echo " + "x" * 68)  # with the prompt 80 columns
        vm.expect_screen("(?m)^minOS> echo x{68}$")
        vm.send("yz")
        vm.expect_screen("(?m)^minOS> echo x{68}\nyz$")
        vm.send("\x7f" * 4 + "a")
        vm.expect_screen("(?m)^minOS> echo x{66}a$")
        vm.send("bc\x1b[H" + "\x1b[C" * 5 + "d")
        vm.expect_screen("(?m)^minOS> echo dx{66}a\nbc$")
        vm.send("\r")
        vm.expect(rb"\ndx{66}abc\r?\n")
        vm.prompt()
        vm.expect_screen("(?m)^bc\ndx{66}abc\nminOS>$")


def test_top_repaints_until_q(vm):
    vm.send("top\r")
    vm.expect_screen(r"(?m)^ +ID  NAME .*CPU %")
    vm.expect_screen(r"(?m)^ +\d+  shell ")
    first = vm.expect_screen(r"up (\d\d:\d\d:\d\d)").group(1)
    deadline = time.monotonic() + 20
    while vm.expect_screen(r"up (\d\d:\d\d:\d\d)").group(1) == first:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    vm.send("q")
    vm.prompt()


def test_pager_by_line_and_page(vm):
    vm.command("clear")
    vm.send("test -l | more\r")
    vm.expect(r"-- more")
    vm.expect_screen(r"-- more.*$")
    before = vm.screen()[:24]
    vm.send("\r")
    vm.expect(r"-- more")
    vm.expect_screen(re.escape(before[2]) + r"[^-]*")
    deadline = time.monotonic() + 20
    while vm.screen()[:23] != before[1:] and time.monotonic() < deadline:
        time.sleep(0.1)
    assert vm.screen()[:23] == before[1:], "one line on"
    vm.send(" ")
    vm.expect(r"-- more")
    vm.send("q")
    vm.expect("minOS> ")  # where the pager's question stood


def test_ctrl_c_ends_a_listing_and_the_line(vm):
    vm.send("sleep 100; echo not reached\r")
    vm.expect("not reached")  # the echo of what was typed
    time.sleep(0.3)
    vm.send("\x03")
    vm.prompt()
    assert "not reached" not in vm.command("echo")


def test_kbd_switches_the_layout(vm):
    assert "keyboard layout: de" in vm.command("kbd de")
    vm.send("echo ")
    vm.expect("echo ")
    vm.keys("z", "y", "semicolon", "ret")
    assert vm.expect(rb"\n(.*?)\r?\n").group(1).decode() == "yzö"
    vm.prompt()
    assert "keyboard layout: us" in vm.command("kbd us")


@pytest.mark.parametrize("command", ["reboot", "poweroff"])
def test_ends(boot, command):
    m = boot()
    m.prompt()
    m.send(command + "\r")
    assert m.wait_exit() == 0
    assert "minOS> " + command in plain(bytes(m.output))
