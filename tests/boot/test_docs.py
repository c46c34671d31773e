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


def session():
    return re.findall(r"(?m)^    minOS> (.+?)(?:  .*)?$", text("README.md"))


def test_the_first_session_can_be_typed(boot):
    lines = session()
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
        answer = m.command(line, timeout=300)
        assert not re.search(r"(?m)unknown command|^usage:|^\[FAIL\]", answer), answer
    m.send(lines[-1] + "\r")
    assert m.wait_exit() == 0


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
