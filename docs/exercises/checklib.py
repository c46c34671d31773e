"""checklib.py - what the checks of the exercises stand on: a report, and machines.

A check is a function whose first line of documentation says what shall be true.  It fails by
expect(), or by a Machine that does not do what is waited for.  `main(check, ...)` runs them all and
ends with the line `N passed, N failed`.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import time
import traceback

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, os.path.join(ROOT, "tests", "boot"))
import bootfacts  # noqa: E402  (the path above)
import vm  # noqa: E402
from firmware import build_rom  # noqa: E402

MAKE = os.environ.get("MAKE") or "make"
EXACT = ("-icount", "shift=0,sleep=off")  # one instruction is one nanosecond


class Wrong(Exception):
    """Something is not as it shall be; the text says what was expected and what was seen."""


def expect(good, expected, seen):
    if not good:
        raise Wrong(f"expected: {expected}\nseen:     {seen}")


def main(*checks):
    """
    Run the checks in order and report each; the first that fails ends it, since what follows builds
    on it.  Exits with 0 if all passed.
    """
    passed = failed = 0
    for check in checks:
        what = (check.__doc__ or check.__name__).strip().split("\n")[0]
        if failed:
            print(f"[--] not tried yet: {what}")
            continue
        try:
            check()
            passed += 1
            print(f"[ok] {what}", flush=True)
        except Exception as problem:  # pylint: disable=broad-except  (whatever it is, show it)
            failed += 1
            known = isinstance(problem, (Wrong, vm.VmError))
            text = str(problem) if known else traceback.format_exc()
            print(f"[FAIL] {what}\n  " + text.strip().replace("\n", "\n  "), flush=True)
    print(f"{passed} passed, {failed} failed")
    sys.exit(1 if failed else 0)


# --- machines -------------------------------------------------------------------------------------
class Erring:
    """A Machine whose BIOS errs in the ways named by @flags: with Erring("TRASH") as m: ..."""

    def __init__(self, *flags, **options):
        self.folder = tempfile.mkdtemp(prefix="minos-exercise-")
        rom = build_rom(os.path.join(self.folder, "rom.bin"), flags)
        options["extra"] = [*options.get("extra", []), "-option-rom", rom]
        options.setdefault("machine", "pc")
        self.machine = None
        self.options = options

    def __enter__(self):
        self.machine = vm.Machine(**self.options)
        return self.machine

    def __exit__(self, *_):
        self.machine.stop()
        shutil.rmtree(self.folder, ignore_errors=True)


def reaches_prompt(machine, *instead):
    """Wait for the prompt; what comes @instead (regular expressions) ends the wait, too."""
    end = machine.expect("|".join([r"minOS> ", *instead]))
    text = machine.serial_text()
    expect(end.group().startswith(b"minOS>"), "MinOS boots to its prompt",
           "it stopped with this on the serial line:\n" + text.strip())
    return text


def run(*argv):
    """Run a command in the tree; returns its output.  Wrong, with that output, if it fails."""
    done = subprocess.run(argv, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, check=False)
    text = done.stdout.decode(errors="replace")
    expect(done.returncode == 0, "this command succeeds: " + " ".join(argv), text.strip())
    return text


def make(*words):
    return run(MAKE, "--no-print-directory", *words)


def symbols(elf):
    """{name: address} of an ELF file of the build."""
    return bootfacts.symbols(os.path.join(vm.BUILD, elf))


def wait_until(condition, what, machine):
    """Poll for something that QEMU does by itself."""
    deadline = time.monotonic() + vm.TIMEOUT
    while not condition():
        if time.monotonic() > deadline:
            raise vm.VmError(machine.report(f"{what}: not within {vm.TIMEOUT:.0f} s"))
        time.sleep(0.002)
