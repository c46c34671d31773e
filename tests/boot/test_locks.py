"""test_locks.py - the one lock order: code, docs and lint agree, and lint finds what is wrong."""

import glob
import os
import re
import shutil
import subprocess
import sys

import pytest

import vm as machine

sys.path.insert(0, os.path.join(machine.ROOT, "tools"))
import lint  # noqa: E402  (the path above)

INIT_CALL = re.compile(r'\b(mutex|rwlock)_init\([^"();]+, "([^"]+)"\)')
INIT = re.compile(r'\b(SPINLOCK|MUTEX|RWLOCK)_INIT\((?:[^"(),]*(?:\([^)]*\))?[^"(),]*,\s*)?"([^"]+)"\)')


def read(name):
    with open(os.path.join(machine.ROOT, name), encoding="utf-8") as f:
        return f.read()


def order():
    """{name: rank} as kernel/lock_order.c has it."""
    table = read("kernel/lock_order.c").split("order[] = {")[1].split("};")[0]
    return {name: int(rank) for rank, name in re.findall(r'\{\s*(\d+),\s*"([^"]+)"\s*\}', table)}


def documented():
    """The same from the table in docs/locking.md."""
    found = {}
    for rank, names in re.findall(r"(?m)^\| (\d+) \| ([^|]+) \|", read("docs/locking.md")):
        for name in re.findall(r"`([^`]+)`", names):
            assert name not in found, f"{name} stands twice in docs/locking.md"
            found[name] = int(rank)
    return found


def locks():
    """{(kind, name)} of every lock in the sources that has a name of its own."""
    found = set()
    for folder in ("kernel", "fs", "mm", "drivers", "include", "tests/kernel"):
        for path in glob.glob(os.path.join(machine.ROOT, folder, "**", "*.[ch]"), recursive=True):
            found |= set(INIT.findall(read(path)))
            found |= {(kind.upper(), name) for kind, name in INIT_CALL.findall(read(path))}
    return {(kind, name) for kind, name in found
            if not re.match(r"test(?! (?:outer|inner)$)|bench|nameless", name)}


def test_docs_and_code_have_the_same_order():
    assert documented() == order()


def test_each_lock_has_a_place_and_each_place_a_lock():
    assert {name for _, name in locks()} == set(order())


def test_locks_that_sleep_come_before_those_that_spin():
    first_spinning = int(re.search(r"#define RANK_SPIN (\d+)", read("kernel/lock_order.c"))[1])
    for kind, name in locks():
        assert (order()[name] >= first_spinning) == (kind == "SPINLOCK"), name


@pytest.mark.skipif(shutil.which("clang") is None, reason="clang is not installed")
def test_lint_finds_every_mistake():
    name = "tests/lint/wrong_locks.c"
    done = subprocess.run([*lint.lock_analysis(), name], cwd=machine.ROOT, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, check=False)
    text = done.stdout.decode()
    found = {int(line): what
             for line, what in re.findall(rf"(?m)^{name}:(\d+):\d+: error: (.*)$", text)}
    marked = {number: match[1] for number, line in enumerate(read(name).splitlines(), 1)
              if (match := re.search(r"/\* WRONG: (.*?) \*/", line))}
    assert done.returncode != 0 and len(marked) > 8
    assert found.keys() == marked.keys(), text
    for number, part in marked.items():
        assert part in found[number], text
