"""test_replay.py - time travel: exact replay, backwards in boot sector and kernel, what failures leave."""

import json
import os
import re
import subprocess
import sys

import pytest

import recording
import replay
import vm as machine

MAKE = os.environ.get("MAKE", "make")
LIMIT = 600

# A test file that fails: in a machine of its own, in the shared one, in one that cannot be recorded.
FAILING = """
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

def test_good(vm):
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
@pytest.fixture(scope="module")
def failed(tmp_path_factory):
    """A run of FAILING; returns (folder of the failures, output)."""
    folder = tmp_path_factory.mktemp("failing")
    (folder / "test_failing.py").write_text(FAILING)
    failures = folder / "failures"
    status, text = run(sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "conftest",
                       "--rootdir", str(folder), str(folder / "test_failing.py"),
                       env={"PYTHONPATH": os.path.join(machine.ROOT, "tests", "boot"),
                            "FAILURES": str(failures), "RECORD": ""})
    assert status == 1 and "3 failed, 1 passed" in text, text
    return failures, text


@pytest.mark.parametrize("test", ["test_exact", "test_shared"])
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
    assert {"test_exact": b"\r\nby a line longer", "test_shared": b"\r\nshared"}[test] in output


def test_a_failure_that_cannot_be_recorded_is_typed_again(failed):
    command = re.search(r"(?m)^make replay FROM=(\S*/test_inputs)\t\(what was typed", failed[1])
    assert command, failed[1]
    status, answer = run(MAKE, "-s", "replay", f"FROM={command.group(1)}")
    assert status == 0 and "holds no log" in answer and "all was typed" in answer, answer
    assert "\nagain\n" in answer and "\nand again\n" in answer, answer


def test_a_good_test_leaves_nothing(failed):
    assert sorted(os.listdir(failed[0])) == ["test_exact", "test_inputs", "test_shared"]


def test_old_failures_go(tmp_path):
    for number in range(4):
        os.makedirs(tmp_path / str(number))
        os.utime(tmp_path / str(number), (number, number))
    recording.prune(str(tmp_path), 2)
    assert sorted(os.listdir(tmp_path)) == ["2", "3"]
