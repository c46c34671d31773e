"""test_frames.py - page frames: what one costs, whatever the size of memory; who holds which.

Costs are guest instructions, counted under -icount: the same on every machine.  The shell's `bench
frames` takes and gives back at random places with so much of memory used.
"""

import re

import pytest

from test_machines import megabytes

EXACT = ["-icount", "shift=0,sleep=off"]
FILLED = (10, 50, 99)


def costs(m, percent):
    """The lines of `bench frames`: {name: instructions}."""
    text = m.command(f"bench frames {percent}", timeout=250)
    found = {name: int(n) for name, n in re.findall(r"(?m)^bench (\w+)\s+(\d+)", text)}
    assert abs(found["used_percent"] - percent) <= 1, text
    return found


def owners(text):
    """The rows of `mem` under `used`: {owner: frames}."""
    rows = text.split("\n  used ", 1)[1].split("\n  used at most", 1)[0].split("\n")[1:]
    return {m[1]: int(m[2]) for m in (re.match(r"    (\S.*?) +(\d+) ", row) for row in rows)}


def frames(text, word):
    return round(megabytes(text, word) * 256)


def machine(boot, mem):
    """At its prompt.  Memory is sparse on the host: `bench frames` does not touch what it takes."""
    m = boot(machine="q35,memory-backend=m", mem=mem, extra=EXACT + [
        "-object", f"memory-backend-ram,id=m,size={mem},reserve=off,prealloc=off"])
    m.prompt(timeout=120)
    return m


def test_cost_is_the_same_everywhere(boot):
    """64 MiB to 64 GiB, nearly empty or nearly full: within a fifth of the middle."""
    both = {}
    for mem in ("64M", "5G", "64G"):
        m = machine(boot, mem)
        for percent in FILLED if mem != "64G" else FILLED[::2]:
            found = costs(m, percent)
            both[mem, percent] = found["frame_both"]
            assert max(found["worst_free"], found["worst_alloc"]) < 5000, found
            assert found["run_again"] <= found["run_first"], found
        m.stop()
    assert max(both.values()) * 2 <= min(both.values()) * 3, both  # 1.2 / 0.8
    assert max(both.values()) <= 160, both


def test_failed_search_is_remembered(boot):
    """A run that scattered memory does not hold: the second time next to nothing is looked at."""
    m = boot(mem="5G", extra=EXACT)
    m.prompt()
    found = costs(m, 99)
    assert found["run_again"] * 20 < found["run_first"], found


def test_all_comes_back(boot):
    """What `bench frames` took, frame by frame."""
    m = machine(boot, "5G")
    before = owners(m.command("mem"))
    costs(m, 10)
    assert owners(m.command("mem")) == before


@pytest.mark.parametrize("mem", ["8M", "64M", "5G"])
def test_who_holds_what(boot, mem):
    """Every frame of RAM is free or somebody's, and what work took comes back."""
    m = boot(mem=mem)
    m.prompt()
    m.command("sleep 1")  # what is kept for the next time: stacks, slabs
    m.command("test thread")
    first = m.command("mem")
    held = owners(first)
    assert sum(held.values()) + frames(first, "free") == frames(first, "total"), first
    assert {"kernel image", "frame tables", "page tables", "thread stacks"} <= set(held), first
    zones = re.findall(r"(?m)^  (?:below 16 MiB|16 MiB to 4 GiB|above 4 GiB) +(\d+) +(\d+)", first)
    assert len(zones) == 3
    assert sum(int(total) for total, _ in zones) == frames(first, "total"), first
    assert sum(int(free) for _, free in zones) == frames(first, "free"), first
    m.command("test thread")
    assert owners(m.command("mem")) == held


def test_zeroed_while_idle(boot):
    """At the prompt nobody has anything to do: frames are zeroed, and given to the next who asks."""
    m = boot(mem="64M")
    m.prompt()
    m.command("sleep 1")
    ready = frames(m.command("mem"), "zeroed, of the free")
    assert 0 < ready <= 64
    times = re.search(r"when one was wanted +(\d+)", m.command("mem"))
    assert "1 passed, 0 failed" in m.command("test pmm.zero_pool")
    now = re.search(r"when one was wanted +(\d+)", m.command("mem"))
    assert int(now[1]) >= int(times[1]) + ready
