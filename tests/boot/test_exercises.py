"""test_exercises.py - the exercises of docs/exercises, and tools/exercise.py, which runs them.

Each fails before its solution, passes after it, and refuses solutions that are nearly right.  They
are done in a copy of the tree, with the build that is there, so that only what a patch touches is
built again.
"""

import os
import re
import shutil
import subprocess
import sys

import pytest

import firmware
import vm as machine
from exercise_wrong import EXPECTED

MAKE = os.environ.get("MAKE") or "make"
FOLDER = os.path.join(machine.ROOT, "docs", "exercises")
NAMES = sorted(name for name in os.listdir(FOLDER) if re.match(r"\d+-", name))
TOOL = os.path.join(machine.ROOT, "tools", "exercise.py")


def sources():
    """The files of the tree, as git knows them, or all but what was built."""
    done = subprocess.run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
                          cwd=machine.ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                          check=False)
    if done.returncode == 0:
        return [name for name in done.stdout.decode().split("\0")
                if name and os.path.isfile(os.path.join(machine.ROOT, name))]
    skipped = {os.path.realpath(machine.BUILD), os.path.join(machine.ROOT, ".exercise")}
    found = []
    for folder, folders, files in os.walk(machine.ROOT):
        folders[:] = [f for f in folders
                      if os.path.realpath(os.path.join(folder, f)) not in skipped]
        found += [os.path.relpath(os.path.join(folder, f), machine.ROOT) for f in files]
    return found


class Tree:
    """A copy of the tree with its build; commands run in it as people type them."""

    def __init__(self, root):
        self.root = str(root)
        for name in sources():
            os.makedirs(os.path.dirname(os.path.join(self.root, name)), exist_ok=True)
            shutil.copy2(os.path.join(machine.ROOT, name), os.path.join(self.root, name))
        shutil.copytree(machine.BUILD, os.path.join(self.root, "build"),
                        ignore=shutil.ignore_patterns("lint-*", "test-*", "toolchain", "exercise*"))
        self.keep_objects()

    def keep_objects(self):
        """The record of compiler flags holds the tree's path: as if it had been built here."""
        flags = os.path.join(self.root, "build", "flags")
        before = os.stat(flags)
        with open(flags, "r+", encoding="utf-8") as f:
            text = f.read().replace(machine.ROOT, self.root)
            f.seek(0)
            f.truncate()
            f.write(text)
        os.utime(flags, ns=(before.st_atime_ns, before.st_mtime_ns))

    def make(self, *words, **env):
        """(exit status, output)"""
        base = {k: v for k, v in os.environ.items() if k not in ("BUILD", "MAKELEVEL", "MFLAGS")}
        done = subprocess.run([MAKE, "--no-print-directory", *words], cwd=self.root,
                              env={**base, **env}, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
        return done.returncode, done.stdout.decode(errors="replace")

    def read(self, name):
        with open(os.path.join(self.root, name), encoding="utf-8") as f:
            return f.read()

    def write(self, name, text):
        with open(os.path.join(self.root, name), "w", encoding="utf-8") as f:
            f.write(text)


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    if os.path.exists(os.path.join(machine.ROOT, ".exercise", "active")):
        pytest.fail("an exercise is active in this tree: make exercise-reset")
    copy = Tree(tmp_path_factory.mktemp("exercises") / "tree")
    status, text = copy.make("all")
    assert status == 0, text
    yield copy
    shutil.rmtree(copy.root, ignore_errors=True)


def patched(name):
    """The files that an exercise's patch changes."""
    with open(os.path.join(FOLDER, name, "exercise.patch"), encoding="utf-8") as f:
        return re.findall(r"(?m)^diff --git a/(\S+) b/", f.read())


def refused(tree, says, **env):
    """The check fails, and for this reason."""
    status, text = tree.make("exercise-check", **env)
    assert status != 0 and re.search(says, text), text
    assert re.search(r"(?m)^\d+ passed, [1-9]\d* failed$", text), text
    assert "warning:" not in text, text


def tried(tree, solution, says):
    """A solution that is nearly right; then the exercise as it was."""
    before = {name: tree.read(name) for name, _, _ in solution}
    for name, old, new in solution:
        text = tree.read(name)
        assert text.count(old) == 1, f"exercise_wrong.py: {name} has changed; it lacks:\n{old}"
        tree.write(name, text.replace(old, new))
    try:
        limit = {"VM_TIMEOUT": "10"} if "for ever" in says else {}  # it comes to that limit
        refused(tree, says, **limit)
    finally:
        for name, text in before.items():
            tree.write(name, text)


@pytest.mark.parametrize("name", NAMES)
def test_exercise(tree, name):
    number = name.split("-")[0]
    says, wrong = EXPECTED[number]
    before = {f: tree.read(f) for f in patched(name)}
    status, text = tree.make("exercise", f"N={number}")
    assert status == 0, f"{text}\nIf MinOS has changed there: tools/exercise.py refresh {number}"
    try:
        assert all(tree.read(f) != text for f, text in before.items())
        refused(tree, says)
        for solution, reason in wrong:
            tried(tree, solution, reason)
        status, text = tree.make("exercise-solution")
        assert status == 0, text
        status, text = tree.make("exercise-check", f"N={number}")
        assert status == 0 and re.search(r"(?m)^\d+ passed, 0 failed$", text), text
        assert "warning:" not in text and "[--]" not in text, text
    finally:
        status, text = tree.make("exercise-reset")
    assert status == 0, text
    assert {f: tree.read(f) for f in before} == before


def test_solved_is_what_passed_without_being_shown(tree):
    name = NAMES[0]
    original = {f: tree.read(f) for f in patched(name)}
    assert tree.make("exercise", "N=1")[0] == 0
    for f, text in original.items():
        tree.write(f, text)
    status, text = tree.make("exercise-check")
    assert status == 0, text
    assert re.search(r"(?m)^  1 .*active, solved$", tree.make("exercise")[1])
    assert tree.make("exercise-reset")[0] == 0
    listed = tree.make("exercise")[1]
    assert re.findall(r"(?m)^  (\d) .*solved$", listed) == ["1"], listed


@pytest.mark.parametrize("name", NAMES)
def test_patches_leave_tests_and_tools_alone(name):
    files = patched(name)
    assert files and all(re.match("(boot|drivers|include|kernel|mm)/", f) for f in files), files
    for needed in ("exercise.md", "solution.md", "check.py"):
        assert os.path.isfile(os.path.join(FOLDER, name, needed)), needed


def test_the_readme_lists_all():
    with open(os.path.join(FOLDER, "README.md"), encoding="utf-8") as f:
        assert re.findall(r"\]\((\d+-[^/]+)/exercise\.md\)", f.read()) == NAMES
    assert sorted(EXPECTED) == [name.split("-")[0] for name in NAMES]


def test_rom(tree):
    status, text = tree.make("exercise-rom", "ROM=NO_E820 NO_E801")
    option = re.search(r'QEMU_EXTRA="(-option-rom (\S+))"', text)
    assert status == 0 and option, text
    with machine.Machine(extra=["-option-rom", os.path.join(tree.root, option[2])]) as m:
        m.expect("KiB, 88h")
    status, text = tree.make("exercise-rom", "ROM=%")
    assert status != 0 and "firmware.asm" in text and "Traceback" not in text, text
    assert "usage" in tree.make("exercise-rom")[1]


# --- the tool, on a small tree --------------------------------------------------------------------
LINES = "".join(f"line {i}\n" for i in range(30))


class Course:
    """A tree with two exercises about a.txt and b.txt, in git or not."""

    def __init__(self, root, in_git):
        self.root = root
        self.env = {**os.environ, "EXERCISE_ROOT": str(root), "GIT_CONFIG_GLOBAL": os.devnull}
        (root / "Makefile").write_text("all: ; @true\n")
        for number, name in (("1", "a.txt"), ("2", "b.txt")):
            (root / name).write_text(LINES)
            self.exercise(number, name)
        if in_git:
            self.git("init", "-q")
            self.commit()

    def exercise(self, number, name):
        folder = self.root / f"docs/exercises/{number}-x"
        folder.mkdir(parents=True)
        (folder / "exercise.md").write_text(
            f"# {number}. X\n\n**Kind:** k · **Difficulty:** 1 of 5\n")
        (folder / "check.py").write_text(
            f"import sys\nbad = 'defect' in open('{name}').read()\n"
            "print(f'{1 - bad} passed, {bad:d} failed')\nsys.exit(bad)\n")
        blob = subprocess.run(["git", "hash-object", "--stdin"], input=LINES.encode(), check=True,
                              stdout=subprocess.PIPE).stdout.decode().strip()
        (folder / "exercise.patch").write_text(
            f"diff --git a/{name} b/{name}\nindex {blob}..{'1' * 40} 100644\n--- a/{name}\n"
            f"+++ b/{name}\n@@ -9,5 +9,5 @@ line 7\n line 8\n line 9\n-line 10\n+defect\n"
            " line 11\n line 12\n")

    def git(self, *args):
        return subprocess.run(["git", "-c", "user.name=t", "-c", "user.email=t", *args],
                              cwd=self.root, env=self.env, check=True,
                              stdout=subprocess.PIPE).stdout.decode()

    def commit(self):
        self.git("add", "-A")
        self.git("commit", "-q", "-m", "x")

    def run(self, *words, **env):
        done = subprocess.run([sys.executable, TOOL, *words], cwd=self.root,
                              env={**self.env, **env}, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, check=False)
        return done.returncode, done.stdout.decode()

    def text(self, name):
        return (self.root / name).read_text()


@pytest.fixture(params=["git", "tar"])
def course(request, tmp_path):
    return Course(tmp_path, request.param == "git")


@pytest.fixture
def repository(tmp_path):
    return Course(tmp_path, True)


def fails(result, says):
    assert result[0] == 1 and re.search(says, result[1]), result
    assert "Traceback" not in result[1]


def test_tool_from_start_to_end(course):
    assert course.run("start", "1")[0] == 0
    assert "defect" in course.text("a.txt") and course.text("b.txt") == LINES
    assert re.search(r"(?m)^  1 .*active$", course.run()[1])
    status, text = course.run("check")
    assert status == 1 and text.endswith("0 passed, 1 failed\n"), text
    (course.root / "a.txt").write_text(LINES + "my try\n")
    assert course.run("check", "1") == (0, "1 passed, 0 failed\n")
    assert re.search(r"(?m)^  1 .*active, solved$", course.run("list")[1])
    status, text = course.run("solution")
    assert status == 0 and course.text("a.txt") == LINES, text
    assert course.run("reset")[0] == 0 and course.text("a.txt") == LINES
    assert course.text(".exercise/attempt-1/a.txt").endswith("my try\n"), "the student's version"
    assert "active" not in course.run("list")[1].split("Start one")[0]


def test_tool_does_not_count_the_shown_solution(course):
    course.run("start", "2")
    course.run("solution")
    assert course.run("check")[0] == 0
    assert "solved" not in course.run("list")[1].split("Start one")[0]


def test_tool_refuses(course):
    fails(course.run("start", "7"), "no exercise 7; there are 1, 2")
    for command in ("check", "solution", "reset"):
        fails(course.run(command), "no exercise is active")
    course.run("start", "1")
    fails(course.run("start", "2"), "exercise 1 is active")
    fails(course.run("start", "1"), "exercise 1 is active")
    fails(course.run("check", "2"), "exercise 1 is active, not 2")
    fails(course.run("refresh", "1"), "exercise is active")
    assert course.run("nonsense")[0] == 2


def test_tool_refuses_without_the_original_files(course):
    course.run("start", "1")
    shutil.rmtree(course.root / ".exercise" / "original")
    for command in ("solution", "reset"):
        fails(course.run(command), r"no longer has a\.txt(.|\n)*git checkout -- a\.txt")
    assert "defect" in course.text("a.txt")
    (course.root / ".exercise" / "active").unlink()
    assert course.run("list")[0] == 0 and "active" not in course.run("list")[1].split("Start one")[0]


@pytest.mark.parametrize("flags", [["BOGUS"], ["TRASH", "NO_EDD=1"], ["FAIL_FIRST"]])
def test_tool_refuses_an_unknown_switch(flags, tmp_path):
    done = subprocess.run([sys.executable, TOOL, "rom", *flags], cwd=machine.ROOT, check=False,
                          env={**os.environ, "BUILD": str(tmp_path)}, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT)
    text = done.stdout.decode()
    assert done.returncode == 1 and f"{flags[-1]} is no switch of tests/boot/firmware.asm" in text, text
    assert "MAX_SECTORS=n, ONE_SEGMENT" in text and not os.listdir(tmp_path)


def test_every_switch_of_the_rom_is_listed():
    with open(firmware.SOURCE, encoding="utf-8") as f:
        source = f.read()
    used = set(re.findall(r"(?m)^ *%(?:el)?if(?:n?def)? (\w+)", source))
    used -= set(re.findall(r"(?m)^ *%define (\w+)", source)) - set(firmware.switches())
    assert used == set(firmware.switches())


def test_tool_refuses_a_patch_that_does_not_fit(course):
    (course.root / "a.txt").write_text(LINES.replace("line 9\n", "other\n"))
    if (course.root / ".git").exists():
        course.commit()
    fails(course.run("start", "1"), r"does not fit this tree(.|\n)*refresh 1")
    assert "defect" not in course.text("a.txt")
    fails(course.run("check"), "no exercise is active")


def test_tool_refuses_files_that_were_changed(repository):
    (repository.root / "a.txt").write_text(LINES + "mine\n")
    fails(repository.run("start", "1"), r"you have changed a\.txt")
    repository.git("add", "a.txt")
    fails(repository.run("start", "1"), r"you have changed a\.txt")
    assert repository.run("start", "2")[0] == 0, "another file is no matter"


def test_tool_leaves_index_and_commits_alone(repository):
    index = repository.root / ".git/index"
    os.utime(repository.root / "a.txt", (1, 1))  # git would like to note that it is unchanged
    before = repository.git("rev-parse", "HEAD"), index.read_bytes()
    for words in (("start", "1"), ("check",), ("solution",), ("reset",)):
        repository.run(*words)
    assert (repository.git("rev-parse", "HEAD"), index.read_bytes()) == before


def test_tool_finds_lines_that_have_moved(course):
    (course.root / "a.txt").write_text("new\n" * 5 + LINES)
    if (course.root / ".git").exists():
        course.commit()
    assert course.run("start", "1")[0] == 0
    assert "line 9\ndefect\n" in course.text("a.txt")


def test_tool_without_git(tmp_path):
    """patch(1) instead, with nothing but that and a shell in the path."""
    if shutil.which("patch") is None:
        pytest.skip("patch is not installed")
    course = Course(tmp_path, False)
    path = tmp_path / "bin"
    path.mkdir()
    (path / "patch").symlink_to(shutil.which("patch"))
    assert course.run("start", "1", PATH=str(path))[0] == 0
    assert "defect" in course.text("a.txt")
    assert course.run("reset", PATH=str(path))[0] == 0 and course.text("a.txt") == LINES
    (course.root / "a.txt").write_text(LINES.replace("line 9\n", "other\n"))
    fails(course.run("start", "1", PATH=str(path)), "does not fit this tree")
    assert {"a.txt.orig", "a.txt.rej"}.isdisjoint(os.listdir(tmp_path))
    (path / "patch").unlink()
    fails(course.run("start", "2", PATH=str(path)), "neither git nor patch")


def test_tool_refreshes(repository):
    assert repository.run("refresh", "1")[0] == 0
    moved = LINES.replace("line 12\n", "line 12, changed\n")
    (repository.root / "a.txt").write_text(moved)
    repository.commit()
    fails(repository.run("start", "1"), "does not fit")
    status, text = repository.run("refresh", "1")
    assert status == 0 and "written anew" in text, text
    repository.commit()
    assert "fits as it is" in repository.run("refresh", "1")[1]
    assert repository.run("start", "1")[0] == 0
    assert repository.text("a.txt") == moved.replace("line 10\n", "defect\n")
    repository.run("reset")
    (repository.root / "a.txt").write_text(LINES.replace("line 10\n", "line ten\n"))
    repository.commit()
    fails(repository.run("refresh", "1"), r"a\.txt: both the tree and the exercise")
    assert "<<<<<<<" in repository.text(".exercise/refresh-1/a.txt")
