"""timeline_look.py - what the parts of the timeline's picture share: measures, colours, numbers.

Text stands on a card of its own, so that the picture looks alike on light and dark pages.
"""

from svg import MONO

WIDTH, MARGIN = 960, 24
RIGHT = WIDTH - MARGIN

COLOURS = {"firmware": "#8c959f", "stage 1": "#c4650a", "stage 2": "#1f6feb", "kernel": "#1a7f37"}
INK, DIM, NEW, FAINT, CARD = "#1f2328", "#59636e", "#b3261e", "#d8dee4", "#ffffff"
STYLE = [f"text {{ fill: {INK}; }}", f".dim {{ fill: {DIM}; }}",
         f".new {{ fill: {NEW}; font-weight: bold; }}", ".b { font-weight: bold; }",
         f".m {{ font-family: {MONO}; }}", f".grid {{ stroke: {FAINT}; stroke-width: 1; }}",
         f".gone {{ fill: {NEW}; text-decoration: line-through; }}",
         ".no { fill: #ffffff; font-weight: bold; }"]
STYLE += [f".{group.replace(' ', '')} {{ fill: {colour}; stroke: {colour}; stroke-width: 0; }}"
          for group, colour in COLOURS.items()]


def thousands(number):
    return f"{number:,}"


def us(ticks):
    """Microseconds, with a second decimal where the first would be all."""
    return f"{ticks / 1000:,.{1 if ticks >= 100 or ticks == 0 else 2}f}"


def css_class(group):
    return group.replace(" ", "")


def data(number):
    return "" if number is None else str(number)


def badge(d, x, y, number, group):
    """A number in a circle around (x, y)."""
    d.element("circle", cx=x, cy=y, r=8.5, fill=COLOURS[group], stroke=CARD)
    d.text(x, y + 4, str(number), size=11, class_="no", text_anchor="middle")
