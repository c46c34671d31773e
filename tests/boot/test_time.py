"""test_time.py - clocks and timer interrupts on machines that have more or less of them: docs/time.md.

Under -icount guest time is exact, an instruction a nanosecond, so that a guest minute takes seconds and drift is
what the kernel makes of it.  The PIT's 1,193,182 Hz are the measure.
"""

import re
import struct

import pytest

from vm import image_copy

ICOUNT = ["-icount", "shift=0,sleep=off"]
SLOW = ["-icount", "shift=5,sleep=off"]  # 32 ns: for what keeps the CPU busy for long
DRIFT_PPM = 10  # after a minute, in which the TSC is corrected; 50 are promised


def machine(boot, tmp_path, cmdline=None, **options):
    """A machine in exact time, at its prompt."""
    if cmdline is not None:
        options["image"] = image_copy(tmp_path, cmdline=f"console=both {cmdline}")
    options.setdefault("extra", ICOUNT)
    m = boot(**options)
    m.prompt()
    return m


def counters(m):
    """The counters that `clock` lists: {name: what it says of them}."""
    rows = re.findall(r"(?m)^(tsc|hpet|pm|pit) +\d+ +\d+ +[\d,]+ +(?:never|\d+ ms) *(.*)$",
                      m.command("clock"))
    return dict(rows)


def race(m, seconds):
    """`clock check`: ({counter: ppm against the clock}, microseconds by the clock, which that is)."""
    text = m.command(f"clock check {seconds}", timeout=250)
    clock, by = re.search(r"(?m)^clock +([\d,]+) +\(by (\w+)\)", text).groups()
    rows = re.findall(r"(?m)^(\w+) +[\d,]+ +([+-]\d+\.\d+) ppm", text)
    return {name: float(ppm) for name, ppm in rows}, int(clock.replace(",", "")), by


def interrupts(m):
    """(timer interrupts so far, device)."""
    found = re.search(r"Interrupts by (\w+), [^\n]*\n(\d+) interrupts, ", m.command("clock"))
    return int(found[2]), found[1]


@pytest.mark.parametrize("clock", ["tsc", "hpet", "pm", "pit"])
def test_a_minute_without_drift(boot, tmp_path, clock):
    m = machine(boot, tmp_path, f"clock={clock}")
    ppm, passed, by = race(m, 60)
    assert by == clock
    assert set(ppm) == {"tsc", "hpet", "pm", "pit"}
    assert 60e6 <= passed < 60.1e6
    # All against the clock; so the clock and each of them against the PIT.
    assert all(abs(error - ppm["pit"]) <= DRIFT_PPM for error in ppm.values()), ppm
    assert abs(ppm["pit"]) <= DRIFT_PPM


def test_a_minute_without_acpi(boot, tmp_path):
    m = machine(boot, tmp_path, machine="isapc")
    ppm, _, by = race(m, 60)
    assert by == "tsc" and set(ppm) == {"tsc", "pit"}
    assert all(abs(error) <= DRIFT_PPM for error in ppm.values()), ppm
    assert "corrected 1 time," in m.command("clock")


def up_seconds(text):
    found = re.search(r"up (?:(\d+) days? )?(\d+):(\d+):(\d+\.\d+)", text)
    days, hours, minutes, seconds = found.groups()
    return (int(days or 0) * 24 + int(hours)) * 3600 + int(minutes) * 60 + float(seconds)


def test_the_clock_runs_as_the_machine_does(boot, tmp_path):
    """The clock chip, which QEMU drives, has gone on by as much: a second's grain in two minutes and more."""
    m = machine(boot, tmp_path, extra=ICOUNT + ["-rtc", "base=2026-01-01T00:00:00,clock=vm"])
    m.command("sleep 120", timeout=250)
    # On one line: an idle machine's time runs away while its next line is typed.
    text = m.command("uptime; " + "; ".join(f"outb 0x70 {reg}; inb 0x71" for reg in (4, 2, 0)))
    hours, minutes, seconds = (int(v) for v in re.findall(r"port 0071: (\d\d)", text))  # BCD
    up = up_seconds(text)
    assert up >= 120
    assert abs(up % 86400 - hours * 3600 - minutes * 60 - seconds) < 1.5


@pytest.mark.parametrize("name, cpu, clock, has", [
    ("q35", "max", "tsc", {"tsc", "hpet", "pm", "pit"}),
    ("pc", "qemu64", "tsc", {"tsc", "hpet", "pm", "pit"}),
    ("q35,hpet=off", "max", "tsc", {"tsc", "pm", "pit"}),
    ("pc,acpi=off", "max", "tsc", {"tsc", "pit"}),
    ("isapc", "max", "tsc", {"tsc", "pit"}),
])
def test_the_best_counter_that_works(boot, tmp_path, name, cpu, clock, has):
    m = machine(boot, tmp_path, machine=name, cpu=cpu)
    found = counters(m)
    assert set(found) == has
    assert [n for n, what in found.items() if what == "the clock"] == [clock]
    m.command("sleep 0.5")
    assert up_seconds(m.command("uptime")) >= 0.5, "time does not stand still"
    assert "passed, 0 failed" in m.command("test clock.mono"), "nor go back"


@pytest.mark.parametrize("clock", ["hpet", "pm", "pit", "tsc"])
def test_a_clock_that_was_asked_for(boot, tmp_path, clock):
    m = machine(boot, tmp_path, f"clock={clock}")
    assert counters(m)[clock] == "the clock"
    log = m.command("dmesg")
    stamps = [float(s) for s in re.findall(r"(?m)^\[ *(\d+\.\d+)\]", log)]
    assert stamps == sorted(stamps), "also where it took over from another"


def test_a_clock_that_is_not_there(boot, tmp_path):
    m = machine(boot, tmp_path, "clock=hpet", machine="isapc")
    assert counters(m)["tsc"] == "the clock"


def test_clock_option_refuses_nonsense(boot, tmp_path):
    m = machine(boot, tmp_path, "clock=sundial")
    assert "clock= takes tsc, hpet, pm or pit" in m.command("dmesg")
    assert counters(m)["tsc"] == "the clock"


# 18 a second by the PIT (55 ms), 10 by the HPET (100 ms), one for the look at the hardware's
# errors, one in eight for the TSC's comparison. QEMU's PIT raises its line twice at the end of
# mode 4, and its I/O APIC takes every second such end for two interrupts.
@pytest.mark.parametrize("name, device, most", [
    ("q35,hpet=off", "pit", 20 * 3 // 2), ("isapc", "pit", 20), ("q35", "hpet", 12)])
def test_an_idle_machine_is_left_alone(boot, tmp_path, name, device, most):
    """Timer interrupts per guest second while nothing happens, once the TSC's rate is known."""
    m = machine(boot, tmp_path, "nolapictimer", machine=name)
    m.command("sleep 12")
    text = m.command("clock; sleep 20; clock")  # on one line: guest time runs while one types
    before, after = (int(n) for n in re.findall(r"(?m)^(\d+) interrupts, ", text))
    assert f"Interrupts by {device}," in text
    assert 0 < after - before <= 20 * most + 4


def slept_ms(m, seconds):
    return float(re.search(r"time: (\d+\.\d+) ms", m.command(f"time sleep {seconds}"))[1])


@pytest.mark.parametrize("name", ["q35", "q35,hpet=off", "isapc"])
def test_sleeps_end_on_time(boot, tmp_path, name):
    m = machine(boot, tmp_path, machine=name)
    for wanted in (0.001, 0.1, 1.0, 7.0):
        # 1/8192 of it is asked for in addition, so that no interrupt comes before its time.
        assert 0 <= slept_ms(m, wanted) - wanted * 1000 <= wanted * 1000 / 8192 + 0.1


@pytest.mark.parametrize("name", ["q35", "q35,hpet=off", "isapc"])
def test_sleeps_end_on_time_while_others_run(boot, tmp_path, name):
    m = machine(boot, tmp_path, machine=name, extra=SLOW)
    # On one line, so that the shell, which computes while one types, has used less than the other.
    text = m.command("spawn spin; sleep 0.5; time sleep 0.005; time sleep 0.1; time sleep 0.5")
    slept = [float(ms) for ms in re.findall(r"time: (\d+\.\d+) ms", text)]
    assert len(slept) == 3
    for wanted, ms in zip((5, 100, 500), slept):
        assert 0 <= ms - wanted <= 1, "far less than a tick"


def test_a_busy_machine_ticks(boot, tmp_path):
    m = machine(boot, tmp_path, extra=SLOW)
    m.command("spawn spin")
    text = m.command("clock; sleep 1; clock")
    before, after = (int(n) for n in re.findall(r"(?m)^(\d+) interrupts, ", text))
    assert 95 <= after - before <= 125, "preemption needs its 100 ticks a second"


def hpet_table(path, address, space=0):
    """An HPET description table's body for QEMU's -acpitable, which makes header and checksum."""
    path.write_bytes(struct.pack("<IBBBBQBHB", 0x8086A201, space, 64, 0, 0, address, 0, 100, 0))
    return ["-acpitable", f"sig=HPET,rev=1,data={path}"]


@pytest.mark.parametrize("address, space", [
    (0xFED00000, 0),  # nobody answers there
    (0x2000000, 0),   # memory
    (0xFED00004, 0), (0, 0), (0xFED00000, 1), (0xFFFFFFFFFFFFF000, 0)])
def test_tables_that_lie(boot, tmp_path, address, space):
    table = hpet_table(tmp_path / "hpet", address, space)
    m = machine(boot, tmp_path, "nolapictimer", machine="q35,hpet=off", extra=ICOUNT + table)
    assert set(counters(m)) == {"tsc", "pm", "pit"}
    assert interrupts(m)[1] == "pit"
    assert m.command("sleep 0.1").strip() == ""
