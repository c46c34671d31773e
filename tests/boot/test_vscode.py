"""test_vscode.py - `make vscode`: what it writes, what it leaves alone, and a debug session by it.

VS Code itself is not run.  The session does what its C/C++ extension does with launch.json: start
the task, wait for its line, drive gdb by the commands of the machine interface.
"""

import json
import os
import re
import select
import shutil
import signal
import socket
import subprocess
import sys
import time

import pytest

import vm as machine

MAKE = os.environ.get("MAKE", "make")
TIMEOUT = 20  # seconds, for what takes one or two on a quiet machine


def run(*argv):
    """Returns (exit status, all output).  No word of `make test T=word` reaches a make in there."""
    done = subprocess.run([*argv, "T="] if argv[0] == MAKE else argv, cwd=machine.ROOT, check=False,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT)
    return done.returncode, done.stdout.decode(errors="replace")


class Folder:
    """A .vscode of the test's own."""

    def __init__(self, path):
        self.path = str(path)

    def generate(self, *options):
        return run(sys.executable, "tools/vscode.py", "--folder", self.path, *options)

    def read(self, name):
        with open(os.path.join(self.path, name), encoding="utf-8") as f:
            return f.read()

    def json(self, name):
        """Python's parser takes neither comments nor trailing commas."""
        return json.loads(self.read(name))

    def task(self, label):
        return next(t for t in self.json("tasks.json")["tasks"] if t["label"] == label)


@pytest.fixture
def folder(tmp_path):
    made = Folder(tmp_path / ".vscode")
    status, text = made.generate()
    assert status == 0, text
    return made


def test_vscode_writes_all_files(folder):
    assert sorted(os.listdir(folder.path)) == ["extensions.json", "launch.json", "minos.sums",
                                               "settings.json", "tasks.json"]
    names = [c["name"] for c in folder.json("launch.json")["configurations"]]
    assert names == ["MinOS: from the boot sector", "MinOS: kernel_main"]
    assert "ms-vscode.cpptools" in folder.json("extensions.json")["recommendations"]
    directory = folder.json("settings.json")["clangd.arguments"][0].split("/", 1)[1]
    assert directory == "build"


def test_vscode_folder_is_not_committed():
    status, text = run("git", "check-ignore", ".vscode/tasks.json")
    assert status == 0 or "not a git repository" in text, text


def test_vscode_tasks_can_be_run(folder):
    made = {t["label"]: t for t in folder.json("tasks.json")["tasks"]}
    names = ("build", "test", "lint", "run", "debug server")
    assert set(made) == {f"MinOS: {name}" for name in names}
    for one in made.values():
        if one["command"] == "make":
            status, text = run(MAKE, "-n", *one["args"])
            assert status == 0, text
        else:
            program = one["command"].replace("${workspaceFolder}", machine.ROOT)
            assert os.access(program, os.X_OK), program
        assert one.get("dependsOn", "MinOS: build") in made


@pytest.mark.parametrize("port", [1234, 2345])
def test_vscode_task_and_launch_agree(folder, port):
    assert folder.generate("--port", str(port))[0] == 0
    for configuration in folder.json("launch.json")["configurations"]:
        server = folder.task(configuration["preLaunchTask"])
        assert server["args"][:2] == ["--server", str(port)] and server["isBackground"]
        assert configuration["miDebuggerServerAddress"] == f"localhost:{port}"
        end = server["problemMatcher"]["background"]["endsPattern"]
        assert re.search(end, f"debug: waiting for gdb on localhost:{port}")
        elf = configuration["program"].replace("${workspaceFolder}/", "")
        assert os.path.dirname(elf) == server["args"][2]


def test_vscode_task_reads_what_the_server_says(folder, session, tmp_path):
    """Begin and end as tools/debug prints them; what else it says is a problem."""
    server = session("MinOS: kernel_main").server
    matcher = folder.task("MinOS: debug server")["problemMatcher"]
    begin, end = (matcher["background"][key] for key in ("beginsPattern", "endsPattern"))
    lines = [line for line in server.text.decode().splitlines() if line.startswith("debug: ")]
    assert re.search(begin, lines[0]) and re.search(end, lines[1]), lines
    problem = matcher["pattern"]["regexp"]
    assert not any(re.search(problem, line) for line in lines), lines
    status, text = run("tools/debug", "--server", "1", str(tmp_path))
    found = re.search(problem, text)
    assert status == 1 and found[2].endswith("minos.img is missing; make builds it"), text


def test_vscode_takes_another_build_folder(folder):
    for build, elf in (("build-x", "${workspaceFolder}/build-x/minos.elf"), ("/b", "/b/minos.elf")):
        assert folder.generate(build)[0] == 0
        assert folder.json("launch.json")["configurations"][0]["program"] == elf
        assert folder.task("MinOS: build")["args"] == ["all", f"BUILD={build}"]
        assert folder.task("MinOS: debug server")["args"][2] == build


def test_vscode_again_changes_nothing(folder):
    before = {name: folder.read(name) for name in os.listdir(folder.path)}
    status, text = folder.generate()
    assert status == 0 and text == ""
    assert before == {name: folder.read(name) for name in os.listdir(folder.path)}


def test_vscode_leaves_a_persons_file_alone(folder):
    mine = '{"version": "2.0.0", "tasks": []}\n'
    with open(os.path.join(folder.path, "tasks.json"), "w", encoding="utf-8") as f:
        f.write(mine)
    os.unlink(os.path.join(folder.path, "settings.json"))
    for _ in range(2):
        status, text = folder.generate()
        assert status == 1 and "tasks.json differs" in text and "--force" in text
        assert "launch.json" not in text and folder.read("tasks.json") == mine
    assert os.path.exists(os.path.join(folder.path, "settings.json")), "what is absent is written"
    status, text = folder.generate("--force")
    assert status == 0 and folder.read("tasks.json") != mine


def test_vscode_leaves_a_file_alone_that_was_there_first(tmp_path):
    first = Folder(tmp_path / "mine")
    os.mkdir(first.path)
    with open(os.path.join(first.path, "launch.json"), "w", encoding="utf-8") as f:
        f.write("{}")
    status, text = first.generate()
    assert status == 1 and "launch.json differs" in text and first.read("launch.json") == "{}"
    assert os.path.exists(os.path.join(first.path, "tasks.json"))


# --- a debug session ------------------------------------------------------------------------------
def filled(text):
    return text.replace("${workspaceFolder}", machine.ROOT)


class Lines:
    """A program whose output is read line by line, with a limit; ended with the test."""

    def __init__(self, *argv, **options):
        self.text = b""
        self.process = subprocess.Popen(argv, cwd=machine.ROOT, stdout=subprocess.PIPE,
                                        stderr=subprocess.STDOUT, start_new_session=True, **options)

    def expect(self, pattern):
        """Read until a line, and all of it, matches; returns the match."""
        deadline = time.monotonic() + TIMEOUT
        start = len(self.text)
        while True:
            lines = self.text[start:self.text.rfind(b"\n") + 1].decode(errors="replace")
            found = re.search(pattern, lines, re.M)
            if found:
                return found
            left = deadline - time.monotonic()
            ready, _, _ = select.select([self.process.stdout], [], [], max(left, 0))
            more = os.read(self.process.stdout.fileno(), 4096) if ready else b""
            if not more:
                pytest.fail(f"no line {pattern!r}:\n{self.text.decode(errors='replace')}")
            self.text += more

    def end(self):
        """gdb ends with its input, the debug server when it is told to."""
        if self.process.stdin is not None:
            self.process.stdin.close()
        elif self.process.poll() is None:
            os.kill(self.process.pid, signal.SIGTERM)
        try:
            self.process.wait(TIMEOUT)
        finally:
            self.process.kill()
            self.process.stdout.close()


class Session:
    """What the C/C++ extension does with one configuration of launch.json."""

    def __init__(self, folder, configuration):
        self.configuration = configuration
        task = folder.task(configuration["preLaunchTask"])
        self.server = Lines(filled(task["command"]), *map(filled, task["args"]),
                            stdin=subprocess.DEVNULL)
        self.gdb = None
        try:
            self.server.expect(task["problemMatcher"]["background"]["endsPattern"])
            env = {k: v for k, v in os.environ.items() if k != "BUILD"}
            self.gdb = Lines(configuration["miDebuggerPath"], "-q", "-nx", "--interpreter=mi2",
                             stdin=subprocess.PIPE, env=env)
            self.connect()
        except BaseException:
            self.end()
            raise

    def command(self, text, result=r"\^(?:done|running|connected)"):
        """An MI command; its result record, which must begin with @result."""
        self.gdb.process.stdin.write(text.encode() + b"\n")
        self.gdb.process.stdin.flush()
        answer = self.gdb.expect(r"^\^[a-z]+.*$")[0]
        assert re.match(result, answer), f"{text}: {answer}\n{self.gdb.text.decode()}"
        return answer

    def console(self, text, result=r"\^done"):
        quoted = filled(text).replace("\\", "\\\\").replace('"', '\\"')
        self.command(f'-interpreter-exec console "{quoted}"', result)

    def connect(self):
        for setup in self.configuration["setupCommands"]:
            self.console(setup["text"])
        self.command("-file-exec-and-symbols " + filled(self.configuration["program"]))
        # The extension wants to stop at `main`; ours is the first stop only if there is none.
        self.command("-break-insert main", r"\^error")
        self.command("-target-select remote " + self.configuration["miDebuggerServerAddress"])

    def go(self):
        """Continue to a breakpoint; the stack there, which is what the extension shows."""
        self.gdb.process.stdin.write(b"-exec-continue\n")
        self.gdb.process.stdin.flush()
        self.gdb.expect(r'^\*stopped,reason="breakpoint-hit".*$')
        return self.command("-stack-list-frames")

    def end(self):
        """The server first: a gdb whose program runs reads no input."""
        for program in (self.server, self.gdb):
            if program is not None:
                program.end()


@pytest.fixture
def session(folder):
    """session(name of a configuration): a Session on a free port, with this run's build folder."""
    if shutil.which("gdb") is None:
        pytest.skip("gdb is not installed")
    with socket.socket() as probe:
        probe.bind(("localhost", 0))
        port = probe.getsockname()[1]
    build = os.path.relpath(machine.BUILD, machine.ROOT)
    assert folder.generate("--port", str(port), build)[0] == 0
    started = []

    def start(name):
        configurations = folder.json("launch.json")["configurations"]
        started.append(Session(folder, next(c for c in configurations if c["name"] == name)))
        return started[-1]

    yield start
    for one in started:
        one.end()


def test_vscode_session_from_the_boot_sector(session):
    s = session("MinOS: from the boot sector")
    stack = s.go()
    assert 'frame={level="0",addr="0x00007c00"' in stack and 'file="boot/stage1.asm"' in stack
    s.command("-break-insert kernel_main")
    stack = s.go()
    assert re.search(r'level="0",addr="0xffffffff8[^}]*func="kernel_main"', stack), stack
    s.console("minos-regs cr0")
    assert "PE" in s.gdb.text.decode(), "our commands are there"
    # What the extension sends when the session is stopped; QEMU can be gone before it answers.
    s.console("kill", r'\^done|\^error,msg="Remote connection closed"')
    assert s.server.process.wait(TIMEOUT) == 0, "the task ends with the machine"


def test_vscode_session_at_kernel_main(session):
    stack = session("MinOS: kernel_main").go()
    assert re.search(r'level="0",[^}]*func="kernel_main",file="kernel/main.c"', stack), stack
