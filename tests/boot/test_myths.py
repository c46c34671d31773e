"""test_myths.py - docs/myths.md: each proof is typed, and what appears is what stands there."""

import os
import re
import subprocess

import pytest

import vm as machine

PATH = os.path.join(machine.ROOT, "docs", "myths.md")
KINDS = {"sh": "$ ", "minos": "minOS> "}


def proofs():
    """(line, kind, [(command, [lines of output])]) of each fenced block."""
    with open(PATH, encoding="utf-8") as f:
        text = f.read()
    found = []
    for match in re.finditer(r"(?ms)^```(\w*)\n(.*?)^```$", text):
        kind, steps = match.group(1), []
        for line in match.group(2).splitlines():
            if line.startswith(KINDS[kind]):
                steps.append((line[len(KINDS[kind]):], []))
            else:
                steps[-1][1].append(line)
        found.append((text.count("\n", 0, match.start()) + 1, kind, steps))
    return found


def pattern(lines):
    """A regex for these lines: `...` alone is any lines, within a line any characters."""
    parts = [r"(?:.*\n)*?" if line == "..." else
             r"[^\n]*".join(re.escape(p) for p in line.rstrip().split("...")) + r"[ ]*\n"
             for line in lines]
    return "".join(parts)


def compare(line, command, expected, output):
    output = output.replace("\r", "").rstrip("\n") + "\n"
    assert re.fullmatch(pattern(expected), output), (
        f"docs/myths.md, line {line}: {command}\n--- stated\n" + "\n".join(expected)
        + f"\n--- appeared\n{output}")


def named(kind):
    return [pytest.param(line, steps, id=f"line{line}") for line, k, steps in proofs() if k == kind]


@pytest.mark.parametrize("line,steps", named("sh"))
def test_typed_in_a_terminal(line, steps):
    for command, expected in steps:
        done = subprocess.run(["sh", "-c", command], cwd=machine.ROOT, stdin=subprocess.DEVNULL,
                              env={**os.environ, "BUILD": machine.BUILD}, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, timeout=5 * machine.TIMEOUT, check=False)
        compare(line, command, expected, done.stdout.decode())


@pytest.mark.parametrize("line,steps", named("minos"))
def test_typed_at_the_prompt(vm, line, steps):
    for command, expected in steps:
        compare(line, command, expected, vm.command(command))


def test_every_myth_has_a_proof():
    with open(PATH, encoding="utf-8") as f:
        parts = re.split(r"(?m)^#{2,3} ", f.read())
    myths = [p for p in parts if p.startswith('"')]
    assert len(myths) >= 14
    for part in myths:
        assert "```sh" in part or "```minos" in part, part.splitlines()[0]


def test_every_experiment_is_used():
    with open(PATH, encoding="utf-8") as f:
        text = f.read()
    folder = os.path.join(machine.ROOT, "docs", "myths")
    for name in sorted(os.listdir(folder)):
        assert name == "sector.inc" or f"docs/myths/{name}" in text, name


@pytest.mark.parametrize("arguments,message", [
    ([], "usage: bootsector"), (["docs/myths/absent.asm"], "absent.asm is missing"),
    (["wrong.asm"], "cannot be assembled")])
def test_bootsector_says_what_is_wrong(tmp_path, arguments, message):
    (tmp_path / "wrong.asm").write_text("no instruction\n")
    arguments = [str(tmp_path / a) if a == "wrong.asm" else a for a in arguments]
    done = subprocess.run([os.path.join("tools", "bootsector.py"), *arguments], cwd=machine.ROOT,
                          env={**os.environ, "BUILD": machine.BUILD}, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, check=False)
    assert done.returncode != 0 and message in done.stdout.decode()


def test_comparison_can_fail():
    compare(0, "x", ["a", "...", "b...d"], "a\nq\nq\nb c d\n")
    for expected in (["a", "b"], ["a", "...", "bd"], ["a"]):
        with pytest.raises(AssertionError):
            compare(0, "x", expected, "a\nq\nq\nb c d\n")
