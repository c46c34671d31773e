"""test_matrix.py - the part of the boot matrix (matrix.py) that fits every `make test`.

All pairs of medium, machine, memory and CPU; each misbehaviour and fault on each machine, with the
media taking turns; Bochs.  `make test-boot` runs the whole product.
"""

import os
import re
import shutil
import subprocess

import pytest

import matrix
import matrix_doc
import matrix_run
import vm as machine
from matrix_types import QUIRKS


@pytest.fixture(scope="module", autouse=True)
def floppy():
    subprocess.run([os.environ.get("MAKE", "make"), "-s", "--no-print-directory", "-C", machine.ROOT,
                    "floppy"], check=True, stdout=subprocess.PIPE)


@pytest.mark.parametrize("case", matrix.ci_cases(), ids=str)
def test_case(case):
    matrix_run.run(case)


@pytest.mark.parametrize("medium", matrix.BOCHS)
def test_bochs(medium):
    if not (shutil.which("bochs") or shutil.which("bochs-bin")):
        pytest.skip("Bochs is not installed")
    status, text = matrix_run.run_bochs(medium)
    assert status == 0, text
    assert "minOS> " in text


def test_every_pair_is_there():
    """Computed from the cases, not by the code that chose them."""
    for a, values_a in AXES.items():
        for b, values_b in AXES.items():
            if a >= b:
                continue
            seen = {(getattr(c, a), getattr(c, b)) for c in matrix.pairwise()}
            for x in values_a:
                for y in values_b:
                    can = any(getattr(c, a) == x and getattr(c, b) == y for c in PRODUCT)
                    assert ((x, y) in seen) == can, (x, y)


AXES = {"medium": matrix.MEDIA, "machine": matrix.MACHINES, "memory": matrix.MEMORY,
        "cpu": matrix.CPUS}
PRODUCT = [c for c in matrix.possible_cases() if not c.twist and c.memory in matrix.MEMORY]


def test_every_twist_is_there():
    assert {c.twist for c in matrix.twist_choice()} == set(matrix.TWISTS)


def test_every_switch_of_the_firmware_is_used():
    """And each that a twist uses is known: a wrong name would switch nothing."""
    with open(os.path.join(machine.ROOT, "tests/boot/firmware.asm"), encoding="ascii") as f:
        source = f.read()
    known = set(re.findall(r"%(?:el)?ifn?def ([A-Z0-9_]+)", source)) - {"OWN_MAP", "NO_TICK"}
    # OWN_MAP is the file's own; NO_TICK is about the menu (test_menu.py)
    assert {f.split("=")[0] for t in matrix.TWISTS.values() for f in t.flags} == known


def test_quirks_are_the_kernels():
    with open(os.path.join(machine.ROOT, "kernel/shell/cmd_boot.c"), encoding="utf-8") as f:
        source = f.read()
    texts = source.split("texts[] = {")[1].split("};")[0]
    assert set(re.findall(r'"(.*)"', texts)) == set(QUIRKS.values())


def test_the_document_is_up_to_date():
    with open(matrix_doc.PATH, encoding="utf-8") as f:
        assert f.read() == matrix_doc.text(), "run make boot-matrix"


def test_a_wrong_outcome_is_noticed(monkeypatch):
    """The checks themselves: another quirk, another message, a prompt that should not be."""
    case = matrix.Case("ide", "pc", twist="no-edd")
    for wrong in (matrix.boots(), matrix.boots("CHS", "retry"), matrix.boots("CHS", says="absent")):
        monkeypatch.setattr(matrix, "outcome", lambda case, wrong=wrong: wrong)
        with pytest.raises(machine.VmError):
            matrix_run.run(case)
