#!/usr/bin/env python3
"""exercise.py - the exercises of docs/exercises: start, check, give up, and keep them fresh.

usage: exercise.py [list]           what there is, and what is active and solved
       exercise.py start N          apply exercise.patch of exercise N to this tree
       exercise.py check [N]        build, and run the check; ends with `N passed, N failed`
       exercise.py solution [N]     put the reference solution in place
       exercise.py reset [N]        put the files back as they were before the exercise
       exercise.py rom FLAG...      build an option ROM that makes the BIOS err (firmware.asm)
       exercise.py refresh N        carry the patch over to the tree as it is now

At most one exercise is active.  What is known of it lies in .exercise/ in the tree: `active`,
`solved`, `original/` (the files before) and `attempt-N/` (your last version, kept by solution and
reset).  Only the files that the patch names are changed, never the index or a commit of git.
Without git the patch is applied by patch(1).
"""

import glob
import os
import re
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.environ.get("EXERCISE_ROOT") or os.path.dirname(HERE)  # the tests have other trees
FOLDER = os.path.join(ROOT, "docs", "exercises")
STATE = os.path.join(ROOT, ".exercise")
ORIGINAL = os.path.join(STATE, "original")
MAKE = os.environ.get("MAKE") or "make"


class Refused(Exception):
    """Something that the user can set right; nothing was changed."""


# --- what there is --------------------------------------------------------------------------------
def read(path, default=None):
    try:
        with open(path, encoding="utf-8") as f:
            return f.read()
    except FileNotFoundError:
        if default is None:
            raise
        return default


def write(path, text):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as f:
        f.write(text)


class Exercise:
    """One folder of docs/exercises."""

    def __init__(self, folder):
        self.folder = folder
        self.name = os.path.basename(folder)
        self.number = self.name.split("-")[0]
        self.patch = os.path.join(folder, "exercise.patch")
        text = read(os.path.join(folder, "exercise.md"))
        self.title = re.search(r"(?m)^# (?:\d+\. )?(.*)$", text)[1]
        kind = re.search(r"(?m)^\*\*Kind:\*\* (.*?) · \*\*Difficulty:\*\* (.*)$", text)
        self.kind, self.difficulty = kind.groups()

    def files(self):
        """The files that the patch changes."""
        return re.findall(r"(?m)^\+\+\+ b/(\S+)", read(self.patch))

    def path(self, name):
        return os.path.relpath(os.path.join(self.folder, name), ROOT)


def exercises():
    return [Exercise(f) for f in sorted(glob.glob(os.path.join(FOLDER, "[0-9]*-*")))]


def find(number):
    known = exercises()
    for exercise in known:
        if number in (exercise.number, exercise.name):
            return exercise
    there = ", ".join(e.number for e in known)
    raise Refused(f"there is no exercise {number}; there are {there}")


def active():
    number = read(os.path.join(STATE, "active"), "").strip()
    return find(number) if number else None


def active_one(number):
    """The active exercise, which must be @number if that is given."""
    exercise = active()
    if exercise is None:
        raise Refused("no exercise is active.  Start one: make exercise N="
                      + (number if number else "1"))
    if number and number not in (exercise.number, exercise.name):
        raise Refused(f"exercise {exercise.number} is active, not {number}.  "
                      f"First: make exercise-reset N={exercise.number}")
    return exercise


def solved():
    return read(os.path.join(STATE, "solved"), "").split()


# --- git, if it is there --------------------------------------------------------------------------
def git_env(root):
    """The environment in which git takes @root for a repository, but none around it."""
    return {**os.environ, "GIT_CEILING_DIRECTORIES": os.path.dirname(root)}


def git(*args):
    """Run git in the tree; its output, or None if it failed or is not installed."""
    env = {**git_env(ROOT), "GIT_OPTIONAL_LOCKS": "0"}
    try:
        done = subprocess.run(["git", *args], cwd=ROOT, env=env, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    except FileNotFoundError:
        return None
    return done.stdout.decode(errors="replace") if done.returncode == 0 else None


def changed(files):
    """Those of @files that differ from the last commit; none where there is no git."""
    text = git("status", "--porcelain", "--untracked-files=no", "--", *files) or ""
    return [line[3:] for line in text.splitlines()]


def apply_patch(patch, root=None):
    """Apply a patch exactly (lines may have moved); returns None, or why it does not apply."""
    root = root or ROOT
    if shutil.which("git"):
        commands = [["git", "apply", "--whitespace=nowarn", patch]]  # all of it, or nothing
    else:
        base = ["patch", "--batch", "-p1", "--fuzz=0", "-i", patch]
        commands = [base + ["--dry-run"], base + ["--no-backup-if-mismatch"]]
    for command in commands:
        try:
            done = subprocess.run(command, cwd=root, env=git_env(root), stdin=subprocess.DEVNULL,
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
        except FileNotFoundError:
            return "neither git nor patch is installed"
        if done.returncode:
            return done.stdout.decode(errors="replace").strip()
    return None


# --- files of the student -------------------------------------------------------------------------
def copy(files, source, target):
    for name in files:
        if os.path.exists(os.path.join(source, name)):
            os.makedirs(os.path.dirname(os.path.join(target, name)), exist_ok=True)
            shutil.copyfile(os.path.join(source, name), os.path.join(target, name))


def put_back(exercise):
    """The original files back into the tree; what stood there goes to attempt-N.  Says so."""
    attempt = os.path.join(STATE, f"attempt-{exercise.number}")
    lost = [name for name in exercise.files() if not os.path.exists(os.path.join(ORIGINAL, name))]
    if lost:
        raise Refused(f"{os.path.relpath(ORIGINAL, ROOT)}/ no longer has {', '.join(lost)} as before "
                      f"the exercise.  Put that back yourself (git checkout -- {' '.join(lost)}), then "
                      f"remove {os.path.relpath(os.path.join(STATE, 'active'), ROOT)}")
    # Only what differs: the time of a file decides what is built.
    yours = [name for name in exercise.files()
             if read(os.path.join(ORIGINAL, name)) != read(os.path.join(ROOT, name), "-")]
    if yours:
        shutil.rmtree(attempt, ignore_errors=True)
        copy(yours, ROOT, attempt)
        copy(yours, ORIGINAL, ROOT)
        print(f"Your version is kept in {os.path.relpath(attempt, ROOT)}/.")
    if read(os.path.join(STATE, "head"), "").strip() != (git("rev-parse", "HEAD") or "").strip():
        print("There were commits since the exercise began; `git diff` shows what was put back.")


# --- commands -------------------------------------------------------------------------------------
def cmd_list():
    current, done = active(), solved()
    for e in exercises():
        state = ", ".join(["active"] * bool(current and current.number == e.number)
                          + ["solved"] * (e.number in done))
        print(f"  {e.number}  {e.title:24}{e.kind:24}{e.difficulty:10}{state}".rstrip())
    print("Start one: make exercise N=1    What they are: docs/exercises/README.md")


def cmd_start(number):
    exercise = find(number)
    current = active()
    if current:
        raise Refused(f"exercise {current.number} is active.  Go on with it (make exercise-check), "
                      "or end it: make exercise-reset")
    files = exercise.files()
    dirty = changed(files)
    if dirty:
        raise Refused(f"you have changed {', '.join(dirty)}, which this exercise changes, too.  "
                      "Commit or stash that first")
    shutil.rmtree(ORIGINAL, ignore_errors=True)
    copy(files, ROOT, ORIGINAL)
    problem = apply_patch(exercise.patch)
    if problem:
        raise Refused(f"{exercise.path('exercise.patch')} does not fit this tree:\n{problem}\n"
                      f"Is it as it was given out?  Who has changed MinOS itself refreshes the "
                      f"patch: tools/exercise.py refresh {exercise.number}")
    write(os.path.join(STATE, "head"), (git("rev-parse", "HEAD") or "") + "\n")
    write(os.path.join(STATE, "active"), exercise.number + "\n")
    print(f"Exercise {exercise.number}, {exercise.title}: the tree is prepared.\n"
          f"  read      {exercise.path('exercise.md')}\n"
          f"  check     make exercise-check\n"
          f"  give up   make exercise-solution, and read {exercise.path('solution.md')}\n"
          f"  end       make exercise-reset")


def environment():
    """For a make of our own: variables given to ours stay, its job server does not."""
    given = os.environ.get("MAKEFLAGS", "").partition(" -- ")[2]
    flags = f"-j{os.cpu_count() or 2}" + (f" -- {given}" if given else "")
    return {**{k: v for k, v in os.environ.items() if k not in ("MAKELEVEL", "MFLAGS")},
            "MAKEFLAGS": flags, "MAKE": MAKE}


def cmd_check(number):
    exercise = active_one(number)
    build = subprocess.run([MAKE, "--no-print-directory", "all"], cwd=ROOT, env=environment(),
                           stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                           stderr=subprocess.STDOUT, check=False)
    text = build.stdout.decode(errors="replace")
    if build.returncode:
        print(f"{text.strip()}\n[FAIL] it builds\n0 passed, 1 failed")
        return 1
    if "warning:" in text:
        print(f"{text.strip()}\n[--] it builds, but the compiler warns", flush=True)
    check = subprocess.run([sys.executable, exercise.path("check.py")], cwd=ROOT, env=environment(),
                           stdin=subprocess.DEVNULL, check=False)
    if check.returncode == 0 and not os.path.exists(os.path.join(STATE, "shown")):
        write(os.path.join(STATE, "solved"), "\n".join(sorted({*solved(), exercise.number})) + "\n")
    return check.returncode


def cmd_solution(number):
    exercise = active_one(number)
    put_back(exercise)
    write(os.path.join(STATE, "shown"), "")
    print(f"The reference solution is in place: {' '.join(exercise.files())}\n"
          f"  read      {exercise.path('solution.md')}\n"
          f"  see       {exercise.path('exercise.patch')} (read backwards, it is the solution)\n"
          f"  end       make exercise-reset")
    return 0


def cmd_reset(number):
    exercise = active_one(number)
    put_back(exercise)
    for name in ("active", "shown", "head"):
        if os.path.exists(os.path.join(STATE, name)):
            os.unlink(os.path.join(STATE, name))
    shutil.rmtree(ORIGINAL, ignore_errors=True)
    print(f"Exercise {exercise.number} is ended; its files are as they were.")
    return 0


def cmd_rom(*flags):
    sys.path.insert(0, os.path.join(ROOT, "tests", "boot"))
    from firmware import build_rom, switches  # pylint: disable=import-outside-toplevel
    known = switches()
    for flag in flags:
        name, given, _ = flag.partition("=")
        if name not in known or known[name] != bool(given):
            there = ", ".join(f + "=n" * number for f, number in known.items())
            raise Refused(f"{flag} is no switch of tests/boot/firmware.asm; there are {there}")
    path = os.path.join(os.environ.get("BUILD") or "build", "firmware.rom")
    os.makedirs(os.path.join(ROOT, os.path.dirname(path)), exist_ok=True)
    try:
        build_rom(os.path.join(ROOT, path), flags)
    except subprocess.CalledProcessError:
        raise Refused("NASM did not like that; the flags are in tests/boot/firmware.asm") from None
    print(f'{path} is built.  Boot with it:\n  make run QEMU_EXTRA="-option-rom {path}"')
    return 0


# --- refresh --------------------------------------------------------------------------------------
def base_of(patch, name):
    """The file as it was when the patch was made: its index line names the blob."""
    match = re.search(rf"(?m)^diff --git a/{re.escape(name)} .*\nindex ([0-9a-f]+)\.\.",
                      read(patch))
    text = match and git("cat-file", "blob", match[1])
    if not text:
        raise Refused(f"git does not have the version of {name} that the patch was made from: "
                      f"change the tree by hand, and put `git diff --full-index` there")
    return text


def merge(exercise, folder):
    """In @folder/b the tree's files with the patch carried over.  Returns files in conflict."""
    conflicts = []
    base = os.path.join(folder, "base")
    for name in exercise.files():
        write(os.path.join(base, name), base_of(exercise.patch, name))
    copy(exercise.files(), base, os.path.join(folder, "old"))
    problem = apply_patch(exercise.patch, os.path.join(folder, "old"))
    if problem:
        raise Refused(f"the patch does not fit the version it names:\n{problem}")
    copy(exercise.files(), ROOT, os.path.join(folder, "a"))
    copy(exercise.files(), ROOT, os.path.join(folder, "b"))
    for name in exercise.files():
        three = [os.path.join(folder, d, name) for d in ("b", "base", "old")]
        done = subprocess.run(["git", "merge-file", "-L", "now", "-L", "base", "-L", "exercise",
                               *three], check=False)
        if done.returncode:
            conflicts.append(name)
    return conflicts


def cmd_refresh(number):
    exercise = find(number)
    if active():
        raise Refused("an exercise is active; first: make exercise-reset")
    with tempfile.TemporaryDirectory(prefix="minos-refresh-") as folder:
        conflicts = merge(exercise, folder)
        if conflicts:
            kept = os.path.join(STATE, f"refresh-{exercise.number}")
            shutil.rmtree(kept, ignore_errors=True)
            shutil.copytree(os.path.join(folder, "b"), kept)
            raise Refused(f"{', '.join(conflicts)}: both the tree and the exercise change the same "
                          f"lines.  See the marks in {os.path.relpath(kept, ROOT)}/, make the "
                          "change in the tree by hand, and put `git diff --full-index` there")
        done = subprocess.run(["git", "diff", "--no-index", "--no-prefix", "--full-index",
                               "--no-color", "a", "b"], cwd=folder, env=git_env(folder),
                              stdout=subprocess.PIPE, check=False)
        text = done.stdout.decode()
    same = read(exercise.patch) == text
    if not same:
        write(exercise.patch, text)
    print(f"{exercise.path('exercise.patch')}: " + ("fits as it is" if same else "written anew"))
    return 0


COMMANDS = {"list": (cmd_list, 0, 0), "start": (cmd_start, 1, 1), "check": (cmd_check, 0, 1),
            "solution": (cmd_solution, 0, 1), "reset": (cmd_reset, 0, 1), "rom": (cmd_rom, 1, 20),
            "refresh": (cmd_refresh, 1, 1)}


def main():
    words = sys.argv[1:] or ["list"]
    function, least, most = COMMANDS.get(words[0], (None, 0, 0))
    if function is None or not least <= len(words) - 1 <= most:
        print(__doc__.split("\n\n")[1])
        return 2
    args = words[1:] or [""] * (most == 1)
    try:
        return function(*args) or 0
    except Refused as why:
        print(f"exercise: {why}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
