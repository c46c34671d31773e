"""conftest.py - fixtures of the boot tests, and what a failing one shows.

`boot` starts machines that end with the test; `vm` is one machine at its prompt, shared by the
tests of a file that only type commands.  When a test fails, the serial log and screen of every
machine that it used are printed.
"""

import os
import sys

import pytest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import vm as machine  # noqa: E402  (the path above)


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
def vm(request, shared_machine):
    """The file's machine, with an empty line at the prompt."""
    request.node.machines = [shared_machine]
    shared_machine.sync()
    return shared_machine


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    outcome = yield
    report = outcome.get_result()
    if report.when == "call" and report.failed and not call.excinfo.errisinstance(machine.VmError):
        for number, m in enumerate(getattr(item, "machines", [])):
            report.sections.append((f"machine {number}", m.report("")))
