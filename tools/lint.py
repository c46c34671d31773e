#!/usr/bin/env python3
"""lint.py - everything that can be found without running the system: `make lint`.

usage: lint.py [STEP...]	(format layers tools static locks gcc clang)
Each step prints what it finds; the last line is `N passed, N failed` (steps); exit status 1 if one
failed.  CONTRIBUTING: run it before a commit.
"""

import glob
import os
import re
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BUILD = os.environ.get("BUILD", "build")
MAKE = os.environ.get("MAKE", "make")
CODE = ["boot", "docs", "drivers", "fs", "include", "kernel", "mm", "tests", "tools", "user"]
JOBS = os.cpu_count() or 2


def files(*endings, folders=None):
    found = []
    for folder in folders or CODE:
        for ending in endings:
            found += glob.glob(os.path.join(ROOT, folder, "**", "*" + ending), recursive=True)
    return sorted(os.path.relpath(f, ROOT) for f in found)


def run(argv, **more):
    """Returns (good, output)."""
    env = {k: v for k, v in os.environ.items() if k not in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL")}
    env.update(more)
    done = subprocess.run(argv, cwd=ROOT, env=env, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    return done.returncode == 0, done.stdout.decode(errors="replace")


def run_each(commands):
    with ThreadPoolExecutor(JOBS) as pool:
        results = list(pool.map(run, commands))
    return all(good for good, _ in results), "".join(text for good, text in results if not good)


FORMAT_VERSION = "14"  # others lay out some lines differently; Debian 12's decides


def step_format():
    """clang-format: .clang-format says how"""
    _, version = run(["clang-format", "--version"])
    if not re.search(rf"version {FORMAT_VERSION}\.", version):
        return True, f"skipped: {version.strip()}, but the tree is laid out by {FORMAT_VERSION}\n"
    good, text = run(["clang-format", "--dry-run", "-Werror"] + files(".c", ".h"))
    bad = sorted(set(re.findall(r"^(\S+?):\d+:\d+: (?:error|warning)", text, re.M)))
    return good, "".join(f"{name}: clang-format -i would change it\n" for name in bad)


def step_layers():
    """who may include whom; sizes; inline assembly"""
    return run([sys.executable, "tools/check-layers.py"])


def step_tools():
    """the scripts: Python compiles, shell parses"""
    python = [[sys.executable, "-c", f"compile(open({f!r}, encoding='utf-8').read(), {f!r}, 'exec')"]
              for f in files(".py")]
    shell = []
    for name in glob.glob(os.path.join(ROOT, "tools", "*")) + [os.path.join(ROOT, ".ci/run")]:
        if os.path.isfile(name):
            with open(name, "rb") as f:
                if f.readline().startswith(b"#!/bin/sh"):
                    shell.append(["sh", "-n", os.path.relpath(name, ROOT)])
    return run_each(python + shell)


def step_static():
    """cppcheck: .cppcheck-suppressions lists what it gets wrong, with reasons"""
    command = ["cppcheck", "--quiet", "--error-exitcode=1", "--inline-suppr", f"-j{JOBS}",
               "--enable=warning,performance,portability", "--std=c11", "--platform=unix64",
               "--suppressions-list=.cppcheck-suppressions", "-Iinclude", "-Iboot/stage2",
               "-D__x86_64__=1", "-D__PTRDIFF_TYPE__=long", "--max-configs=4",
               "--template={file}:{line}: {severity}: {message} [{id}]"]
    return run(command + [f for f in files(".c", folders=["boot", "drivers", "kernel", "mm", "fs"])])


def lock_analysis():
    """The command that has clang look at a file's locks; tests/boot/test_locks.py uses it, too."""
    own = subprocess.run(["clang", "-print-file-name=include"], stdout=subprocess.PIPE,
                         check=True).stdout.decode().strip()
    return ["clang", "--target=x86_64-unknown-none-elf", "-fsyntax-only", "-std=gnu11",
            "-ffreestanding", "-nostdinc", "-Iinclude", "-isystem", own, "-mgeneral-regs-only",
            "-DLOCK_ANALYSIS", "-Wthread-safety", "-Werror=thread-safety-analysis",
            "-Werror=thread-safety-attributes"]


def step_locks():
    """clang's lock analysis over the annotated prototypes"""
    flags = lock_analysis()
    code = files(".c", folders=["kernel", "mm", "drivers", "fs"])
    return run_each([flags + [f] for f in code])


def step_gcc():
    """a build with gcc and -Werror"""
    return run([MAKE, "--no-print-directory", f"-j{JOBS}", "all", "CC=gcc", "CI=1",
                f"BUILD={BUILD}/lint-gcc"])


def step_clang():
    """a build with clang, lld and -Werror"""
    return run([MAKE, "--no-print-directory", f"-j{JOBS}", "all", "CC=clang", "CI=1",
                f"BUILD={BUILD}/lint-clang"])


def main():
    names = sys.argv[1:] or ["format", "layers", "tools", "static", "locks", "gcc", "clang"]
    failed = 0
    for name in names:
        step = globals()[f"step_{name}"]
        start = time.monotonic()
        try:
            good, text = step()
        except FileNotFoundError as problem:
            good, text = False, f"{problem}: tools/setup test installs it\n"
        print(f"lint {name}: {'passed' if good else 'FAILED'}  ({step.__doc__}; "
              f"{time.monotonic() - start:.0f} s)", flush=True)
        if text and (not good or "skipped" in text):
            print(text, flush=True)
        failed += not good
    print(f"{len(names) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
