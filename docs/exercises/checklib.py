"""checklib.py - what the checks of the exercises stand on: a report, machines, and a debugger.

A check is a function whose first line of documentation says what shall be true.  It fails by
expect(), or by a Machine that does not do what is waited for.  `main(check, ...)` runs them all and
ends with the line `N passed, N failed`.
"""

import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import traceback

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, os.path.join(ROOT, "tests", "boot"))
import vm  # noqa: E402  (the path above)
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
    nm = next(filter(shutil.which, ("nm", "x86_64-elf-nm", "llvm-nm", "llvm-nm-14")), "nm")
    text = subprocess.run([nm, os.path.join(vm.BUILD, elf)], stdout=subprocess.PIPE,
                          check=True).stdout.decode()
    return {name: int(address, 16)
            for address, name in re.findall(r"(?m)^([0-9a-f]+) \w (\S+)$", text)}


# --- a debugger -----------------------------------------------------------------------------------
class Debugger:
    """
    QEMU's side of gdb, spoken to directly: breakpoints, steps, memory.  The machine stands still
    after the connection and after every call.  Spec: GDB manual, "Remote Protocol".
    """

    def __init__(self, machine):
        self.machine = machine
        path = os.path.join(machine.dir, "gdb")
        machine.hmp(f"gdbserver unix:{path},server=on,wait=off")
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(vm.TIMEOUT)
        self.socket.connect(path)
        self.data = b""
        answer = self.call("qSupported")
        while answer.startswith("T"):  # "it has stopped": QEMU says so unasked, once
            answer = self._answer()

    def close(self):
        """Let go of the machine, which runs on."""
        self.call("D")
        self.socket.close()

    def _answer(self):
        while True:
            match = re.search(rb"\$([^#]*)#..", self.data, re.S)
            if match:
                self.data = self.data[match.end():]
                self.socket.sendall(b"+")
                return match.group(1).decode()
            try:
                more = self.socket.recv(4096)
            except socket.timeout:
                raise vm.VmError(self.machine.report("the debugger waits in vain")) from None
            if not more:
                raise vm.VmError(self.machine.report("QEMU closed the debugger's line"))
            self.data += more

    def call(self, packet):
        body = packet.encode()
        self.socket.sendall(b"$%s#%02x" % (body, sum(body) & 0xFF))
        return self._answer()

    def run_to(self, *addresses):
        """Run until one of the addresses is reached; returns which."""
        for address in addresses:
            self.call(f"Z0,{address:x},1")
        self.call("c")
        for address in addresses:
            self.call(f"z0,{address:x},1")
        return self.pc()

    def step(self):
        """One instruction, without interrupts."""
        self.call("s")
        return self.pc()

    def pc(self):
        registers = bytes.fromhex(self.call("g"))  # 16 general ones come first
        return int.from_bytes(registers[16 * 8:17 * 8], "little")

    def memory(self, address, size):
        return bytes.fromhex(self.call(f"m{address:x},{size:x}"))


def wait_until(condition, what, machine):
    """Poll for something that QEMU does by itself."""
    deadline = time.monotonic() + vm.TIMEOUT
    while not condition():
        if time.monotonic() > deadline:
            raise vm.VmError(machine.report(f"{what}: not within {vm.TIMEOUT:.0f} s"))
        time.sleep(0.002)
