#!/usr/bin/env python3
"""matrix_run.py - runs cases of matrix.py: `make test-boot`.

usage: matrix_run.py [WORD...]	(only cases whose name contains every WORD)

Two at a time; prints each case that fails with its serial log and screen, a table of media and
machines, and as the last line `N passed, N failed`.
"""

import concurrent.futures
import os
import re
import subprocess
import sys
import tempfile

import matrix
import vm as machine
from firmware import option_rom
from matrix_types import QUIRKS, Boots, Twist

WORKERS = int(os.environ.get("TEST_JOBS", 0)) or 2
FLOPPY = os.path.join(machine.BUILD, "minos-floppy.img")


def start(case, folder, extra=(), drive=None):
    """The case's machine, running.  @extra: more options for QEMU; @drive: those of its drive `d`."""
    medium = matrix.MEDIA[case.medium]
    twist = matrix.TWISTS.get(case.twist) or Twist("", "", None)
    image = FLOPPY if medium.kind == "floppy" else machine.IMAGE
    if twist.image:
        image = twist.image(folder)
    if twist.drive:
        drive = twist.drive(folder, image)
    drive = drive or ["-drive", f"file={image},format=raw,if=none,id=d,snapshot=on"]
    devices = [w.replace("drive=d", "drive=d" + twist.device) if "drive=d" in w else w
               for w in medium.argv(case.machine)]
    options = list(twist.options(folder) if callable(twist.options) else twist.options)
    rom = option_rom(folder, twist.flags) if twist.flags else []
    return machine.Machine(None, media=None, machine=case.machine + twist.machine,
                           mem=twist.memory or case.memory, cpu=twist.cpu or case.cpu,
                           extra=[*drive, *devices, *options, *rom, *extra])


def on_screen(pattern):
    """The pattern as the screen shows it, where a space may be the end of a line."""
    return pattern.replace(r"[^\n]*", r"[\s\S]*").replace(" ", r"\s+")


def check_prompt(m, case, expected):
    m.prompt()
    m.expect_screen(r"(?m)^minOS>$")
    text = m.command("boot info")
    quirks = set(re.findall(r"(?m)^quirk +(.*)$", text))
    may = {QUIRKS[q] for q in ("retry", "smaller") if matrix.MEDIA[case.medium].slow}
    wanted = {QUIRKS[q] for q in expected.quirks}
    if quirks - may != wanted - may:
        raise machine.VmError(m.report(f"{case}: quirks {quirks}, expected {wanted}"))
    if expected.says and not re.search(expected.says, m.serial_text()):
        raise machine.VmError(m.report(f"{case}: the loader did not say {expected.says!r}"))
    medium = matrix.MEDIA[case.medium]
    told = f"{medium.sector}-byte sectors"
    if told not in text or not case.twist and f"drive {medium.drive} ({medium.kind})" not in text:
        raise machine.VmError(m.report(f"{case}: boot info tells another medium\n{text}"))


def check_stop(m, case, expected):
    m.expect(expected.message)
    m.expect_screen(on_screen(expected.message))
    if expected.by == "loader":
        m.expect(r"Stopped\.")
    else:  # int 18h: the BIOS goes on to the next device
        m.expect_screen("No bootable device")
    m.qmp("query-status")
    if [e for e in m.events if e["event"] in ("RESET", "SHUTDOWN")] or "minOS>" in m.serial_text():
        raise machine.VmError(m.report(f"{case}: it did not stay there"))


def run(case):
    """Run one case; raises VmError with all that is known when it does not come out right."""
    expected = matrix.outcome(case)
    with tempfile.TemporaryDirectory(prefix="minos-matrix-") as folder, start(case, folder) as m:
        if isinstance(expected, Boots):
            check_prompt(m, case, expected)
        else:
            check_stop(m, case, expected)


def run_bochs(medium, seconds=240):
    """Boot in Bochs; returns (exit status, what it printed)."""
    done = subprocess.run([os.path.join(machine.ROOT, "tools", "bochs"), machine.BUILD,
                           str(seconds), medium], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          stdin=subprocess.DEVNULL, text=True, check=False)
    return done.returncode, done.stdout


def attempt(name, function):
    """(name, None), or (name, what went wrong)."""
    try:
        function()
        return name, None
    except (machine.VmError, OSError, subprocess.CalledProcessError) as problem:
        return name, str(problem)


def bochs(medium):
    status, text = run_bochs(medium)
    if status:
        raise machine.VmError(text)


def jobs(words):
    """(name, function) of every case that is asked for."""
    every = [(str(case), lambda case=case: run(case)) for case in matrix.possible_cases()]
    every += [(f"bochs {medium}", lambda medium=medium: bochs(medium)) for medium in matrix.BOCHS]
    return [job for job in every if all(word in job[0] for word in words)]


def table(results):
    """Media x machines: passed / run."""
    lines = [f"{'':12}" + "".join(f"{name:>12}" for name in matrix.MACHINES)]
    for medium in matrix.MEDIA:
        line = f"{medium:12}"
        for name in matrix.MACHINES:
            found = [bad is None for case, bad in results.items()
                     if f"{case} ".startswith(f"{medium} {name} ")]
            none = matrix.impossible(matrix.Case(medium, name))
            line += f"{'-' if none else f'{sum(found)}/{len(found)}':>12}"
        lines.append(line)
    return "\n".join(lines)


def main():
    todo = jobs(sys.argv[1:])
    results = {}
    with concurrent.futures.ThreadPoolExecutor(WORKERS) as pool:
        running = [pool.submit(attempt, *job) for job in todo]
        for number, done in enumerate(concurrent.futures.as_completed(running), 1):
            name, bad = done.result()
            results[name] = bad
            print(f"{number}/{len(todo)}  {'ok' if bad is None else 'FAIL'}  {name}", flush=True)
            if bad is not None:
                print(bad, flush=True)
    print(table(results))
    for name, bad in results.items():
        if bad is not None:
            print(f"FAIL {name}: {bad.splitlines()[0]}")
    failed = sum(bad is not None for bad in results.values())
    print(f"{len(results) - failed} passed, {failed} failed")
    return 1 if failed or not results else 0


if __name__ == "__main__":
    sys.exit(main())
