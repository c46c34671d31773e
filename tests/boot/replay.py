"""replay.py - run a recording (recording.py) again.

Replay stands before its first instruction and goes from one instruction count to another.  Going
back, in QEMU, is loading the nearest earlier snapshot and going forward from there, so a first pass
over the whole recording places snapshots; they stay in the folder for the next time.
Retype is the other kind: a new run, typed at as the first one was.
"""

import fcntl
import json
import os
import subprocess
import time

import recording
from vm import TIMEOUT, Machine, VmError

OVERLAY = "snapshots.qcow2"  # of the image: takes the guest's writes, and the snapshots
OUTPUT = "replay.log"  # serial output of the replay that ran last
END_S = 2  # without an instruction, behind the last one that was recorded
START = "start"  # the snapshot at instruction 0
# Instructions between two snapshots, at first.  A million take about 0.1 s to replay; a snapshot takes
# 0.05 s and 1.5 MiB, or as much as the guest's memory once that is in use.  When there are too many or
# they are too large, every second one goes, and the spacing doubles.
SPACING = 1_000_000
MAX_SNAPSHOTS = 100
MAX_BYTES = 1 << 30


def _resolve(argv, folder, directory):
    """A recorded command line with its places filled in."""
    places = {"@DIR@": directory, "@FOLDER@": folder, "@IMAGE@": os.path.join(folder, "minos.img")}
    result = []
    for argument in argv:
        for place, path in places.items():
            argument = argument.replace(place, path)
        result.append(argument)
    return result


class Replay(Machine):
    """
    A machine that does what the recording in @folder says.  It is stopped at first.

    Without @gdb, for first_pass(); with it, after that, for going back and forth.
    """

    def __init__(self, folder, gdb=False):
        self.folder = os.path.abspath(folder)
        self.facts = recording.load(self.folder)
        if self.facts["kind"] != "exact":
            raise recording.RecordingError(f"{folder} holds inputs only, no log to replay")
        self._lock = self._lock_folder()
        self._new_state()
        self.image, self.recorded = None, False
        self.argv = self._replay_argv(not gdb) + ["-S", "-action", "shutdown=pause"]
        self.gdb = os.path.join(self.dir, "gdb")  # socket of QEMU's gdb stub
        if gdb:
            self.argv += ["-gdb", f"unix:{self.gdb},server=on,wait=off"]
        self._start(None)

    def _lock_folder(self):
        """One replay at a time has the snapshots.  Returns the file whose closing ends this."""
        file = open(os.path.join(self.folder, "recording.json"), "rb")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            file.close()
            raise recording.RecordingError(f"another replay uses {self.folder}") from None
        return file

    def stop(self):
        super().stop()
        self._lock.close()

    def _replay_argv(self, fresh):
        snapshot = self._new_overlay() if fresh else ",rrsnapshot=" + START
        log = os.path.join(self.folder, recording.LOG)
        output = os.path.join(self.folder, OUTPUT)
        overlay = f"file={os.path.join(self.folder, OVERLAY)},format=qcow2,"
        argv = []
        for argument in self.facts["argv"]:
            if argument.startswith("pipe,id=ser,"):
                argument = f"file,id=ser,path={output}"
            argument = argument.replace(f"rr=record,rrfile=@DIR@/{recording.LOG}",
                                        f"rr=replay,rrfile={log}{snapshot}")
            argv.append(argument.replace("file=@IMAGE@,format=raw,snapshot=on,", overlay))
        if not any(overlay in argument for argument in argv):
            argv += ["-drive", f"{overlay}if=none,id=snapshots"]
        return _resolve(argv, self.folder, self.dir)

    def _new_overlay(self):
        """A new overlay without snapshots; returns what to say of a snapshot to begin with: nothing."""
        path, image = os.path.join(self.folder, OVERLAY), os.path.join(self.folder, "minos.img")
        backing = ["-F", "raw", "-b", "minos.img"] if os.path.exists(image) else []
        size = [] if backing else ["1M"]
        try:
            subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", *backing, path, *size],
                           check=True, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE)
        except OSError as problem:
            raise recording.RecordingError(f"qemu-img (tools/setup debug): {problem}") from None
        except subprocess.CalledProcessError as problem:
            why = problem.stderr.decode(errors="replace").strip()
            raise recording.RecordingError(f"{path}: {why}") from None
        return ""

    def count(self):
        """Guest instructions executed so far."""
        return self.qmp("query-replay")["icount"]

    def forward(self, count):
        """Run until @count instructions were executed.  False if the recording ends before."""
        try:
            self.qmp("replay-break", icount=count)
            self.qmp("cont")
            return self._wait_stop() == "paused"
        except (OSError, ValueError):
            raise recording.RecordingError(
                f"{self.folder}: the replay broke off: {self.stderr().strip() or 'QEMU ended'}"
            ) from None

    def _wait_stop(self):
        """
        Wait while it runs and goes on; returns QEMU's name for the state after that, or "end".  When a
        machine was halted for good, QEMU 7.2 sometimes waits for ever for the events that it logged
        behind the last instruction.
        """
        last, since = -1, time.monotonic()
        while (status := self.qmp("query-status"))["running"]:
            now = self.count()
            if now != last:
                last, since = now, time.monotonic()
            elif now == self.facts["instructions"] and time.monotonic() - since > END_S:
                self.qmp("stop")
                return "end"
            elif time.monotonic() - since > TIMEOUT:
                raise recording.RecordingError(
                    f"{self.folder}: the replay does not go on after instruction {now}")
            time.sleep(0.01)
        return status["status"]

    def snapshot(self, name):
        """Make a snapshot.  False if QEMU cannot here, because something is under way."""
        answer = self.hmp(f"savevm {name}").strip()
        if answer and "right now" not in answer:
            raise recording.RecordingError(f"{self.folder}: snapshot {name}: {answer}")
        return not answer

    def snapshot_bytes(self):
        """Size of all snapshots."""
        images = [node["image"] for node in self.qmp("query-named-block-nodes", flat=True)]
        return sum(s["vm-state-size"] for image in images for s in image.get("snapshots", []))

    def _next_stop(self, step):
        """Where the next snapshot belongs; one just before the end, if known: there people look first."""
        here, before_end = self.count(), (self.facts["instructions"] or 0) - SPACING
        return before_end if here < before_end < here + step else here + step

    def first_pass(self, progress=lambda count: None):
        """Run all of it and place snapshots.  Returns and keeps the number of instructions."""
        spacing, names = SPACING, []
        done = self.snapshot(START)
        while self.forward(self._next_stop(spacing if done else SPACING // 20)):
            name = f"s{self.count()}"
            done = self.snapshot(name)
            names += [name] if done else []
            progress(self.count())
            if len(names) > MAX_SNAPSHOTS or self.snapshot_bytes() > MAX_BYTES:
                for thinned in names[-2::-2]:  # never the last
                    self.hmp(f"delvm {thinned}")
                    names.remove(thinned)
                spacing *= 2
        self.facts["end"] = self.count()
        with open(os.path.join(self.folder, "recording.json"), "w", encoding="utf-8") as f:
            json.dump(self.facts, f, indent=1)
        return self.facts["end"]

    def differences(self):
        """After the first pass: what is not as it was recorded, as a list of sentences."""
        with open(os.path.join(self.folder, "serial.log"), "rb") as f:
            recorded = f.read()
        with open(os.path.join(self.folder, OUTPUT), "rb") as f:
            replayed = f.read()
        wrong = []
        if recorded != replayed:
            same = len(os.path.commonprefix([recorded, replayed]))
            wrong.append(f"the serial output differs from byte {same} on "
                         f"({len(recorded)} recorded, {len(replayed)} replayed)")
        recorded, replayed = self.facts["instructions"], self.facts["end"]
        if recorded not in (None, replayed):
            wrong.append(f"{recorded} instructions recorded, {replayed} replayed")
        return wrong


class Retype(Machine):
    """A new run of the machine in @folder."""

    def __init__(self, folder):
        folder = os.path.abspath(folder)
        self.facts = recording.load(folder)
        self._new_state()
        self.image, self.recorded = None, False
        self.argv = _resolve(self.facts["argv"], folder, self.dir)
        self._start(any("id=ser," in argument for argument in self.argv))

    def type_again(self, timeout=TIMEOUT):
        """Type what was typed, each piece once as much was printed as then.  False: it ended before."""
        for position, kind, text in self.facts["inputs"]:
            try:
                self.expect_length(position, timeout)
                if kind == "key":
                    self.keys(text)
                else:
                    self.send(text.encode("latin-1"))
            except (OSError, VmError):
                return False
        return True
