"""
test_media_reads.py - what the loader asks of the BIOS: few and large reads, on every medium.

With transfers of full size a MiB takes 16.5 calls (127 sectors of 512 bytes, 31 of 2048) or 17.1 (15
of 4096).
Beyond that a boot may need CONSTANT calls that are not full: the boot record, the beginning of the
volume, and what is left over at the end of the kernel, of the initrd and of a run of clusters.
"""

import os
import sys
import tempfile

import pytest

import faults
import matrix
import matrix_run
import vm as machine

sys.path.insert(0, os.path.join(machine.ROOT, "tools"))
import bench_media  # noqa: E402  (the path above)

PER_MIB = {512: 17, 2048: 17, 4096: 17.1}
CONSTANT = 3
FULL_SIZE = [m.name for m in matrix.MEDIA.values()
             if not (m.refused or m.slow or m.kind == "floppy")]


def calls_and_mib(medium, folder, files=()):
    image = machine.image_copy(folder, files=files) if files else machine.IMAGE
    drive = ["-drive", f"file={image},format=raw,if=none,id=d,snapshot=on"]
    with matrix_run.start(matrix.Case(medium, "q35"), folder, drive=drive) as m:
        m.prompt()
        calls, size = bench_media.reads(m)
    return calls, size / (1 << 20)


def limit(medium, mib):
    return PER_MIB[matrix.MEDIA[medium].sector] * mib + CONSTANT


@pytest.mark.parametrize("medium", FULL_SIZE)
def test_calls_of_a_plain_boot(medium, tmp_path):
    calls, mib = calls_and_mib(medium, tmp_path)
    assert calls <= limit(medium, mib)


@pytest.mark.parametrize("medium", ["ahci", "nvme-4096", "cd-ahci"])
def test_calls_with_a_large_initrd(medium, tmp_path):
    """8 MiB more, so that it is the calls per MiB that count; one medium per sector size."""
    large = faults.trailer(os.urandom(8 << 20))
    calls, mib = calls_and_mib(medium, tmp_path, [("INITRD.TAR", large)])
    assert mib > 8
    assert calls <= limit(medium, mib)


def test_a_floppy_reads_track_by_track():
    """A transfer ends at the end of a track; the ends of files come on top."""
    with tempfile.TemporaryDirectory() as folder, \
            matrix_run.start(matrix.Case("floppy-144", "pc"), folder) as m:
        m.prompt()
        calls, size = bench_media.reads(m)
    tracks = size / 512 / 18
    assert calls <= 1.5 * tracks
