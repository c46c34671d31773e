"""test_watchdog.py - each thing that the watchdog is there for is provoked (`spawn KIND`) and reported
once, with who and where; and a machine that is only slow, or stood still, is not accused."""

import re
import signal
import time

import pytest

from vm import plain

# Guest time by instructions, the clock chip's included: idle seconds pass at once.
EXACT_TIME = ["-icount", "shift=0,sleep=off", "-rtc", "clock=vm"]


def report(m, first, last):
    """The lines from a report's @first line to the first one that matches @last."""
    m.expect(first)
    m.expect(last + r"[^\n]*\n")
    text = plain(bytes(m.output))
    return text[re.search(first, text).start():]


def reports(m):
    return int(re.search(r"reports since boot: (\d+)", m.command("watchdog"))[1])


def test_a_thread_keeps_the_cpu(boot):
    m = boot("console=both watchdog=1")
    m.prompt()
    m.send("spawn hog; sleep 0.3\r")  # soon somebody is due
    text = report(m, r"watchdog: thread \d+ \"demo-hog\" keeps the CPU for \d{4} ms while others",
                  r"thread_begin")
    assert "preemption disabled 1 times" in text
    assert re.search(r"^\[.*\]   [0-9a-f]{16} trouble_hog\+0x", text, re.M), text
    m.prompt()
    assert reports(m) == 1
    assert "keeps the CPU" in m.command("dmesg")


@pytest.mark.parametrize("kind,place", [("deaf", "keep_deaf"), ("holder", "trouble_holder")])
def test_interrupts_stay_off(boot, kind, place):
    m = boot("console=both watchdog=1")
    m.prompt()
    m.send(f"spawn {kind}\r")
    text = report(m, rf"watchdog: interrupts were off for \d{{4}} ms in thread \d+ \"demo-{kind}\"",
                  r"thread_begin")
    assert re.search(rf"  [0-9a-f]{{16}} {place}\+0x", text), text
    m.sync()
    assert reports(m) == 1


def interrupts_off(m):
    """RFLAGS.IF is 0, and stays so for some looks."""
    for _ in range(5):
        flags = int(re.search(r"RFL=([0-9a-f]+)", m.hmp("info registers"))[1], 16)
        if flags & 0x200:
            return False
        time.sleep(0.02)
    return True


def test_an_nmi_sees_interrupts_off(boot):
    """A button on the machine, a hypervisor's command: three of them are proof, and end it."""
    m = boot("console=both watchdog=4 panic=halt")
    m.prompt()
    m.send("spawn deaf\r")
    deadline = time.monotonic() + 60
    while not interrupts_off(m):
        assert time.monotonic() < deadline
    time.sleep(4.2)  # the machine's time goes as ours: now it is too long
    for _ in range(3):
        m.qmp("inject-nmi")
        time.sleep(0.05)
    m.expect(r"KERNEL PANIC: interrupts are off for \d{4,5} ms, as 3 NMIs saw")
    m.expect(r"keep_deaf\+0x")


def test_an_interrupt_storm(boot):
    m = boot("console=both watchdog=1,2000", extra=EXACT_TIME)
    m.prompt()
    m.send("spawn storm\r")
    m.expect(r"watchdog: interrupt line 8 \(storm\) comes \d{4} times a second: masked for (9|1[012])\d\d ms")
    m.sync()
    m.command("sleep 6")
    assert reports(m) == 1, "said once"
    count = int(re.search(r"(?m)^ *8 +28 +([\d,]+)", m.command("irq"))[1].replace(",", ""))
    assert 500 < count < 5 * 8192 // 2, "masked for most of the time"


def test_a_deadlock(boot):
    m = boot("console=both watchdog=60", extra=EXACT_TIME)
    m.prompt()
    ids = [int(i) for i in re.findall(r"thread (\d+): demo-deadlock", m.command("spawn deadlock"))]
    text = report(m, r"watchdog: deadlock:", r"take_right_first[^$]*?thread_trampoline")
    one, other = ids[0], ids[0] + 1
    assert re.search(rf'thread {one} "demo-deadlock" waits for mutex "test right" for \d+ ms; thread '
                     rf'{other} "demo-other" has it', text), text
    assert re.search(rf'thread {other} "demo-other" waits for mutex "test left" for \d+ ms; thread '
                     rf'{one} "demo-deadlock" has it', text), text
    assert text.count("take_both+0x") == 2
    m.sync()
    m.command("sleep 5")
    assert reports(m) == 1, "said once"
    m.command(f"kill {one}")
    m.command("sleep 0.1")
    assert "demo-" not in m.command("ps"), "one gave up, the other got both"


def test_a_wait_without_end(boot):
    m = boot("console=both watchdog=3", extra=EXACT_TIME)
    m.prompt()
    # On one line: an idle machine's time runs away while its next line is typed.
    text = m.command("spawn waiter; sleep 0.1; spawn waiter; sleep 2; watchdog")
    assert "reports since boot: 0" in text, "not yet"
    text = report(m, r"watchdog: a thread waits for a lock:", r"is sleeping[^$]*?thread_trampoline")
    assert re.search(r'waits for mutex "test left" for [34]\d{3} ms; thread \d+ "demo-waiter" has it', text)
    assert len(re.findall(r"trouble_waiter\+0x", text)) == 2, "both call chains"
    m.sync()
    m.command("sleep 9")
    assert reports(m) == 1


def test_no_cry_of_wolf(boot):
    """Threads that compute are no hogs; a machine that its host stopped had no interrupts off."""
    m = boot("console=both watchdog=1")
    m.prompt()
    m.command("spawn spin 3")
    m.command("sleep 3")
    for _ in range(2):
        m.process.send_signal(signal.SIGSTOP)
        time.sleep(1.5)
        m.process.send_signal(signal.SIGCONT)
        m.command("sleep 0.2")
    assert reports(m) == 0, m.command("dmesg")


@pytest.mark.parametrize("value,says", [
    ("off", r"^off$"), ("7", r"for: 7 s\n.*: 20,000 times"), ("5,300", r"for: 5 s\n.*: 300 times")])
def test_settings(boot, value, says):
    m = boot(f"console=both watchdog={value}")
    m.prompt()
    assert re.search(says, m.command("watchdog"), re.M)


@pytest.mark.parametrize("value", ["", "0", "x", "3601", "5,", "5,0", "5,x", "5,10000001", "-1"])
def test_settings_that_make_no_sense(boot, value):
    m = boot(f"console=both watchdog={value}")
    m.prompt()
    assert "SECONDS[,INTERRUPTS] expected" in m.command("dmesg")
    assert re.search(r"for: 10 s\n.*: 20,000 times", m.command("watchdog"))
