"""test_glossary.py - docs/glossary.md: in order, complete, and each term met where it says."""

import os
import re

import pytest

import vm as machine

PATH = os.path.join(machine.ROOT, "docs", "glossary.md")


def read(path):
    with open(os.path.join(machine.ROOT, path), encoding="utf-8") as f:
        return f.read()


def entries():
    """(term, text) of each entry."""
    return re.findall(r"(?ms)^\*\*([^*]+)\*\* - (.*?)(?=^\*\*|\Z)", read(PATH))


def test_in_alphabetical_order():
    terms = [term for term, _ in entries()]
    assert len(terms) > 50 and terms == sorted(terms, key=str.casefold)
    assert len(set(terms)) == len(terms)
    assert len(terms) == read(PATH).count("\n**"), "every entry is of the same form"


@pytest.mark.parametrize("term,text", [pytest.param(*e, id=e[0]) for e in entries()])
def test_entry(term, text):
    places = re.findall(r"`([^`\s]*/[^`\s]*|linker\.ld)`", text)
    assert re.search(r"\bIn\s+`", text) and places, "no place in the tree"
    assert re.search(r"Spec: \S", text), "no specification"
    for place in places:
        assert os.path.isfile(os.path.join(machine.ROOT, place)), place
        words = [re.sub(r" \(.*", "", w) for w in term.split(", ")]
        for word in words:  # "trap frame" is also met as struct trapframe
            loose = re.escape(word).replace(r"\ ", r"[\s_]*")
            assert re.search(rf"(?i)(?<![a-z]){loose}", read(place)), f"{word} is not in {place}"
    sentences = re.split(r"\bIn\s+`", text)[0]
    assert 4 <= len(sentences.split()) <= 45, "one or two sentences"
