"""conftest.py - fixtures of the boot tests, and what a failing one shows and leaves.

`boot` starts machines that end with the test; `vm` is one machine at its prompt, shared by the
tests of a file that only type commands.  When a test fails, the serial log and screen of every
machine that it used are printed.  It is then run once more with its machines recorded, and what is
needed to replay them is kept; the command for that is printed.  RECORD=1 records from the start,
RECORD=0 never (docs/time-travel.md).
"""

import os
import re
import sys

import pytest
from _pytest.runner import runtestprotocol

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import recording  # noqa: E402  (the path above)
import vm as machine  # noqa: E402

RECORD = os.environ.get("RECORD", "")
FAILURES = os.environ.get("FAILURES") or os.path.join(machine.BUILD, "failures")
machine.Machine.record_all = RECORD == "1"
advices = []  # for the end of the run


@pytest.fixture
def boot(request, tmp_path):
    """boot(cmdline=None, files=(), image=None, **Machine's options): a running Machine."""
    started = request.node.machines = []

    def start(cmdline=None, files=(), image=None, **options):
        if cmdline is not None or files:
            image = machine.image_copy(tmp_path, cmdline, image or machine.IMAGE, files,
                                       f"minos{len(started)}.img")
        started.append(machine.Machine(image or machine.IMAGE, **options))
        return started[-1]

    yield start
    for m in started:
        m.stop()


@pytest.fixture(scope="module")
def shared_machine():
    with machine.Machine() as m:
        m.prompt()
        yield m


@pytest.fixture
def vm(request):
    """The file's machine, with an empty line at the prompt; one of its own while recording."""
    if not machine.Machine.record_all:
        m = request.getfixturevalue("shared_machine")
        request.node.machines = [m]
        m.sync()
        yield m
        return
    with machine.Machine() as m:
        request.node.machines = [m]
        m.prompt()
        yield m


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    outcome = yield
    report = outcome.get_result()
    if report.when != "call" or not report.failed:
        return
    machines = getattr(item, "machines", [])
    if not call.excinfo.errisinstance(machine.VmError):
        for number, m in enumerate(machines):
            report.sections.append((f"machine {number}", m.report("")))
    if RECORD != "0":
        item.kept = keep(item.name, machines, getattr(item, "kept", {}))


def keep(test, machines, before):
    """Save what the test's machines did; returns {folder: kind}.  No inputs over an exact recording."""
    kept = dict(before)
    name = re.sub(r"[^\w.]+", "-", test).strip("-")
    for number, m in enumerate(machines):
        folder = os.path.join(FAILURES, name + (f".{number}" if len(machines) > 1 else ""))
        if m.recorded or kept.get(folder) != "exact":
            kept[folder] = recording.save(m, folder, machine.ELF, f"{test}, machine {number}")
    if kept:
        recording.prune(FAILURES)
    return kept


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_protocol(item, nextitem):
    """Run a test; if it fails and used machines, once more with these recorded.  It stays failed."""
    item.ihook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
    reports = runtestprotocol(item, nextitem=nextitem, log=False)
    failed = [r for r in reports if r.when == "call" and r.failed]
    if failed and getattr(item, "kept", None):
        again = ""
        if not machine.Machine.record_all:
            again = "again" if fails_recorded(item, nextitem) else "not"
        advices.append(f"{item.nodeid}\n{advice(item.kept, again)}")
    for report in reports:
        item.ihook.pytest_runtest_logreport(report=report)
    item.ihook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
    return True


def fails_recorded(item, nextitem):
    """Run the test once more, recorded.  Does it fail in this run, too?"""
    machine.Machine.record_all = True
    try:
        item._initrequest()  # new fixtures
        return any(r.failed for r in runtestprotocol(item, nextitem=nextitem, log=False))
    finally:
        machine.Machine.record_all = False


def advice(kept, again):
    """What the failed test left, and how to use it."""
    lines = []
    if again == "not":
        lines.append("The test passed when it was run once more, recorded.  RECORD=1 records from the start.")
    elif again:
        lines.append("The test was run once more, recorded, and failed again.")
    for folder, kind in kept.items():
        where = os.path.relpath(folder, machine.ROOT)
        if where.startswith(".."):
            where = folder
        what = "every instruction, with gdb" if kind == "exact" else "what was typed is typed again"
        lines.append(f"make replay FROM={where}\t({what})")
    return "\n".join(lines)


def pytest_terminal_summary(terminalreporter):
    if advices:
        terminalreporter.section("run it again")
        for text in advices:
            terminalreporter.line(text)
