#!/usr/bin/env python3
"""vscode.py - write .vscode/: tasks, launch configurations, settings, recommended extensions.

usage: vscode.py [--force] [--port PORT] [--folder FOLDER] [BUILD]

A file that a person wrote or changed is left alone, and the exit status is then 1; --force replaces
it.  FOLDER/minos.sums holds the SHA-256 of each file as it was written here, so a file that still
has that sum is ours to renew.  `sha256sum -c` reads it, too.  Environment: GDB.
"""

import argparse
import hashlib
import json
import os
import sys

SERVER = "MinOS: debug server"  # the task that the launch configurations start
SUMS = "minos.sums"
# The first instruction that is ours (boot/stage1.asm), and the kernel's first in C.
STARTS = [("MinOS: from the boot sector", "*0x7c00"), ("MinOS: kernel_main", "kernel_main")]


def workspace(path):
    """A path of the tree as VS Code wants it."""
    return path if os.path.isabs(path) else "${workspaceFolder}/" + path


def task(label, command, *arguments, **more):
    return {"label": label, "type": "process", "command": command, "args": list(arguments),
            "options": {"cwd": "${workspaceFolder}"}, "problemMatcher": [], **more}


def make_task(name, target, build, **more):
    arguments = [target] + ([f"BUILD={build}"] if build != "build" else [])
    return task(f"MinOS: {name}", "make", *arguments, **more)


def server_task(build, port):
    """
    QEMU stopped at reset, as a background task.  VS Code goes on to gdb when a line matches
    endsPattern; a problem matcher must have a pattern for problems, too.  tools/debug says
    `debug: QEMU (ACCELERATOR, ...); serial line: ...`, then that it waits; anything else
    behind `debug: ` is why it does not start.
    """
    begins, ends = r"debug: .*; serial line: ", f"debug: waiting for gdb on localhost:{port}"
    matcher = {"owner": "minos-debug",
               "pattern": {"regexp": f"^(?!{begins}|debug: waiting )(debug): (.*)$", "kind": "file",
                           "file": 1, "message": 2},
               "background": {"activeOnStart": True, "beginsPattern": "^" + begins,
                              "endsPattern": "^" + ends}}
    return task(SERVER, workspace("tools/debug"), "--server", str(port), build,
                isBackground=True, dependsOn="MinOS: build", problemMatcher=matcher)


def tasks(build, port):
    gcc = ["$gcc"]
    return {"version": "2.0.0", "tasks": [
        make_task("build", "all", build, problemMatcher=gcc,
                  group={"kind": "build", "isDefault": True}),
        make_task("test", "test", build, problemMatcher=gcc,
                  group={"kind": "test", "isDefault": True}),
        make_task("lint", "lint", build, problemMatcher=gcc),
        make_task("run", "run", build),
        server_task(build, port)]}


def launch(build, port):
    """
    stopAtEntry: to the extension the first stop is the program's entry, and it would go on from
    there by itself.  The breakpoint is a software one, since gdb has no connection yet; QEMU under
    TCG writes nothing into memory for it, so that the loader does not overwrite it.
    """
    def configuration(name, place):
        setup = [("the build folder", f"python import os; os.environ['BUILD'] = {build!r}"),
                 ("commands and symbols", f"source {workspace('tools/gdb/minos.py')}"),
                 ("the first stop", f"tbreak {place}")]
        return {"name": name, "type": "cppdbg", "request": "launch",
                "program": workspace(f"{build}/minos.elf"), "cwd": "${workspaceFolder}",
                "preLaunchTask": SERVER, "MIMode": "gdb",
                "miDebuggerPath": os.environ.get("GDB") or "gdb",
                "miDebuggerServerAddress": f"localhost:{port}", "stopAtEntry": True,
                "setupCommands": [{"description": why, "text": text, "ignoreFailures": False}
                                  for why, text in setup]}
    return {"version": "0.2.0", "configurations": [configuration(*start) for start in STARTS]}


def settings(build):
    """clangd in place of the C extension's own engine; breakpoints in .asm files."""
    return {"C_Cpp.intelliSenseEngine": "disabled",
            "clangd.arguments": [f"--compile-commands-dir={workspace(build)}"],
            "debug.allowBreakpointsEverywhere": True,
            "files.associations": {"*.h": "c"},
            "search.exclude": {build: True},
            "editor.rulers": [100],
            "[c]": {"editor.tabSize": 8, "editor.insertSpaces": False,
                    "editor.detectIndentation": False}}


def files(build, port):
    extensions = {"recommendations": ["llvm-vs-code-extensions.vscode-clangd",
                                      "ms-vscode.cpptools"]}
    contents = {"launch.json": launch(build, port), "tasks.json": tasks(build, port),
                "settings.json": settings(build), "extensions.json": extensions}
    return {name: (json.dumps(value, indent=4) + "\n").encode()
            for name, value in contents.items()}


def read(path):
    try:
        with open(path, "rb") as f:
            return f.read()
    except FileNotFoundError:
        return None


def digest(data):
    return hashlib.sha256(data).hexdigest()


def sums(folder):
    """What was written here last: {name: SHA-256}."""
    lines = (read(os.path.join(folder, SUMS)) or b"").decode(errors="replace").splitlines()
    return {name: value for value, name in (line.split(None, 1) for line in lines if " " in line)}


def write(folder, contents, force):
    """Write what may be written; returns the names that were left alone."""
    os.makedirs(folder, exist_ok=True)
    written, kept = sums(folder), []
    for name, data in contents.items():
        path = os.path.join(folder, name)
        before = read(path)
        if before not in (None, data) and digest(before) != written.get(name) and not force:
            kept.append(name)
            continue
        if before != data:
            with open(path, "wb") as f:
                f.write(data)
            print(f"vscode: wrote {path}")
        written[name] = digest(data)
    with open(os.path.join(folder, SUMS), "w", encoding="utf-8") as f:
        f.writelines(f"{value}  {name}\n" for name, value in sorted(written.items()))
    return kept


def main():
    parser = argparse.ArgumentParser(description="write .vscode/")
    parser.add_argument("--force", action="store_true", help="replace files that were changed")
    parser.add_argument("--port", type=int, default=1234, help="of QEMU's gdb stub (1234)")
    parser.add_argument("--folder", default=".vscode", help="where to write (.vscode)")
    parser.add_argument("build", nargs="?", default="build", help="the build folder (build)")
    options = parser.parse_args()
    kept = write(options.folder, files(options.build, options.port), options.force)
    for name in kept:
        print(f"vscode: {os.path.join(options.folder, name)} differs from what was written here "
              "and was left alone; tools/vscode.py --force replaces it", file=sys.stderr)
    return 1 if kept else 0


if __name__ == "__main__":
    sys.exit(main())
