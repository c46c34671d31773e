"""test_heap.py - `mem leaks` and `fail` at the prompt, in the build as shipped and with DEBUG=1."""

import os
import re
import subprocess

import pytest

from vm import BUILD, ROOT, Machine


@pytest.fixture(scope="module")
def debug_vm():
    """A machine that runs the kernel of DEBUG=1, built into a folder beside the usual one."""
    build = BUILD + "-debug"
    subprocess.run(["make", "-s", "DEBUG=1", f"BUILD={build}"], cwd=ROOT, check=True,
                   env={k: v for k, v in os.environ.items() if k not in ("MAKEFLAGS", "MAKELEVEL")})
    with Machine(os.path.join(build, "minos.img")) as m:
        m.prompt()
        yield m


def in_all(text):
    """Count, bytes and call sites of `mem leaks`."""
    return [int(n) for n in re.search(r"^ *(\d+) +(\d+)  in all, by (\d+) call sites", text, re.M).groups()]


def test_leaks_since_the_mark_are_named(debug_vm):
    debug_vm.command("spawn sleep; mem mark")  # the first thread is from before
    ids = re.findall(r"thread (\d+):", debug_vm.command("spawn sleep 3"))
    text = debug_vm.command("mem leaks since")
    rows = re.findall(r"^ *(\d+) +(\d+)  (\S.*)$", text, re.M)
    assert rows[0][0] == "3"
    assert re.match(r"\w+\+0x\w+ < thread_create\+0x\w+ < cmd_spawn\+0x", rows[0][2])
    assert in_all(text)[0] == 3
    debug_vm.command("kill " + " ".join(ids) + "; sleep 0.2")
    assert in_all(debug_vm.command("mem leaks since")) == [0, 0, 0]


def test_leaks_are_sorted(debug_vm):
    text = debug_vm.command("mem leaks")
    sizes = [int(b) for b in re.findall(r"^ *\d+ +(\d+)  \S+\+0x", text, re.M)]
    assert len(sizes) >= 3 and sizes == sorted(sizes, reverse=True)
    assert sum(sizes) == in_all(text)[1]


def test_check_finds_damage(debug_vm):
    """A byte behind an object in use: found by looking, with the name of its owner."""
    assert re.search(r"^0 objects damaged$", debug_vm.command("mem check"), re.M)
    # struct thread of the idle thread, made first: its slab's first object.
    idle = int(re.search(r": ([0-9a-f]{16})", debug_vm.command("peek sched_idle")).group(1), 16)
    guard = idle - 1
    assert re.search(r": cc ", debug_vm.command(f"peek {guard:#x} b"))
    debug_vm.command(f"poke {guard:#x} 0x11 b")
    text = debug_vm.command("mem check")
    assert re.search(r"^[0-9a-fx]+, kmalloc-\d+: bytes in front of it were written$", text, re.M)
    assert re.search(r"allocated by \w+\+0x\w+ < thread_init\+0x", text)
    assert re.search(r"^1 objects damaged$", text, re.M)
    debug_vm.command(f"poke {guard:#x} 0xcc b")
    assert re.search(r"^0 objects damaged$", debug_vm.command("mem check"), re.M)


def test_without_debug_it_says_what_is_missing(vm):
    if "objects damaged" in vm.command("mem check"):
        pytest.skip("this is a debug build")
    text = vm.command("mem leaks")
    assert "of small objects\nare kept with make DEBUG=1" in text
    assert re.search(r"^ *\d+ +\d+  objects of kmalloc-\d+$", text, re.M)
    assert "Nothing to check" in vm.command("mem check")


def test_fail_reaches_the_next_command_only_below_its_site(vm):
    assert "out of memory" in vm.command("fail site thread_create; spawn sleep")
    text = vm.command("fail")
    assert re.search(r"armed.*\n.*each one.*by 1\n +below +thread_create$", text, re.M)
    assert re.search(r" 1 allocations counted, 1 made to fail", text)
    assert re.search(r"(?m)^ +thread_create\+0x\w+\n +cmd_spawn\+0x", text)
    assert re.search(r"00fee00020: [0-9a-f]{16}", vm.command("peek -p 0xfee00020")), "others do not"
    started = vm.command("fail off; spawn sleep")
    vm.command("kill " + re.search(r"thread (\d+):", started).group(1))
    assert vm.command("fail").startswith("off")


def test_fail_nth_counts(vm):
    text = vm.command("fail nth 2 frame stack; spawn sleep 2; fail; fail off")
    assert "out of memory after 0 threads" in text or "out of memory after 1 threads" in text
    assert re.search(r"fails +number 2$", text, re.M)
    assert re.search(r"of +frame stack$", text, re.M)
    for thread in re.findall(r"thread (\d+):", text):
        vm.command(f"kill {thread}")


def test_sweep_leaves_nothing_behind(vm):
    text = vm.command("fail sweep peek -p 0xfee00020", timeout=100)
    assert int(re.search(r"^(\d+) allocations were made to fail", text, re.M).group(1)) >= 1
    again = vm.command("fail sweep peek -p 0xfee00020", timeout=100)
    assert "returns 0; more in use than before: 0 objects, 0 frames" in again
