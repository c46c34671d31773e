"""test_editor.py - what editors read: compile_commands.json (clangd) and .vscode/ (VS Code)."""

import glob
import json
import os
import re
import shlex
import shutil
import subprocess
import sys

import pytest

import vm as machine

MAKE = os.environ.get("MAKE", "make")
DATABASE = os.path.join(machine.BUILD, "compile_commands.json")
FOLDERS = ["boot", "drivers", "fs", "kernel", "mm", "tests", "tools", "user"]
# One of each set of flags.
SAMPLE = ["kernel/main.c", "mm/slab.c", "drivers/vga.c", "boot/stage2/disk.c",
          "kernel/lib/printf.c", "tests/kernel/test_pmm.c", "tests/user/user.c",
          "tests/host/test_slab_debug.c", "tools/offsets.c"]
HEADERS = ["include/x86/cpu.h", "include/boot/boot_info.h", "include/kern/spinlock.h",
           "boot/stage2/fat.h", "tests/host/mm_shim.h"]


def run(*argv, env=None):
    """Returns (exit status, all output).  No word of `make test T=word` reaches a make in there."""
    done = subprocess.run([*argv, "T="] if argv[0] == MAKE else argv, cwd=machine.ROOT, check=False,
                          env={**os.environ, **(env or {})}, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    return done.returncode, done.stdout.decode(errors="replace")


# --- compile_commands.json ------------------------------------------------------------------------
@pytest.fixture(scope="module")
def database():
    with open(DATABASE, encoding="utf-8") as f:
        return {entry["file"]: entry for entry in json.load(f)}


def sources():
    return {os.path.relpath(f, machine.ROOT) for folder in FOLDERS
            for f in glob.glob(os.path.join(machine.ROOT, folder, "**", "*.c"), recursive=True)}


def test_every_source_is_listed(database):
    assert set(database) == sources()
    assert {entry["directory"] for entry in database.values()} == {machine.ROOT}


def test_the_commands_are_those_of_make(database):
    """-B -n shows every command.  That of offsets.c names its dependency file by itself."""
    status, text = run(MAKE, "--no-print-directory", "-B", "-n", "V=1", "all", "host-tests-build")
    assert status == 0, text
    commands = [shlex.split(line) for line in text.splitlines() if " -c " in line]
    assert len(commands) > len(database)
    missing = [entry["file"] for entry in database.values() if entry["arguments"] not in commands]
    assert missing == ["tools/offsets.c"]


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


# --- VS Code --------------------------------------------------------------------------------------
class Folder:
    """A .vscode of the test's own."""

    def __init__(self, path):
        self.path = str(path)

    def generate(self, *options):
        return run(sys.executable, "tools/vscode.py", "--folder", self.path, *options)

    def read(self, name):
        with open(os.path.join(self.path, name), encoding="utf-8") as f:
            return f.read()

    def json(self, name):
        """Python's parser takes neither comments nor trailing commas."""
        return json.loads(self.read(name))

    def task(self, label):
        return next(t for t in self.json("tasks.json")["tasks"] if t["label"] == label)


@pytest.fixture
def folder(tmp_path):
    made = Folder(tmp_path / ".vscode")
    status, text = made.generate()
    assert status == 0, text
    return made


def test_vscode_writes_all_files(folder):
    assert sorted(os.listdir(folder.path)) == ["extensions.json", "launch.json", "minos.sums",
                                               "settings.json", "tasks.json"]
    names = [c["name"] for c in folder.json("launch.json")["configurations"]]
    assert names == ["MinOS: from the boot sector", "MinOS: kernel_main"]
    assert "ms-vscode.cpptools" in folder.json("extensions.json")["recommendations"]
    directory = folder.json("settings.json")["clangd.arguments"][0].split("/", 1)[1]
    assert directory == "build"


def test_vscode_folder_is_not_committed():
    status, text = run("git", "check-ignore", ".vscode/tasks.json")
    assert status == 0 or "not a git repository" in text, text


def test_vscode_tasks_can_be_run(folder):
    made = {t["label"]: t for t in folder.json("tasks.json")["tasks"]}
    names = ("build", "test", "lint", "run", "debug server")
    assert set(made) == {f"MinOS: {name}" for name in names}
    for one in made.values():
        if one["command"] == "make":
            status, text = run(MAKE, "-n", *one["args"])
            assert status == 0, text
        else:
            program = one["command"].replace("${workspaceFolder}", machine.ROOT)
            assert os.access(program, os.X_OK), program
        assert one.get("dependsOn", "MinOS: build") in made


@pytest.mark.parametrize("port", [1234, 2345])
def test_vscode_task_and_launch_agree(folder, port):
    assert folder.generate("--port", str(port))[0] == 0
    for configuration in folder.json("launch.json")["configurations"]:
        server = folder.task(configuration["preLaunchTask"])
        assert server["args"][:2] == ["--server", str(port)] and server["isBackground"]
        assert configuration["miDebuggerServerAddress"] == f"localhost:{port}"
        end = server["problemMatcher"]["background"]["endsPattern"]
        assert re.search(end, f"debug: waiting for gdb on localhost:{port}")
        elf = configuration["program"].replace("${workspaceFolder}/", "")
        assert os.path.dirname(elf) == server["args"][2]


def test_vscode_takes_another_build_folder(folder):
    for build, elf in (("build-x", "${workspaceFolder}/build-x/minos.elf"), ("/b", "/b/minos.elf")):
        assert folder.generate(build)[0] == 0
        assert folder.json("launch.json")["configurations"][0]["program"] == elf
        assert folder.task("MinOS: build")["args"] == ["all", f"BUILD={build}"]
        assert folder.task("MinOS: debug server")["args"][2] == build


def test_vscode_again_changes_nothing(folder):
    before = {name: folder.read(name) for name in os.listdir(folder.path)}
    status, text = folder.generate()
    assert status == 0 and text == ""
    assert before == {name: folder.read(name) for name in os.listdir(folder.path)}


def test_vscode_leaves_a_persons_file_alone(folder):
    mine = '{"version": "2.0.0", "tasks": []}\n'
    with open(os.path.join(folder.path, "tasks.json"), "w", encoding="utf-8") as f:
        f.write(mine)
    os.unlink(os.path.join(folder.path, "settings.json"))
    for _ in range(2):
        status, text = folder.generate()
        assert status == 1 and "tasks.json differs" in text and "--force" in text
        assert "launch.json" not in text and folder.read("tasks.json") == mine
    assert os.path.exists(os.path.join(folder.path, "settings.json")), "what is absent is written"
    status, text = folder.generate("--force")
    assert status == 0 and folder.read("tasks.json") != mine


def test_vscode_leaves_a_file_alone_that_was_there_first(tmp_path):
    first = Folder(tmp_path / "mine")
    os.mkdir(first.path)
    with open(os.path.join(first.path, "launch.json"), "w", encoding="utf-8") as f:
        f.write("{}")
    status, text = first.generate()
    assert status == 1 and "launch.json differs" in text and first.read("launch.json") == "{}"
    assert os.path.exists(os.path.join(first.path, "tasks.json"))
