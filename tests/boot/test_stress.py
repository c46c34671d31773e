"""test_stress.py - the command `stress`: ten million operations, on many processors, under input.

Every run prints its seed; SEED=n repeats one (exactly only under -icount: otherwise the host decides
when threads are interrupted).  What `stress` looks at: tests/kernel/stress/.
"""

import os
import random
import re

import pytest

OPERATIONS = 10_000_000
KINDS_AT_LEAST = 0.05  # of all operations, each kind
MINUTES = 60
CPUS = ["qemu64", "kvm64", "core2duo", "Nehalem", "Haswell", "EPYC", "max"]
INPUT_BYTES = 4096  # the console's input queue (drivers/console.c)


def seed():
    value = int(os.environ.get("SEED") or random.randrange(1 << 32))
    print("seed", value)
    return value


def shares(text):
    """{kind: operations} from what `stress` printed."""
    return {kind: int(n.replace(",", ""))
            for kind, n in re.findall(r"(?m)^  ([a-z]+) +([\d,]+) +[\d.]+%\r?$", text)}


def start(m, operations, value):
    m.send(f"stress {operations} {value}\r")
    m.expect(r"\(Ctrl-C ends it\)")


def wait_good(m, operations, minutes=5):
    match = m.expect(r"(?m)^stress: (FAILED.*|[\d,]+ operations, seed \d+.*)\r?\n", minutes * MINUTES)
    line = match.group(1).decode()
    assert line.startswith(f"{operations:,} operations") and "no failure, nothing leaked" in line, line
    m.prompt()


def test_ten_million_operations(boot):
    m = boot()
    m.prompt()
    start(m, OPERATIONS, seed())
    wait_good(m, OPERATIONS, minutes=15)
    counts = shares(m.serial_text()[-4000:])
    assert len(counts) >= 11 and sum(counts.values()) == OPERATIONS, counts
    assert min(counts.values()) >= KINDS_AT_LEAST * OPERATIONS, counts
    assert "hello" in m.command("echo hello")


@pytest.mark.parametrize("cpu", CPUS)
def test_processors(boot, cpu):
    m = boot(cpu=cpu)
    m.prompt()
    start(m, 200_000, seed())
    wait_good(m, 200_000)


@pytest.mark.parametrize("mem,chipset", [("6M", "pc"), ("8M", "q35"), ("5G", "q35")])
def test_memory_sizes(boot, mem, chipset):
    m = boot(mem=mem, machine=chipset)
    m.prompt()
    start(m, 200_000, seed())
    wait_good(m, 200_000)


def test_same_seed_same_operations(boot):
    """The mixture of each kind is the seed's, whatever the preemption."""
    m = boot()
    m.prompt()
    found = []
    for value in (5, 5, 6):
        start(m, 50_000, value)
        wait_good(m, 50_000)
        found.append(shares(m.serial_text()[-2000:]))
    assert found[0] == found[1] != found[2]


def test_one_kind_alone(boot):
    m = boot()
    m.prompt()
    text = m.command("stress 5000 1 timers")
    assert shares(text)["timers"] == 5000 and sum(shares(text).values()) == 5000
    assert "there is no kind 'nonsense'; there are: frames heap" in m.command("stress 5 1 nonsense")


def test_interrupted(boot):
    m = boot()
    m.prompt()
    start(m, 1_000_000_000, seed())
    m.send("\x03")
    m.expect(r"no failure, nothing leaked, interrupted")
    m.prompt()


# --- input meanwhile ------------------------------------------------------------------------------

def wait_echoes(m, words):
    """The shell, when `stress` has ended, runs the lines typed meanwhile: each, in order."""
    for word in words:
        m.expect(rf"\n{word}\r?\n")
    m.prompt()


def test_serial_line_flooded(boot):
    """More than the queue holds: the rest waits in front of the UART, and nothing is lost."""
    m = boot()
    m.prompt()
    words = [f"serial-{i:04}-{'x' * 40}" for i in range(150)]
    flood = "".join(f"echo {word}\r" for word in words)
    assert len(flood) > 2 * INPUT_BYTES
    start(m, 300_000, seed())
    m.send(flood)
    wait_good(m, 300_000)
    wait_echoes(m, words)
    assert re.search(r"received +\d+ bytes, 0 lost", m.command("serial"))


def test_keyboard_hammered(boot):
    m = boot()
    m.prompt()
    words = [f"key{i}" for i in range(12)]
    start(m, 2_000_000, seed())
    for word in words:
        m.keys(*"echo", "spc", *word, "ret", hold_ms=1)
    wait_good(m, 2_000_000, minutes=10)
    wait_echoes(m, words)
    assert re.search(r"received +\d+ bytes, 0 errors", m.command("kbd"))
