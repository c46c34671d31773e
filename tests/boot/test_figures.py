"""test_figures.py - the goals of docs/performance.md, as limits.

Instructions under -icount are the same on every machine, so these do not depend on how busy this
one is.  The limits of single operations are a good third above what was reached: they are here to
make a loss of speed visible in the change that causes it.
"""

import os
import re
import sys

import pytest

import vm as machine

sys.path.insert(0, os.path.join(machine.ROOT, "tools"))
import bench  # noqa: E402  (the path above)

# Instructions per operation, of the shell's `bench`.
LIMITS = {
    "context_switch": 150,
    "yield_alone": 60,
    "int_entry_exit": 100,
    "timer_irq": 300,
    "frame_alloc_free": 180,
    "kmalloc_kfree_64": 250,
    "mutex": 90,
    "spinlock": 50,
    "clock_ns": 50,
}


@pytest.mark.parametrize("chipset", ["pc", "q35"])
def test_boot_time(chipset, tmp_path):
    first = bench.handover(chipset, str(tmp_path), runs=1)
    _, total, disk, clean = bench.medians(chipset, runs=1)[-1]
    assert total <= 30e6, "reset to prompt, in ns of guest time"
    assert clean - first <= 5e6, f"ours without {disk} ns of waiting for the disk"


def test_memory_used_at_the_prompt():
    assert bench.memory_used() < 4096  # KiB, on a machine of 8 MiB


def test_operations():
    found = {name: int(n) for name, n in re.findall(r"^bench (\w+)\s+(\d+)", bench.operations(), re.M)}
    assert set(LIMITS) <= set(found), found
    slow = {name: found[name] for name, limit in LIMITS.items() if found[name] > limit}
    assert not slow
