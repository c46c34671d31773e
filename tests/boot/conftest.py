"""conftest.py - fixtures of the boot tests, and what a failing one shows and leaves.

`boot` starts machines that end with the test; `vm` is one machine at its prompt, shared by the
tests of a file that only type commands.  When a test fails, the serial log and screen of every
machine that it used are printed, also when a fixture fails.  It is then run once more with its
machines recorded, if they can be, and what is needed to replay them is kept; the command for that
is printed.  Every Machine counts that is made while the test runs.  RECORD=1 records from the
start, RECORD=0 never (docs/time-travel.md).
"""

import os
import re
import shlex
import sys

import pytest
from _pytest.runner import runtestprotocol

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import recording  # noqa: E402  (the path above)
import vm as machine  # noqa: E402

RECORD = os.environ.get("RECORD", "")
FAILURES = os.environ.get("FAILURES") or os.path.join(machine.BUILD, "failures")
machine.Machine.record_all = RECORD == "1"
machine.Machine.stopped = []
MACHINES_MAX = 3  # of a failed test, those it started last
advices = []  # (test, [line...], {folder: kind}), for the end of the run


@pytest.fixture
def boot(tmp_path):
    """boot(cmdline=None, files=(), image=None, **Machine's options): a running Machine."""
    started = []

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
        if m not in request.node.machines:
            request.node.machines.append(m)
        m.sync()
        yield m
        return
    with machine.Machine() as m:
        m.prompt()
        yield m


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    outcome = yield
    report = outcome.get_result()
    if not report.failed or item.reported:
        return
    item.reported = True
    if not call.excinfo.errisinstance(machine.VmError):
        for number, m in enumerate(item.machines):
            report.sections.append((f"machine {number}", m.report("")))
    if RECORD != "0":
        item.kept, problems = keep(item.name, item.machines, item.kept)
        report.sections += [("not kept", problem) for problem in problems]


def keep(test, machines, before):
    """
    Save what the test's machines did; returns ({folder: kind}, [what could not be saved]).  No
    inputs over an exact recording.
    """
    kept, problems = dict(before), []
    name = re.sub(r"[^\w.]+", "-", test).strip("-")
    for number, m in list(enumerate(machines))[-MACHINES_MAX:]:
        folder = os.path.join(FAILURES, name + (f".{number}" if len(machines) > 1 else ""))
        if m.recorded or kept.get(folder) != "exact":
            try:
                kept[folder] = recording.save(m, folder, machine.ELF, f"{test}, machine {number}")
            except (OSError, recording.RecordingError) as problem:
                problems.append(str(problem))
    if kept:
        recording.prune(FAILURES)
    return kept, problems


def run_once(item, nextitem):
    """Run a test; returns its reports.  Machines' files stay until it is known whether it failed."""
    item.machines = machine.Machine.started = []
    item.reported = False
    try:
        return runtestprotocol(item, nextitem=nextitem, log=False)
    finally:
        machine.Machine.started = None
        while machine.Machine.stopped:
            machine.Machine.stopped.pop().forget()


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_protocol(item, nextitem):
    """Run a test; if it fails and used machines, once more with these recorded.  It stays failed."""
    item.ihook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
    item.kept = {}
    reports = run_once(item, nextitem)
    if any(r.failed for r in reports) and item.kept:
        lines = []
        if not machine.Machine.record_all:
            lines.append(again_recorded(item, nextitem))
        advices.append((item.nodeid, lines, item.kept))
    for report in reports:
        item.ihook.pytest_runtest_logreport(report=report)
    item.ihook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
    return True


def again_recorded(item, nextitem):
    """Run the test once more, recorded, if that can be; returns a sentence on how it went."""
    if not any(m.recordable for m in item.machines):
        return "Its machines cannot be recorded."
    machine.Machine.record_all = True
    try:
        item._initrequest()  # new fixtures
        if any(r.failed for r in run_once(item, nextitem)):
            return "The test was run once more, recorded, and failed again."
        return ("The test passed when it was run once more, recorded.  "
                "RECORD=1 records from the start.")
    finally:
        machine.Machine.record_all = False


def commands(kept):
    """What the failed test left, as commands that use it."""
    for folder, kind in kept.items():
        if not os.path.exists(folder):
            yield f"{os.path.basename(folder)} is gone: the newest {recording.KEPT_MAX} are kept"
            continue
        where = os.path.relpath(folder, machine.ROOT)
        if where.startswith(".."):
            where = folder
        what = "every instruction, with gdb" if kind == "exact" else "what was typed is typed again"
        yield f"make replay FROM={shlex.quote(where)}\t({what})"


def pytest_terminal_summary(terminalreporter):
    if advices:
        terminalreporter.section("run it again")
        for test, lines, kept in advices:
            terminalreporter.line("\n".join([test, *lines, *commands(kept)]))
