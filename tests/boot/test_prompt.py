"""test_prompt.py - the two consoles and the line editor, as a person uses them."""

import re
import time

import pytest

import vm as machine

UP, DOWN, RIGHT, LEFT = "\x1b[A", "\x1b[B", "\x1b[C", "\x1b[D"
HOME, END, DELETE = "\x1b[H", "\x1b[F", "\x1b[3~"


def test_prompt_is_on_both_consoles(boot):
    m = boot()
    m.prompt()
    m.expect_screen(r"(?m)^minOS>$")


def test_typing_at_the_serial_line(vm):
    assert vm.command("echo hello serial") == "hello serial\n"
    vm.expect_screen(r"(?m)^hello serial$")


def test_typing_at_the_keyboard(vm):
    vm.type("echo Hello, Keyboard 42!\n")
    vm.expect(rb"\nHello, Keyboard 42!\r?\n")
    vm.expect_screen(r"(?m)^Hello, Keyboard 42!$")
    vm.prompt()


def test_one_line_typed_half_here_half_there(vm):
    vm.send("echo half")
    vm.expect("half")
    vm.type("way\n")
    vm.expect(rb"\nhalfway\r?\n")


def edit(vm, keys, expected):
    vm.send("echo " + keys + "\r")
    vm.expect(rb"\n" + re.escape(expected.encode()) + rb"\r?\n", timeout=20)
    vm.prompt()


def test_insert_in_the_middle(vm):
    edit(vm, "held" + LEFT + "l" + LEFT * 2 + RIGHT + "" + END + "!", "helld!")


def test_home_and_end(vm):
    vm.send("cho there" + HOME + "e" + END + " end\r")
    vm.expect(rb"\nthere end\r?\n")
    vm.send("cho again\x01e\x05 end\r")
    vm.expect(rb"\nagain end\r?\n")


def test_backspace_and_delete(vm):
    edit(vm, "abcd\x7f\x7f" + "xy" + LEFT * 2 + DELETE, "aby")


def test_kill_line_keys(vm):
    vm.send("rubbish that goes\x15echo kept\r")
    vm.expect(rb"\nkept\r?\n")
    edit(vm, "one two three\x17" + "four", "one two four")
    edit(vm, "keep drop" + LEFT * 4 + "\x0b", "keep")


def test_ctrl_l_clears_the_screen(vm):
    vm.command("echo to be cleared")
    vm.expect_screen("to be cleared")
    vm.send("echo still typed\x0c")
    vm.expect_screen(r"^minOS> echo still typed")
    assert "to be cleared" not in "\n".join(vm.screen())
    vm.send("\r")
    vm.expect(rb"\nstill typed")


def test_line_longer_than_the_screen(vm):
    words = " ".join(f"word{i}" for i in range(20))  # 149 characters
    vm.send("echo " + words + HOME + RIGHT * 5 + "first " + END + " last")
    # Row by row: the prompt and the command are twelve columns, the rest follows without a gap.
    typed = f"minOS> echo first {words} last"
    rows = [typed[i:i + 80] for i in range(0, len(typed), 80)]
    vm.expect_screen("(?m)^" + "\n".join(re.escape(row.rstrip()) for row in rows) + "$")
    vm.send("\r")
    # What the command prints is one line without a break; the editor breaks its own at the margin.
    vm.expect(rf"\nfirst {words} last\r?\n")
    vm.prompt()


def test_line_that_does_not_fit_is_refused(vm):
    vm.send("echo " + "x" * 1100 + "; echo executed\r")
    vm.expect(r"\x07")
    vm.expect(r"line too long \(1023 bytes at most\): not executed")
    vm.prompt()
    assert "xxxx" not in vm.command("history")
    assert vm.command("echo next") == "next\n"


def test_history_with_the_arrows(vm):
    vm.command("echo one")
    vm.command("echo two")
    vm.send(UP + UP + "\r")
    vm.expect(rb"\none\r?\n")
    vm.prompt()
    vm.send("echo draft" + UP + DOWN + "\r")
    vm.expect(rb"\ndraft\r?\n")


def test_history_search(vm):
    vm.command("echo needle in the history")
    vm.command("echo other")
    vm.send("\x12needle")
    vm.expect("needle in the history")
    vm.send("\r")
    vm.expect(rb"\nneedle in the history\r?\n")


def test_history_command(vm):
    vm.command("echo remembered")
    assert "echo remembered" in vm.command("history")


def test_tab_completes_a_command(vm):
    vm.send("unam\t")
    vm.expect("uname")
    vm.send("\r")
    vm.expect("MinOS")


def test_tab_completes_an_argument(vm):
    vm.send("help unam\t\r")
    vm.expect("(?i)usage")


def test_tab_lists_candidates(vm):
    vm.send("p\t\t")
    for name in ("pic", "poweroff", "ps", "pte"):
        vm.expect_screen(rf"\b{name}\b")
    vm.send("\x15")


def test_quotes_semicolon_comment(vm):
    assert vm.command("echo 'two  spaces' \"a;b\"; echo next # not this") == "two  spaces a;b\nnext\n"


def test_unknown_command_suggests(vm):
    assert "uname" in vm.command("unmae")


def test_wrong_arguments_get_the_usage_line(vm):
    assert "peek" in vm.command("peek") and "sage" in vm.command("peek")


def test_ctrl_c_stops_a_command(vm):
    vm.send("sleep 600\r")
    time.sleep(0.5)
    vm.send("\x03")
    vm.prompt(timeout=20)
    vm.send("top\r")
    vm.expect("(?i)cpu")
    vm.keys("ctrl-c")
    vm.prompt(timeout=20)


def test_ctrl_c_drops_the_line(vm):
    vm.send("echo never run\x03")
    vm.prompt()
    assert vm.command("echo clean") == "clean\n"


def test_ctrl_c_takes_back_what_was_typed_ahead(vm):
    for ahead in ("echo A\recho B\r", "", "x" * 100 + "\recho B\r"):
        vm.send("sleep 600\recho early\r" + ahead)  # some of it in the shell's buffer already
        time.sleep(0.5)
        vm.send("echo C\r")
        time.sleep(0.2)
        vm.send("echo D\r\x03")
        before = len(vm.serial_text())
        vm.prompt(timeout=20)
        vm.send("echo behind\r")
        vm.expect(rb"\nbehind\r?\n")
        said = vm.serial_text()[before:]
        assert not re.search(r"early|^[ABCDx]+$|unknown", said, re.M), said
    vm.prompt()


def test_ctrl_c_in_a_command_that_reads_keys_is_not_left_over(vm):
    for command in ("top", "help all | more"):
        vm.send(command + "\r")
        vm.expect("Ctrl-C ends it|-- more")
        before = len(vm.serial_text())
        vm.send("echo A\r\x03")
        vm.prompt(timeout=20)
        vm.send("echo behind\r")
        vm.expect(rb"\nbehind\r?\n")
        assert vm.serial_text()[before:].count("^C") == 1
        assert not re.search(r"^A$", vm.serial_text()[before:], re.M)
        vm.prompt()


def test_more_pages_long_output(boot):
    m = boot()
    m.prompt()
    m.send("help all | more\r")
    m.expect(r"(?i)--\s*more")
    m.expect_screen(r"(?i)\n--\s*more[^\n]*\Z")
    m.send(" ")
    m.send("q")
    m.prompt(timeout=20)


def test_scrollback(vm):
    for i in range(3):
        vm.command(f"echo mark{i}; dmesg")
    assert not any("mark0" in line for line in vm.screen())
    before = vm.screen()
    for _ in range(40):
        vm.keys("shift-pgup")
        if any("mark0" in line for line in vm.screen()):
            break
    assert any("mark0" in line for line in vm.screen())
    for _ in range(45):
        vm.keys("shift-pgdn")
    assert vm.screen() == before


def test_colour_on_the_screen(vm):
    vm.command("clear")
    plain = set(vm.attributes()[20])
    vm.send("\x15")
    vm.command("color red")
    vm.command("echo colourful")
    row = next(i for i, line in enumerate(vm.screen()) if line == "colourful")
    assert set(vm.attributes()[row][:9]) != plain
    vm.command("clear")  # keeps it
    assert len(set(vm.attributes()[20])) == 1 and vm.attributes()[20][0] & 0x0F == 4
    for command in ("color", "dmesg debug", "help all | more", "top"):
        vm.send(command + "\r")
        vm.expect(r"brings back what was|init: shell|-- more|Ctrl-C ends it")
        vm.send("q\x15")
        vm.expect("minOS> ")  # behind the pager not at the start of a line
        vm.command("echo colourful")
        row = max(i for i, line in enumerate(vm.screen()) if line == "colourful")
        assert vm.attributes()[row][0] & 0x0F == 4, command
    vm.command("color default")
    vm.command("clear")
    assert set(vm.attributes()[20]) == plain


def test_commandline_run(boot):
    m = boot(cmdline='console=both run="echo from the command line; uname"')
    m.expect(rb"\nfrom the command line\r?\n")
    m.expect("MinOS")
    m.prompt()


def test_quiet(boot):
    m = boot(cmdline="console=both quiet")
    m.prompt()
    assert "init: cpu" not in m.serial_text(), "all that comes after the command line was read"
    assert "init: cpu" in m.command("dmesg")


def test_console_serial_only(boot):
    m = boot(cmdline="console=ttyS0")
    m.prompt()
    m.command("echo over the wire")
    assert not any("over the wire" in line for line in m.screen())


def test_console_screen_only(boot):
    m = boot(cmdline="console=tty0")
    m.expect_screen(r"(?m)^minOS>$")
    m.type("echo on glass\n")
    m.expect_screen(r"(?m)^on glass$")
    assert "on glass" not in m.serial_text()


def test_every_command_has_help(vm):
    listing = vm.command("help")
    names = [n for n in """help echo clear uname uptime date dmesg boot e820 mem vmmap pte regs cpu
             gdt idt pic irq ps top spawn kill sleep peek poke dump inb outb lspci kbd color stack
             sym time history test crash reboot poweroff""".split()]
    for name in names:
        assert re.search(rf"\b{name}\b", listing), name
        text = vm.command(f"help {name}")
        assert len(text.splitlines()) >= 2 and name in text, (name, text)


def test_machine_module_finds_the_prompt_in_the_middle_of_escapes():
    assert re.search(machine.PROMPT, b"x\r\n\x1b[0mminOS> ")


@pytest.mark.parametrize("mem", ["16M", "32M", "48M", "64M", "96M", "128M"])
def test_the_prompt_waits_for_the_last_init_row(boot, mem):
    """
    A slow CPU (1 us per instruction), so that a tick falls into the last row for some of these: the
    shell's thread shall not run before that row is logged and in the boot trace.
    """
    m = boot(mem=mem, extra=["-icount", "shift=10,sleep=off"])
    m.prompt()
    before, _ = m.serial_text().split("minOS> ", 1)
    assert "init: shell" in before
    assert [row["name"] for row in machine.boot_trace(m)][-2:] == ["shell", "prompt"]
