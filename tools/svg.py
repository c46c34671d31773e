"""svg.py - writes a drawing as SVG text, for pictures that a tool makes and a README shows.

No scripts and no fonts of its own: the picture must look right in a browser, in an <img> and in
rsvg-convert.  Lengths are pixels, y grows downwards.  The same calls give the same bytes.
"""

from xml.sax.saxutils import escape, quoteattr

SANS = "'DejaVu Sans', Verdana, 'Segoe UI', Helvetica, Arial, sans-serif"
MONO = "'DejaVu Sans Mono', Menlo, Consolas, monospace"


NARROW, WIDE = "ijlftrI.,:;|'()[] ", "mwMW%@"


def text_width(text, size=12, bold=False, mono=False):
    """
    About what a line of text takes, in px.  Widths of the first font of each list, which are larger
    than those of the others.
    """
    if mono:
        return len(text) * size * 0.602
    ems = sum(0.37 if c in NARROW else 0.95 if c in WIDE else 0.66 if c.isupper() or c.isdigit()
              else 0.6 for c in text)
    return ems * size * (1.13 if bold else 1)


def px(value):
    """A length: two decimals are a hundredth of a pixel, enough to be to scale."""
    return f"{value:.2f}".rstrip("0").rstrip(".")


def attributes(pairs):
    """`fill_opacity` becomes fill-opacity; numbers become lengths, None is left out."""
    out = []
    for name, value in pairs.items():
        if value is not None:
            text = px(value) if isinstance(value, (int, float)) else str(value)
            out.append(f" {name.rstrip('_').replace('_', '-')}={quoteattr(text)}")
    return "".join(out)


class Drawing:
    """The elements of a picture, in painting order."""

    def __init__(self):
        self.lines = []
        self.depth = 1

    def element(self, name, content=None, **attrs):
        text = f"{'  ' * self.depth}<{name}{attributes(attrs)}"
        text += "/>" if content is None else f">{escape(content)}</{name}>"
        self.lines.append(text)

    def open(self, name, **attrs):
        self.lines.append(f"{'  ' * self.depth}<{name}{attributes(attrs)}>")
        self.depth += 1

    def close(self, name):
        self.depth -= 1
        self.lines.append(f"{'  ' * self.depth}</{name}>")

    def rect(self, x, y, width, height, **attrs):
        self.element("rect", x=x, y=y, width=width, height=height, **attrs)

    def line(self, x1, y1, x2, y2, **attrs):
        self.element("line", x1=x1, y1=y1, x2=x2, y2=y2, **attrs)

    def text(self, x, y, content, size=12, **attrs):
        """One line of text; @x is its start, or its end with text_anchor="end"."""
        self.element("text", content, x=x, y=y, font_size=size, **attrs)

    def words(self, x, y, words, size=12):
        """One line of words, given as (word, CSS class)."""
        spans = " ".join(f"<tspan{attributes({'class': style})}>{escape(word)}</tspan>"
                         for word, style in words)
        head = attributes({"x": x, "y": y, "font_size": size})
        self.lines.append(f"{'  ' * self.depth}<text{head}>{spans}</text>")

    def document(self, width, height, title, description, style):
        """The whole file; @style is CSS."""
        head = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {px(width)} {px(height)}" '
                f'width="{px(width)}" height="{px(height)}" role="img" '
                f'aria-labelledby="title desc" font-family="{SANS}">',
                f'  <title id="title">{escape(title)}</title>',
                f'  <desc id="desc">{escape(description)}</desc>',
                "  <style>", *(f"    {line}" for line in style), "  </style>"]
        return "\n".join(head + self.lines + ["</svg>", ""])
