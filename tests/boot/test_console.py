"""test_console.py - the console under load and under odd conditions: floods, a line that stops,
keys that restart, layouts from the command line, machines that cannot be turned off.
"""

import fcntl
import os
import re
import threading
import time

import pytest

import vm as machine

F_SETPIPE_SZ = 1031  # fcntl(2): Python names it from 3.10 on


def test_paste_arrives_whole_and_in_order(vm):
    """More than the input queue holds while nobody reads: the line has to wait, nothing is lost."""
    count = 1000
    lines = "sleep 1\r" + "".join(f"echo L{i}\r" for i in range(count))
    assert len(lines) > 2 * 4096
    threading.Thread(target=vm.send, args=(lines,), daemon=True).start()
    vm.expect(rf"\nL{count - 1}\r?\n")
    vm.prompt()
    echoed = re.findall(r"\nL(\d+)\n", vm.serial_text().replace("\nminOS> ", "\n\n"))
    assert [int(n) for n in echoed] == list(range(count))
    assert re.search(r"received\s+\d+ bytes, 0 lost", vm.command("serial"))


def test_ctrl_c_behind_a_flood(vm):
    """Nobody reads, the queue is full: after five seconds Ctrl-C is seen nevertheless."""
    vm.send("sleep 300\r")
    vm.expect("sleep 300")
    vm.send("x" * 20000 + "\x03")
    vm.prompt(timeout=30)
    vm.sync()
    assert "alive" in vm.command("echo alive")


def test_both_hammered_at_once(vm):
    """Each key arrives once, whichever device it comes from."""
    keys = 60

    def type_keys():
        for _ in range(keys):
            vm.keys("k", hold_ms=2)

    vm.send("echo ")
    vm.expect("echo ")
    thread = threading.Thread(target=type_keys)
    thread.start()
    for _ in range(100):
        vm.send("s")
        time.sleep(0.01)
    thread.join()
    time.sleep(0.5)
    vm.send("\r")
    vm.prompt()
    shown = vm.serial_text().rsplit("echo ", 1)[1]
    typed, printed = shown.count("k"), shown.count("s")
    assert (typed, printed) == (2 * keys, 2 * 100), "once as it was typed, once by echo"


def test_escape_sequences_cut_by_the_other_device(vm):
    """Arrow keys of the keyboard between bytes of the serial line stay whole."""
    vm.send("echo ")
    vm.expect("echo ")
    for char in "abcdef":
        vm.send(char)
        vm.expect(char)
        vm.keys("left", "right", hold_ms=2)
    time.sleep(0.5)
    vm.send("\r")
    vm.expect(r"\nabcdef\r?\n")
    vm.prompt()


def test_serial_line_that_stops(boot, tmp_path):
    """Nobody reads the line: the screen and keyboard go on, and so does the line when it is read again."""
    for end in ("in", "out"):
        os.mkfifo(tmp_path / f"line.{end}")
    to_us = os.open(tmp_path / "line.out", os.O_RDWR | os.O_NONBLOCK)
    from_us = os.open(tmp_path / "line.in", os.O_RDWR)
    fcntl.fcntl(to_us, F_SETPIPE_SZ, 4096)
    m = boot(serial=False, extra=["-serial", f"pipe:{tmp_path}/line"])
    m.expect_screen(r"\nminOS> *\Z")
    for _ in range(30):
        m.type("help\n")
        m.expect_screen(r"\nminOS> *\Z")
    m.type("serial\n")
    m.expect_screen(r"does not\s+take output(.|\n)*[1-9]\d* dropped")
    read = b""
    end = time.monotonic() + 60
    last = time.monotonic()
    while b"\nback again" not in read and time.monotonic() < end:
        try:
            read += os.read(to_us, 65536)
            last = time.monotonic()
        except BlockingIOError:
            # What is printed before the machine has seen the line move is dropped: ask again.
            if time.monotonic() - last > 1:
                os.write(from_us, b"echo back again\r")
                last = time.monotonic()
            time.sleep(0.02)
    assert b"\nback again" in read
    m.type("serial\n")
    m.expect_screen(r"by interrupts,\s+works")
    os.close(to_us)
    os.close(from_us)


def test_questions_to_the_terminal_do_not_reach_the_line(vm):
    """The screen answers them; an answer from here would be the second one."""
    start = len(vm.output)
    assert "1 passed, 0 failed" in vm.command("test console.report")
    assert b"6n" not in bytes(vm.output[start:])


def test_ctrl_alt_del_restarts(boot):
    m = boot()
    m.prompt()
    m.keys("ctrl-alt-delete")
    assert m.wait_exit(20) == 0  # -no-reboot: QEMU ends


def test_layout_from_the_command_line(boot):
    m = boot(cmdline="console=both kbd=de")
    m.prompt()
    m.type("echo ")
    m.keys("z", "semicolon", "alt_r-q", "ret")
    m.expect("\nyö@\r?\n".encode())
    m.prompt()


def test_unknown_layout_on_the_command_line(boot):
    m = boot(cmdline="console=both kbd=xx")
    m.prompt()
    assert 'no layout "xx"' in m.serial_text()
    assert re.search(r"us \S+ \(in use\)", m.command("kbd"))


def test_poweroff_without_acpi_says_so(boot):
    m = boot(machine="isapc", cpu="qemu64")
    m.prompt()
    m.send("poweroff\r")
    m.expect("safe to turn off")
    m.expect_screen("safe to turn off")


def test_leds_follow_the_locks(boot, tmp_path):
    """QEMU's trace of its keyboard: 1 Scroll, 2 Num, 4 Caps."""
    trace = tmp_path / "trace"
    m = boot(extra=["-trace", "enable=ps2_set_ledstate", "-D", str(trace)])
    m.prompt()
    start = len(trace.read_text().splitlines())
    if start == 0:
        pytest.skip("this QEMU traces nothing")
    for key in ("caps_lock", "num_lock", "scroll_lock", "caps_lock"):
        m.keys(key)
    for _ in range(6):
        m.keys("caps_lock", "num_lock", "scroll_lock", hold_ms=2)
    time.sleep(0.3)
    text = m.command("kbd")
    assert re.search(r"Scroll on, Num on, Caps off", text)
    assert re.search(r"0 errors, 0 LED commands refused", text)
    states = [int(line.split()[-1]) for line in trace.read_text().splitlines()[start:]]
    assert states[:4] == [4, 6, 7, 3]
    assert states[-1] == 3


def key_interrupts(vm):
    return max(map(int, re.findall(r"(?m)^ *1: (\d+)", vm.hmp("info irq"))), default=0)


def page(vm, key, times=1):
    """Press a page key with shift, each time until the kernel has taken it; returns the screen then."""
    for _ in range(times):
        wanted = key_interrupts(vm) + 6  # shift: a byte down, one up; the page key: two each
        vm.keys(key, hold_ms=2)
        deadline = time.monotonic() + machine.TIMEOUT
        while key_interrupts(vm) < wanted:
            assert time.monotonic() < deadline, vm.report(f"{key} was not taken")
    screen, before = vm.screen(), None
    while screen != before:
        time.sleep(0.02)  # the handler is done, the thread that scrolls may not be
        before, screen = screen, vm.screen()
    return screen


def test_scrollback_keeps_a_thousand_lines(vm):
    """The oldest line that can still be seen is 1,000 lines above the screen."""
    block = "; ".join(f"echo n{i % 100}" for i in range(50))
    vm.command("clear")
    vm.command("echo first-line")
    while True:
        for _ in range(5):
            vm.command(block)
        top = page(vm, "shift-pgup", 45)
        page(vm, "shift-pgdn", 45)
        if not any("first-line" in line for line in top):
            break
    history = 0
    before = vm.screen()
    while True:
        after = page(vm, "shift-pgup")
        if after == before:
            break
        history += next(n for n in range(1, 25) if after[n:] == before[:25 - n] or n == 24)
        before = after
    assert history == 1000
    vm.keys("shift-pgdn")
