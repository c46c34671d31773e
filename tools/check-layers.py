#!/usr/bin/env python3
"""check-layers.py - who may include whom, and the other rules of the tree that a machine can check.

usage: check-layers.py [--root FOLDER] [--cc COMPILER]

Checks: includes by area (RULES below), inline assembly only in include/x86,
kernel/x86 and boot, no `extern` in a .c file, every header compiles alone, functions of at most 70
lines, files of at most 800, line 1 of each file names it.  Prints `file:line: what` for each
violation and `layers: N passed, N failed` (files) at the end; exit status 1 if there is one.
"""

import argparse
import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

MAX_FUNCTION, MAX_FILE, MAX_PARAMETERS = 70, 800, 5

# Who may include whom, by prefix of the including file's path; the first match counts.
RULES = [
    ("include/lib/", {"lib"}),
    ("include/boot/", {"lib", "boot"}),
    ("include/uapi/", {"uapi", "lib"}),
    ("include/mm/", {"lib", "kern", "x86", "uapi", "mm", "boot"}),
    ("include/x86/", {"lib", "kern", "x86", "uapi", "mm", "boot"}),
    ("include/dev/", {"lib", "kern", "x86", "uapi", "mm", "dev"}),
    ("include/kern/", {"lib", "kern", "x86", "uapi", "mm", "boot"}),
    ("include/fs/", {"lib", "kern", "uapi", "mm", "dev", "fs"}),
    ("include/net/", {"lib", "kern", "uapi", "mm", "dev", "net"}),
    ("kernel/lib/", {"lib"}),
    ("kernel/x86/", {"lib", "kern", "x86", "uapi", "mm", "boot"}),
    ("mm/", {"lib", "kern", "x86", "uapi", "mm", "boot"}),
    ("drivers/", {"lib", "kern", "x86", "uapi", "mm", "dev"}),
    ("fs/", {"lib", "kern", "uapi", "mm", "dev", "fs"}),
    ("net/", {"lib", "kern", "uapi", "mm", "dev", "net"}),
    ("kernel/main.c", None),  # None: any
    ("kernel/shell/", None),
    ("kernel/sys_", {"lib", "kern", "x86", "uapi", "mm", "boot", "dev", "fs", "net"}),
    ("kernel/", {"lib", "kern", "x86", "uapi", "mm", "boot", "dev", "fs"}),
    ("boot/", {"lib", "boot"}),
    ("user/", {"uapi"}),
    ("tests/", None),
    ("tools/", None),
]
AREAS = {"lib", "kern", "x86", "mm", "dev", "fs", "net", "boot", "uapi"}
# The compiler's own headers, which freestanding C has.
COMPILER = {"stdarg.h", "stdbool.h", "stddef.h", "stdint.h", "stdnoreturn.h", "stdalign.h",
            "limits.h", "cpuid.h"}
ASM_ALLOWED = ("include/x86/", "kernel/x86/", "boot/", "tools/offsets.c")
FOLDERS = ("include", "kernel", "mm", "drivers", "fs", "net", "boot", "user", "tests", "tools")

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')
# The tree's style: a function's name stands at the start of its own line.
FUNCTION = re.compile(r"^(\w+)\(")


def sources(root):
    for folder in FOLDERS:
        for path, dirs, files in os.walk(os.path.join(root, folder)):
            dirs[:] = sorted(d for d in dirs if not d.startswith((".", "__")))
            for name in sorted(files):
                if name.endswith((".c", ".h", ".asm", ".inc")):
                    yield os.path.relpath(os.path.join(path, name), root)


def strip_comments(text):
    """Blank out comments and strings, keeping line numbers."""
    def blank(match):
        return re.sub(r"[^\n]", " ", match.group(0))
    return re.sub(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"', blank, text, flags=re.S)


def allowed_areas(path):
    for prefix, areas in RULES:
        if path.startswith(prefix):
            return areas
    return None


def check_includes(path, lines):
    areas = allowed_areas(path)
    hosted = path.startswith(("tests/host/", "tests/abi/", "user/"))
    for number, line in enumerate(lines, 1):
        match = INCLUDE.match(line)
        if not match:
            continue
        kind, name = match.groups()
        area = name.split("/")[0]
        if kind == '"' or hosted and area not in AREAS:
            continue  # a file of the same folder, or libc
        if area in AREAS and "/" in name:
            if areas is not None and area not in areas:
                yield number, f"<{name}>: this folder may include only {' '.join(sorted(areas))}"
        elif name not in COMPILER:
            yield number, f"<{name}>: not one of ours, nor of the compiler's"


def check_text(path, code):
    if path.endswith((".c", ".h")) and not path.startswith(ASM_ALLOWED) \
            and not path.startswith("tests/"):
        for number, line in enumerate(code, 1):
            if re.search(r"\b(__asm__|asm)\b", line):
                yield number, "inline assembly belongs into include/x86, kernel/x86 or boot"
    if path.endswith(".c"):
        for number, line in enumerate(code, 1):
            if re.match(r"\s*extern\b", line):
                yield number, "extern in a .c file: declare it in a header"
            elif re.match(r"\s*#\s*if(n?def)?\b", line) and not path.startswith(("tests/", "tools/")):
                yield number, "conditional in a .c file: let a header give a stub"


def check_functions(path, code):
    """Length and parameters of each function definition, found by the tree's style."""
    if not path.endswith((".c", ".h")) or path.startswith("tools/"):
        return
    start, name, signature = None, None, ""
    for number, line in enumerate(code, 1):
        match = FUNCTION.match(line)
        if match and start is None:
            start, name, signature = number, match.group(1), ""
        if start is not None:
            if signature is not None:
                signature += line
                if line.startswith("{"):
                    inside = signature[signature.index("(") + 1:]
                    depth, parameters = 0, 1
                    for char in inside:
                        if char == "(":
                            depth += 1
                        elif char == ")":
                            if depth == 0:
                                break
                            depth -= 1
                        elif char == "," and depth == 0:
                            parameters += 1
                    # A system call has as many as Linux gave it.
                    if parameters > MAX_PARAMETERS and not path.startswith("tests/") \
                            and not name.startswith("sys_"):
                        yield start, f"{name}() has {parameters} parameters (at most {MAX_PARAMETERS})"
                    signature = None
                elif ";" in line:
                    start = None
                    continue
            if line.startswith("}"):
                if number - start + 1 > MAX_FUNCTION:
                    yield start, f"{name}() has {number - start + 1} lines (at most {MAX_FUNCTION})"
                start = None


def check_shape(path, text):
    lines = text.splitlines()
    if len(lines) > MAX_FILE:
        yield 1, f"{len(lines)} lines (at most {MAX_FILE})"
    if not any(os.path.basename(path) in line for line in lines[:2]):
        yield 1, f"the first line does not say what it is: `{os.path.basename(path)} - ...`"


def check_header_alone(root, cc, path):
    """A header must compile by itself, as 64-bit kernel code."""
    flags = ["-m64", "-std=gnu11", "-ffreestanding", "-fsyntax-only", "-nostdinc", "-Iinclude",
             "-mgeneral-regs-only", "-Wall", "-Wextra", "-Wno-unused-parameter", "-Werror",
             "-Wno-unused-function", "-Iboot/stage2", "-x", "c", "-"]
    own = subprocess.run([cc, "-print-file-name=include"], stdout=subprocess.PIPE, check=True)
    done = subprocess.run([cc, "-isystem", own.stdout.decode().strip()] + flags, cwd=root,
                          input=f'#include "{path}"\n'.encode(), stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, check=False)
    if done.returncode:
        first = next((l for l in done.stdout.decode(errors="replace").splitlines()
                      if "error" in l), "?")
        return [(1, f"does not compile alone: {first}")]
    return []


def check(root, cc, path):
    with open(os.path.join(root, path), encoding="utf-8") as f:
        text = f.read()
    code = strip_comments(text).split("\n") if path.endswith((".c", ".h")) else text.split("\n")
    found = list(check_shape(path, text))
    if path.endswith((".c", ".h")):
        found += check_includes(path, text.split("\n"))
        found += check_text(path, code)
        found += check_functions(path, code)
    if path.endswith(".h") and not path.startswith(("tests/host/", "tests/abi/")):
        found += check_header_alone(root, cc, path)
    return [(path, number, what) for number, what in sorted(found)]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--root", default=".")
    parser.add_argument("--cc", default="gcc")
    options = parser.parse_args()
    files = list(sources(options.root))
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        results = list(pool.map(lambda p: check(options.root, options.cc, p), files))
    for path, number, what in (row for result in results for row in result):
        print(f"{path}:{number}: {what}")
    failed = sum(1 for result in results if result)
    print(f"layers: {len(files) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
