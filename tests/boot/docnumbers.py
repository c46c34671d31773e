"""docnumbers.py - does a document state what was measured?  Every digit in it is asked for.

Pure: text and facts in, complaints out.  A digit is accounted for by one of
- a claim: a phrase of the text with the facts' names in place of the numbers, such as
  "the stack grows down from {stage1.top}"; it must stand in the text exactly once;
- a table whose form is known (a handler, by the table's heading), compared cell by cell;
- a name that contains digits (int 13h, FAT16, CR0): a closed list, with how often each occurs.
What none of these covers is a complaint, so nothing can be added without a source.  A document is
checked block by block (paragraph, table, drawing): mutations() changes each number in turn and
asks only for its block.
"""

import re
from collections import Counter

NUMBER = re.compile(r"\b[0-9A-F]+h\b|\b[0-9A-F]{2,}(?=[-:])(?=[0-9A-F]*[0-9])|[0-9]+")
DIGITS = "0123456789ABCDEF"
HEADING = re.compile(r"\A## ([0-9]*)\.? ")
ITEM = re.compile(r"(?m)^([0-9]*)\. ")


def number(text):
    """The value of 7C00h or 512."""
    return int(text[:-1], 16) if text.endswith("h") else int(text)


class Fact:
    """A measured value; @firmware: another BIOS or emulator may give another one."""

    def __init__(self, value, firmware=False):
        self.value, self.firmware = value, firmware


class Block:
    """Lines of the document between two empty ones, or a whole fenced drawing."""

    def __init__(self, line, text, context, section, items):
        self.line, self.text, self.context = line, text, context
        self.section, self.items = section, items  # counted so far: the next heading, list item

    def changed(self, start, end, replacement):
        return Block(self.line, self.text[:start] + replacement + self.text[end:], self.context,
                     self.section, self.items)

    def at(self, offset):
        return self.line + self.text.count("\n", 0, offset)


def blocks(text):
    """The document's blocks; context is the last line that named a stop."""
    found, lines, start, fenced = [], [], 1, False
    context, section, items = "", 1, 1

    def close(next_line):
        nonlocal lines, start, context, section, items
        if lines:
            block = Block(start, "\n".join(lines), context, section, items)
            found.append(block)
            if block.text.startswith("**Stop"):
                context = block.text
            elif block.text.startswith("## "):
                context, section, items = "", section + 1, 1
            items += len(ITEM.findall(block.text))
        lines, start = [], next_line

    for number_, line in enumerate(text.split("\n"), 1):
        fenced ^= line.startswith("```")
        if not line and not fenced:
            close(number_ + 1)
        else:
            lines.append(line)
    close(0)
    return found


class Claim:
    """A phrase with {fact} for each number; any white space matches any other."""

    def __init__(self, phrase):
        self.phrase, self.facts = phrase, re.findall(r"\{([^}]+)\}", phrase)
        parts = re.split(r"\{[^}]+\}", phrase)
        pattern = r"\b([0-9A-F]+h|[0-9]+)(?![0-9A-Za-z])".join(
            re.sub(r"(?:\\?\s)+", r"\\s+", re.escape(part)) for part in parts)
        self.regex = re.compile(r"(?<![0-9A-Za-z])" + pattern)


class Result:
    """What one block's check found: complaints, covered characters, claims and names seen."""

    def __init__(self, block):
        self.block, self.errors = block, []
        self.covered = bytearray(len(block.text))
        self.claims, self.names = Counter(), Counter()
        self.firmware = []  # ranges whose value depends on the firmware

    def cover(self, start, end):
        self.covered[start:end] = b"\1" * (end - start)

    def complain(self, offset, text):
        self.errors.append(f"line {self.block.at(offset)}: {text}")

    def compare(self, start, end, what, fact):
        """The number at [start, end) against a Fact."""
        stated = self.block.text[start:end]
        self.cover(start, end)
        if fact.firmware:
            self.firmware.append((start, end))
        if number(stated) != fact.value and not (fact.firmware and not self.reference):
            width = len(stated) - 1
            measured = f"{fact.value:0{width}X}h" if stated.endswith("h") else str(fact.value)
            self.complain(start, f"{what} is stated as {stated}, measured: {measured}")

    reference = True


class Document:
    """
    A text with its claims, names and table handlers.

    @facts maps names to Facts.  @names maps names with digits to how often they occur.  @tables is
    a list of (regex of the heading row, handler(result, rows)); rows are lists of (offset, cell).
    @reference: False when the firmware is not the one that the text describes.
    """

    def __init__(self, text, facts, claims, names, tables, reference=True):
        self.facts, self.names, self.tables, self.reference = facts, names, tables, reference
        self.claims = [Claim(phrase) for phrase in claims]
        longest_first = sorted(names, key=lambda n: (-len(n), n))
        self.name = re.compile("(?<![0-9A-Za-z])(?:" + "|".join(
            re.escape(n).replace(r"\ ", r"\s+") for n in longest_first) + r")(?![0-9A-Za-z])")
        self.blocks = blocks(text)
        self.results = [self._check(block, self.claims) for block in self.blocks]
        self.claimed = sum((r.claims for r in self.results), Counter())
        self.named = sum((r.names for r in self.results), Counter())

    def _check(self, block, claims):
        result = Result(block)
        result.reference = self.reference
        for claim in claims:
            for match in claim.regex.finditer(block.text):
                result.claims[claim.phrase] += 1
                result.cover(*match.span())
                for i, name in enumerate(claim.facts, 1):
                    if name in self.facts:
                        result.compare(*match.span(i), name, self.facts[name])
                    else:
                        result.complain(match.start(i), f"{name} was not measured")
        self._check_ordinals(result)
        self._check_table(result)
        for match in self.name.finditer(block.text):
            if not all(result.covered[match.start():match.end()]):
                result.names[" ".join(match.group().split())] += 1
                result.cover(*match.span())
        for match in NUMBER.finditer(block.text):
            if not all(result.covered[match.start():match.end()]):
                result.complain(match.start(),
                                f"{match.group()} has no source: no claim, table or name covers it")
        return result

    @staticmethod
    def _check_ordinals(result):
        """Sections count through the document, list items through their section."""
        block = result.block
        for regex, first in ((HEADING, block.section), (ITEM, block.items)):
            for i, match in enumerate(regex.finditer(block.text)):
                if match.group(1):
                    result.compare(*match.span(1), "this number in its row", Fact(first + i))
                else:
                    result.complain(match.start(), f"number {first + i} of its row is missing")

    def _check_table(self, result):
        lines = result.block.text.split("\n")
        if not lines[0].startswith("|"):
            return
        handler = next((h for head, h in self.tables if re.match(head, lines[0])), None)
        if handler is None:
            return
        rows, offset = [], 0
        for line in lines:
            at, cells = offset + 1, []
            for cell in line[1:].rstrip("|").split("|"):
                text = cell.strip()
                cells.append((at + cell.find(text) if text else at, text))
                at += len(cell) + 1
            rows.append(cells)
            offset += len(line) + 1
        try:
            handler(result, rows)
        except (IndexError, KeyError, ValueError) as problem:
            result.complain(0, f"the table cannot be read: {problem!r}")

    def _totals(self, claimed, named):
        for claim in self.claims:
            if claimed[claim.phrase] != 1:
                yield f"this stands {claimed[claim.phrase]} times, not once: {claim.phrase}"
        for name, count in self.names.items():
            if named[name] != count:
                yield f"the name {name} stands {named[name]} times, not {count}"

    def errors(self):
        found = [e for r in self.results for e in r.errors]
        return found + list(self._totals(self.claimed, self.named))

    def numbers(self):
        """(block index, start, end) of each number in the text, names' numbers included."""
        for index, block in enumerate(self.blocks):
            for match in NUMBER.finditer(block.text):
                yield index, match.start(), match.end()

    def depends_on_firmware(self, index, start, end):
        return any(s < end and start < e for s, e in self.results[index].firmware)

    def notices(self, index, start, end, replacement):
        """Is there a complaint once the text at [start, end) of a block is @replacement?"""
        old = self.results[index]
        claims = [c for c in self.claims if c.phrase in old.claims]
        new = self._check(old.block.changed(start, end, replacement), claims)
        return bool(new.errors) or new.claims != old.claims or new.names != old.names


def mutations(stated):
    """Other texts for a number: each digit changed, the number gone, a number before it."""
    for i, digit in enumerate(stated):
        if digit in DIGITS and stated != "h":
            hexadecimal = stated.endswith("h")
            base = 16 if hexadecimal else 10
            for other in (1, 7):
                changed = DIGITS[(int(digit, 16) + other) % base]
                yield stated[:i] + changed + stated[i + 1:]
    yield ""
    yield "3" + stated
