"""test_docs.py - what README and docs/ promise: the first session, files, links, make targets."""

import glob
import os
import re
import subprocess

import pytest

import vm as machine

MAKE = os.environ.get("MAKE", "make")


def text(name):
    with open(os.path.join(machine.ROOT, name), encoding="utf-8") as f:
        return f.read()


def documents():
    found = [os.path.relpath(f, machine.ROOT)
             for f in glob.glob(os.path.join(machine.ROOT, "docs", "**", "*.md"), recursive=True)]
    return ["README.md", *sorted(found)]


def session(heading):
    section = text("README.md").split(f"\n## {heading}\n")[1].split("\n## ")[0]
    return re.findall(r"(?m)^    minOS> (.+?)(?:  .*)?$", section)


def leave(m, line, sign, keys):
    """A program that takes what is typed: until its sign appears, then away from it."""
    m.send(line + "\r")
    m.expect(sign)
    m.send(keys)
    m.expect(r"minOS> ")


WITH_KEYS = {"sh": (r"/ # $", "exit\r"), "snake": (r"score 0", "q")}


def test_the_first_session_can_be_typed(boot):
    lines = session("A first session")
    assert len(lines) > 10 and lines[-1] == "poweroff", lines
    m = boot()
    m.prompt()
    for line in lines[:-1]:
        line = "test lib" if line == "test" else line  # all of them: selftest.py
        if "| more" in line:
            m.send(line + "\r")
            m.expect(r"-- more")
            m.send("q")
            m.expect(r"minOS> ")
            continue
        if line in WITH_KEYS:
            leave(m, line, *WITH_KEYS[line])
            continue
        answer = m.command(line, timeout=300)
        assert not re.search(r"(?m)unknown command|^usage:|^\[FAIL\]", answer), answer
    m.send(lines[-1] + "\r")
    assert m.wait_exit() == 0


def test_the_programs_can_be_typed(boot):
    lines = session("Programs")
    assert lines[:2] == ["sh", "snake"] and len(lines) > 3
    m = boot()
    m.prompt()
    for line in lines:
        if line in WITH_KEYS:
            leave(m, line, *WITH_KEYS[line])
        else:
            assert not re.search(r"unknown command|no such|exit \d", m.command(line))


@pytest.mark.parametrize("name", documents())
def test_links_lead_somewhere(name):
    folder = os.path.dirname(os.path.join(machine.ROOT, name))
    for target in re.findall(r"\]\(([^)#]+)\)", text(name)):
        assert os.path.exists(os.path.join(folder, target)), target


def test_the_reading_order_names_files():
    order = text("README.md").split("## Reading order")[1].split("##")[0]
    rows = re.findall(r"(?m)^\d+\. (.*?) - ", order)
    assert 18 <= len(rows) <= 24
    for row in rows:
        names = re.findall(r"`([^`]+)`", row)
        folder = os.path.dirname(names[0])
        for name in names:
            found = [p for p in (name, os.path.join(folder, name),
                                 os.path.join("kernel", name))
                     if os.path.isfile(os.path.join(machine.ROOT, p))]
            assert found, name


def test_make_targets_exist():
    listed = subprocess.run([MAKE, "--no-print-directory", "help"], cwd=machine.ROOT,
                            stdout=subprocess.PIPE, check=True).stdout.decode()
    for name in documents():
        for target in re.findall(r"`make ([a-z][a-z._-]*)", text(name)):
            assert re.search(rf"(?m)^  {re.escape(target)}\b", listed), f"{name}: make {target}"
