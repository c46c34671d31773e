"""test_boot_doc.py - docs/boot.md says what a boot really does: every number, symbol and file."""

import copy
import glob
import os
import re

import pytest

import boot_claims
import boot_measured
import docnumbers
import vm as machine
from boot_tables import Tables
from bootfacts import Run

PATH = os.path.join(machine.ROOT, "docs", "boot.md")
SOURCES = ("boot", "drivers", "include", "kernel", "mm", "tools", "tests")


def read(path):
    with open(path, encoding="utf-8", errors="replace") as f:
        return f.read()


@pytest.fixture(scope="module")
def run():
    return Run()


@pytest.fixture(scope="module")
def document(run):
    return docnumbers.Document(read(PATH), boot_measured.derive(run), boot_claims.phrases(),
                               boot_claims.names(), Tables(run).handlers, run.reference)


def test_every_number_is_what_the_machine_shows(document):
    assert not document.errors(), ("docs/boot.md (its phrases and names: boot_claims.py):\n"
                                   + "\n".join(document.errors()))


def test_a_changed_number_is_noticed(document):
    """Each number of the text, one change at a time; the text itself must be right for that."""
    assert not document.errors()
    survivors, count = [], 0
    for index, start, end in document.numbers():
        block = document.blocks[index]
        if not document.reference and document.depends_on_firmware(index, start, end):
            continue
        for changed in docnumbers.mutations(block.text[start:end]):
            count += 1
            if not document.notices(index, start, end, changed):
                survivors.append(f"line {block.at(start)}: {block.text[start:end]} as {changed}")
    assert count > 5000, "the text has lost its numbers"
    assert not survivors, "not noticed:\n" + "\n".join(survivors)


def test_a_changed_machine_is_noticed(run):
    """The other way round: other measurements, the same text."""
    facts = boot_measured.derive(run)
    tables = Tables(run).handlers
    for name in ("mem.stage2", "t.pd3", "lba.b", "gates", "entry"):
        other = {**facts, name: docnumbers.Fact(facts[name].value + 1)}
        document = docnumbers.Document(read(PATH), other, boot_claims.phrases(),
                                       boot_claims.names(), tables, run.reference)
        assert any(name in e and "measured" in e for e in document.errors()), name


def test_other_firmware_is_let_pass(run):
    """Where the text says `firmware`, another QEMU's BIOS may differ; nowhere else."""
    other = copy.copy(run)
    other.stops = {**run.stops, "stage1": {**run.stops["stage1"], "SP": 0x1234},
                   "cs_zero": {**run.stops["cs_zero"], "SP": 0x1234}}
    for reference, register, complaints in ((False, {}, 0), (True, {}, 1),
                                            (False, {"SI": 0}, 1)):
        other.stops["int13"] = {**run.stops["int13"], **register}
        document = docnumbers.Document(read(PATH), boot_measured.derive(run), boot_claims.phrases(),
                                       boot_claims.names(), Tables(other).handlers, reference)
        assert bool(document.errors()) == bool(complaints), document.errors()


def test_the_drawn_stack_holds_every_stack_pointer(run):
    """Stage 2's stack: from 6000h to 7000h, whatever the compiler made of the code."""
    facts = boot_measured.derive(run)
    low, high = facts["mem.stack_end"].value, facts["mem.stack"].value
    names = list(run.stops)
    for name in names[names.index("to_protected.far"):names.index("kernel_main")]:
        assert low < run.stops[name]["SP"] <= high, (name, hex(run.stops[name]["SP"]))


def test_the_trace_says_the_same_as_the_stops(run):
    """Two ways to look at one machine: records that the code left, and breakpoints."""
    for row, stop in (("stage 1", "stage1"), ("stage 2", "stage2_entry"),
                      ("paging", "long_mode.here"), ("kernel entry", "_start")):
        e, regs = next(e for e in run.trace if e["name"] == row), run.stops[stop]
        for field, register in (("cr0", "CR0"), ("cr3", "CR3"), ("cr4", "CR4"), ("efer", "EFER")):
            if e[field] is not None:
                assert e[field] == regs[register], (row, field)
        assert (e["cs"], e["ip"]) == (regs["CS"]["sel"], regs["IP"]), row


def test_the_debugger_stops_where_the_text_does():
    """minos-boot's labels (tools/gdb) are stops of the document, too."""
    labels = re.findall(r'(?m)^    \("[^"]+", "(?:stage1|stage2|kernel)", "([^"]+)"',
                        read(os.path.join(machine.ROOT, "tools/gdb/minos_gdb/boot.py")))
    stops = re.findall(r"(?m)^\*\*Stop `([^`]+)`", read(PATH))
    assert len(labels) >= 7 and set(labels) <= set(stops), set(labels) - set(stops)


def test_symbols_and_files_exist():
    text = read(PATH)
    sources = "\n".join(read(f) for folder in SOURCES for ending in ("c", "h", "asm", "ld", "py")
                        for f in glob.glob(os.path.join(machine.ROOT, folder, "**", "*." + ending),
                                           recursive=True) if not f.endswith("boot_claims.py"))
    for name in set(re.findall(r"`([^`\n]+)`", text)):
        if "/" in name:
            assert os.path.exists(os.path.join(machine.ROOT, name)), name
        elif re.fullmatch(r"[A-Za-z_][\w.]*(\(\)|\[\])?", name):
            label = name.rstrip("()[]").split(".")[-1]
            assert re.search(rf"\b{re.escape(label)}\b", sources), name
