"""vm.py - a MinOS machine in QEMU, for tests and tools: its serial line, keyboard, screen and end.

The standard library alone, so that `make smoke`, `make bench` and `make screenshot` work without
pytest.  QEMU connects to sockets that are listening before it starts, so no byte is lost.  A
Machine ends its own QEMU, by process id, and no other.
"""

import array
import ctypes
import fcntl
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import termios
import threading
import time

import recording

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.path.join(ROOT, os.environ.get("BUILD") or "build")
IMAGE = os.path.join(BUILD, "minos.img")
SMALL_INITRD = os.path.join(BUILD, "floppy", "INITRD.TAR")  # the one of the floppy: a few files, no programs
ELF = os.path.join(BUILD, "minos.elf")
QEMU = os.environ.get("QEMU") or "qemu-system-x86_64"

# At the start of a row: after a line's end, or after the pager took its question away.
PROMPT = rb"(?:(?<=\n)|(?<=\r\x1b\[K))(?:\r|\x1b\[[0-9;?]*[A-Za-z])*minOS> "
ANSI = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b[78DM=>]|\x1b\([A-Z0-9]")
EXIT_PASS, EXIT_FAIL = 33, 35  # isa-debug-exit: (value << 1) | 1 of 10h and 11h
VOLUME_OFFSET = 2048 * 512
PIPE_BYTES = 1 << 20  # of a serial line, as far as the host allows
FIFO_BYTES = 16
# While recording, in seconds of the guest's clock: until typed bytes are surely in the UART, since
# MinOS lets no more than 100 ms go by without a timer; how long a guest may leave them there (MinOS,
# behind a flood: 5 s, then Ctrl-C), which must have passed on the host's clock as well.
SETTLE_S, STALL_S, STALL_GUEST_S = 0.12, 12, 10
COM1_LSR, LSR_DATA_READY = 0x3FD, 1
# Media of Machine: the options that make a device of the drive "medium".
MEDIA_DEVICES = {
    "disk": ["-device", "ide-hd,drive=medium"],
    "cd": ["-device", "ide-cd,drive=medium"],
    "usb": ["-device", "qemu-xhci", "-device", "usb-storage,drive=medium"],
    "virtio": ["-device", "virtio-blk-pci,drive=medium"],
    "floppy": [],
}
# Seconds.  A busy machine under TCG is slow; a test that hangs is ended by this all the same.
TIMEOUT = float(os.environ.get("VM_TIMEOUT", "60"))


def _die_with_parent():
    """
    In the child: end when the test process does, even if that is killed.  SIGKILL, since a QEMU
    that waits for an event of its log heeds no other.  Linux, prctl(2).
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)


class VmError(AssertionError):
    """A machine did not do what was waited for; the text carries its serial log and screen."""


def plain(data):
    """Serial output as people read it: escape sequences and carriage returns removed."""
    text = data.decode("utf-8", errors="replace") if isinstance(data, bytes) else data
    return ANSI.sub("", text).replace("\r", "")


class Machine:
    """
    One QEMU.  Use it as a context manager, or call stop().

    With `record` it is recorded, if QEMU can record such a machine (`recorded` tells), so that
    recording.save() can keep what it did: docs/time-travel.md.
    """

    record_all = False  # what `record` is when not given
    # A test run may put lists here: machines that were started, and those stopped whose files it
    # removes itself, because only later it knows whether the test failed.
    started = stopped = None

    def __init__(self, image=IMAGE, *, machine="q35", cpu="max", mem="128M", serial=True,
                 vga="std", media="disk", extra=(), reboot=False, debug_exit=True, paused=False,
                 record=None):
        if image and not os.path.exists(image):
            raise VmError(f"{image} is missing: run make first")
        self._new_state()
        self.image = image
        wanted = self.record_all if record is None else record
        self.recordable = recording.possible(media, extra)
        self.recorded = wanted and self.recordable
        self.argv = self._arguments(image, machine, cpu, mem, serial, vga)
        self.argv += self._medium(image, media)
        if self.recorded:
            self.argv += recording.options("record", self.dir)
        if debug_exit:
            self.argv += ["-device", "isa-debug-exit,iobase=0xf4,iosize=0x04"]
        if not reboot:
            self.argv += ["-no-reboot"]
        if paused:
            self.argv += ["-S"]
        self.argv += list(extra)
        self._start(serial)
        if self.started is not None:
            self.started.append(self)

    def _new_state(self):
        self.dir = tempfile.mkdtemp(prefix="minos-vm-")
        self.output = bytearray()  # all that came over the serial line
        self.position = 0  # where expect() goes on
        self.inputs = []  # [length of output then, "serial" or "key", text]
        self.events = []
        self.returncode = None
        self.instructions = None  # of a recorded machine when end() came, if QEMU was still there
        self._at_end = False  # no more output will come
        self.changed = threading.Condition()  # guards output, wakes when it grows
        self._serial = self._qmp = None
        self._qmp_lock = threading.Lock()  # a command and its answer; a thread may type
        self._closed = False
        self._settled_at = 0  # guest_clock() when the bytes typed last are in the UART, or None

    def _arguments(self, image, machine, cpu, mem, serial, vga):
        argv = [QEMU, "-nodefaults", "-display", "none", "-M", machine, "-cpu", cpu, "-m", mem,
                "-accel", "tcg", "-vga", vga,
                "-chardev", f"socket,id=mon,path={self.dir}/qmp",
                "-mon", "chardev=mon,mode=control"]
        if serial:
            argv += ["-chardev", f"pipe,id=ser,path={self.dir}/serial", "-serial", "chardev:ser"]
        return argv

    def _medium(self, image, media):
        """The drive with the image, and the device that it is in."""
        if media is None or (media == "disk" and not image):
            return []
        kind = "floppy" if media == "floppy" else "none"
        drive = f"file={image},format=raw,snapshot=on,if="
        if self.recorded:  # a layer between device and image decides when a request is done
            argv = ["-drive", drive + "none,id=disk", "-drive",
                    f"driver=blkreplay,image=disk,if={kind},id=medium"]
        else:
            argv = ["-drive", f"{drive}{kind},id=medium"]
        return argv + MEDIA_DEVICES[media]

    # --- start and end ----------------------------------------------------------------------------
    def _listen(self, name):
        sock = socket.socket(socket.AF_UNIX)
        sock.bind(os.path.join(self.dir, name))
        sock.listen(1)
        sock.settimeout(TIMEOUT)
        return sock

    def _start(self, serial):
        listener = self._listen("qmp")
        serial = self._make_pipes() if serial else None
        with open(os.path.join(self.dir, "stderr"), "wb") as err:
            self.process = subprocess.Popen(self.argv, stdin=subprocess.DEVNULL, stdout=err,
                                            stderr=err, start_new_session=True,
                                            preexec_fn=_die_with_parent)
        try:
            self._qmp = self._accept(listener)
            self._qmp_file = self._qmp.makefile("r", encoding="utf-8")
            self._qmp_read()  # the greeting: the devices are there, and QEMU holds its pipe ends
            self.qmp("qmp_capabilities")
        except (OSError, ValueError) as problem:
            text = self.stderr()
            self.stop()
            raise VmError(f"QEMU did not start: {problem}\n{text}\n{' '.join(self.argv)}") from None
        finally:
            listener.close()
            if serial is not None:
                os.close(serial)

    def _make_pipes(self):
        """
        The serial line: a pipe for each direction, the one from QEMU with much room.  A socket is
        full after 278 single bytes, and a write that had to be tried again is not replayed alike.
        Returns a descriptor that keeps QEMU's output together until QEMU has opened it itself.
        """
        for end in ("in", "out"):
            os.mkfifo(os.path.join(self.dir, f"serial.{end}"))
        keep = os.open(os.path.join(self.dir, "serial.out"), os.O_RDWR)
        if sys.platform == "linux":
            fcntl.fcntl(keep, fcntl.F_SETPIPE_SZ, PIPE_BYTES)
        self._serial = os.open(os.path.join(self.dir, "serial.in"), os.O_RDWR)
        reader = os.open(os.path.join(self.dir, "serial.out"), os.O_RDONLY)
        threading.Thread(target=self._read_serial, args=(reader,), daemon=True).start()
        return keep

    def _accept(self, listener):
        deadline = time.monotonic() + TIMEOUT
        listener.settimeout(0.2)
        while True:
            try:
                conn, _ = listener.accept()
                conn.settimeout(None)
                return conn
            except socket.timeout:
                if self.process.poll() is not None or time.monotonic() > deadline:
                    raise OSError(f"exit status {self.process.poll()}") from None

    def stderr(self):
        try:
            with open(os.path.join(self.dir, "stderr"), encoding="utf-8", errors="replace") as f:
                return f.read()
        except OSError:
            return ""

    def stop(self):
        """End QEMU if it still runs, and forget its files."""
        if not self._closed:
            self.end()
            self._closed = True
            if self.stopped is None:
                self.forget()
            else:
                self.stopped.append(self)

    def forget(self):
        """Remove the files of a machine that was stopped."""
        shutil.rmtree(self.dir, ignore_errors=True)

    def _count_instructions(self):
        """So that a replay knows its end."""
        try:
            self._qmp.settimeout(5)
            self.qmp("stop")
            self.instructions = self.qmp("query-replay")["icount"]
        except (OSError, ValueError, VmError):
            pass

    def end(self):
        """End QEMU if it still runs; its files stay."""
        if self.process.poll() is None:
            if self.recorded and self._qmp:
                self._count_instructions()
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(5)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.returncode = self.process.returncode
        if self._qmp:
            self._qmp.close()
        if self._serial is not None:
            os.close(self._serial)
            self._serial = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def wait_exit(self, timeout=TIMEOUT):
        """Wait until QEMU ends by itself; returns its exit status."""
        try:
            self.returncode = self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            raise VmError(self.report(f"still running after {timeout:.0f} s")) from None
        time.sleep(0.05)  # the reader thread takes the last bytes
        return self.returncode

    # --- QMP --------------------------------------------------------------------------------------
    def _qmp_read(self):
        line = self._qmp_file.readline()
        if not line:
            raise OSError("QMP closed: QEMU ended")
        return json.loads(line)

    def qmp(self, command, **arguments):
        """Execute a QMP command and return its result; events on the way are kept."""
        message = {"execute": command, "arguments": arguments}
        with self._qmp_lock:
            self._qmp.sendall((json.dumps(message) + "\n").encode())
            while "event" in (answer := self._qmp_read()):
                self.events.append(answer)
        if "error" in answer:
            raise VmError(f"QMP {command}: {answer['error']['desc']}")
        return answer["return"]

    def hmp(self, line):
        return self.qmp("human-monitor-command", **{"command-line": line})

    def wait_event(self, name, timeout=TIMEOUT):
        """Wait for a QMP event of this name and return it."""
        deadline = time.monotonic() + timeout
        seen = 0
        while True:
            for event in self.events[seen:]:
                if event["event"] == name:
                    return event
            seen = len(self.events)
            if time.monotonic() > deadline:
                raise VmError(self.report(f"no QMP event {name} within {timeout:.0f} s"))
            self.qmp("query-status")
            time.sleep(0.05)

    # --- serial line ------------------------------------------------------------------------------
    def _read_serial(self, reader):
        while True:
            data = os.read(reader, 65536)
            with self.changed:
                self.output += data
                self._at_end = not data
                self.changed.notify_all()
            if not data:
                os.close(reader)
                return

    def send(self, data):
        """Type at the serial line."""
        data = data if isinstance(data, bytes) else data.encode()
        self.inputs.append([len(self.output), "serial", data.decode("latin-1")])
        since, clock = time.monotonic(), None
        while data:
            try:
                taken = self.offer(data)
            except (OSError, ValueError):  # QEMU has ended: nobody reads it
                return
            if taken:
                data, since, clock = data[taken:], time.monotonic(), None
                continue
            if clock is None:
                clock = self._guest_clock()
            self._check_stall(time.monotonic() - since, clock)
            time.sleep(0.001)

    def offer(self, data):
        """Type as much of @data at the serial line as may be typed now; returns how much."""
        room = self._room() if self.recorded else PIPE_BYTES
        if room == 0:
            return 0
        self._settled_at = None
        return os.write(self._serial, data[:room])

    def _room(self):
        """
        How many bytes may be typed now.  While QEMU 7.2 records, bytes that it has taken but not
        yet handed to the UART do not count as being in its FIFO of 16: more than there is room for,
        and the rest is lost.  It hands them over at the guest's next timer at the latest.  So, by
        the guest's own clock, however slow it is: the bytes before must be in the UART.
        Then a FIFO that is empty takes 16; one that is not takes one, or leaves it in the pipe.
        """
        unread = array.array("i", [0])
        fcntl.ioctl(self._serial, termios.FIONREAD, unread)
        if unread[0]:
            self._settled_at = None
            return 0
        clock = self._guest_clock()
        if self._settled_at is None:
            self._settled_at = clock + SETTLE_S
        if clock < self._settled_at:
            return 0
        uart = re.search(r"(?m)^ 4: [1-9]", self.hmp("info irq"))
        # Reading it does not change it.  Before its first interrupt the UART may have no FIFO on.
        status = int(self.hmp(f"i /b {COM1_LSR}").split("=")[1], 16)
        return FIFO_BYTES if uart and not status & LSR_DATA_READY else 1

    def _guest_clock(self):
        """
        The guest's clock in seconds, from any origin, to some ms: whatever timer it uses.  QEMU
        tells by how much it is behind the host's; without -icount it does not: they are one.
        """
        behind = re.search(r"Host - Guest clock +(-?\d+) ms", self.hmp("info jit"))
        return time.monotonic() - (int(behind.group(1)) / 1000 if behind else 0)

    def _check_stall(self, seconds, clock):
        """VmError if the guest takes nothing for so long, its clock having been at @clock then."""
        if self.process.poll() is None and seconds > STALL_S:
            passed = self._guest_clock() - clock
            if passed > STALL_GUEST_S or seconds > TIMEOUT:
                why = f"the guest took nothing that was typed for {seconds:.0f} s"
                raise VmError(self.report(why))

    def expect(self, pattern, timeout=TIMEOUT):
        """
        Wait for a regular expression (bytes or str) in what came since the last expect(); returns
        the match.  Text before it is skipped.
        """
        regex = re.compile(pattern.encode() if isinstance(pattern, str) else pattern)
        deadline = time.monotonic() + timeout
        with self.changed:
            while True:
                match = regex.search(self.output, self.position)
                if match:
                    found = regex.search(bytes(self.output), self.position)
                    self.position = match.end()
                    return found
                left = deadline - time.monotonic()
                ended = self.process.poll() is not None
                if left <= 0 or (ended and not self.changed.wait(0.3)):
                    break
                self.changed.wait(min(left, 0.5))
        why = "QEMU ended" if ended else f"not seen within {timeout:.0f} s"
        raise VmError(self.report(f"expected {pattern!r}: {why}"))

    def expect_length(self, length, timeout=TIMEOUT):
        """Wait until so many bytes have come over the serial line, from the start."""
        deadline = time.monotonic() + timeout
        with self.changed:
            while len(self.output) < length:
                left = deadline - time.monotonic()
                if left <= 0 or self.process.poll() is not None:
                    raise VmError(self.report(f"expected {length} bytes, got {len(self.output)}"))
                self.changed.wait(min(left, 0.5))

    def expect_quiet(self, quiet=2, timeout=TIMEOUT):
        """Wait until nothing has come over the serial line for @quiet seconds, or QEMU ended."""
        deadline = time.monotonic() + timeout
        with self.changed:
            seen = -1
            while seen != len(self.output) and time.monotonic() < deadline:
                seen = len(self.output)
                self.changed.wait_for(lambda: len(self.output) != seen or self._at_end, quiet)

    def serial_text(self):
        with self.changed:
            return plain(bytes(self.output))

    def prompt(self, timeout=TIMEOUT):
        """Wait for the shell's prompt at the start of a line."""
        return self.expect(PROMPT, timeout)

    def command(self, line, timeout=TIMEOUT):
        """Type a command at the serial line; returns what it printed, as plain text."""
        with self.changed:
            start = self.position = len(self.output)
        self.send(line + "\r")
        while True:
            end = self.prompt(timeout).start()
            with self.changed:
                text = plain(bytes(self.output[start:end]))
            if line[:20] in text:  # else it was the prompt of something before
                break
        return text.split("\n", 1)[1] if "\n" in text else ""

    def sync(self):
        """Bring the shell to an empty line at its prompt, whatever was typed and printed before."""
        for attempt in range(5):
            self.send("\x03")  # drops what was typed ahead: what follows must come after its prompt
            try:
                self.prompt(TIMEOUT / 10)
                mark = f"sync-{time.monotonic_ns()}"
                self.send(f"echo {mark}\r")
                self.expect(rf"\n{mark}\r?\n", TIMEOUT / 10)
                break
            except VmError:
                if attempt == 4:
                    raise
        return self.prompt()

    # --- screen and keyboard ----------------------------------------------------------------------
    def memory(self, address, size):
        """Guest-physical memory."""
        path = os.path.join(self.dir, "memory")
        self.qmp("pmemsave", val=address, size=size, filename=path)
        with open(path, "rb") as f:
            return f.read()

    def screen(self):
        """The text screen's 25 lines, from its memory at B8000h."""
        cells = self.memory(0xB8000, 80 * 25 * 2)
        text = cells[0::2].replace(b"\0", b" ").decode("cp437")
        return [text[i:i + 80].rstrip() for i in range(0, 2000, 80)]

    def attributes(self):
        """The screen's colour bytes, row by row."""
        cells = self.memory(0xB8000, 80 * 25 * 2)
        return [cells[1 + row * 160:(row + 1) * 160:2] for row in range(25)]

    def expect_screen(self, pattern, timeout=TIMEOUT):
        """Wait until the screen's text matches; returns the match."""
        deadline = time.monotonic() + timeout
        while True:
            match = re.search(pattern, "\n".join(self.screen()))
            if match:
                return match
            if time.monotonic() > deadline or self.process.poll() is not None:
                raise VmError(self.report(f"expected {pattern!r} on the screen"))
            time.sleep(0.1)

    def keys(self, *combinations, hold_ms=20):
        """Press keys of the PS/2 keyboard: QEMU's names, those held together joined by '-'."""
        for combination in combinations:
            names = combination.split("-")
            self.inputs.append([len(self.output), "key", combination])
            self.qmp("send-key", keys=[{"type": "qcode", "data": n} for n in names],
                     **{"hold-time": hold_ms})
            time.sleep((hold_ms + 15) / 1000)

    def type(self, text):
        """Type ASCII at the PS/2 keyboard as on a US layout."""
        self.keys(*(us_key(c) for c in text))

    def screendump(self, path):
        """Write the screen as PNG."""
        self.qmp("screendump", filename=path, format="png")

    # --- when something went wrong ----------------------------------------------------------------
    def report(self, problem):
        """The problem with all that is known of the machine."""
        try:
            screen = "\n".join("|" + line for line in self.screen() if line)
        except (OSError, VmError, ValueError):
            screen = "(QEMU has ended)"
        status = self.process.poll()
        state = "running" if status is None else f"ended with exit status {status}"
        return (f"{problem}\n--- QEMU ({state}): {' '.join(self.argv)}\n{self.stderr()}"
                f"--- serial log\n{self.serial_text()}\n--- screen\n{screen}\n---")


# Keys of the US layout, by the character they give.
_NAMED = {" ": "spc", "\n": "ret", "\t": "tab", "\b": "backspace", "-": "minus", "=": "equal",
          "[": "bracket_left", "]": "bracket_right", ";": "semicolon", "'": "apostrophe",
          "`": "grave_accent", "\\": "backslash", ",": "comma", ".": "dot", "/": "slash",
          "\x1b": "esc"}
_SHIFTED = {"!": "1", "@": "2", "#": "3", "$": "4", "%": "5", "^": "6", "&": "7", "*": "8",
            "(": "9", ")": "0", "_": "minus", "+": "equal", "{": "bracket_left",
            "}": "bracket_right", ":": "semicolon", '"': "apostrophe", "~": "grave_accent",
            "|": "backslash", "<": "comma", ">": "dot", "?": "slash"}


def us_key(char):
    """QEMU's name of the key (with shift where needed) that gives @char on a US keyboard."""
    if char in _NAMED:
        return _NAMED[char]
    if char in _SHIFTED:
        return "shift-" + _SHIFTED[char]
    return "shift-" + char.lower() if char.isupper() else char


def image_copy(directory, cmdline=None, source=IMAGE, files=(), name="minos.img"):
    """
    Copy the image into @directory and change it there: the command line in MINOS.CFG, and files
    of the volume given as (name, bytes).  Returns the path.
    """
    path = os.path.join(str(directory), name)
    shutil.copyfile(source, path)
    volume = f"{path}@@{VOLUME_OFFSET}"
    files = list(files)
    if cmdline is not None:
        config = subprocess.run(["mtype", "-i", volume, "::MINOS.CFG"], check=True,
                                stdout=subprocess.PIPE).stdout.decode()
        kept = [l for l in config.splitlines() if not re.match(r"\s*cmdline\b", l)]
        files.append(("MINOS.CFG", "\n".join(kept + [f"cmdline {cmdline}", ""]).encode()))
    for file_name, data in files:
        local = os.path.join(str(directory), "file.tmp")
        with open(local, "wb") as f:
            f.write(data)
        subprocess.run(["mcopy", "-o", "-i", volume, local, f"::{file_name}"], check=True)
        os.unlink(local)
    return path


TRACE_FIELDS = ("tsc", "disk", "bits", "cs", "ip", "sp", "cr0", "cr3", "cr4", "efer", "rflags", "a20",
                "result")


def boot_trace(machine):
    """
    The boot trace of a machine at its prompt, by `boot -m`: a dictionary per transition with `name`
    and TRACE_FIELDS, numbers, or None where the CPU was not asked.
    """
    rows = re.findall(r"(?m)^trace\t(.*)$", machine.command("boot -m"))
    if not rows:
        raise VmError(machine.report("`boot -m` printed no trace"))
    trace = []
    for row in rows:
        *values, name = row.split("\t")
        decimal = ("tsc", "disk", "bits", "result")
        entry = {field: None if value == "-" else int(value, 10 if field in decimal else 16)
                 for field, value in zip(TRACE_FIELDS, values, strict=True)}
        trace.append({"name": name, **entry})
    return trace
