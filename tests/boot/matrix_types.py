"""matrix_types.py - the rows of the matrix: outcomes, media, twists; see matrix.py."""

from dataclasses import dataclass

# What `boot info` says after "quirk", by the short names used here.
QUIRKS = {
    "retry": "a read succeeded only after a reset and retry",
    "CHS": "reads by cylinder, head and sector",
    "smaller": "transfers had to be made smaller",
    "E801": "no E820: memory map made from int 15h E801h",
    "88": "no E801 either: memory map made from int 15h 88h",
    "drive": "the BIOS passed a wrong drive number",
    "copy B": "copy A of stage 2 was damaged, copy B is used",
    "overlap": "the firmware's memory map overlapped or was unsorted",
    "map cut": "the firmware's memory map had more entries than room",
    "unverified": "the initrd carries no checksum",
    "config": "MINOS.CFG has a wrong line, or is absent",
    "no initrd": "too little memory for the initrd: there are no programs",
    # Only when another loader started the kernel (docs/entry.md).
    "two sizes": "the loader gave no memory map, only two sizes",
    "cmdline": "the command line was too long, or could not be read",
    "module": "a module of the loader's could not be used: see dmesg",
}


@dataclass(frozen=True)
class Boots:
    """The prompt comes, with exactly these quirks; the loader has said @says (a pattern)."""
    quirks: frozenset = frozenset()
    says: str = ""


@dataclass(frozen=True)
class Stops:
    """It stops with this message, on COM1 and on the screen; `by` the boot sector or the loader."""
    message: str
    by: str = "loader"


def boots(*quirks, says=""):
    assert set(quirks) <= set(QUIRKS), quirks
    return Boots(frozenset(quirks), says)


@dataclass(frozen=True)
class Medium:
    """devices: QEMU's, with the drive `d`.  Drive and sectors: as `boot info` tells them."""
    name: str
    title: str
    devices: tuple
    kind: str = "disk"  # disk, CD, floppy
    drive: str = "80h"
    sector: int = 512
    isapc: bool = False  # also on a machine without PCI
    refused: str = ""  # why no machine boots from it
    quirks: tuple = ()
    errors: str = ""  # why the firmware does not pass on read errors
    slow: bool = False  # the firmware's timeouts strike on a busy host: retries may be needed

    def argv(self, machine):
        parts = self.devices[machine] if isinstance(self.devices, dict) else self.devices
        return [word for part in parts for word in ("-device", part)]


class Table(dict):
    """Rows by their name, in order."""

    def __init__(self, *rows):
        super().__init__((row.name, row) for row in rows)


@dataclass(frozen=True)
class Twist:
    """Something wrong or unusual.  Callables get a folder for their files."""
    name: str
    title: str
    outcome: object
    flags: tuple = ()  # firmware.asm
    image: object = None  # folder -> path of the image to boot from
    drive: object = None  # (folder, image) -> QEMU's options that make the drive `d`
    options: object = ()  # QEMU's, or folder -> options
    device: str = ""  # added to the medium's device
    memory: str = ""
    cpu: str = ""
    machine: str = ""  # added to the machine's name
    machines: tuple = ("pc", "q35", "isapc")
    media: tuple = ()  # names; empty: see kinds
    kinds: tuple = ("disk", "CD", "floppy")
    sectors: tuple = (512, 2048, 4096)
    why: str = ""  # why not on the other machines or media
    errors: bool = False  # needs a firmware that passes on read errors
    slow: bool = False  # takes seconds: in CI on one machine only
