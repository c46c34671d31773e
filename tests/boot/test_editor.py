"""test_editor.py - what clangd reads: compile_commands.json, and whether clangd likes it."""

import glob
import json
import os
import re
import shlex
import shutil
import subprocess

import pytest

import vm as machine

MAKE = os.environ.get("MAKE", "make")
DATABASE = os.path.join(machine.BUILD, "compile_commands.json")
FOLDERS = ["boot", "drivers", "fs", "kernel", "mm", "tests", "tools", "user"]
# One of each set of flags.
SAMPLE = ["kernel/main.c", "mm/slab.c", "drivers/vga.c", "boot/stage2/disk.c",
          "kernel/lib/printf.c", "tests/kernel/test_pmm.c", "tests/user/user.c", "kernel/shell/cmd_mem.c",
          "tests/host/test_slab_debug.c", "tools/offsets.c"]
HEADERS = ["include/x86/cpu.h", "include/boot/boot_info.h", "include/kern/spinlock.h",
           "boot/stage2/fat.h", "tests/host/mm_shim.h"]


def run(*argv, env=None):
    """Returns (exit status, all output).  No word of `make test T=word` reaches a make in there."""
    done = subprocess.run([*argv, "T="] if argv[0] == MAKE else argv, cwd=machine.ROOT, check=False,
                          env={**os.environ, **(env or {})}, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    return done.returncode, done.stdout.decode(errors="replace")


@pytest.fixture(scope="module")
def database():
    with open(DATABASE, encoding="utf-8") as f:
        return {entry["file"]: entry for entry in json.load(f)}


def sources():
    """All but what DEBUG=1 adds, what `make lint` compiles to see it refused, and programs of Linux."""
    files = {os.path.relpath(f, machine.ROOT) for folder in FOLDERS
             for f in glob.glob(os.path.join(machine.ROOT, folder, "**", "*.c"), recursive=True)}
    return {f for f in files if "/debug/" not in f and not f.startswith(("tests/lint/", "tests/abi/", "user/"))}


def test_every_source_is_listed(database):
    assert set(database) == sources()
    assert {entry["directory"] for entry in database.values()} == {machine.ROOT}


def test_the_commands_are_those_of_make(database):
    """-B -n shows every command.  That of offsets.c names its dependency file by itself; uapi_ours.c is a part of a test."""
    status, text = run(MAKE, "--no-print-directory", "-B", "-n", "V=1", "all", "host-tests-build")
    assert status == 0, text
    commands = [shlex.split(line) for line in text.splitlines() if " -c " in line]
    assert len(commands) > len(database)
    missing = [entry["file"] for entry in database.values() if entry["arguments"] not in commands]
    assert sorted(missing) == ["tests/host/uapi_ours.c", "tools/offsets.c"]


@pytest.mark.parametrize("name", SAMPLE)
def test_a_listed_command_compiles_its_file(database, name, tmp_path):
    entry = database[name]
    output = str(tmp_path / "object.o")
    command = [output if word == entry["output"] else word for word in entry["arguments"]]
    status, text = run(*command)
    assert status == 0 and text == "", text
    assert os.path.getsize(output) > 0


@pytest.mark.parametrize("name", SAMPLE + HEADERS)
def test_clangd_finds_no_error(name, tmp_path):
    if shutil.which("clangd") is None:
        pytest.skip("clangd is not installed")
    status, text = run("clangd", f"--compile-commands-dir={machine.BUILD}", f"--check={name}",
                       "--check-lines=1-1", env={"HOME": str(tmp_path)})
    assert status == 0 and "All checks completed, 0 errors" in text, text
    assert not re.search(r"(?m)^E\[", text), text
    assert "Generic fallback command" not in text, "clangd found the database"


def test_make_keeps_the_database_current(tmp_path):
    """A new source and a new flag change it; nothing else does."""
    build = tmp_path / "b"
    goal = f"{build}/compile_commands.json"
    extra = tmp_path / "extra.c"
    extra.write_text("/* extra.c - a test. */\n")

    def make(*variables):
        status, text = run(MAKE, "--no-print-directory", f"BUILD={build}", goal, *variables)
        assert status == 0, text
        with open(goal, encoding="utf-8") as f:
            return json.load(f), os.stat(goal).st_mtime_ns

    first, time = make()
    assert make() == (first, time), "nothing changed"
    more, _ = make(f"K_EXTRA={extra}")
    assert {e["file"] for e in more} - {e["file"] for e in first} == {str(extra)}
    flagged, _ = make("KFLAGS=-DTEST_OF_A_FLAG")
    assert "-DTEST_OF_A_FLAG" in next(e for e in flagged if e["file"] == "mm/slab.c")["arguments"]
    assert {e["file"] for e in flagged} == {e["file"] for e in first}
