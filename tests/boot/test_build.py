"""test_build.py - the build itself: incremental, reproducible, without libgcc, out of the tree."""

import os
import re
import shutil
import subprocess
import sys

import pytest

import vm as machine

sys.path.insert(0, os.path.join(machine.ROOT, "tools"))
import kernel_size  # noqa: E402  (the path above)

MAKE = os.environ.get("MAKE", "make")
ITEMS = "Makefile linker.ld LICENSE README.md boot drivers fs include kernel mm tests tools".split()


def clean_environment():
    return {k: v for k, v in os.environ.items()
            if k not in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL", "BUILD", "MAKEOVERRIDES")}


def make(folder, *arguments, check=True):
    done = subprocess.run([MAKE, "--no-print-directory", *arguments], cwd=folder,
                          env=clean_environment(), stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    text = done.stdout.decode(errors="replace")
    assert not check or done.returncode == 0, text
    return text if check else (done.returncode, text)


def copy_tree(folder):
    os.makedirs(folder)
    for item in ITEMS:
        source = os.path.join(machine.ROOT, item)
        if os.path.isdir(source):
            shutil.copytree(source, os.path.join(folder, item),
                            ignore=shutil.ignore_patterns("__pycache__"))
        elif os.path.exists(source):
            shutil.copy2(source, folder)
    return folder


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    """A copy of the sources, built."""
    folder = copy_tree(str(tmp_path_factory.mktemp("build") / "minos"))
    make(folder, "-j4")
    return folder


def compiled(text):
    return sorted(re.findall(r"^  (?:CC|CC32|NASM)\s+(\S+)$", text, re.M))


def touch(folder, name):
    path = os.path.join(folder, name)
    status = os.stat(path)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    os.utime(path)


def test_nothing_to_do(tree):
    make(tree)
    assert re.findall(r"^  [A-Z0-9]+\s", make(tree), re.M) == []


def test_one_file_changed(tree):
    make(tree)
    touch(tree, "kernel/cmdline.c")
    text = make(tree)
    assert compiled(text) == ["kernel/cmdline.c"]
    assert "IMAGE" in text


def test_header_changed(tree):
    make(tree)
    touch(tree, "include/kern/cmdline.h")
    files = compiled(make(tree))
    assert "kernel/cmdline.c" in files and "kernel/main.c" in files
    assert "kernel/lib/crc32.c" not in files


def test_header_of_the_assembler_changed(tree):
    make(tree)
    touch(tree, "include/boot/boot_info.h")
    files = compiled(make(tree))
    assert "kernel/boot_trace.c" in files
    assert "boot/stage1.asm" not in files, "the generated constants are the same"


def test_flags_changed(tree):
    make(tree)
    files = compiled(make(tree, "DEBUG=1"))
    assert "kernel/main.c" in files
    make(tree)


def test_file_removed(tree):
    extra = os.path.join(tree, "kernel/extra_file.c")
    with open(extra, "w", encoding="ascii") as f:
        f.write("/* extra_file.c - a test. */\nint extra_symbol(void);\n"
                "int\nextra_symbol(void)\n{\n\treturn 1;\n}\n")
    make(tree)
    assert "extra_symbol" in symbols(tree)
    os.unlink(extra)
    make(tree)
    assert "extra_symbol" not in symbols(tree)


def symbols(tree):
    return subprocess.run(["nm", os.path.join(tree, "build/minos.elf")], check=True,
                          stdout=subprocess.PIPE).stdout.decode()


def test_no_undefined_symbols(tree):
    for elf in ("minos.elf", "stage2.elf"):
        out = subprocess.run(["nm", "-u", os.path.join(tree, "build", elf)], check=True,
                             stdout=subprocess.PIPE).stdout
        assert out == b"", elf


def test_sources_of_a_cross_compiler_do_not_disturb(tree):
    """`make toolchain` unpacks them into the build folder, and binutils has tests named *.d."""
    junk = os.path.join(tree, "build/toolchain/work/junk.d")
    os.makedirs(os.path.dirname(junk))
    with open(junk, "w", encoding="ascii") as f:
        f.write("#objdump: -d\n0+0000 <text>\n")
    make(tree)
    shutil.rmtree(os.path.join(tree, "build/toolchain"))


@pytest.mark.parametrize("variable,source,symbol", [
    ("S2_EXTRA", "uint64_t extra(uint64_t a, uint64_t b);\n"
     "uint64_t\nextra(uint64_t a, uint64_t b)\n{\n\treturn a / b;\n}\n", "__udivdi3"),
    ("K_EXTRA", "unsigned __int128 extra(unsigned __int128 a, unsigned __int128 b);\n"
     "unsigned __int128\nextra(unsigned __int128 a, unsigned __int128 b)\n{\n\treturn a / b;\n}\n",
     "__udivti3")])
def test_a_call_to_libgcc_fails_the_build(tree, variable, source, symbol):
    name = os.path.join(tree, "boot" if variable == "S2_EXTRA" else "kernel", "libgcc_test.c")
    folder = os.path.dirname(name) + "/extra"
    os.makedirs(folder, exist_ok=True)
    with open(folder + "/needs.c", "w", encoding="ascii") as f:
        f.write("/* needs.c - needs libgcc. */\n#include <stdint.h>\n" + source)
    relative = os.path.relpath(folder + "/needs.c", tree)
    try:
        status, text = make(tree, f"{variable}={relative}", check=False)
        assert status != 0 and symbol in text, text
    finally:
        shutil.rmtree(folder)
        make(tree)


def test_builds_go_nowhere_but_the_build_folder(tree):
    make(tree)
    before = {os.path.join(d, f) for d, _, files in os.walk(tree) for f in files
              if not d.startswith(os.path.join(tree, "build"))}
    shutil.rmtree(os.path.join(tree, "build"))
    make(tree, "-j4")
    after = {os.path.join(d, f) for d, _, files in os.walk(tree) for f in files
             if not d.startswith(os.path.join(tree, "build"))}
    assert {f for f in after - before if "__pycache__" not in f} == set()


def test_reproducible():
    done = subprocess.run(["tools/reproducible"], cwd=machine.ROOT, env=clean_environment(),
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    assert done.returncode == 0, done.stdout.decode()


@pytest.mark.parametrize("compiler", ["gcc", "clang"])
def test_debug_build_boots(boot, tree, compiler):
    build = f"build/debug-{compiler}"
    make(tree, "-j4", "DEBUG=1", "CI=1", f"CC={compiler}", f"BUILD={build}")
    m = boot("console=both watchdog=1", image=os.path.join(tree, build, "minos.img"))
    m.prompt()
    for group in ("debug", "pmm", "vmm", "tlb", "init", "kmalloc", "slab", "stack", "user", "trap",
                  "spin", "mutex", "rw", "order", "completion", "sem", "wait", "work"):
        assert ", 0 failed" in m.command(f"test {group}")
    assert "no failure, nothing leaked" in m.command("stress 100000 1", timeout=300)
    m.send("spawn holder\r")  # what only this build knows: which, and since where
    m.expect(r'watchdog: spinlock "test held", taken at trouble_holder\+0x\w+, was held for '
             r"\d{4} ms")


@pytest.mark.parametrize("compiler", ["gcc", "clang", "x86_64-elf-gcc"])
def test_each_compiler_builds_without_warnings_and_boots(boot, tree, compiler):
    if shutil.which(compiler) is None:
        pytest.skip(f"{compiler} is not installed")
    build = f"build/{compiler}"
    text = make(tree, "-j4", f"CC={compiler}", "CI=1", f"BUILD={build}")
    assert "warning" not in text
    assert compiler in text.splitlines()[0], "the choice is printed"
    m = boot(image=os.path.join(tree, build, "minos.img"))
    m.prompt()


def test_kernel_is_at_most_400_kib():
    """What the loader reads; in memory, without its self-tests, it is more: docs/decisions.md."""
    size = kernel_size.sizes(machine.BUILD)
    assert size["packed"] <= 400 * 1024 and size["kernel"] <= 512 * 1024, size
    assert 0 < size["tests"] < size["file"] / 2, size


def test_kernel_file_is_packed_and_holds_the_kernel():
    with open(os.path.join(machine.BUILD, "image/MINOS.ELF"), "rb") as f:
        packed = f.read()[:-16]
    with open(os.path.join(machine.BUILD, "minos.stripped"), "rb") as f:
        kernel = f.read()
    out = subprocess.run(["lz4", "-dc"], input=packed, check=True, stdout=subprocess.PIPE).stdout
    assert out == kernel
    assert len(packed) < len(kernel) * 0.65


def test_sections_are_writable_or_executable_never_both(tree):
    text = subprocess.run(["readelf", "-lW", os.path.join(tree, "build/minos.elf")], check=True,
                          stdout=subprocess.PIPE).stdout.decode()
    loads = re.findall(r"^\s+LOAD\s.*?\s([R ][W ][E ])\s", text, re.M)
    assert loads and not any("W" in f and "E" in f for f in loads), text


def test_no_sse_in_the_kernel(tree):
    text = subprocess.run(["objdump", "-d", "-M", "intel", os.path.join(tree, "build/minos.elf")],
                          check=True, stdout=subprocess.PIPE).stdout.decode()
    lines = [l for l in text.splitlines() if re.search(r"\b[xyz]mm\d|\bst\(\d\)", l)]
    assert lines == []


def test_help_names_every_target(tree):
    text = make(tree, "help")
    for name in """all iso floppy run run-serial debug test smoke lint bench screenshot usb
            toolchain clean bochs compile_commands.json vscode""".split():
        assert re.search(rf"^  {re.escape(name)}\s", text, re.M), name


def test_iso_is_the_image(tree):
    make(tree, "iso")
    with open(os.path.join(tree, "build/minos.img"), "rb") as a, \
            open(os.path.join(tree, "build/minos.iso"), "rb") as b:
        assert a.read() == b.read()
