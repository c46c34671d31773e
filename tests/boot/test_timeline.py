"""test_timeline.py - the picture of `make timeline`, against a boot of its own.

Instructions are the same in every boot, to the last one, so the numbers in the picture must be
those of another boot.  Times are not: they contain waits for the disk.  The one thing that could
disturb the counts is the BIOS's timer, 55 ms after the BIOS started it: a boot on a machine so busy
that it comes near that is taken again.
"""

import os
import re
import subprocess
import sys
import xml.etree.ElementTree as xml

import pytest

import gdbstub
import vm as machine

TOOLS = os.path.join(machine.ROOT, "tools")
sys.path.insert(0, TOOLS)
import timeline  # noqa: E402  (the path above)
import timeline_model as model  # noqa: E402
from svg import text_width  # noqa: E402

COMMITTED = os.path.join(machine.ROOT, "docs", "boot-timeline.svg")
UNDISTURBED = 40e6  # ns from reset to the prompt
INTERRUPT = 400  # instructions: waits for the disk decide in which phase one comes
SVG = "{http://www.w3.org/2000/svg}"


# --- reading the picture --------------------------------------------------------------------------
def groups(root, kind):
    return [g for g in root.iter(SVG + "g") if g.get("class") == kind]


def number(element, name):
    text = element.get("data-" + name)
    return int(text) if text else None


def content(element):
    return "".join(element.itertext())


def texts(element):
    return [content(t) for t in element.iter(SVG + "text")]


def shown_bits(text_element):
    """Names of bits in a line of them, without those that are struck out."""
    return [t.text for t in text_element.iter(SVG + "tspan") if t.get("class") != "gone"]


def end_of(root):
    share = groups(root, "share")[-1]
    return number(share, "start") + number(share, "ticks")


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """The picture that the tool draws of one boot."""
    path = tmp_path_factory.mktemp("timeline") / "boot.svg"
    for _ in range(5):
        result = subprocess.run([sys.executable, os.path.join(TOOLS, "timeline.py"), path],
                                env={**os.environ, "TIMELINE_RUNS": "1"}, check=False,
                                stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        assert result.returncode == 0, result.stdout.decode()
        drawn = xml.parse(path).getroot()
        if end_of(drawn) < UNDISTURBED:
            return drawn
    raise AssertionError("this machine is too busy: five boots with long waits for the disk")


@pytest.fixture(scope="module")
def fresh():
    """(state at reset, trace) of another boot."""
    for _ in range(5):
        reset, trace = timeline.one_boot()
        if trace[-1]["tsc"] < UNDISTURBED:
            return reset, trace
    raise AssertionError("this machine is too busy: five boots with long waits for the disk")


def names_of_phases(trace):
    names = [row["name"] for row in trace]
    return ["stage 1"] + names[names.index("stage 2") + 1:]


# --- what it shows --------------------------------------------------------------------------------
def test_it_stands_alone_and_can_be_read_aloud(root):
    assert root.get("role") == "img"
    assert root.find(SVG + "title").text and "stage 2" in root.find(SVG + "desc").text
    assert float(root.get("width")) <= 1100
    for element in root.iter():
        assert element.tag not in (SVG + "script", SVG + "image", SVG + "foreignObject")
        assert not any("href" in name for name in element.attrib), element.attrib
    assert "@import" not in content(root) and "url(http" not in content(root)
    for g in groups(root, "share") + groups(root, "phase") + groups(root, "edge"):
        assert g.find(SVG + "title").text, g.attrib


def test_every_phase_is_there_with_the_numbers_of_another_boot(root, fresh):
    _, trace = fresh
    found = groups(root, "phase")
    assert [g.get("data-name") for g in found] == names_of_phases(trace)
    for g, row, before in zip(found, trace[1:], trace):
        ticks, disk = number(g, "ticks"), number(g, "disk")
        fresh_ticks = row["tsc"] - before["tsc"] - row["disk"] + before["disk"]
        assert abs(ticks - disk - fresh_ticks) <= INTERRUPT, g.attrib
        name, time, *waits, count = texts(g)
        assert name == g.get("data-name")
        assert count == f"{ticks - disk:,}"
        assert [float(t.replace(",", "")) for t in (time, *waits)] == pytest.approx(
            [ticks / 1e3, disk / 1e3] if disk else [ticks / 1e3], abs=0.051)


def test_phases_follow_each_other_and_add_up(root):
    at = number(groups(root, "before")[0], "ticks")
    sums = {}
    for g in groups(root, "phase"):
        assert number(g, "start") == at, g.attrib
        at += number(g, "ticks")
        sums[g.get("data-group")] = sums.get(g.get("data-group"), 0) + number(g, "ticks")
    assert at == end_of(root)
    for g in groups(root, "group"):
        assert number(g, "ticks") == sums[g.get("data-group")]
        assert texts(g)[-1] == f"{number(g, 'ticks') - number(g, 'disk'):,}"
    shares = {g.get("data-group"): number(g, "ticks") for g in groups(root, "share")}
    assert {**sums, "firmware": shares["firmware"]} == shares
    assert list(shares) == ["firmware", "stage 1", "stage 2", "kernel"]
    for ticks in shares.values():
        assert f"{ticks / 1e6:.3f} ms, {100 * ticks / at:.1f} %" in texts(root)


def drawn_to_scale(elements):
    """Every bar's place and width against one scale, which the first and the last bar give."""
    bars = [(number(g, "start"), number(g, "ticks"), g.find(SVG + "rect")) for g in elements]
    (first, _, a), (last, ticks, b) = bars[0], bars[-1]
    left = float(a.get("x"))
    per_tick = (float(b.get("x")) + float(b.get("width")) - left) / (last + ticks - first)
    for start, ticks, rect in bars:
        assert float(rect.get("x")) == pytest.approx(left + (start - first) * per_tick, abs=0.02)
        assert float(rect.get("width")) == pytest.approx(ticks * per_tick, abs=0.02)
    return left, first, per_tick


def test_bars_are_to_scale(root):
    drawn_to_scale(groups(root, "share"))
    phases = groups(root, "phase")
    _, _, per_tick = drawn_to_scale(phases)
    for g in phases:
        waits = [r for r in g.iter(SVG + "rect") if r.get("class") == "wait"]
        drawn = sum(float(r.get("width")) for r in waits)
        assert drawn == pytest.approx(number(g, "disk") * per_tick, abs=0.02), g.attrib


def test_the_enlarged_piece_is_the_one_below(root):
    lens = root.find(SVG + "polygon").get("points").split()
    shown = [float(point.split(",")[0]) for point in lens]
    ours, last = groups(root, "share")[1].find(SVG + "rect"), groups(root, "share")[-1][1]
    rows = [g.find(SVG + "rect") for g in groups(root, "phase")]
    expected = [float(ours.get("x")), float(last.get("x")) + float(last.get("width")),
                float(rows[-1].get("x")) + float(rows[-1].get("width")), float(rows[0].get("x"))]
    assert shown == pytest.approx(expected, abs=0.02)


def test_axes_are_to_scale(root):
    left, _, per_tick = drawn_to_scale(groups(root, "phase"))
    marks = [t for t in root.iter(SVG + "text") if re.fullmatch(r"[\d,]+( µs)?", content(t))
             and t.get("class") == "dim" and t.get("text-anchor") == "middle"]
    inner = [t for t in marks if float(t.get("y")) > 200]
    assert len(inner) >= 4
    for t in inner:
        value = int(content(t).replace(",", "").replace(" µs", ""))
        assert float(t.get("x")) == pytest.approx(left + value * 1000 * per_tick, abs=0.02)


def test_every_change_of_state_is_an_edge(root, fresh):
    reset, trace = fresh
    found = groups(root, "edge")
    fields = ("bits", "cs", "ip", "cr0", "cr3", "cr4", "efer", "a20")
    assert found[0].get("data-name") == "reset"
    drawn = [(g.get("data-name"), *(number(g, f) for f in fields)) for g in found]
    rows = [(row["name"], *(row[f] for f in fields)) for row in [reset] + trace]
    at = [rows.index(state) for state in drawn]  # each edge is a record of the other boot
    assert at == sorted(at) and at[-1] == len(rows) - 1
    registers = {"bits", "cs", "cr0", "cr3", "cr4", "efer", "a20"}
    for i in range(1, len(rows)):
        now, before = ([reset] + trace)[i], ([reset] + trace)[i - 1]
        if any(now[f] != before[f] for f in registers if now[f] is not None):
            assert i in at, f"{now['name']} changes the machine's state and is no edge"


def test_the_states_are_written_and_decoded(root):
    for g in groups(root, "edge"):
        written = texts(g)
        bits, cs, ip = number(g, "bits"), number(g, "cs"), number(g, "ip")
        assert str(bits) in written and f"{cs:04X}:{ip:0{bits // 4}X}" in written, written
        decoded = {}  # by column: long lists of names take more lines than one
        for t in g.iter(SVG + "text"):
            if t.find(SVG + "tspan") is not None:
                decoded.setdefault(t.get("x"), []).extend(shown_bits(t))
        for field, digits in (("cr0", 8), ("cr4", 8), ("efer", 3)):
            value = number(g, field)
            if value is None:
                assert "–" in written
                continue
            assert f"{value:0{digits}X}" in written
            if value:
                numbers = {name: bit for bit, name in model.BITS[field].items()}
                assert any(sum(1 << numbers.get(n, 63) for n in line) == value for line in decoded.values())
        assert written.count("–") == sum(number(g, f) is None for f in
                                         ("cr0", "cr3", "cr4", "efer", "a20")) + (
                                             1 if g.get("data-name") == "stage 1" else 0)


def test_bit_names_are_those_of_the_shell():
    with open(os.path.join(machine.ROOT, "kernel", "shell", "cmd_regs.c"), encoding="utf-8") as f:
        source = f.read()
    for register, names in model.BITS.items():
        table = re.search(rf"bit_name {register}_bits\[\] = {{(.*?)\n}};", source, re.S)[1]
        assert names == {int(bit): name for bit, name in re.findall(r'{(\d+), 1, "(\w+)"', table)}


# --- legible --------------------------------------------------------------------------------------
def text_box(t):
    """(left, top, right, bottom) of a line of text, as large as the fonts may make it."""
    size, style = float(t.get("font-size")), (t.get("class") or "").split()
    spans = [(s.text, (s.get("class") or "").split()) for s in t.iter(SVG + "tspan")]
    width = sum(text_width(text + " ", size, bool({"new", "b"} & set(c)), "m" in c)
                for text, c in spans or [(content(t), style)]) - text_width(" ", size)
    x, y = float(t.get("x")), float(t.get("y"))
    left = x - width * {"end": 1, "middle": 0.5}.get(t.get("text-anchor"), 0)
    return left, y - 0.76 * size, left + width, y + 0.24 * size


def overlap(a, b):
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


def assert_legible(root):
    """No text is small, runs into another or into a badge, or leaves the picture."""
    width, height = float(root.get("width")), float(root.get("height"))
    boxes = [(text_box(t), content(t)) for t in root.iter(SVG + "text") if t.get("class") != "no"]
    for c in root.iter(SVG + "circle"):
        x, y, r = (float(c.get(name)) for name in ("cx", "cy", "r"))
        boxes.append(((x - r, y - r, x + r, y + r), "a badge"))
    assert all(float(t.get("font-size")) >= 11 for t in root.iter(SVG + "text"))
    for i, (box, text) in enumerate(boxes):
        assert box[0] >= 8 and box[1] >= 8 and box[2] <= width - 8 and box[3] <= height - 8, text
        for other, other_text in boxes[:i]:
            assert not overlap(box, other), f"{text!r} runs into {other_text!r}"


def test_texts_do_not_overlap(root):
    assert_legible(root)


# --- the copy that the README shows ---------------------------------------------------------------
def test_the_copy_in_docs_shows_this_boot(root):
    """
    Names, order and modes always.  Registers if it was drawn with this QEMU, since MinOS turns on
    what the processor has.  Not times and addresses, which another compiler changes.
    """
    copy = xml.parse(COMMITTED).getroot()
    advice = "docs/boot-timeline.svg is out of date: make timeline"
    for kind in ("phase", "edge"):
        shown, drawn = ([g.get("data-name") for g in groups(r, kind)] for r in (copy, root))
        assert shown == drawn, advice
    fields = ["bits", "cs", "a20"]
    if timeline.qemu_version() in content(copy):
        fields += ["cr0", "cr4", "efer"]
    for shown, drawn in zip(groups(copy, "edge"), groups(root, "edge")):
        for field in fields:
            assert number(shown, field) == number(drawn, field), f"{field}: {advice}"
    assert_legible(copy)


# --- what a tick is -------------------------------------------------------------------------------
def halted_ticks(boot, path, trace, record):
    """
    The TSC against QEMU's own count of instructions, just behind a record of the trace: what the
    first is ahead are ticks during which the processor was halted, less the few instructions from
    the record's RDTSC to its return address.  The machine is stopped once only: QEMU lets guest
    time jump when it stops.
    """
    m = boot(extra=timeline.OPTIONS + gdbstub.options(path), paused=True)
    with gdbstub.GdbStub(path) as gdb:
        gdb.run_to(trace[record]["ip"])
        instructions = m.qmp("query-replay")["icount"]
        gdb.leave()
        m.prompt()
        timeline.wait_idle(m)
        row = machine.boot_trace(m)[record]
    m.stop()
    return row["tsc"] - instructions, row["disk"]


def test_a_tick_is_an_instruction(boot, fresh, tmp_path):
    """In the loader, but for int 13h, and in the kernel: no tick passes without an instruction."""
    _, trace = fresh
    names = [row["name"] for row in trace]
    loader, loaded, kernel = (names.index(n) for n in ("A20 on", "tables", "kernel_main"))
    ticks, disk = zip(*(halted_ticks(boot, tmp_path / f"gdb{i}", trace, i)
                        for i in (loader, loaded, kernel, len(trace) - 1)))
    assert 0 <= ticks[1] - ticks[0] <= disk[1]
    # With interrupts on, boot_trace_add() has one instruction more to go behind its RDTSC: STI.
    assert ticks[2] - 1 == ticks[3], "ticks without an instruction between kernel_main and the prompt"
