"""test_menu.py - MINOS.CFG with several entries, and the loader's menu, on both consoles."""

import re

import pytest

import vm as machine
from gdbstub import GdbStub, options
from test_firmware import errs  # noqa: F401  (a fixture)
from test_progress import symbol

UP, DOWN, LEFT, HOME, DELETE = "\x1b[A", "\x1b[B", "\x1b[D", "\x1b[H", "\x1b[3~"
OFFER, OPEN = r"menu: press a key", r"menu: Up and Down choose"

CONFIG = """# Three ways to boot.
cmdline console=both
timeout {timeout}
entry Plain
entry "With a mark"
cmdline console=both mark=second
entry Wrong
kernel ABSENT.ELF
"""


def config(timeout="30", more=""):
    return [("MINOS.CFG", (CONFIG.format(timeout=timeout) + more).encode())]


def cmdline(m):
    """The kernel's command line, as the loader left it in the boot info."""
    m.prompt()
    return re.search(r"(?m)^cmdline +(.*)$", m.command("boot info"))[1]


def chosen(m):
    """The line of the screen that the menu shows as chosen: by its mark and inverse."""
    rows = [i for i, line in enumerate(m.screen()) if line.startswith("> ")]
    assert len(rows) == 1, m.report("one entry is marked")
    assert m.attributes()[rows[0]][0] == 0x70
    return m.screen()[rows[0]][2:]


def wait_chosen(m, name):
    m.expect_screen(rf"(?m)^> {re.escape(name)}$")
    assert chosen(m) == name


def names(m):
    return [row["name"] for row in machine.boot_trace(m)]


# --- when it opens --------------------------------------------------------------------------------

@pytest.mark.parametrize("timeout", ["none", "0"])
def test_without_a_timeout_nothing_waits(boot, timeout):
    m = boot(files=config(timeout))
    assert cmdline(m) == 'entry="Plain" console=both'
    assert "menu" not in m.serial_text().split("jump to")[0]
    assert "menu" not in names(m)


def test_an_old_file_means_what_it_meant(boot):
    m = boot(files=[("MINOS.CFG", b"kernel MINOS.ELF\ninitrd none\ncmdline console=both x=1\n")])
    assert cmdline(m) == "console=both x=1"
    assert "menu" not in names(m)


def test_time_runs_out(boot):
    m = boot(files=config("1.2", 'default "with a MARK"\n'))
    m.expect(r"menu: press a key \(1\.2 s\) 1\r\n")
    assert cmdline(m) == 'entry="With a mark" console=both mark=second'
    assert not re.search(OPEN, m.serial_text())
    trace = machine.boot_trace(m)
    rows = {row["name"]: row["tsc"] for row in trace}
    waited = rows["menu"] - rows["config"]
    assert waited > 0.5 * (rows["menu"] - rows["stage 1"]), "the wait has a row of its own"


def test_time_runs_out_though_the_bios_counts_no_ticks(errs):  # noqa: F811
    m = errs("NO_TICK", files=config("0.5"))
    m.expect(OFFER)
    assert cmdline(m) == 'entry="Plain" console=both'


@pytest.mark.parametrize("name", ["shift", "spc"])
def test_a_key_held_before_opens_it_without_a_timeout(boot, tmp_path, name):
    image = machine.image_copy(tmp_path, files=config("none"), name="slow.img")
    slow = f"file={image},format=raw,if=none,id=disk,snapshot=on,throttling.bps-read=60000"
    m = boot(media=None, extra=["-drive", slow, "-device", "ide-hd,drive=disk"])
    m.expect("MinOS stage 2")  # most of a second before MINOS.CFG is read
    m.qmp("send-key", keys=[{"type": "qcode", "data": name}], **{"hold-time": 30000})
    m.expect(OPEN)
    wait_chosen(m, "Plain")


@pytest.mark.parametrize("typed,opens", [(b"\x1b\x1b\x1b", True), (b"login: root\r\n", False)])
def test_serial_line_without_a_timeout(boot, tmp_path, typed, opens):
    """ESC opens the menu; what another system says on the line does not."""
    socket = tmp_path / "gdb"
    m = boot(files=config("none"), paused=True, extra=options(socket))
    with GdbStub(socket) as stub:
        stub.run_to(symbol("cpu_check"))
        m.send(typed)
        stub.leave()
        if opens:
            m.expect(OPEN)
            m.send("\x1b\r")  # a late ESC shall not swallow Enter
        m.prompt()
        assert bool(re.search(OPEN, m.serial_text())) == opens


# --- choosing -------------------------------------------------------------------------------------

def test_choosing_on_the_serial_line(boot):
    m = boot(files=config())
    m.expect(OFFER)
    m.send(" ")
    m.expect(OPEN)
    wait_chosen(m, "Plain")
    m.send(UP)  # the first stays the first
    m.send(DOWN)
    wait_chosen(m, "With a mark")
    m.send(DOWN + DOWN + DOWN)
    wait_chosen(m, "Wrong")
    m.send("\x1b")  # means nothing here
    m.send(UP)
    wait_chosen(m, "With a mark")
    m.send("\r")
    assert cmdline(m) == 'entry="With a mark" console=both mark=second'
    assert names(m)[names(m).index("config") + 1] == "menu"


def test_choosing_at_the_keyboard(boot):
    m = boot(files=config())
    m.expect_screen(OFFER)
    m.keys("spc")
    wait_chosen(m, "Plain")
    m.keys("end")
    wait_chosen(m, "Wrong")
    m.keys("up")
    wait_chosen(m, "With a mark")
    m.keys("home")
    wait_chosen(m, "Plain")
    m.keys("down", "ret")
    assert cmdline(m) == 'entry="With a mark" console=both mark=second'


def test_the_list_is_drawn_in_place(boot):
    """At the bottom of the screen, too: sixteen entries scroll it, and none shows twice."""
    more = "".join(f'entry "Number {i}"\n' for i in range(13))
    m = boot(files=config(more=more))
    m.expect(OFFER)
    m.send(" ")
    m.expect(OPEN)
    m.send(DOWN * 15)
    wait_chosen(m, "Number 12")
    rows = [line[2:] for line in m.screen() if line[:2] in ("> ", "  ")][-16:]
    assert rows == ["Plain", "With a mark", "Wrong", *(f"Number {i}" for i in range(13))]
    assert sum("Number 5" in line for line in m.screen()) == 1
    m.send("\r")
    assert cmdline(m) == 'entry="Number 12" console=both'


def test_an_entry_that_cannot_start(boot):
    m = boot(files=config())
    m.expect(OFFER)
    m.send(" ")
    m.expect(OPEN)
    m.send(DOWN + DOWN + "\r")
    m.expect(r"MinOS cannot start: ABSENT\.ELF \(the kernel\) not found")


# --- editing --------------------------------------------------------------------------------------

def test_editing_on_the_serial_line(boot):
    m = boot(files=config())
    m.expect(OFFER)
    m.send("e")  # opens the menu; it is not taken for a command there
    m.expect(OPEN)
    wait_chosen(m, "Plain")
    m.send("e")
    m.expect_screen(r"(?m)cmdline: console=both$")
    m.send(" x=12" + LEFT + "\x7f" + HOME + "quietx " + LEFT + LEFT + DELETE)
    m.expect_screen(r"(?m)cmdline: quiet console=both x=2$")
    m.send("\r")
    assert cmdline(m) == 'entry="Plain" quiet console=both x=2'


def test_editing_at_the_keyboard(boot):
    m = boot(files=config())
    m.expect_screen(OFFER)
    m.keys("spc")
    wait_chosen(m, "Plain")
    m.keys("e", "ctrl-u", *"loglevel", "equal", "6", "end", "spc", "a", "b", "left", "delete")
    m.expect_screen(r"(?m)cmdline: loglevel=6 a$")
    m.keys("home", "right", "backspace", "l", "ret")
    assert cmdline(m) == 'entry="Plain" loglevel=6 a'


def test_esc_leaves_the_line_as_it_was(boot):
    m = boot(files=config())
    m.expect(OFFER)
    m.send(" ")
    wait_chosen(m, "Plain")
    m.send("e\x15gone")
    m.expect_screen(r"(?m)cmdline: gone$")
    m.send("\x1b")
    m.expect_screen(r"> Plain\n  With a mark\n  Wrong\n*\Z")
    m.send("\r")
    assert cmdline(m) == 'entry="Plain" console=both'


def test_a_line_longer_than_the_screen(boot):
    m = boot(files=config())
    m.expect(OFFER)
    m.send(" ")
    wait_chosen(m, "Plain")
    text = "".join(f" w{i:03}" for i in range(99))
    for at in range(0, len(text), 10):  # a UART's FIFO holds 16
        m.send(("e" if at == 0 else "") + text[at:at + 10])
        m.expect_screen(rf"(?m){re.escape(text[at:at + 10][-6:].strip())}$")
    shown = [line for line in m.screen() if line.startswith("cmdline: ")]
    assert shown == ["cmdline: " + text[-63:]], "the end is seen, on one line"
    m.send(HOME)
    m.expect_screen(r"cmdline: console=both w000 .{40}")
    m.send("\x1b[F 789012")  # four more have room
    m.send("\r")
    m.expect(r'menu: the command line leaves no room for entry="Plain"')
    assert cmdline(m) == "console=both" + text + " 789"


# --- machines that lack something -----------------------------------------------------------------

def test_without_a_screen(boot):
    m = boot(files=config(), vga="none")
    m.expect(OFFER)
    m.send(" ")
    m.expect(OPEN)
    m.send(DOWN)
    m.expect(r"\x1b\[7m> With a mark\x1b\[0m")
    m.send("\r")
    assert cmdline(m) == 'entry="With a mark" console=both mark=second'


def test_without_a_keyboard(boot):
    m = boot(files=config(), machine="q35,i8042=off")
    m.expect(OFFER)
    m.send(" ")
    m.expect(OPEN)
    m.send(DOWN + "\r")
    assert cmdline(m) == 'entry="With a mark" console=both mark=second'


def test_without_a_serial_line(boot):
    m = boot(files=config(), serial=False)
    m.expect_screen(OFFER)
    m.keys("spc")
    wait_chosen(m, "Plain")
    m.keys("down", "ret")
    m.expect_screen(r"minOS>")
    m.type("boot info\n")
    m.expect_screen(r"cmdline +entry=\"With a mark\" console=both mark=second")


@pytest.mark.parametrize("media", ["cd", "usb"])
def test_other_media(boot, media):
    m = boot(files=config(), media=media)
    m.expect(OFFER)
    m.send(" ")
    m.expect(OPEN)
    m.send(DOWN + "\r")
    assert cmdline(m) == 'entry="With a mark" console=both mark=second'


# --- wrong lines ----------------------------------------------------------------------------------

@pytest.mark.parametrize("line,why", [
    ("timeout soon", "timeout: neither none"),
    ("default Nobody", "default: no entry of this name"),
    ("entry plain", "entry: there is one"),
    ("entry two words", "name: with blanks it needs quotes"),
    ("entry " + "n" * 48, "name: longer than 47"),
    ("etnry X", "unknown key")])
def test_a_wrong_line_is_named_and_the_rest_boots(boot, line, why):
    m = boot(files=config("none", f"# the last one:\n{line}\n"))
    number = CONFIG.count("\n") + 2
    m.expect(rf"MINOS\.CFG line {number} ignored: {why}")
    assert cmdline(m) == 'entry="Plain" console=both'
    assert "MINOS.CFG has a wrong line" in m.command("boot info")
