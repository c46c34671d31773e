"""test_toolchain.py - tools/toolchain.sh, with sources of a few lines in place of binutils and gcc.

The stand-ins have the targets that the script calls, and install this machine's tools under the
cross tools' names.  The real sources take minutes: docs/toolchain.md says how that was checked.
"""

import os
import re
import shutil
import signal
import subprocess
import tarfile
import time

import pytest

import vm as machine

MAKE = os.environ.get("MAKE", "make")
WRAP = """\
	@mkdir -p @PREFIX@/bin @PREFIX@/x86_64-elf
	@for tool in {tools}; do \\
		printf '#!/bin/sh\\nexec %s "$$@"\\n' $$tool > @PREFIX@/bin/x86_64-elf-$$tool; \\
		chmod +x @PREFIX@/bin/x86_64-elf-$$tool; \\
	done
"""
# The folder @CONTROL@ says what goes wrong.
BINUTILS = ("all:\n\t@echo binutils >> @CONTROL@/built\ninstall-strip:\n"
            + WRAP.format(tools="as ld nm ranlib"))
GCC = ("all-gcc:\n\t@if [ -e @CONTROL@/hang ]; then : > @CONTROL@/hanging; exec sleep 600; fi\n"
       "\t@if [ -e @CONTROL@/fail ]; then echo 'x.c:7: error: stand-in'; seq 100; exit 1; fi\n"
       "\t@$(MAKE) -f ../gcc/gcc/Makefile.in s-tm-texi\n\t@echo gcc >> @CONTROL@/built\n"
       "install-strip-gcc:\n" + WRAP.format(tools="gcc"))
CONFIGURE = """\
#!/bin/sh
for option; do case $option in --prefix=*) prefix=${option#*=} ;; esac; done
sed "s,@PREFIX@,$prefix,g; s,@CONTROL@,%s,g" "$(dirname "$0")/Makefile.in" > Makefile
"""
# What the real one would do with documents that the tarball lacks.
TM_TEXI = "all: s-tm-texi\n\ns-tm-texi: build/genhooks $(srcdir)/doc/tm.texi.in\n\tfalse\n\nx:\n"


def obey_interrupts():
    """What a shell starts in the background ignores Ctrl-C, and so do its descendants."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


class Toolchain:
    """The script in folders of the test's own."""

    def __init__(self, folder):
        self.folder = str(folder)
        self.prefix = os.path.join(self.folder, "cross")
        self.work = os.path.join(self.folder, "work")
        self.control = os.path.join(self.folder, "control")
        os.mkdir(self.control)
        os.mkdir(os.path.join(self.folder, "bin"))
        self.source("binutils/binutils-1.0", {"Makefile.in": BINUTILS})
        self.source("gcc-12/gcc-12-dfsg", {"Makefile.in": GCC, "gcc/Makefile.in": TM_TEXI})

    def source(self, name, files):
        tree = os.path.join(self.folder, "trees", os.path.basename(name))
        for path, text in {"configure": CONFIGURE % self.control, **files}.items():
            path = os.path.join(tree, path)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "w", encoding="ascii") as f:
                f.write(text)
        os.chmod(os.path.join(tree, "configure"), 0o755)
        archive = os.path.join(self.folder, "src", name + ".tar.xz")
        os.makedirs(os.path.dirname(archive), exist_ok=True)
        with tarfile.open(archive, "w:xz") as tar:
            tar.add(tree, os.path.basename(name))

    def switch(self, name, on=True):
        path = os.path.join(self.control, name)
        if on:
            with open(path, "w", encoding="ascii"):
                pass
        else:
            os.unlink(path)

    def stand_in(self, name, script):
        path = os.path.join(self.folder, "bin", name)
        with open(path, "w", encoding="ascii") as f:
            f.write("#!/bin/sh\n" + script)
        os.chmod(path, 0o755)

    def start(self, prefix=None, work=None):
        env = {**os.environ, "TOOLCHAIN_SOURCES": os.path.join(self.folder, "src"),
               "PATH": f"{self.folder}/bin:{os.environ['PATH']}"}
        argv = ["tools/toolchain.sh", prefix or self.prefix, work or self.work]
        return subprocess.Popen(argv, cwd=machine.ROOT, env=env, stdin=subprocess.DEVNULL,
                                stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                start_new_session=True, preexec_fn=obey_interrupts)

    def run(self, *arguments):
        """Returns (exit status, all output)."""
        with self.start(*arguments) as process:
            text = process.communicate(timeout=300)[0].decode(errors="replace")
        return process.returncode, text

    def built(self):
        with open(os.path.join(self.control, "built"), encoding="ascii") as f:
            return f.read().split()


@pytest.fixture
def toolchain(tmp_path):
    if shutil.which("gcc") is None or shutil.which("ld") is None:
        pytest.skip("the stand-ins need gcc and ld")
    return Toolchain(tmp_path)


def test_it_builds_checks_and_cleans_up(toolchain):
    status, text = toolchain.run()
    assert status == 0, text
    assert re.search(r"(?s)minutes on 2 idle cores.* MiB in .*unpacking binutils", text), text
    assert toolchain.built() == ["binutils", "gcc"]
    assert f"export PATH={toolchain.prefix}/bin:$PATH" in text
    assert not os.path.exists(toolchain.work)


def test_again_it_does_nothing(toolchain):
    toolchain.run()
    status, text = toolchain.run()
    assert status == 0 and "there already" in text and "export PATH=" in text
    assert toolchain.built() == ["binutils", "gcc"]


def test_again_with_the_result_damaged_it_builds(toolchain):
    toolchain.run()
    with open(toolchain.prefix + "/bin/x86_64-elf-gcc", "w", encoding="ascii") as f:
        f.write("#!/bin/sh\nexit 1\n")
    status, text = toolchain.run()
    assert status == 0 and toolchain.built() == ["binutils", "gcc"] * 2, text


def test_a_failure_shows_the_error_and_the_logs_end_and_can_be_continued(toolchain):
    toolchain.switch("fail")
    status, text = toolchain.run()
    assert status != 0 and "x.c:7: error: stand-in" in text and "\n100\n" in text
    assert "\n50\n" not in text, "the end of the log, not all of it"
    log = re.search(r"the whole log: (\S+)", text).group(1)
    with open(log, encoding="ascii") as f:
        assert "\n50\n" in f.read()
    toolchain.switch("fail", on=False)
    status, text = toolchain.run()
    assert status == 0 and "building binutils: done before" in text, text
    assert toolchain.built() == ["binutils", "gcc"]


def test_an_interruption_can_be_continued(toolchain):
    toolchain.switch("hang")
    with toolchain.start() as process:
        while not os.path.exists(os.path.join(toolchain.control, "hanging")):
            assert process.poll() is None
            time.sleep(0.02)
        os.killpg(process.pid, signal.SIGINT)  # its own session, as Ctrl-C at a terminal
        text = process.communicate(timeout=300)[0].decode()
    assert process.returncode != 0 and "goes on from here" in text, text
    toolchain.switch("hang", on=False)
    status, text = toolchain.run()
    assert status == 0 and toolchain.built() == ["binutils", "gcc"], text


def test_another_prefix_starts_afresh(toolchain):
    toolchain.switch("fail")
    toolchain.run()
    toolchain.switch("fail", on=False)
    status, text = toolchain.run(os.path.join(toolchain.folder, "other"))
    assert status == 0 and toolchain.built() == ["binutils", "binutils", "gcc"], text


def test_a_compiler_that_does_not_compile_is_noticed(toolchain):
    toolchain.source("gcc-12/gcc-12-dfsg",
                     {"Makefile.in": GCC.replace('exec %s "$$@"', "exit 1"),
                      "gcc/Makefile.in": TM_TEXI})
    status, text = toolchain.run()
    assert status != 0 and "does not compile and link" in text
    assert "export PATH" not in text
    status, text = toolchain.run()
    assert status != 0, "and it is not taken for finished"


# df -Pk: the device and the free KiB of the folder asked about.
DF = """\
case $2 in *work*) free=%d device=/dev/a ;; *) free=%d device=%s ;; esac
echo "Filesystem 1024-blocks Used Available Capacity Mounted on"
echo "$device 1 1 $free 1% /"
"""
GIB = 1 << 20


@pytest.mark.parametrize("work,prefix,device,why", [
    (GIB // 8, 9 * GIB, "/dev/b", "work has 128 MiB free"),
    (9 * GIB, GIB // 32, "/dev/b", "cross has 32 MiB free"),
    (GIB // 8, GIB // 8, "/dev/a", "work has 128 MiB free")])
def test_it_wants_room(toolchain, work, prefix, device, why):
    toolchain.stand_in("df", DF.replace("1%", "1%%") % (work, prefix, device))
    os.mkdir(toolchain.prefix)
    os.mkdir(toolchain.work)
    status, text = toolchain.run()
    assert status != 0 and why in text and "MiB are needed" in text, text
    assert "unpacking" not in text


def test_one_disk_must_hold_both(toolchain):
    """What is too little on one disk is enough on each of two."""
    with open(os.path.join(machine.ROOT, "tools/toolchain.sh"), encoding="ascii") as f:
        figures = re.findall(r"(?m)^(?:WORK|PREFIX)_MIB=(\d+)", f.read())
    free = max(map(int, figures)) * 1024
    os.mkdir(toolchain.prefix)
    os.mkdir(toolchain.work)
    for device, good in (("/dev/a", False), ("/dev/b", True)):
        toolchain.stand_in("df", DF.replace("1%", "1%%") % (free, free, device))
        status, text = toolchain.run()
        assert (status == 0) == good, text


def test_it_refuses_what_cannot_be_written(toolchain):
    plain = os.path.join(toolchain.folder, "file")
    with open(plain, "w", encoding="ascii"):
        pass
    for prefix in (plain + "/below", "/proc/minos"):
        status, text = toolchain.run(prefix)
        assert status != 0 and f"{prefix} cannot be written to" in text and "PREFIX=" in text


def test_it_refuses_a_blank_in_a_path(toolchain):
    status, text = toolchain.run(toolchain.prefix + " 2")
    assert status != 0 and "characters" in text and "cross 2" in text


def test_an_empty_prefix_is_named():
    done = subprocess.run([MAKE, "-s", "toolchain", "BUILD=build", "PREFIX="], cwd=machine.ROOT, check=False,
                          stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    assert done.returncode != 0 and b"toolchain: PREFIX is empty" in done.stderr, done.stderr


def test_it_never_removes_a_folder_of_others(toolchain):
    os.mkdir(toolchain.work)
    precious = os.path.join(toolchain.work, "precious")
    with open(precious, "w", encoding="ascii"):
        pass
    status, text = toolchain.run()
    assert status != 0 and "not a folder of this script's" in text
    assert os.path.exists(precious)


def test_it_says_which_source_is_missing(toolchain):
    shutil.rmtree(os.path.join(toolchain.folder, "src/gcc-12"))
    status, text = toolchain.run()
    assert status != 0 and "gcc-12*.tar.xz is missing" in text and "gcc-12-source" in text


@pytest.mark.parametrize("variables,environment,prefix", [
    (["PREFIX=/somewhere"], {}, "/somewhere"),
    ([], {}, "build/toolchain/cross"),
    ([], {"PREFIX": "/of/another/project"}, "build/toolchain/cross")])
def test_prefix_is_taken_from_the_command_line_only(variables, environment, prefix):
    done = subprocess.run([MAKE, "-n", "--no-print-directory", "toolchain", "BUILD=build",
                           *variables], cwd=machine.ROOT, env={**os.environ, **environment},
                          stdout=subprocess.PIPE, check=True)
    command = next(line for line in done.stdout.decode().splitlines() if "toolchain.sh" in line)
    assert command.split()[1].strip("'") == prefix, command
