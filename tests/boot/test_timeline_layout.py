"""test_timeline_layout.py - the timeline's model and picture with made-up boots, no machine."""

import os
import subprocess
import sys
import xml.etree.ElementTree as xml

import pytest

import vm as machine
from test_timeline import TOOLS, assert_legible, content, drawn_to_scale, groups, number
import timeline
import timeline_model as model
import timeline_svg as picture

RESET = {"name": "reset", "tsc": 0, "disk": 0, "bits": 16, "cs": 0xf000, "ip": 0xfff0, "rflags": 2,
         "cr0": 0x60000010, "cr3": 0, "cr4": 0, "efer": 0, "a20": 1}
ROWS = ["stage 1", "stage 2", "protected mode", "A20 on", "kernel", "paging", "long mode",
        "kernel entry", "kernel_main", "prompt"]


def record(name, tsc, disk=0, **state):
    known = {"bits": 64, "cs": 8, "ip": 0xffffffff80100000, "cr0": 0x80000011, "cr3": 0x10000,
             "cr4": 0x20, "efer": 0x500, "rflags": 2, "a20": 1}
    return {"name": name, "tsc": tsc, "disk": disk, **known, **state}


def boot(durations=None, waits=None, names=ROWS):
    """A trace; @durations and @waits: ticks of a record's phase where they are not 1000 and 0."""
    trace, tsc, disk = [], 0, 0
    for name in names:
        tsc += (durations or {}).get(name, 10000 if name == "stage 1" else 1000)
        disk += (waits or {}).get(name, 0)
        trace.append(record(name, tsc, disk))
    return trace


def draw(trace):
    text = picture.draw(model.phases(trace), model.edges(RESET, trace), "made up")
    return xml.fromstring(text.encode())


# --- phases ---------------------------------------------------------------------------------------
def test_time_belongs_to_the_record_that_ends_it():
    found = model.phases(boot({"kernel": 7000}, {"kernel": 2000}))
    assert [(p.name, p.group) for p in found[:4]] == [
        ("firmware", "firmware"), ("stage 1", "stage 1"), ("protected mode", "stage 2"),
        ("A20 on", "stage 2")]
    assert found[0] == ("firmware", "firmware", 0, 10000, 0)
    assert found[4] == ("kernel", "stage 2", 13000, 7000, 2000)
    assert [p.group for p in found[5:]] == ["stage 2"] * 3 + ["kernel"] * 2
    assert model.group_times(found)[-1] == ("kernel", 23000, 25000)


def test_a_record_without_tsc_leaves_its_time_to_the_next():
    trace = boot()
    trace[3]["tsc"], trace[3]["disk"] = None, 0
    found = model.phases(trace)
    assert found[3].ticks is None and found[4] == ("kernel", "stage 2", 12000, 2000, 0)
    root = draw(trace)
    untimed = groups(root, "phase")[2]
    assert number(untimed, "ticks") is None and "not timed" in "".join(untimed.itertext())
    drawn_to_scale([g for g in groups(root, "phase") if number(g, "ticks") is not None])
    assert_legible(root)


def test_a_trace_of_something_else_is_refused():
    with pytest.raises(ValueError, match='no record "kernel entry", only stage 1, stage 2'):
        model.phases(boot(names=["stage 1", "stage 2", "prompt"]))


def test_without_any_tsc_before_stage_2_the_rest_is_drawn():
    trace = boot()
    trace[0]["tsc"], trace[0]["disk"] = None, 0
    root = draw(trace)
    assert [g.get("data-group") for g in groups(root, "share")] == ["stage 1", "stage 2", "kernel"]
    drawn_to_scale(groups(root, "phase"))
    assert_legible(root)


# --- several boots --------------------------------------------------------------------------------
def test_the_median_is_taken_for_work_and_waits_apart():
    boots = [boot({"kernel": 500 + wait}, {"kernel": wait}) for wait in (90000, 100, 300)]
    merged = model.median_trace(boots)
    assert merged == boots[2]
    assert model.phases(merged)[4].ticks == 800


def test_a_median_with_records_without_tsc():
    boots = [boot() for _ in range(3)]
    for trace in boots:
        trace[0]["tsc"] = trace[3]["tsc"] = None
    assert model.median_trace(boots) == boots[0]


def test_boots_that_differ_in_more_than_time_are_refused():
    other = boot()
    other[6]["cr4"] = 0x30
    with pytest.raises(ValueError, match='boot 2 differs from boot 1 at "long mode": cr4 is 48'):
        model.median_trace([boot(), other])
    with pytest.raises(ValueError, match="boot 2 went through other transitions"):
        model.median_trace([boot(), boot(names=ROWS[:-1])])


# --- edges ----------------------------------------------------------------------------------------
def test_edges_are_where_the_state_changes_and_both_ends():
    trace = boot()
    trace[0].update(bits=16, cs=0, ip=0x7c00, cr0=None, cr3=None, cr4=None, efer=None, a20=None,
                    rflags=None)
    for row in trace[1:6]:
        row.update(bits=32, ip=0x8000, cr0=0x11, cr4=0, efer=0, a20=None)
    trace[3]["a20"] = trace[4]["a20"] = trace[5]["a20"] = 1
    trace[9].update(cr0=0x80010031)
    found = model.edges(RESET, trace)
    assert [e.name for e in found] == ["reset", "stage 1", "stage 2", "A20 on", "long mode",
                                       "prompt"]
    assert [e.phase for e in found] == [None, 0, 1, 3, 6, 9]
    assert [e.group for e in found] == ["firmware", "stage 1", "stage 2", "stage 2", "stage 2",
                                        "kernel"]
    assert found[3].changed == {"a20"}
    assert found[4].changed == {"bits", "cr0", "cr4", "efer", "half"}
    assert model.bit_changes(found[2], "cr0") == (["PE"], ["CD", "NW"])
    assert [model.news(e) for e in found[2:]] == [
        "32-bit, PE, CD NW cleared, new CR3", "", "64-bit, PG, PAE, LMA LME, upper half", "WP NE"]


def test_a_bit_without_a_name_is_shown_by_its_number():
    assert model.bit_names("efer", 1 << 40 | 1 << 8) == ["bit 40", "LME"]


def test_the_state_at_reset_is_read_and_not_guessed():
    text = ("EAX=00000000 EBX=00000000\nEIP=0000fff0 EFL=00000002 [-------] CPL=0 A20=0 HLT=0\n"
            "CS =f000 ffff0000 0000ffff 00009b00\nCR0=60000010 CR2=0 CR3=00001000 CR4=00000040\n"
            "EFER=0000000000000100\n")
    found = timeline.reset_state(text)
    assert found == {**RESET, "a20": 0, "cr3": 0x1000, "cr4": 0x40, "efer": 0x100}
    with pytest.raises(ValueError, match="EFER"):
        timeline.reset_state(text.replace("EFER", "FEER"))


# --- the picture ----------------------------------------------------------------------------------
def test_the_same_boot_gives_the_same_bytes():
    first, second = (picture.draw(model.phases(trace), model.edges(RESET, trace), "x")
                     for trace in (boot(), boot()))
    assert first == second and first.endswith("</svg>\n")


@pytest.mark.parametrize("wait", [0, 1, 999, 50_000_000])
def test_a_phase_that_is_nearly_all_waiting(wait):
    root = draw(boot({"kernel": wait + 1000}, {"kernel": wait}))
    _, _, per_tick = drawn_to_scale(groups(root, "phase"))
    phase = groups(root, "phase")[3]
    hatched = [r for r in phase.iter() if r.get("class") == "wait"]
    assert len(hatched) == (1 if wait else 0)
    assert sum(float(r.get("width")) for r in hatched) == pytest.approx(wait * per_tick, abs=0.02)
    assert "1,000" in "".join(phase.itertext())
    assert_legible(root)


def test_sixty_rows():
    names = ROWS[:-1] + [f"row number {i}" for i in range(60)] + ["prompt"]
    root = draw(boot({f"row number {i}": 3 ** (i % 14) for i in range(60)}, names=names))
    assert [g.get("data-name") for g in groups(root, "phase")] == ["stage 1"] + names[2:]
    drawn_to_scale(groups(root, "phase"))
    assert_legible(root)


def test_names_are_text_and_not_markup():
    root = draw(boot(names=[n.replace("kernel_main", "<b>&amp;") for n in ROWS]))
    assert any("<b>&amp;" in content(t) for t in root.iter())


def test_a_longer_state_still_fits():
    trace = boot()
    trace[-1].update(cr0=0xe005003f, cr4=0x3008e0, efer=0xd00, cs=0xffff, cr3=0xfffff000)
    assert_legible(draw(trace))


@pytest.mark.parametrize("span, step", [(1, 1), (10, 1), (11, 2), (50, 5), (51, 10), (1939, 200),
                                        (999_999, 100_000)])
def test_axis_steps_are_round(span, step):
    assert picture.axis_step(span) == step


def test_a_wrong_call_is_explained():
    result = subprocess.run([sys.executable, os.path.join(TOOLS, "timeline.py")], check=False,
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert result.returncode == 2 and b"usage: timeline.py OUTPUT.svg" in result.stdout


def test_without_an_image_it_says_so(tmp_path):
    tool = os.path.join(TOOLS, "timeline.py")
    result = subprocess.run([sys.executable, tool, tmp_path / "x.svg"],
                            env={**os.environ, "BUILD": str(tmp_path)}, check=False,
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert result.returncode == 1 and b"run make first" in result.stdout
    assert machine.ROOT.encode() not in result.stdout.split(b": ")[0]
    assert not (tmp_path / "x.svg").exists()
