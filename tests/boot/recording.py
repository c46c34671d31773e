"""recording.py - what is needed to run a machine again: QEMU's options, and the folder that keeps it.

A recording is a folder: `recording.json` (below), `minos.img` as it was at the start, the three
ELF files for the symbols, `serial.log`, and any other file that the command line names.  Two kinds:

    exact	`replay.bin` is QEMU's log of all that came from outside, each at its instruction:
		the machine runs again instruction for instruction
    inputs	what was typed, with the length of the serial output at that moment, for machines
		that QEMU cannot record: it is typed again at the same places of the output

Theory: docs/time-travel.md.  The running of it: replay.py.
"""

import json
import os
import re
import shutil
import time

LOG = "replay.bin"
STAGES = ("stage1.elf", "stage2.elf")
# blkdebug fails reads that the log does not know of; more CPUs, an -icount of its own, a trace or
# another serial line: those tests look at something that recording would change.
UNRECORDABLE = ("-icount", "-blockdev", "-smp", "-trace", "-serial", "-drive")
MEDIA = ("disk", "cd", "usb", "virtio", None)  # not a floppy: its replay does not go on
KEPT_MAX = 10  # recordings of failed tests, the newest ones
FILE_MAX = 64 << 20  # bytes of any other file that the command line names


class RecordingError(Exception):
    """A folder is no recording, or one that cannot be run here."""


def check_target(folder):
    """RecordingError if @folder holds anything but a recording: it is replaced as a whole."""
    facts = os.path.join(folder, "recording.json")
    if os.path.exists(folder) and not os.path.exists(facts):
        if not os.path.isdir(folder) or os.listdir(folder):
            raise RecordingError(f"{folder} is there, and is no recording: it is left alone")


def possible(media, extra):
    """Can QEMU record a machine with this medium and these further options?"""
    return media in MEDIA and not any(option in UNRECORDABLE for option in extra)


def options(mode, folder):
    """
    QEMU's options to record into, or replay from, @folder.  One instruction takes as much guest
    time as makes it pass like ours (shift=auto).  Without vapic: when QEMU 7.2 loads a snapshot it
    waits in vapic_post_load() for the CPU's thread, which waits for it.
    """
    return ["-icount", f"shift=auto,rr={mode},rrfile={folder}/{LOG}",
            "-global", "apic-common.vapic=off"]


def copy_sparse(source, target, block=65536):
    """Copy a file; blocks of zeros become holes."""
    with open(source, "rb") as src, open(target, "wb") as dst:
        while data := src.read(block):
            if data.count(0) == len(data):
                dst.seek(len(data), os.SEEK_CUR)
            else:
                dst.write(data)
        dst.truncate()


def _portable(machine, folder):
    """The machine's command line with @PLACES@ for what moves; files that it names are copied."""
    argv, copied = [], {}
    for argument in machine.argv:
        argument = argument.replace(machine.dir, "@DIR@")
        if machine.image:
            argument = argument.replace(machine.image, "@IMAGE@")
        for path in re.findall(r"(?:^|=)(/[^,]+)", argument):
            if os.path.isfile(path) and os.path.getsize(path) <= FILE_MAX:
                name = copied.setdefault(path, f"{len(copied)}-{os.path.basename(path)}")
                shutil.copyfile(path, os.path.join(folder, name))
                argument = argument.replace(path, f"@FOLDER@/{name}")
        argv.append(argument)
    return argv


def save(machine, folder, elf, note=""):
    """
    Keep what @machine did in @folder, which is made new; RecordingError if something else is there.
    Returns the kind.  One that is recorded ends with this, because only the end completes its log.
    """
    check_target(folder)
    if machine.recorded:
        machine.end()
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    with open(os.path.join(folder, "recording.json"), "w", encoding="utf-8"):
        pass  # if this is interrupted, the folder may still be replaced
    log = os.path.join(machine.dir, LOG)
    kind = "exact" if machine.recorded and os.path.exists(log) else "inputs"
    if kind == "exact":
        shutil.move(log, os.path.join(folder, LOG))
    if machine.image:
        copy_sparse(machine.image, os.path.join(folder, "minos.img"))
    for name in (elf, *(os.path.join(os.path.dirname(elf), stage) for stage in STAGES)):
        if os.path.exists(name):
            shutil.copyfile(name, os.path.join(folder, os.path.basename(name)))
    with open(os.path.join(folder, "serial.log"), "wb") as f:
        f.write(machine.output)
    facts = {"kind": kind, "note": note, "instructions": machine.instructions,
             "argv": _portable(machine, folder), "inputs": machine.inputs}
    with open(os.path.join(folder, "recording.json"), "w", encoding="utf-8") as f:
        json.dump(facts, f, indent=1)
    return kind


def load(folder):
    """The facts of the recording in @folder."""
    path = os.path.join(folder, "recording.json")
    try:
        with open(path, encoding="utf-8") as f:
            return json.load(f)
    except OSError as problem:
        raise RecordingError(f"{folder} is no recording: {path}: {problem.strerror}") from None
    except ValueError as problem:
        raise RecordingError(f"{path}: {problem}") from None


def prune(parent, most=KEPT_MAX):
    """Remove the oldest recordings in @parent beyond @most, and nothing else."""
    def age(path):
        try:
            return os.path.getmtime(path)
        except OSError:
            return time.time()

    folders = (os.path.join(parent, name) for name in os.listdir(parent))
    found = [path for path in folders if os.path.exists(os.path.join(path, "recording.json"))]
    for path in sorted(found, key=age)[:-most]:
        shutil.rmtree(path, ignore_errors=True)
