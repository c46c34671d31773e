"""test_debug.py - `make debug` and the gdb commands of tools/gdb, on real boots, without a terminal."""

import json
import os
import pty
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

pytestmark = pytest.mark.skipif(shutil.which("gdb") is None, reason="gdb is not installed")

sys.path.insert(0, os.path.join(machine.ROOT, "tools", "gdb"))
import stub  # noqa: E402  (the path above)

TIMEOUT = 300  # seconds; a boot under gdb takes one on a quiet machine
RECORD = """
import json, gdb
from minos_gdb import boot, cpu, disasm, symbols
rows = []
def record(name, what):
    s = cpu.cpu()
    rows.append(dict(name=name, symbol=symbols.describe(s.pc), line=symbols.line(s.pc), bits=s.bits,
        cs=s.segments["CS"].selector, ip=s["RIP"], pc=s.pc, sp=s["RSP"], cr0=s["CR0"], cr3=s["CR3"],
        cr4=s["CR4"], efer=s["EFER"], a20=s["A20"], instruction=disasm.one(s.pc, s.bits)))
boot.show = record
"""


def debug(*commands, build=None, options=(), env=None, script=None, timeout=TIMEOUT):
    """Run tools/debug with these gdb commands; returns (exit status, all output)."""
    argv = ["tools/debug", *options, build or machine.BUILD, "--batch"]
    if script is not None:
        argv += ["-x", script]
    for command in commands:
        argv += ["-ex", command]
    with subprocess.Popen(argv, cwd=machine.ROOT, env={**os.environ, **(env or {})},
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, start_new_session=True) as process:
        try:
            text, _ = process.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGTERM)  # gdb, QEMU and stub.py as well
            text, _ = process.communicate()
            pytest.fail(f"{argv} hangs:\n{text.decode(errors='replace')}")
    return process.returncode, text.decode(errors="replace")


def session(*commands, **more):
    """The output of what must go well."""
    status, text = debug(*commands, **more)
    assert status == 0, text
    assert "Traceback" not in text and "Python Exception" not in text, text
    return text


def build_with(folder, cmdline):
    """A build folder of links, with an image whose command line is @cmdline."""
    for name in ("minos.elf", "stage1.elf", "stage2.elf"):
        os.symlink(os.path.join(machine.BUILD, name), os.path.join(str(folder), name))
    machine.image_copy(folder, cmdline)
    return str(folder)


# --- the whole way --------------------------------------------------------------------------------
@pytest.fixture(scope="module")
def walk(tmp_path_factory):
    """The states at every transition from reset to the prompt, as gdb saw them."""
    folder = tmp_path_factory.mktemp("walk")
    script, result = folder / "record.py", folder / "rows.json"
    script.write_text(RECORD + "boot.start()\n"
                      "while not rows or rows[-1]['name'] != 'prompt':\n    assert boot.go()\n"
                      f"open({str(result)!r}, 'w').write(json.dumps(rows))\n")
    text = session(script=str(script), options=["--reset"])
    assert result.exists(), text
    return json.loads(result.read_text())


PE, ET, NE, WP, PG = 1 << 0, 1 << 4, 1 << 5, 1 << 16, 1 << 31
CACHES_OFF = 1 << 30 | 1 << 29
PAE, LME, LMA, NXE, SCE = 1 << 5, 1 << 8, 1 << 10, 1 << 11, 1 << 0
PROTECTED = (PE | ET, 0, 0)
LONG = (PE | ET | PG, PAE, LME | LMA)
# What holds at each transition: symbol, mode, (CR0, CR4, EFER), the instruction that runs next.
TRANSITIONS = [
    ("reset", "", 16, (CACHES_OFF | ET, 0, 0), r"jmp 0xf000:0x[0-9a-f]{4}"),
    ("stage 1", "stage1", 16, (ET, 0, 0), r"jmp short 0x7c3e"),
    ("stage 2", "stage2_entry", 16, (ET, 0, 0), r"cli"),
    ("protected mode", "to_protected.in", 32, PROTECTED, r"mov ax,0x10"),
    ("cpu", "cpu_check+", 32, PROTECTED, None),
    ("A20 on", "a20_enable+", 32, PROTECTED, None),
    ("memory", "memory_init+", 32, PROTECTED, None),
    ("kernel", "load_kernel+", 32, PROTECTED, None),
    ("tables", "enter_kernel+", 32, PROTECTED, None),
    ("paging", "long_mode.here", 32, LONG, r"pop dword \[ebx\+0x28\]"),
    ("long mode", "long_mode.long", 64, LONG, r"shl rdi,byte 0x20"),
    ("kernel entry", "_start", 64, LONG, r"cli"),
    ("kernel_main", "kernel_main", 64, LONG, r"push rbp"),
    ("traps", "kernel_main+", 64, LONG, None),
    ("shell", "kernel_main+", 64, None, None),
    ("prompt", "shell_main+", 64, None, None),
]


@pytest.mark.parametrize("name,symbol,bits,registers,instruction", TRANSITIONS,
                         ids=[row[0].replace(" ", "-") for row in TRANSITIONS])
def test_transition(walk, name, symbol, bits, registers, instruction):
    row = next(row for row in walk if row["name"] == name)
    fits = row["symbol"].startswith(symbol) if symbol.endswith("+") else row["symbol"] == symbol
    assert fits, row
    assert row["bits"] == bits
    if registers:
        assert (row["cr0"], row["cr4"], row["efer"]) == registers
    else:  # what the kernel turned on, by the CPU's abilities
        assert row["cr0"] == PE | ET | NE | WP | PG
        assert row["cr4"] & PAE and row["efer"] == LME | LMA | NXE | SCE
    if instruction:
        assert re.fullmatch(instruction, row["instruction"]), row["instruction"]
    else:
        assert row["instruction"] == compiled(row), row


def compiled(row):
    """What objdump says of the ELF at that address, in ndisasm's words where the two agree."""
    name = "minos.elf" if row["pc"] >> 63 else "stage2.elf"
    bits = row["bits"]
    data = subprocess.run(["objcopy", "-O", "binary", "-j", ".text",
                           os.path.join(machine.BUILD, name), "/dev/stdout"],
                          stdout=subprocess.PIPE, check=True).stdout
    start = 0xffffffff80100000 if row["pc"] >> 63 else 0x8000
    code = data[row["pc"] - start:row["pc"] - start + 15]
    text = subprocess.run(["ndisasm", "-b", str(bits), "-o", str(row["pc"]), "-"], input=code,
                          stdout=subprocess.PIPE, check=True).stdout.decode()
    return text.splitlines()[0].split(None, 2)[2]


def test_transitions_come_in_this_order(walk):
    places = [next(n for n, row in enumerate(walk) if row["name"] == name)
              for name, *_ in TRANSITIONS]
    assert places == sorted(places)


def test_the_debugger_and_the_boot_trace_agree(walk, vm):
    """Where gdb stops is where the record was made: same place, same registers."""
    trace = machine.boot_trace(vm)
    assert [row["name"] for row in walk] == ["reset"] + [row["name"] for row in trace]
    for row, seen in zip(trace, walk[1:]):
        fields = ["cr0", "cr3", "cr4", "efer", "bits"]
        if row["name"] not in ("protected mode", "kernel_main"):  # recorded a little later
            fields += ["cs", "ip"]
        for field in fields:
            if row[field] is not None:
                assert row[field] == seen[field], (row["name"], field)


def test_every_stop_of_ours_has_a_source_line(walk):
    for row in walk[1:]:
        assert re.match(r"(boot|kernel|include)/.*:\d+$", row["line"]), row


# --- make debug -----------------------------------------------------------------------------------
def test_debug_stops_at_the_boot_sector():
    text = session("print/x (long)$pc", "info symbol 0x7c00", "list *0x7c3e,+1", "bt 1", "x/i $pc")
    assert "$1 = 0x7c00" in text and "stage1 in section .text" in text
    assert "mov\tsi, cs" in text, "stage 1's source lines"
    assert re.search(r"=> 0x7c00 <stage1>:\s+jmp\s+0x7c3e", text), "gdb's own disassembly, 16-bit"
    assert re.search(r"--- reset.*CS:IP F000:FFF0.*--- stage 1", text, re.S)


def test_debug_kernel_stops_at_kernel_main():
    text = session("bt", "list kernel_main", options=["--kernel"])
    assert re.search(r"#0  kernel_main \(info=1280\).*\n#1 .* in _start", text), text
    assert "boot_info_init" in text, "line numbers of the C sources"


def test_make_targets():
    for target, option in (("debug", "build"), ("debug-kernel", "--kernel build")):
        done = subprocess.run(["make", "-n", target, "BUILD=build", "V=1"], cwd=machine.ROOT,
                              stdout=subprocess.PIPE, check=True)
        assert f"tools/debug {option}" in done.stdout.decode()


def test_a_breakpoint_set_in_real_mode_is_hit_in_the_kernel():
    text = session("hbreak kernel_main", "hbreak vmm_init if 1 == 1", "continue", "bt 1", "continue",
                   "bt 1")
    assert re.search(r"Breakpoint \d+, .*\n#0  kernel_main .*Breakpoint \d+, vmm_init", text, re.S), text


def test_stage_2_has_backtraces_and_locals():
    text = session("hbreak read_trailer", "hbreak load_kernel", "continue", "bt",
                   "print config->kernel", "print sizeof(void *)", "finish")
    assert re.search(r"#0  load_kernel \(config=0x3.*\n#1 .* stage2_main \(\)", text), text
    assert '= "MINOS.ELF' in text
    assert "Value returned is $3 = 18446744071563116544" in text, "an uint64_t in EDX:EAX"


def operands(text):
    """What is alike in gdb's and ndisasm's words: numbers and registers, in order."""
    return [int(word, 16) if word.startswith("0x") else word for word in
            re.findall(r"0x[0-9a-f]+|\b(?:[a-ds][lhpix]|[bs]p|[ds]i)\b", text)]


def test_gdbs_disassembly_is_right_in_16_bit_code():
    """In the code that addresses by [bp + n], which as 32-bit code would read quite differently."""
    text = session("echo CUT\\n", "x/8i next_drive", "echo CUT\\n", "minos-x next_drive 8")
    _, ours, truth = text.split("CUT\n")
    ours = [line.split(":", 1)[1] for line in ours.splitlines() if ">:" in line]
    truth = [re.sub(r";.*", "", line)[29:] for line in truth.splitlines() if "stage1.asm" in line]
    assert len(ours) == len(truth) == 8, text
    assert [operands(line) for line in ours[:4]] == [operands(line) for line in truth[:4]], text


def test_gdbs_disassembly_is_right_in_32_bit_code():
    text = session("minos-boot protected mode", "x/i $pc", "minos-boot long mode", "x/i $pc")
    assert re.search(r"<to_protected.in>:\s+mov\s+ax,0x10", text), text
    assert re.search(r"<long_mode.long>:\s+shl\s+rdi,0x20", text), text


def test_registers_can_be_written_in_real_mode():
    before, after = (dict(re.findall(r"\b([A-Z0-9]{2,4})\s*=\s*([0-9a-f]+)", part)) for part in
                     session("set $ebx = 0xabcd1234", "echo CUT\\n", "monitor info registers",
                             "echo CUT\\n", "set $ebx = 0", "monitor info registers"
                             ).split("CUT\n")[1:])
    assert before.pop("EBX") == "abcd1234" and after.pop("EBX") == "00000000"
    assert before == after and int(before["CR0"], 16) == ET and int(before["CR4"], 16) == 0


def test_reset_starts_again():
    text = session("minos-boot kernel_main", "minos-reset", "info registers eip", "minos-boot",
                   "minos-boot")
    assert re.search(r"--- kernel_main.*--- reset.*\beip +0xfff0.*--- stage 1.*--- stage 2", text, re.S), text


def test_minos_boot_says_what_it_cannot_do():
    for command, words in (("minos-boot nonsense", "no transition \"nonsense\""),
                           ("minos-boot stage 1", "has passed already")):
        status, text = debug("minos-boot stage 2", command)
        assert status != 0 and words in text, text


@pytest.mark.parametrize("by_hand,first", [
    (["hbreak disk_init", "continue"], "volume"),
    (["hbreak bios_int", "continue", "delete", "stepi 40"], "memory"),
    (["hbreak *&_start", "continue"], "kernel_main"),
    (["hbreak kernel_main", "continue"], "traps")], ids=["32-bit", "BIOS", "entry", "kernel"])
def test_minos_boot_goes_on_from_where_the_user_went(by_hand, first):
    text = session(*by_hand, "minos-boot", "minos-boot prompt", timeout=120)
    assert re.findall(r"(?m)^--- (.*?):", text) == ["reset", "stage 1", first, "prompt"]


def test_minos_boot_ends_at_the_prompt():
    status, text = debug("minos-boot prompt", "minos-boot", timeout=120)
    assert status != 0 and "the prompt is reached, the last transition" in text


def test_a_users_breakpoint_stops_minos_boot():
    text = session("hbreak disk_init", "minos-boot prompt", "bt 1")
    assert re.search(r"Breakpoint \d+, disk_init", text) and "--- prompt" not in text


# --- the commands ---------------------------------------------------------------------------------
def test_x_in_every_mode():
    text = session("minos-x", "minos-boot cpu", "minos-x stage1 1 16",
                   "minos-boot kernel_main", "minos-x _start 3")
    assert re.search(r"=> 00007C00  EB3C\s+jmp short 0x7c3e\s+; stage1  boot/stage1.asm:\d+", text)
    assert "   00007C00  EB3C" in text
    assert re.search(r"   FFFFFFFF80100000  FA\s+cli\s+; _start  kernel/x86/entry.asm:\d+", text)
    status, text = debug("minos-x 1 2 3")
    assert status != 0 and "usage: minos-x" in text
    status, text = debug("minos-x kernel_main")
    assert status != 0 and "nothing is mapped there now" in text and "Python" not in text, text


def test_x_adds_the_segments_base():
    """At reset CS has a base of FFFF0000h; gdb would look at FFF0h."""
    text = session("minos-x", options=["--reset"])
    assert re.search(r"=> FFFFFFF0  EA[0-9A-F]{8}\s+jmp 0xf000:0x", text), text


def test_regs_bit_by_bit():
    text = session("minos-boot long mode", "minos-regs", "minos-regs cr0", "minos-regs gdt",
                   "minos-regs rflags", "minos-boot kernel_main", "minos-regs idt 14")
    assert re.search(r"mode   64-bit mode; A20 on, ring 0", text)
    assert re.search(r"EFER   0000000000000500  LME LMA\n", text)
    assert re.search(r"bit 31  PG +1  paging\n", text) and re.search(r"bit 16  WP +0 ", text)
    assert re.search(r"CS   0028 GDT/0 .* L=1 .*code, 64-bit", text)
    assert re.search(r"28h  00af9b000000ffff  code, 64-bit, execute/read, accessed", text)
    assert re.search(r"0eh  28:[0-9a-f]+  interrupt gate, DPL 0", text), text
    status, text = debug("minos-regs cr9")
    assert status != 0 and "usage: minos-regs" in text


def test_pt_walks_as_the_kernel_does(vm):
    where = "0xffffffff80100000"
    text = session("minos-pt 0x1000", "minos-boot paging", f"minos-pt {where}", "minos-pt 0xb8000",
                   "minos-boot prompt", f"minos-pt {where}", "minos-pt 0x1000",
                   "minos-pt kernel_main")
    assert "paging is off" in text
    parts = text.split(f"{where[2:]} by the tables")
    assert "-> physical 0x100000, page of 2 MiB; writable, ring 0 only, executable" in parts[1]
    assert re.search(r"PML4 +10000\[511\] = 0000000000012003  P W", parts[1])
    assert "-> physical 0xb8000, page of 2 MiB" in parts[1]
    assert "-> physical 0x100000, page of 4 KiB; read-only, ring 0 only, executable" in parts[2]
    assert "not mapped: the PML4 entry is not present" in parts[2]
    ours = vm.command(f"vmmap {where}")
    for entry in re.findall(r"= ([0-9a-f]{16})", parts[2].split("by the tables")[0])[:4]:
        low = int(entry, 16) & ~0x60  # accessed and dirty come with use
        assert any(int(e, 16) & ~0x60 == low for e in re.findall(r"\b[0-9a-f]{16}\b", ours)), ours
    status, text = debug("minos-boot paging", "minos-pt 0x0000800000000000")
    assert status != 0 and "not canonical" in text


def test_threads_with_backtraces(tmp_path):
    build = build_with(tmp_path, 'console=both run="spawn sleep"')
    text = session("minos-boot prompt", "minos-threads", "hbreak sleep_ms", "continue",
                   "minos-threads", "minos-threads 1", build=build)
    first = text.split("ID  NAME")[1]
    for n, name in enumerate(("main", "idle", "worker", "shell"), 1):
        assert re.search(rf"[* ] +{n}  {name} ", first), text
    assert re.search(r"\* +4  shell +running", first)
    # An interrupt may have taken the CPU from main before it slept.
    assert re.search(r"1  main +(sleeping|ready).*\n.*#0 .* \w+ +kernel/sched.c:\d+\n"
                     r"(.*#.*\n|.*---.*\n)*?.*kernel_main .*\n.*_start ", first), first
    assert re.search(r"3  worker +sleeping.*\n.*#0 .* \w+ +kernel/sched.c:\d+\n"
                     r"(.*#.*\n)*?.* worker .*\n.*thread_begin .*\n.*thread_trampoline ", first), first
    assert re.search(r"2  idle +ready.*\n.*thread_trampoline +kernel/x86/switch.asm", first)
    last = text.split("ID  NAME")[2]
    assert re.search(r"\* +\d+  \S+ +running", last)
    assert re.search(r'struct thread at 0xffff.*\nthread 1 "main", sleeping = \{', last)
    status, text = debug("minos-threads")
    assert status != 0 and "the kernel does not run yet" in text


def test_frame_of_an_exception_and_a_backtrace_across_it(tmp_path):
    build = build_with(tmp_path, 'console=both run="crash pagefault"')
    text = session("hbreak panic_trap", "continue", "echo BACKTRACE\\n", "bt",
                   "minos-frame", "minos-log 2", build=build)
    assert re.search(r"vector 0xe, #PF page fault\n  error  0x0  page not present, read, from ring 0",
                     text), text
    assert re.search(r"rip    8:ffffffff8\w+  ring 0  crash_page_fault", text)
    back = text.split("BACKTRACE")[1].split("trap frame at")[0]
    assert re.search(r"panic_trap(.*\n)*.*trap_dispatch(.*\n)*.*crash_page_fault(.*\n)*.*cmd_crash"
                     r"(.*\n)*.*shell_main", back), back
    assert re.search(r"\n\[ +\d+\.\d{6}\] ", text)
    status, text = debug("minos-boot kernel_main", "minos-frame")
    assert status != 0 and "no trap frame" in text


def test_log_is_the_kernels(vm):
    text = session("minos-boot prompt", "minos-log")
    lines = [re.sub(r"\d+", "N", line) for line in re.findall(r"(?m)^\[ +[\d.]+\] (.*)$", text)]
    ours = [re.sub(r"\d+", "N", line) for line in
            re.findall(r"(?m)^\[ *[\d.]+\] (.*)$", vm.command("dmesg"))]
    assert len(lines) > 15 and lines == ours[:len(lines)]


def test_printers():
    text = session("minos-boot prompt", "print *sched_current", "print sched_all", "print sched_lock",
                   "print 'kernel/boot_trace.c'::trace[0]", "print 'kernel/boot_trace.c'::clean_map[0]",
                   "print 'kernel/shell/shell.c'::prompt_lock", "print 'kernel/shell/spawn_trouble.c'::left",
                   "print/r sched_lock", "info pretty-printer global minos")
    assert re.search(r'= thread 4 "shell", running = \{rsp', text), text
    assert "= list, 4 linked" in text and '= spinlock "sched", free' in text
    assert re.search(r'= "stage 1" 16-bit 0:7c00 sp ', text)
    assert re.search(r"= \[0x0, 0x9f000\) RAM", text) or re.search(r"= \[0x0, 0x\w+\) RAM", text)
    assert re.search(r'= mutex "prompt", (free|held by "shell"), 0 waiting', text), text
    assert '= mutex "test left", free, 0 waiting' in text
    assert "serving = " in text, "print/r shows the raw structure"
    assert "slab_cache" in text and "wait_queue" in text and "rwlock" in text


def test_help_lists_the_commands():
    text = session("minos", "help minos-boot")
    for name in ("boot", "reset", "x", "regs", "pt", "frame", "threads", "log", "attach"):
        assert re.search(rf"(?m)^  minos-{name} +[A-Z]", text), text
    assert "minos-reset starts again" in text


def test_the_session_in_the_document():
    """docs/debugging.md shows what gdb really says; only what the compiler decides may differ."""
    with open(os.path.join(machine.ROOT, "docs/debugging.md"), encoding="utf-8") as f:
        shown = re.search(r"<!-- session: (.*) -->\n```\n((?s:.*?))```", f.read())
    text = session(*shown[1].split("; "))
    seen = [line.rstrip() for line in text.splitlines() if line.strip()]

    def stable(line):
        """Addresses in stage 2 behind its first code depend on the compiler."""
        return re.sub(r"\b(0000[A-F][0-9A-F]{3}|0{12}[A-F][0-9A-F]{3}|SP 6F[0-9A-F]{2}|CS:IP 0\w+:\w+)\b",
                      "?", line)
    place = 0
    for line in (stable(line) for line in shown[2].splitlines() if not line.startswith("(gdb) ")):
        while place < len(seen) and stable(seen[place]) != line:
            place += 1
        assert place < len(seen), f"not in gdb's output, or not there: {line}\n{text}"


# --- other ways to start --------------------------------------------------------------------------
def test_any_gdb_and_any_qemu(tmp_path):
    """`gdb -x tools/gdb/minos.py` from another folder, connected to QEMU's own stub."""
    sock = str(tmp_path / "gdb")
    with machine.Machine(paused=True, extra=["-gdb", f"unix:{sock},server=on,wait=off"]):
        done = subprocess.run(
            ["gdb", "-q", "-nx", "-batch", "-x", os.path.join(machine.ROOT, "tools/gdb/minos.py"),
             "-ex", f"target remote {sock}", "-ex", "minos-boot kernel_main", "-ex", "bt"],
            cwd=tmp_path, env={**os.environ, "BUILD": machine.BUILD}, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=TIMEOUT, check=False)
    text = done.stdout.decode()
    assert done.returncode == 0 and re.search(r"#0  kernel_main .*\n#1 .* _start", text), text
    assert "auto-load" not in text, "no trouble with safe paths"


def test_without_a_machine_or_a_build(tmp_path):
    def gdb(*commands, build):
        argv = ["gdb", "-q", "-nx", "-batch", "-x", "tools/gdb/minos.py"]
        for command in commands:
            argv += ["-ex", command]
        done = subprocess.run(argv, cwd=machine.ROOT, env={**os.environ, "BUILD": build},
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, timeout=TIMEOUT, check=False)
        return done.stdout.decode()
    assert "no machine: `make debug` starts one" in gdb("minos-regs", build=machine.BUILD)
    assert "`make` builds it" in gdb(build=str(tmp_path))
    status, text = debug(build=str(tmp_path))
    assert status == 1 and "minos.img is missing; make builds it" in text


def test_a_path_with_blanks(tmp_path):
    """Everything in a folder "a b": the tools, the build folder."""
    tree = tmp_path / "a b"
    shutil.copytree(os.path.join(machine.ROOT, "tools"), tree / "tools")
    shutil.copytree(machine.BUILD, tree / "build", ignore=lambda folder, names: [
        name for name in names if not name.startswith(("minos.", "stage"))])
    done = subprocess.run([tree / "tools/debug", "build", "--batch", "-ex", "minos-boot paging",
                           "-ex", "info line main.c:141"], cwd=tree, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=TIMEOUT,
                          check=False)
    text = done.stdout.decode()
    assert done.returncode == 0 and "--- paging" in text, text
    assert "Traceback" not in text and "No symbol" not in text, text


@pytest.mark.parametrize("command", ["minos-x nosuch", "minos-pt zzz", "minos-x 0 nosuch"])
def test_an_unknown_name_is_told_in_one_line(command):
    status, text = debug(command)
    assert status != 0 and re.search(r'(?m)^No symbol "\w+" in current context\.$', text), text
    assert "Python" not in text


@pytest.mark.parametrize("argv,words", [
    (["--bogus", "build"], "usage: tools/debug"), (["--server", "x", "build"], "usage: tools/debug"),
    (["--server"], "usage: tools/debug"), (["/nowhere"], "there is no folder /nowhere"), ([], "usage")])
def test_wrong_words_for_the_script(argv, words):
    done = subprocess.run(["tools/debug", *argv], cwd=machine.ROOT, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60, check=False)
    assert done.returncode != 0 and words in done.stdout.decode()


def test_no_qemu_is_told():
    status, text = debug(env={"QEMU": "/nonexistent/qemu"})
    assert status == 1 and "there is no program /nonexistent/qemu" in text and "Traceback" not in text


def test_a_port_that_is_taken_is_told():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen(1)
        port = str(taken.getsockname()[1])
        for wanted in (port, "99999"):
            status, text = debug(options=["--server", wanted], timeout=60)
            assert status == 1 and f"cannot listen at {wanted}" in text and "waiting" not in text


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def test_server_for_editors(tmp_path):
    port = free_port()
    with subprocess.Popen(["tools/debug", "--server", str(port), machine.BUILD], cwd=machine.ROOT,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          start_new_session=True) as server:
        try:
            for line in server.stdout:
                if line.startswith(f"debug: waiting for gdb on localhost:{port}".encode()):
                    break
            else:
                pytest.fail("the server said nothing")
            text = subprocess.run(
                ["gdb", "-q", "-nx", "-batch", "-x", "tools/gdb/minos.py", "-ex",
                 f"minos-attach localhost:{port}", "-ex", "minos-boot stage 1", "-ex",
                 "set $ebx = 7", "-ex", "print $ebx"], cwd=machine.ROOT,
                env={**os.environ, "BUILD": machine.BUILD}, stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE, timeout=TIMEOUT, check=True).stdout.decode()
        finally:
            server.send_signal(signal.SIGTERM)
            server.wait(30)
    assert "--- stage 1" in text and "$1 = 7" in text


def test_accelerators(tmp_path):
    fake = tmp_path / "qemu"
    fake.write_text(f'#!/bin/sh\necho "$*" > {tmp_path}/argv\n')
    fake.chmod(0o755)
    for accel, words in (("", "-accel tcg -cpu max"), ("kvm", "-accel kvm -cpu host"),
                         ("tcg", "-accel tcg -cpu max")):
        status, text = debug(env={"QEMU": str(fake), "ACCEL": accel, "QEMU_EXTRA": "-smp 2"})
        argv = (tmp_path / "argv").read_text()
        assert status == 1 and "QEMU did not start" in text
        assert words in argv and "-S " in argv and "-smp 2" in argv


def test_at_a_terminal():
    """A person's session: the prompt, Ctrl-C stops the running machine, quit ends QEMU too."""
    master, slave = pty.openpty()
    output = b""

    def expect(pattern):
        nonlocal output
        deadline = time.monotonic() + TIMEOUT
        while not re.search(pattern, output):
            assert time.monotonic() < deadline, output.decode(errors="replace")
            if select.select([master], [], [], 1)[0]:
                output += os.read(master, 4096)
        found, output = output, output[re.search(pattern, output).end():]
        return found

    with subprocess.Popen(["tools/debug", machine.BUILD], cwd=machine.ROOT, stdin=slave,
                          stdout=slave, stderr=slave, start_new_session=True,
                          env={**os.environ, "TERM": "dumb"}) as process:
        os.close(slave)
        try:
            expect(rb"--- stage 1(?s:.)*\(gdb\) ")
            os.write(master, b"minos-boot prompt\n")
            expect(rb"--- prompt(?s:.)*\(gdb\) ")
            os.write(master, b"continue\n")
            expect(rb"Continuing")
            children = subprocess.run(["pgrep", "-P", str(process.pid)], stdout=subprocess.PIPE,
                                      check=True).stdout.decode().split()
            assert len(children) == 3, "QEMU, stub.py, gdb"
            os.killpg(process.pid, signal.SIGINT)  # as the terminal does at Ctrl-C
            expect(rb"SIGINT(?s:.)*\(gdb\) ")
            os.write(master, b"minos-threads\n")
            expect(rb"idle(?s:.)*\(gdb\) ")
            os.write(master, b"quit\n")
            assert process.wait(60) == 0
        finally:
            process.terminate()
    os.close(master)
    deadline = time.monotonic() + TIMEOUT
    while any(os.path.exists(f"/proc/{pid}") for pid in children):
        assert time.monotonic() < deadline, "something stays behind"
        time.sleep(0.05)


# --- stub.py --------------------------------------------------------------------------------------
def test_one_packet_for_each_register_that_changed():
    zero = b"00" * 608
    assert len(b"".join(stub.fields(zero))) == 2 * sum(stub.SIZES) == 1216
    assert stub.writes(zero, zero) == []
    ebx = zero[:16] + b"78" + zero[18:]
    assert stub.writes(zero, ebx) == [b"P1=7800000000000000"]
    flags = zero[:17 * 16] + b"02000000" + zero[17 * 16 + 8:]
    assert stub.writes(zero, flags) == [b"P11=02000000"]
    assert stub.writes(zero, zero[:40]) == [], "a short packet changes nothing behind its end"


def test_packets_are_passed_on_in_pieces():
    class End:
        def __init__(self):
            self.sent = b""

        def sendall(self, data):
            self.sent += data
    client, qemu = End(), End()
    relay = stub.Relay(client, qemu)
    for part in (b"+$m7c00", b",4#", b"29\x03+$qC#b4"):
        relay.from_client(part)
    assert qemu.sent == b"+$m7c00,4#29\x03+$qC#b4" and client.sent == b""
