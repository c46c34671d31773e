"""timeline_states.py - the lower part of the timeline's picture: the machine's state at each edge.

One row per edge, under the number that it has in the upper part.  What is new is red, bits that
were cleared are struck out; a register with many bits takes more lines.
"""

import timeline_model as model
from svg import text_width
from timeline_look import MARGIN, RIGHT, badge, data, us

STATE_ROW, BIT_LINE = 37, 14
STATE_COLUMNS = [("name", 54, "edge"), ("bits", 172, "bits"), ("ip", 206, "CS:IP"),
                 ("cr0", 370, "CR0"), ("cr3", 486, "CR3"), ("cr4", 550, "CR4"),
                 ("efer", 764, "EFER"), ("a20", 874, "A20"), ("if", 916, "IF")]
DIGITS = {"cr0": 8, "cr3": 1, "cr4": 8, "efer": 3}


def code_address(state):
    """CS:IP as the mode writes it: 4, 8 or 16 digits of offset."""
    return f"{state['cs']:04X}:{state['ip']:0{state['bits'] // 4}X}"


def state_text(field, state):
    """What a cell says, but for names of bits."""
    if field == "ip":
        return code_address(state)
    value = state[field]
    if value is None:
        return "–"
    if field in ("bits", "if"):
        return str(value)
    if field == "a20":
        return "on" if value else "off"
    return f"{value:0{DIGITS[field]}X}"


def bit_lines(field, edge, width):
    """The names of a register's bits with their CSS classes, in lines of at most @width px."""
    on, off = model.bit_changes(edge, field)
    names = model.bit_names(field, edge.state[field] or 0)
    words = [(name, "new" if name in on else "dim") for name in names]
    words += [(name, "gone") for name in off]
    lines, used = [], width
    for word in words:
        needed = text_width(word[0] + " ", 11, bold=True)
        if used + needed > width:
            lines.append([])
            used = 0
        lines[-1].append(word)
        used += needed
    return lines


def state_cell(d, field, x, y, edge, width):
    """One register of a row; returns how many lines it takes."""
    fields = {"cs", "half"} if field == "ip" else {field}
    style = "new" if fields & edge.changed else "dim"
    d.text(x, y, state_text(field, edge.state), size=12, class_=f"m {style}")
    lines = bit_lines(field, edge, width) if field in model.BITS else []
    for i, line in enumerate(lines):
        d.words(x, y + 15 + i * BIT_LINE, line, size=11)
    return 1 + len(lines)


def describe(edge):
    """The state in words, for the tooltip."""
    parts = [f"{edge.state['bits']}-bit code at {code_address(edge.state)}"]
    for field in ("cr0", "cr3", "cr4", "efer", "a20", "if"):
        names = model.bit_names(field, edge.state[field] or 0) if field in model.BITS else []
        parts.append(f"{field.upper()} {state_text(field, edge.state)}"
                     + (f" ({' '.join(names)})" if names else ""))
    return f"{edge.name}: " + ", ".join(parts)


def state_row(d, number, edge, origin, y):
    """One edge, its first line at y; returns the row's height."""
    fields = {f"data_{f}": data(edge.state[f]) for f in model.REGISTERS + ("ip",)}
    d.open("g", class_="edge", data_name=edge.name, **fields)
    d.element("title", describe(edge))
    badge(d, MARGIN + 9, y + 3, number, edge.group)
    d.text(54, y, edge.name, size=12, class_="b")
    if edge.at is not None:
        at = f"{edge.group}, {us(edge.at - origin)} µs" if edge.at >= origin else "power on"
        d.text(54, y + 15, at, size=11, class_="dim")
    lines = 2
    ends = [x for _, x, _ in STATE_COLUMNS[1:]] + [RIGHT]
    for (field, x, _), end in list(zip(STATE_COLUMNS, ends))[1:]:
        lines = max(lines, state_cell(d, field, x, y, edge, end - x))
    d.close("g")
    return STATE_ROW + (lines - 2) * BIT_LINE


def states(d, edges, origin, y):
    """The table of edges; returns where it ends."""
    d.text(MARGIN, y, "The machine at each edge", size=15, class_="b")
    d.text(MARGIN, y + 18, "as read there, in hexadecimal. What is new is red; – was not read: no "
           "room in stage 1, or not yet known whether the CPU has it.", size=12, class_="dim")
    y += 42
    for _, x, heading in STATE_COLUMNS:
        d.text(x, y, heading, size=12, class_="dim")
    for number, edge in enumerate(edges, 1):
        d.line(MARGIN, y + 7, RIGHT, y + 7, class_="grid")
        y += state_row(d, number, edge, origin, y + 22)
    return y + 7
