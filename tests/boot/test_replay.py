"""test_replay.py - time travel: exact replay, backwards in boot sector and kernel, what failures leave."""

import fcntl
import json
import os
import pty
import re
import select
import signal
import subprocess
import sys
import time

import pytest

import recording
import replay
import vm as machine

MAKE = os.environ.get("MAKE", "make")
LIMIT = 600

# A test file that fails: in a machine of its own, in the shared one, in one that cannot be recorded, in
# one that it made without a fixture, and in a fixture.
FAILING = """
import pytest
import vm as machine

def test_exact(boot):
    m = boot()
    m.prompt()
    m.type("echo by key\\n")
    m.expect("\\nby key")
    assert m.command("echo by a line longer than the fifo") == "something else"

def test_shared(vm):
    assert vm.command("echo shared") == "not shared"

def test_inputs(boot):
    m = boot(extra=["-smp", "2"])
    m.prompt()
    m.type("echo again\\n")
    m.expect("\\nagain")
    m.command("echo and again")
    assert False

def test_alone():
    with machine.Machine() as m:
        m.prompt()
        assert m.command("echo alone") == "together"

@pytest.fixture
def unbootable():
    with machine.Machine(media=None) as m:
        m.expect("minOS> ", 3)
        yield m

def test_setup(unbootable):
    pass

def test_good(vm):
    with machine.Machine() as m:
        m.prompt()
    assert vm.command("echo good") == "good\\n"
"""


def run(*argv, env=None):
    """Returns (exit status, all output)."""
    done = subprocess.run(argv, cwd=machine.ROOT, env={**os.environ, **(env or {})}, check=False,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, timeout=LIMIT)
    return done.returncode, done.stdout.decode(errors="replace")


def rr(*argv):
    status, text = run(sys.executable, "tools/rr.py", *argv)
    assert status == 0, text
    return text


def gdb(folder, *commands, expect=0):
    """What gdb prints for @commands in a replay of @folder; @expect is its exit status."""
    options = [word for command in commands for word in ("-ex", command)]
    status, text = run(sys.executable, "tools/rr.py", "replay", folder, "-batch", *options)
    assert status == expect, text
    return text


@pytest.fixture(scope="module")
def corrupt(tmp_path_factory):
    """The recording of `crash corrupt`, and what the first pass over it said."""
    folder = str(tmp_path_factory.mktemp("rr") / "corrupt")
    text = rr("record", "--run", "ps; crash corrupt", folder)
    assert "does not add up" in text and "System halted" in text, text
    return folder, rr("replay", "--check", folder)


# --- the same again -------------------------------------------------------------------------------
def test_a_replay_is_identical(corrupt):
    folder, text = corrupt
    facts = recording.load(folder)
    with open(os.path.join(folder, "serial.log"), "rb") as f:
        recorded = f.read()
    with open(os.path.join(folder, replay.OUTPUT), "rb") as f:
        assert f.read() == recorded
    assert b"does not add up" in recorded
    assert facts["end"] == facts["instructions"] > 1_000_000
    assert f"{facts['end']} instructions replayed, the serial output is identical" in text


def test_keys_and_power_off_are_replayed(tmp_path):
    with machine.Machine(record=True) as m:
        m.prompt()
        m.type("echo by key\n")
        m.expect("\nby key")
        m.send("echo by a line longer than the fifo of the uart; poweroff\r")
        assert m.wait_exit() == 0
        assert recording.save(m, str(tmp_path / "r"), machine.ELF) == "exact"
    assert "the serial output is identical" in rr("replay", "--check", str(tmp_path / "r"))


def test_what_is_typed_fast_arrives_in_a_slow_guest():
    """QEMU takes bytes at the host's speed, the guest gets a twentieth of a processor."""
    line = "x" * 900
    with machine.Machine(record=True) as m:
        m.prompt()
        thread = m.qmp("query-cpus-fast")[0]["thread-id"]
        with subprocess.Popen([sys.executable, "-c", "while True: pass"]) as busy:
            try:
                processor = {min(os.sched_getaffinity(0))}
                os.sched_setaffinity(busy.pid, processor)
                os.sched_setaffinity(thread, processor)
                os.setpriority(os.PRIO_PROCESS, thread, 19)
                answer = m.command("echo " + line, 4 * machine.TIMEOUT)
            finally:
                busy.kill()
    assert answer.rstrip().split("\n")[-1] == line, f"{len(answer)} characters came"


# --- a guest that does not read -------------------------------------------------------------------
def test_a_guest_that_reads_no_more_ends_the_typing():
    with machine.Machine(record=True) as m:
        m.prompt()
        m.send("crash hang\r")
        m.expect("hanging")
        with pytest.raises(machine.VmError, match="the guest took nothing that was typed"):
            for _ in range(12):
                m.send("x" * 8)


def read_until(descriptor, text, seconds):
    """What the terminal shows until @text is there, or its program is gone."""
    deadline, shown = time.monotonic() + seconds, b""
    while text not in shown and time.monotonic() < deadline:
        if select.select([descriptor], [], [], 0.5)[0]:
            try:
                shown += os.read(descriptor, 65536)
            except OSError:
                break
    return shown


def test_the_terminal_leaves_a_guest_that_reads_no_more(tmp_path):
    child, terminal = pty.fork()
    if child == 0:
        os.execv(sys.executable, [sys.executable, os.path.join(machine.ROOT, "tools", "rr.py"), "record",
                                  str(tmp_path / "r")])
    try:
        assert b"minOS> " in read_until(terminal, b"minOS> ", machine.TIMEOUT)
        os.write(terminal, b"crash hang\r")
        assert b"hanging" in read_until(terminal, b"hanging", machine.TIMEOUT)
        os.write(terminal, b"x" * 50)
        assert b"takes no keys" in read_until(terminal, b"takes no keys", machine.TIMEOUT)
        os.write(terminal, b"y" * 50 + b"\x01x")
        shown = read_until(terminal, b"rr: recorded: ", machine.TIMEOUT)
        assert b"rr: recorded: " in shown, shown
    finally:
        os.kill(child, signal.SIGTERM)
        os.close(terminal)
        os.waitpid(child, 0)


# --- the command line -----------------------------------------------------------------------------
def record(*argv):
    """rr.py record without a terminal and without lines; (status, output)."""
    return run(sys.executable, "tools/rr.py", "record", *argv)


def test_record_without_lines_ends_by_itself(tmp_path):
    status, text = record(str(tmp_path / "r"))
    assert status == 0 and "Ctrl-A" not in text, text


def test_record_tells_that_it_ended_early(tmp_path):
    status, text = record("--timeout", "4", "--run", "sleep 1000", str(tmp_path / "r"))
    assert status == 1 and "rr: ended early: " in text and "rr: recorded: " in text, text


def test_record_leaves_other_folders_alone(tmp_path):
    (tmp_path / "mine").write_text("text")
    status, text = record(str(tmp_path))
    assert status == 1 and f"{tmp_path} is there, and is no recording" in text, text
    assert os.listdir(tmp_path) == ["mine"] and "minOS>" not in text


def test_a_wrong_option_of_record_is_named():
    status, text = record("--timeout", "x")
    assert status == 2 and text.startswith("usage: rr.py record [-h] [--run"), text


def test_a_second_replay_is_told_of_the_first(corrupt):
    with open(os.path.join(corrupt[0], "recording.json"), "rb") as f:
        fcntl.flock(f, fcntl.LOCK_EX)
        status, text = run(sys.executable, "tools/rr.py", "replay", "--check", corrupt[0])
    assert status == 1 and f"another replay uses {corrupt[0]}" in text and "qemu-img" not in text, text


def test_make_passes_words_on_as_they_are(tmp_path):
    program = tmp_path / "python"
    program.write_text("#!/bin/sh\nprintf '<%s>' \"$@\"\n")
    program.chmod(0o755)
    words = "echo it's \"two  words\"; echo $HOME"
    build = f"BUILD={machine.BUILD}"
    shown = run(MAKE, "-s", "-o", "all", "record", f"PYTHON={program}", build,
                "RUN=" + words.replace("$", "$$"))[1]
    assert f"<record><--run><{words}><{machine.BUILD}/record>" in shown, shown
    shown = run(MAKE, "-s", "replay", f"PYTHON={program}", build, "FROM=it's a  folder")[1]
    assert "<replay><it's a  folder>" in shown, shown
    status, shown = run(MAKE, "-n", "BUILD=two words")
    assert status == 2 and "BUILD is one folder, without blanks in its name" in shown, shown


def test_a_difference_is_told(corrupt, tmp_path):
    folder = str(tmp_path / "copy")
    os.makedirs(folder)
    for name in ("minos.img", "serial.log", recording.LOG, "recording.json"):
        recording.copy_sparse(os.path.join(corrupt[0], name), os.path.join(folder, name))
    with open(os.path.join(folder, "serial.log"), "r+b") as f:
        f.seek(100)
        f.write(b"\0")
    facts = recording.load(folder)
    facts["instructions"] += 1
    with open(os.path.join(folder, "recording.json"), "w", encoding="utf-8") as f:
        json.dump(facts, f)
    status, text = run(sys.executable, "tools/rr.py", "replay", "--check", folder)
    assert status == 1 and "differs from byte 100 on" in text, text
    assert f"{facts['instructions']} instructions recorded" in text


def test_a_folder_without_recording_is_named(tmp_path):
    status, text = run(sys.executable, "tools/rr.py", "replay", str(tmp_path))
    assert status == 1 and f"{tmp_path} is no recording" in text and "Traceback" not in text


# --- backwards ------------------------------------------------------------------------------------
def registers(text):
    """Each `info registers` in gdb's output, as a dictionary; "ip" is RIP or, in old modes, EIP."""
    found = []
    for name, value in re.findall(r"(?m)^([re][a-z0-9]+|eflags|cs) +(0x[0-9a-f]+) ", text):
        if name in ("rax", "eax"):
            found.append({})
        found[-1]["ip" if name in ("rip", "eip") else name] = int(value, 16)
    return found


def test_back_in_the_boot_sector(corrupt):
    text = gdb(corrupt[0], "hbreak *0x7c00", "continue", "info registers", "icount",
               "stepi 12", "info registers", "stepi", "info registers", "reverse-stepi",
               "info registers", "reverse-continue", "info registers", "icount")
    at_start, on, further, back, again = registers(text)
    assert at_start["ip"] == 0x7c00 and 0x7c00 < on["ip"] < 0x7e00
    assert further["ip"] != on["ip"]
    assert back == on
    assert again == at_start
    first, second = re.findall(r"(?m)^(\d+)$", text)
    assert first == second


def test_back_in_the_kernel(corrupt):
    text = gdb(corrupt[0], "hbreak panic", "continue", "icount", "info registers", "reverse-stepi 3",
               "icount", "stepi 3", "info registers", "icount",
               "hbreak ledger_check", "reverse-continue", "print $rip == (long)&ledger_check")
    before, after = registers(text)
    assert before == after
    here, earlier, again = map(int, re.findall(r"(?m)^(\d+)$", text))
    assert (here - earlier, again) == (3, here)
    assert "$1 = 1" in text


def test_other_breakpoints_do_not_mislead_lastwrite(corrupt):
    text = gdb(corrupt[0], "hbreak panic", "continue", "up", "hbreak thread_begin",
               "hbreak sched_sleep", "lastwrite l->balance", "info breakpoints")
    assert re.search(r"l->balance at 0x\w+: \d+ became \d+ by\n=> 0x\w+ <sample_store", text), text
    assert len(re.findall(r"(?m)^\d+ +hw breakpoint +keep y", text)) == 3, "they are on again"


def test_nothing_goes_on_behind_the_end(corrupt):
    for command in ("stepi", "next", "finish", "until"):
        text = gdb(corrupt[0], "hbreak *0", "continue", command, expect=1)
        assert "the end of the recording; reverse-continue leads back" in text, text
    text = gdb(corrupt[0], "minos-reset", expect=1)
    assert "a replay cannot be reset" in text


def test_from_the_panic_to_the_culprit(corrupt):
    text = gdb(corrupt[0], "hbreak panic", "continue", "backtrace", "echo ---\\n", "up", "set $l = l",
               "lastwrite l->balance", "print $rdi + 16 == (long)&$l->balance", "print $rsi")
    panic, back = text.split("---\n")
    assert "in keeper " in panic and "sampl" not in panic, text
    found = re.search(r"l->balance at 0x\w+: (\d+) became (\d+) by", back)
    assert found, text
    before, after = map(int, found.groups())
    assert before % 7 == 0 and before < 100 < after
    assert re.search(r"(?m)^=> 0x\w+ <sample_store.*>:\s+mov\s+QWORD PTR \[rdi\+0x10\],rsi$", back)
    assert re.search(r"(?m)^#1 .* in sampler ", back), text
    assert re.findall(r"(?m)^\$\d = (\d+)$", back) == ["1", str(after)], text


def test_the_session_in_the_document(corrupt):
    """docs/time-travel.md shows what really appears; addresses and large numbers may differ."""
    folder, check = corrupt
    with open(os.path.join(machine.ROOT, "docs/time-travel.md"), encoding="utf-8") as f:
        recorded, replayed = re.findall(r"<!-- session -->\n```\n((?s:.*?))```", f.read())
    commands = re.findall(r"(?m)^\(gdb\) (.*)$", replayed)
    with open(os.path.join(folder, "serial.log"), "rb") as f:
        serial = machine.plain(f.read())
    compare(recorded, serial)
    compare(replayed, check + gdb(folder, *commands))


def compare(shown, text):
    """The lines that a document shows are in @text, in this order; `...` stands for what is left out."""
    def stable(line):
        line = re.sub(r"\b(0x[0-9a-f]+|ffffffff[0-9a-f]{8}|\d{5,})\b|\+0x[0-9a-f]+|up \d\S+", "?", line)
        return " ".join(line.split())
    seen = [line for line in map(stable, text.splitlines()) if line]
    place, gap = 0, True
    for line in shown.splitlines():
        if line == "..." or line.startswith(("$ ", "(gdb) ")):
            gap = gap or line == "..."
            continue
        assert stable(line) in seen[place:], f"not in the output, or not there: {line}\n{text}"
        found = seen.index(stable(line), place)
        assert gap or found == place, f"more appears before: {line}\n{text}"
        place, gap = found + 1, False


def test_back_to_a_watchpoint(corrupt):
    """The same with gdb's own commands: the writes before the last were the keeper's."""
    text = gdb(corrupt[0], "hbreak panic", "continue", "up", "watch -l l->balance", "reverse-continue",
               "reverse-continue", "reverse-stepi", "backtrace 1")
    assert text.count("SIGTRAP") >= 2 and re.search(r"(?m)^#0 .*keeper ", text), text


def test_the_end_keeps_the_way_back(corrupt):
    end = recording.load(corrupt[0])["end"]
    text = gdb(corrupt[0], "continue", "icount", "reverse-stepi", "icount", "continue", "icount")
    assert re.findall(r"(?m)^(\d+)$", text) == [str(end), str(end - 1), str(end)], text


# --- what a failing test leaves -------------------------------------------------------------------
def run_failing(folder, name):
    """Run a test file with our conftest.py; its failures go to @folder/failures."""
    return run(sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "conftest",
               "--rootdir", str(folder), str(folder / name),
               env={"PYTHONPATH": os.path.join(machine.ROOT, "tests", "boot"),
                    "FAILURES": str(folder / "failures"), "RECORD": ""})


@pytest.fixture(scope="module")
def failed(tmp_path_factory):
    """A run of FAILING; returns (folder of the failures, output)."""
    folder = tmp_path_factory.mktemp("failing")
    (folder / "test_failing.py").write_text(FAILING)
    status, text = run_failing(folder, "test_failing.py")
    assert status == 1 and "4 failed, 1 passed, 1 error" in text, text
    return folder / "failures", text


@pytest.mark.parametrize("test", ["test_exact", "test_shared", "test_alone", "test_setup"])
def test_a_failure_can_be_replayed(failed, test):
    failures, text = failed
    command = re.search(rf"(?m)^make replay FROM=(\S*/{test})\t\(every instruction", text)
    assert command, text
    status, answer = run(MAKE, "-s", "replay", f"FROM={command.group(1)}",
                         "GDB_ARGS=-batch -ex continue -ex icount")
    assert status == 0 and "the serial output is identical" in answer, answer
    with open(failures / test / "serial.log", "rb") as recorded:
        with open(failures / test / replay.OUTPUT, "rb") as again:
            output = again.read()
            assert output == recorded.read()
    assert {"test_exact": b"\r\nby a line longer", "test_shared": b"\r\nshared",
            "test_alone": b"\r\nalone", "test_setup": b""}[test] in output


def test_a_failure_that_cannot_be_recorded_is_typed_again(failed):
    command = re.search(r"(?m)^Its machines cannot be recorded.\n"
                        r"make replay FROM=(\S*/test_inputs)\t\(what was typed", failed[1])
    assert command, failed[1]
    status, answer = run(MAKE, "-s", "replay", f"FROM={command.group(1)}")
    assert status == 0 and "holds no log" in answer and "all was typed" in answer, answer
    assert "\nagain\n" in answer and "\nand again\n" in answer, answer


def test_a_good_test_leaves_nothing(failed):
    assert sorted(os.listdir(failed[0])) == ["test_alone", "test_exact", "test_inputs", "test_setup",
                                             "test_shared"]


def test_a_recording_that_is_gone_is_not_offered(tmp_path):
    """Eleven failures: the first one's folder is gone at the end."""
    (tmp_path / "test_many.py").write_text(
        "import pytest, vm as machine\n"
        "@pytest.mark.parametrize('n', range(11))\n"
        "def test_many(n):\n"
        "    with machine.Machine(media=None, extra=['-smp', '2']):\n"
        "        assert False\n")
    status, text = run_failing(tmp_path, "test_many.py")
    assert status == 1 and "11 failed" in text, text
    assert len(re.findall(r"(?m)^make replay FROM=", text)) == 10, text
    assert text.count("is gone: the newest 10 are kept") == 1, text


def test_a_failed_selftest_can_be_run_again(tmp_path):
    """A group of which there is none: the kernel says so, as it does of a failure."""
    status, text = run(sys.executable, "tests/boot/selftest.py", "no.such",
                       env={"FAILURES": str(tmp_path), "RECORD": ""})
    assert status == 1 and "kernel: 0 passed, 1 failed" in text, text
    command = re.search(r"(?m)^run it again: make replay FROM=(\S*/selftest-no-such)$", text)
    assert command, text
    status, again = run(MAKE, "-s", "replay", f"FROM={command.group(1)}")
    assert status == 0 and "no.such" in again, again


def test_old_failures_go(tmp_path):
    os.makedirs(tmp_path / "a folder of somebody")
    for number in range(4):
        os.makedirs(tmp_path / str(number))
        (tmp_path / str(number) / "recording.json").write_text("{}")
        os.utime(tmp_path / str(number), (number, number))
    recording.prune(str(tmp_path), 2)
    assert sorted(os.listdir(tmp_path)) == ["2", "3", "a folder of somebody"]
