"""timeline_svg.py - draws a boot: an overview, our part enlarged, and the machine's states.

Pure functions over what tools/timeline_model.py finds; the same boot gives the same bytes.  From
top to bottom: the whole time from reset as one bar; the time since the boot sector as one row per
phase, a bar at its place in time; a table of the machine's state at each edge.  Numbers in circles
tie the edges to the rows that they end; the table is tools/timeline_states.py.

Both scales are linear.  A phase's disk wait is drawn at the end of its bar, wherever in the phase
it fell.  Every number that is drawn is also a data- attribute of its element, for the tests.
"""

import textwrap

import timeline_model as model
from svg import Drawing, text_width
from timeline_look import (CARD, COLOURS, FAINT, INK, MARGIN, RIGHT, STYLE, WIDTH, badge, css_class,
                           data, thousands, us)
from timeline_states import states

PLOT_LEFT, PLOT_RIGHT = 156, 638  # of the enlarged part
BARS_RIGHT = PLOT_RIGHT - 24  # the badge behind the last bar needs room
NEWS_RIGHT = 684  # where the widest time begins
COLUMN_TIME, COLUMN_DISK, COLUMN_COUNT = 748, 832, RIGHT  # right edges
ROW = 19
BAR = 11  # height of a phase's bar
SHORT = 1.0  # px; a shorter bar gets a line at its place

NOTES = (
    "Instructions are those that QEMU counted: a repeated string instruction counts once for each "
    "repetition, and the BIOS calls that a phase makes are in it. int 13h is not: all time in it "
    "is shown as disk wait. Stage 1 has no room to time its reads: its count is the checksum "
    "loop's, all its other time is taken for disk wait. The firmware's own waits cannot be told "
    "from its work.")
LINE_CHARACTERS = 136  # of 12 px text that surely fit between the margins


def axis_step(span, most=10):
    """The smallest of 1, 2, 5, 10, 20, ... that divides @span into at most @most parts."""
    unit = 1
    while True:
        for factor in (1, 2, 5):
            if span / (unit * factor) <= most:
                return unit * factor
        unit *= 10


class Scale:
    """Linear, from ticks to pixels."""

    def __init__(self, start, end, left, right):
        self.start, self.left = start, left
        self.per_tick = (right - left) / max(end - start, 1)

    def x(self, ticks):
        return self.left + (ticks - self.start) * self.per_tick

    def width(self, ticks):
        return ticks * self.per_tick


# --- overview -------------------------------------------------------------------------------------
def legend(d, times, total, y):
    """Each group with its time and its share of the whole."""
    step = (RIGHT - MARGIN) / len(times)
    for i, (group, start, end) in enumerate(times):
        x = MARGIN + i * step
        label = "kernel, to the prompt" if group == "kernel" else group
        d.rect(x, y - 10, 12, 12, rx=2, class_=css_class(group))
        d.text(x + 18, y, label, size=13, class_="b")
        share = 100 * (end - start) / total
        d.text(x + 18, y + 17, f"{(end - start) / 1e6:.3f} ms, {share:.1f} %", size=13,
               class_="dim")


def overview(d, times, y):
    """The bar of the whole boot; returns its scale."""
    total = times[-1][2]
    scale = Scale(0, total, MARGIN, RIGHT)
    for group, start, end in times:
        d.open("g", class_="share", data_group=group, data_start=str(start),
               data_ticks=str(end - start))
        d.element("title", f"{group}: {(end - start) / 1e6:.3f} ms from {start / 1e6:.3f} ms on")
        d.rect(scale.x(start), y, scale.width(end - start), 30, class_=css_class(group))
        d.close("g")
    badge(d, MARGIN + 15, y + 15, 1, "firmware")
    return scale


def overview_axis(d, scale, total, y):
    step = axis_step(total / 1e6)
    for mark in range(0, int(total / 1e6) + 1, step):
        x = scale.x(mark * 1e6)
        d.line(x, y, x, y + 5, class_="grid")
        d.text(x, y + 17, f"{mark} ms" if mark == 0 else str(mark), size=12, class_="dim",
               text_anchor="start" if mark == 0 else "middle")


def lens(d, scale, begin, end, top, bottom):
    """The piece of the overview that is enlarged below."""
    points = [(scale.x(begin), top), (scale.x(end), top), (BARS_RIGHT, bottom), (PLOT_LEFT, bottom)]
    d.element("polygon", points=" ".join(f"{x:.2f},{y:.2f}" for x, y in points), fill="#eef2f6")


# --- our part, enlarged ---------------------------------------------------------------------------
def grid(d, scale, begin, end, top, bottom):
    span = (end - begin) / 1000
    for mark in range(0, int(span) + 1, axis_step(span)):
        x = scale.x(begin + mark * 1000)
        d.line(x, top, x, bottom, class_="grid")
        d.text(x, top - 5, f"{mark:,}" if mark else "0 µs", size=12, class_="dim",
               text_anchor="middle")


def headings(d, y):
    d.text(MARGIN, y, "phase", size=12, class_="dim")
    d.text(COLUMN_TIME, y, "time, µs", size=12, class_="dim", text_anchor="end")
    d.text(COLUMN_DISK, y, "disk wait, µs", size=12, class_="dim", text_anchor="end")
    d.text(COLUMN_COUNT, y, "instructions", size=12, class_="dim", text_anchor="end")


def numbers(d, y, ticks, disk, **attrs):
    """The three columns of a row."""
    columns = [(COLUMN_TIME, us(ticks)), (COLUMN_DISK, us(disk) if disk else ""),
               (COLUMN_COUNT, thousands(ticks - disk))]
    for x, text in columns:
        if text:
            d.text(x, y, text, size=12, text_anchor="end", **attrs)


def phase_bar(d, scale, phase, y):
    """The bar of a phase around y, to scale, the disk wait hatched at its end."""
    x, width = scale.x(phase.start), scale.width(phase.ticks)
    waits, top = scale.width(phase.disk), y - BAR / 2
    d.rect(x, top, width, BAR, class_="bar " + css_class(phase.group))
    if phase.disk:
        d.rect(x + width - waits, top, waits, BAR, class_="wait", fill="url(#hatch)")
    if width < SHORT:
        d.line(x, top, x, top + BAR, stroke=COLOURS[phase.group])


def phase_row(d, scale, phase, y, indent):
    """One row, its middle at y."""
    d.open("g", class_="phase", data_name=phase.name, data_group=phase.group,
           data_start=str(phase.start), data_ticks=data(phase.ticks), data_disk=data(phase.disk))
    if phase.ticks is None:
        d.element("title", f"{phase.group}, {phase.name}: not timed")
    else:
        d.element("title", f"{phase.group}, {phase.name}: {us(phase.ticks)} µs, of which disk "
                  f"{us(phase.disk)} µs; {thousands(phase.ticks - phase.disk)} instructions")
    d.text(MARGIN + 12 + indent, y + 4, phase.name, size=12, class_=None if indent else "b")
    if phase.ticks is None:
        d.text(COLUMN_TIME, y + 4, "not timed", size=12, class_="dim", text_anchor="end")
    else:
        phase_bar(d, scale, phase, y)
        numbers(d, y + 4, phase.ticks, phase.disk, class_=None if indent else "b")
    d.close("g")


def group_row(d, scale, group, found, y):
    """The sum of a group's phases, above them."""
    timed = [p for p in found if p.ticks is not None]
    ticks, disk = sum(p.ticks for p in timed), sum(p.disk for p in timed)
    d.open("g", class_="group", data_group=group, data_ticks=str(ticks), data_disk=str(disk))
    d.text(MARGIN + 12, y + 4, group, size=12, class_="b")
    if timed:
        d.rect(scale.x(timed[0].start), y - BAR / 2, scale.width(ticks), BAR, fill_opacity="0.22",
               class_=css_class(group))
        numbers(d, y + 4, ticks, disk, class_="b")
    d.close("g")


def firmware_row(d, phase, y):
    d.open("g", class_="before", data_ticks=data(phase.ticks))
    d.text(MARGIN + 12, y + 4, "firmware", size=12, class_="b")
    d.text(PLOT_LEFT + 16, y + 4, "before this scale begins", size=12, class_="dim")
    if phase.ticks is not None:
        numbers(d, y + 4, phase.ticks, phase.disk, class_="b")
    d.close("g")


def waterfall(d, found, edges, begin, end, y):
    """All rows from y on, with their badges, from tick @begin to @end; returns where they end."""
    scale = Scale(begin, end, PLOT_LEFT, BARS_RIGHT)
    titles = sum(len([p for p in found if p.group == g]) > 1 for g in model.GROUPS)
    grid(d, scale, begin, end, y, y + (len(found) + titles) * ROW + 4)
    y += 4 + ROW / 2
    for group in model.GROUPS:
        members = [(i, p) for i, p in enumerate(found) if p.group == group]
        top = y - ROW / 2 + 2
        if len(members) > 1:
            group_row(d, scale, group, [p for _, p in members], y)
            y += ROW
        for i, phase in members:
            if group == "firmware":
                firmware_row(d, phase, y)
            else:
                phase_row(d, scale, phase, y, 12 if len(members) > 1 else 0)
            here = [(n, edge) for n, edge in enumerate(edges, 1) if edge.phase == i]
            edge_badges(d, scale, phase, here, y)
            y += ROW
        if members:
            d.rect(MARGIN, top, 5, y - ROW / 2 - 2 - top, class_=css_class(group))
    return y - ROW / 2


def edge_badges(d, scale, phase, here, y):
    """The numbers of the edges at a phase's end behind its bar, with what they change."""
    if phase.group == "firmware":
        for number, edge in here:
            badge(d, PLOT_LEFT, y, number, edge.group)
        return
    start = scale.x(phase.start)
    x = start + scale.width(phase.ticks or 0) + 13
    for number, edge in here:
        badge(d, x, y, number, edge.group)
        text = model.news(edge)
        if x + 14 + text_width(text) <= NEWS_RIGHT:
            d.text(x + 14, y + 4, text, size=12, class_="dim")
        else:
            d.text(start - 6, y + 4, text, size=12, class_="dim", text_anchor="end")


# --- the whole ------------------------------------------------------------------------------------
def description(times, edges):
    groups = "; ".join(f"{g} {(end - start) / 1e6:.3f} ms" for g, start, end in times)
    return (f"A timeline of the boot of MinOS, to scale. {groups}. Below, each phase since the "
            f"boot sector as a bar, then the registers at {len(edges)} edges: "
            f"{', '.join(edge.name for edge in edges)}.")


def hatch(d):
    d.open("defs")
    d.open("pattern", id="hatch", width=4, height=4, patternUnits="userSpaceOnUse",
           patternTransform="rotate(45)")
    d.rect(0, 0, 4, 4, fill=CARD)
    d.rect(0, 0, 2, 4, fill=INK)
    d.close("pattern")
    d.close("defs")


def draw(found, edges, origin):
    """The picture as text.  @origin: a line on how the figures were made."""
    times = model.group_times(found)
    begin = next(start for group, start, _ in times if group != "firmware")
    end = times[-1][2]
    d = Drawing()
    hatch(d)
    d.text(MARGIN, 42, "MinOS, from reset to the prompt", size=22, class_="b")
    d.text(MARGIN, 63, origin, size=12, class_="dim")
    legend(d, times, end, 96)
    scale = overview(d, times, 128)
    lens(d, scale, begin, end, 158, 222)
    overview_axis(d, scale, end, 158)
    headings(d, 217)
    y = waterfall(d, found, edges, begin, end, 222) + 22
    d.rect(MARGIN, y - 10, 18, BAR, fill="url(#hatch)")
    d.text(MARGIN + 26, y, "waiting for the disk. Bars are to scale; a thin line marks a phase too "
           "short for one.", size=12, class_="dim")
    for note in textwrap.wrap(NOTES, LINE_CHARACTERS):
        y += 17
        d.text(MARGIN, y, note, size=12, class_="dim")
    height = states(d, edges, begin, y + 40) + MARGIN
    back = Drawing()
    back.rect(0.5, 0.5, WIDTH - 1, height - 1, rx=10, fill=CARD, stroke=FAINT)
    d.lines = back.lines + d.lines
    return d.document(WIDTH, height, "MinOS boot timeline", description(times, edges), STYLE)
