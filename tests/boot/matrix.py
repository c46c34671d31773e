"""matrix.py - what MinOS boots from and on, and what firmware and media may do: as tables.

A case is a medium, a machine, a size of memory, a CPU and a twist (something that is wrong or
unusual).  This file says how QEMU makes each of them and what must come out: the prompt, with
exactly these quirks in `boot info`, or a message.  Combinations that cannot be are named with the
reason.  Users: test_matrix.py (a choice by pairs), matrix_run.py (all of it, `make test-boot`) and
matrix_doc.py (docs/boot-matrix.md).  The twists are in twists.py.
"""

from dataclasses import dataclass

from matrix_types import QUIRKS, Boots, Medium, Table, boots
from twists import GROUPS, TWISTS

IDE_BUS = {"pc": (), "q35": ("piix3-ide,id=i",), "isapc": ()}
AHCI_BUS = {"pc": ("ich9-ahci,id=a",), "q35": (), "isapc": ()}
FDC = {"pc": (), "q35": ("isa-fdc,id=f",), "isapc": ()}


def _on(buses, device, bus):
    """The device on the machine's own controller, or on the one that has to be added."""
    return {m: (*extra, device + (f",bus={bus}" if extra else "")) for m, extra in buses.items()}


def _cd(name, title, devices, **more):
    return Medium(name, title, devices, kind="CD", drive="e0h", sector=2048, **more)


def _floppy(name, title, drive_type):
    devices = _on(FDC, f"floppy,drive=d,drive-type={drive_type}", "f.0")
    return Medium(name, title, devices, kind="floppy", drive="00h", isapc=True, quirks=("CHS",))


SILENT = "QEMU's BIOS reports no read errors of this controller"

MEDIA = Table(
    Medium("ide", "IDE disk", _on(IDE_BUS, "ide-hd,drive=d", "i.0"), isapc=True),
    Medium("ahci", "AHCI disk", _on(AHCI_BUS, "ide-hd,drive=d", "a.0")),
    Medium("virtio-blk", "virtio-blk", ("virtio-blk-pci,drive=d",)),
    Medium("virtio-scsi", "virtio-scsi", ("virtio-scsi-pci", "scsi-hd,drive=d")),
    Medium("nvme", "NVMe", ("nvme,serial=1,drive=d",)),
    Medium("nvme-4096", "NVMe, 4096-byte sectors",
           ("nvme,serial=1,drive=d,logical_block_size=4096,physical_block_size=4096",), sector=4096),
    Medium("usb-ehci", "USB stick, EHCI", ("usb-ehci", "usb-storage,drive=d")),
    Medium("usb-xhci", "USB stick, xHCI", ("qemu-xhci", "usb-storage,drive=d")),
    Medium("usb-ohci", "USB stick, OHCI", ("pci-ohci", "usb-storage,drive=d")),
    Medium("usb-uhci", "USB stick, UHCI", ("piix3-usb-uhci", "usb-storage,drive=d"), slow=True),
    Medium("lsi", "SCSI, LSI 53C895A", ("lsi53c895a", "scsi-hd,drive=d")),
    Medium("esp", "SCSI, AMD 53C974", ("am53c974", "scsi-hd,drive=d"),
           errors="QEMU's BIOS waits for ever after a read error of this controller"),
    Medium("pvscsi", "SCSI, PVSCSI", ("pvscsi", "scsi-hd,drive=d"), errors=SILENT),
    Medium("megasas", "SAS, MegaRAID", ("megasas", "scsi-hd,drive=d"), errors=SILENT),
    Medium("mptsas", "SAS, LSI 1068", ("mptsas1068", "scsi-hd,drive=d")),
    Medium("sdhci", "SD card, SDHCI", ("sdhci-pci", "sd-card,drive=d"), errors=SILENT),
    _cd("cd-ide", "CD, IDE", _on(IDE_BUS, "ide-cd,drive=d", "i.0"), isapc=True),
    _cd("cd-ahci", "CD, AHCI", _on(AHCI_BUS, "ide-cd,drive=d", "a.0")),
    _cd("cd-scsi", "CD, virtio-scsi", ("virtio-scsi-pci", "scsi-cd,drive=d")),
    _cd("cd-ehci", "CD, USB, EHCI", ("usb-ehci", "usb-bot,id=b", "scsi-cd,drive=d,bus=b.0")),
    _cd("cd-xhci", "CD, USB, xHCI", ("qemu-xhci", "usb-bot,id=b", "scsi-cd,drive=d,bus=b.0")),
    _floppy("floppy-144", "1.44 MB floppy", "144"),
    _floppy("floppy-288", "1.44 MB floppy, 2.88 MB drive", "288"),
    Medium("usb-uas", "USB disk, UAS", ("qemu-xhci", "usb-uas", "scsi-hd,drive=d"),
           refused="QEMU's BIOS does not read UAS disks here"),
    Medium("virtio-4096", "virtio-blk, 4096-byte sectors",
           ("virtio-blk-pci,drive=d,logical_block_size=4096,physical_block_size=4096",), sector=4096,
           refused="QEMU's BIOS takes virtio disks with 512-byte sectors only"),
)

MACHINES = {"pc": "PC with PCI and IDE (440FX)", "q35": "PC with PCI Express and AHCI (Q35)",
            "isapc": "PC without PCI and ACPI"}
MEMORY = ("8M", "64M", "512M", "6G")
CPUS = ("qemu64", "core2duo", "max")
USUAL_MEMORY, USUAL_CPU = "128M", "max"

# Bochs: media of tools/bochs, with what `boot info` would call them.
BOCHS = {"disk": "disk", "cd": "CD", "floppy": "1.44 MB floppy",
         "floppy-288": "1.44 MB floppy, 2.88 MB drive"}


@dataclass(frozen=True)
class Case:
    medium: str
    machine: str
    memory: str = USUAL_MEMORY
    cpu: str = USUAL_CPU
    twist: str = ""

    def __str__(self):
        usual = (self.memory, self.cpu) == (USUAL_MEMORY, USUAL_CPU)
        return " ".join(part for part in (self.medium, self.machine, *(
            () if usual else (self.memory, self.cpu)), self.twist) if part)


def impossible(case):
    """Why this combination cannot be, or None."""
    medium = MEDIA[case.medium]
    if medium.refused:
        return medium.refused
    if case.machine == "isapc" and not medium.isapc:
        return "isapc has no PCI, which this controller needs"
    if case.machine == "isapc" and case.memory == "6G":
        return "isapc has no memory above 4 GiB"
    if not case.twist:
        return None
    twist = TWISTS[case.twist]
    if (case.machine not in twist.machines or medium.kind not in twist.kinds
            or medium.sector not in twist.sectors or twist.media and case.medium not in twist.media):
        assert twist.why, case
        return twist.why
    if twist.errors and medium.errors:
        return medium.errors
    return None


def outcome(case):
    """What must come out: the twist's outcome, and the medium's own quirks."""
    medium = MEDIA[case.medium]
    expected = TWISTS[case.twist].outcome if case.twist else boots()
    if isinstance(expected, Boots):
        return Boots(expected.quirks | set(medium.quirks), expected.says)
    return expected


def all_cases():
    """The whole sensible product: the plain ones, memory x CPU, and every twist."""
    for medium in MEDIA:
        for machine in MACHINES:
            yield Case(medium, machine)
            for memory in MEMORY:
                for cpu in CPUS:
                    yield Case(medium, machine, memory, cpu)
            for twist in TWISTS:
                yield Case(medium, machine, twist=twist)


def possible_cases():
    return [case for case in all_cases() if not impossible(case)]


def pairwise():
    """
    Few cases that hold every possible pair of medium, machine, memory and CPU: each new one is
    built around the first pair still missing, and takes with it as many others as it can.
    """
    product = [c for c in possible_cases() if not c.twist and c.memory in MEMORY]
    fields = ("medium", "machine", "memory", "cpu")

    def pairs(case):
        values = [(f, getattr(case, f)) for f in fields]
        return {(a, b) for i, a in enumerate(values) for b in values[i + 1:]}

    missing = dict.fromkeys(p for case in product for p in sorted(pairs(case)))
    chosen = []
    while missing:
        first = next(iter(missing))
        best = max((c for c in product if first in pairs(c)),
                   key=lambda c: sum(p in missing for p in pairs(c)))
        chosen.append(best)
        for pair in pairs(best):
            missing.pop(pair, None)
    return chosen


def twist_choice():
    """Each twist on each machine that has it, with the media taking turns."""
    chosen = []
    for number, (name, twist) in enumerate(TWISTS.items()):
        for turn, machine in enumerate(m for m in MACHINES if m in twist.machines):
            media = [m for m in MEDIA if not impossible(Case(m, machine, twist=name))
                     and not MEDIA[m].slow]
            if media and not (twist.slow and turn):
                chosen.append(Case(media[(number + turn) % len(media)], machine, twist=name))
    return chosen


def ci_cases():
    return [c for c in pairwise() if not MEDIA[c.medium].slow] + twist_choice()
