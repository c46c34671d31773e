#!/usr/bin/env python3
"""rr.py - record a run of MinOS, and run it again with gdb: `make record`, `make replay`.

usage: rr.py record [--run "COMMAND; COMMAND"] [--timeout SECONDS] [FOLDER]
       rr.py replay [--check] FOLDER [gdb option...]

record	with a terminal: the machine's serial line is here; Ctrl-A X or `poweroff` ends it.  With
	--run, or without a terminal (then the lines come from standard input): each line is typed
	at a prompt; the recording ends after the last one is answered, or with a panic.
replay	the first time, a pass that checks the recording and places snapshots; then gdb, which
	stands before the first instruction.  --check: the pass only.

FOLDER is build/record if not given.  Theory: docs/time-travel.md.  Environment: QEMU, MEM, GDB.
"""

import argparse
import os
import re
import select
import shlex
import signal
import subprocess
import sys
import termios
import threading
import time
import tty

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(ROOT, "tests", "boot"))
import recording  # noqa: E402  (the path above)
from replay import OUTPUT, Replay, Retype  # noqa: E402
from vm import (BUILD, ELF, EXIT_FAIL, EXIT_PASS, PROMPT, TIMEOUT, Machine, VmError,  # noqa: E402
                plain)

ESCAPE = b"\x01"  # Ctrl-A
DROP_S = 8  # then keys that the machine does not take are dropped; MinOS may need 5 s for Ctrl-C
STOPPED = rb"[Ss]ystem halted[^\n]*\n"


def say(text):
    print(f"rr: {text}", flush=True)


# --- record ---------------------------------------------------------------------------------------
def type_lines(machine, lines, timeout):
    """Type each line at a prompt; returns when the last is answered, the kernel panics or QEMU ends."""
    machine.prompt(timeout)
    for line in lines:
        machine.send(line + "\r")
        end = machine.expect(PROMPT + rb"|" + STOPPED, timeout)
        if re.search(STOPPED, end.group(0)):
            return


def follow(machine):
    """In a thread: show what comes over the serial line."""
    shown = 0
    while True:
        ended = machine.process.poll() is not None
        with machine.changed:
            data = bytes(machine.output[shown:])
            if not data and not ended:
                machine.changed.wait(0.2)
        shown += len(data)
        sys.stdout.buffer.write(data)
        sys.stdout.flush()
        if ended and not data:
            return


class Keys:
    """What was typed and the machine has not taken yet.  Nothing here waits for it."""

    def __init__(self, machine):
        self.machine = machine
        self.waiting = b""
        self.since = 0  # time of the first key of these, or of the last progress
        self.told = False

    def add(self, key):
        if not self.waiting:
            self.since = time.monotonic()
        self.waiting += key

    def pass_on(self):
        """Give the machine what it takes; drop all, with a bell, if it took nothing for long."""
        taken = self.machine.offer(self.waiting)
        if taken:
            self.waiting, self.since = self.waiting[taken:], time.monotonic()
            self.told = False
        elif time.monotonic() - self.since > DROP_S:
            self.waiting = b""
            note = "" if self.told else "\r\nrr: the machine takes no keys; leave with Ctrl-A X\r\n"
            self.told = True
            print("\a" + note, end="", flush=True)


def talk(machine):
    """The terminal is the machine's serial line, until QEMU ends or Ctrl-A X."""
    descriptor = sys.stdin.fileno()
    before = termios.tcgetattr(descriptor)
    escaped, keys = False, Keys(machine)
    tty.setraw(descriptor, termios.TCSANOW)
    try:
        while machine.process.poll() is None:
            if select.select([descriptor], [], [], 0.005 if keys.waiting else 0.2)[0]:
                key = os.read(descriptor, 1)
                if not escaped and key == ESCAPE:
                    escaped = True
                elif not key or (escaped and key in b"xX"):
                    return
                else:
                    escaped = False
                    keys.add(key)
            if keys.waiting:
                keys.pass_on()
    except (OSError, ValueError):  # of QMP, because QEMU ends
        machine.process.wait(TIMEOUT)
    finally:
        termios.tcsetattr(descriptor, termios.TCSADRAIN, before)


def run_and_follow(machine, lines, timeout):
    """The run that is recorded.  Returns what went wrong with it, or None."""
    try:
        if lines is None:
            talk(machine)
        else:
            type_lines(machine, lines, timeout)
    except VmError as problem:
        if machine.process.poll() is None:
            return str(problem).splitlines()[0]
    except KeyboardInterrupt:
        pass
    status = machine.process.poll()  # power-off, reset and `panic=exit` are ends like others
    if status not in (None, 0, EXIT_PASS, EXIT_FAIL):
        return f"QEMU ended with status {status}: {machine.stderr().strip()}"
    return None


def record(options):
    recording.check_target(options.folder)
    if options.run is None and sys.stdin.isatty():
        lines = None
    elif options.run is None:
        lines = sys.stdin.read().splitlines()
    else:
        lines = [line.strip() for line in options.run.split(";")]
    with Machine(mem=os.environ.get("MEM") or "128M", record=True) as machine:
        hint = "; leave with Ctrl-A X" if lines is None else ""
        say(f"recording into {options.folder}{hint}")
        shower = threading.Thread(target=follow, args=(machine,), daemon=True)
        shower.start()
        problem = run_and_follow(machine, lines, options.timeout)
        recording.save(machine, options.folder, ELF, "make record")
        shower.join()
    print()
    if problem:
        say(f"ended early: {problem}")
    say(f"recorded: make replay FROM={shlex.quote(options.folder)}")
    return 1 if problem else 0


# --- replay ---------------------------------------------------------------------------------------
def show_progress(count):
    if sys.stdout.isatty():
        print(f"\rrr: {count // 1_000_000} million instructions", end="\r", flush=True)


def first_pass(folder):
    """Check the recording and place snapshots.  Returns the exit status."""
    say(f"first pass over {folder}: checking, and placing snapshots")
    with Replay(folder) as machine:
        end = machine.first_pass(show_progress)
        differences = machine.differences()
    for difference in differences:
        say(difference)
    say(f"{end} instructions replayed, " +
        ("not as recorded" if differences else "the serial output is identical"))
    return 1 if differences else 0


def gdb_command(socket, end, arguments):
    """The one place where gdb is called."""
    scripts = os.path.join(ROOT, "tools", "gdb")
    return [os.environ.get("GDB") or "gdb", "-q", "-nx", "-ex", "set confirm off",
            "-x", os.path.join(scripts, "minos.py"), "-ex", f"minos-attach {socket}",
            "-ex", f"set $replay_end = {end}",
            "-x", os.path.join(scripts, "replay.py"), *arguments]


def debug(folder, arguments):
    """gdb on the replay; its exit status."""
    with Replay(folder, gdb=True) as machine:
        say(f"serial output in {folder}/{OUTPUT}; QEMU ends with gdb")
        command = gdb_command(machine.gdb, machine.facts["end"], arguments)
        before = signal.signal(signal.SIGINT, lambda *_: None)  # Ctrl-C is gdb's
        try:
            environment = {**os.environ, "BUILD": os.path.abspath(folder)}  # its ELF files
            with subprocess.Popen(command, env=environment) as process:
                return process.wait()
        finally:
            signal.signal(signal.SIGINT, before)


def retype(folder):
    """The other kind: the inputs are typed again."""
    inputs = recording.load(folder)["inputs"]
    say(f"{folder} holds no log, " +
        ("only what was typed: it is typed again at the same places of the output" if inputs else
         "and nothing was typed"))
    with Retype(folder) as machine:
        complete = machine.type_again()
        machine.expect_quiet(2 if machine.facts["inputs"] else 30)  # alone it may think for long
        sys.stdout.write(plain(bytes(machine.output)))
    print()
    if not complete:
        say("the run went another way before all was typed")
    elif machine.facts["inputs"]:
        say("all was typed")
    return 0


def replay(options):
    facts = recording.load(options.folder)
    if facts.get("note"):
        say(facts["note"])
    if facts["kind"] == "inputs":
        return retype(options.folder)
    say(f"{options.folder} is an exact recording: every instruction as it was")
    if options.check or "end" not in facts:
        status = first_pass(options.folder)
        if options.check or status:
            return status
    return debug(options.folder, options.gdb)


def end_on_signals():
    """SIGTERM and SIGHUP end this like an error: each QEMU with its Machine.  Ctrl-C is gdb's."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: sys.exit(1))


def main():
    end_on_signals()
    parser = argparse.ArgumentParser(usage=__doc__.split("usage: ")[1].split("\n\n")[0])
    commands = parser.add_subparsers(dest="command", required=True, prog="rr.py")
    one = commands.add_parser("record")
    one.add_argument("--run")
    one.add_argument("--timeout", type=float, default=max(TIMEOUT, 600))
    one.add_argument("folder", nargs="?", default=os.path.join(BUILD, "record"))
    two = commands.add_parser("replay")
    two.add_argument("--check", action="store_true")
    two.add_argument("folder")
    two.add_argument("gdb", nargs=argparse.REMAINDER)
    options = parser.parse_args()
    try:
        return record(options) if options.command == "record" else replay(options)
    except (recording.RecordingError, VmError) as problem:
        print(f"rr: {problem}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
