"""test_crash.py - every `crash KIND`: the panic's message, its place, and what comes after it."""

import re

import pytest

from vm import EXIT_FAIL, plain

# kind: (what the message says, a symbol that the backtrace must have)
KINDS = {
    "divide": (r"(?i)divide error|#DE", r"crash_divide\w*\+0x"),
    "pagefault": (r"(?i)page fault|#PF", r"crash_page_fault\w*\+0x"),
    "stack": (r"(?i)stack overflow|guard page", r"crash_stack_overflow\w*\+0x"),
    "doublefault": (r"(?i)double fault|#DF", r"crash_double_fault\w*\+0x"),
    "assert": (r"(?i)answer == 43", r"crash_assert\w*\+0x"),
    "nx": (r"(?i)page fault|#PF", r"crash_execute_data\w*\+0x"),
    "opcode": (r"(?i)invalid opcode|#UD", r"crash_bad_opcode\w*\+0x"),
    "readonly": (r"(?i)page fault|#PF", r"crash_write_code\w*\+0x"),
    "protection": (r"(?i)general protection|#GP", r"crash_non_canonical\w*\+0x"),
    "init": (r"call into freed \.init code: pat_init", r"crash_init\w*\+0x"),
    "panic": (r"asked for at the prompt", r"crash_panic\w*\+0x"),
    "corrupt": (r"ledger 0xffff8\w+ does not add up: received \d+, spent \d+, balance \d{5,} ",
                r"ledger_check\w*\+0x"),
    # Where a report has little to stand on: kernel/shell/crash_hard.c.
    "irq": (r"asked for in an interrupt", r"irq_dispatch\w*\+0x"),
    "alloc": (r"asked for while a lock is held", r"kmalloc\w*\+0x"),
    "output": (r"asked for while a lock is held", r"console_write\w*\+0x"),
    "printer": (r"asked for, and its report fails", r"crash_printer\w*\+0x"),
    "handler": (r"debug exception(.*\n)+?.*at fault_cr_read\+0(.*\n)+?.*exception 0x8 ---",
                r"crash_double_fault\w*\+0x"),
    "rsp": (r"double fault \(rsp 0xdeadbeefdeadbeef\)", r"crash_rsp\w*\+0x"),
    "rspcode": (r"double fault \(rsp 0xffffffff801\w+\)(.*\n)+.*cr2 ffffffff801",
                r"crash_rsp_code\w*\+0x"),
    "rspuser": (r"double fault \(rsp 0x401000\)", r"crash_rsp_user\w*\+0x"),
    "frames": (r"general protection fault\nat 0x4141414141414141, which is no code",
               r"4141414141414141 \(no code\)"),
    "thread": (r"invalid opcode(.*\n)+?.*thread pointer 0xdead0000beef0000 is bad",
               r"crash_thread\w*\+0x"),
    "pml4": (r"kernel reading 0xffff800000100000 \(not mapped\)(.*\n)+"
             r"walk: pml4e 0 \(not present\)", r"crash_pml4\w*\+0x"),
    "reserved": (r"kernel reading 0xffff800000100000 \(reserved bit set\)(.*\n)+"
                 r"walk: pml4e 8\w+", r"crash_reserved\w*\+0x"),
    "cr3": (r"double fault(.*\n)+walk: pml4e 0 \(not present\)", r"crash_cr3\w*\+0x"),
}


@pytest.mark.parametrize("kind", KINDS)
def test_panic(boot, kind):
    m = boot(cmdline="console=both panic=halt")
    m.prompt()
    m.send(f"crash {kind}\r")
    message, symbol = KINDS[kind]
    m.expect(r"(?i)panic")
    m.expect(r"(?i)(halt|stopped)\w*[^\n]*\n")
    text = plain(bytes(m.output)).split(f"crash {kind}", 1)[1]
    assert re.search(message, text), text
    assert re.search(r"(?i)\brip\b", text) and re.search(r"(?i)\brsp\b", text)
    assert re.search(r"(?i)code", text), "code bytes"
    if symbol:
        assert re.search(symbol, text), text
    assert m.process.poll() is None, "halted, not reset"
    m.expect_screen(r"(?i)panic")
    screen = m.expect_screen(r"PANIC[^\0]*System halted\.").group()
    assert "rip" in screen and "backtrace:" in screen, "all of it on the 25 lines"


def test_a_report_that_fails_begins_again(boot):
    m = boot(cmdline="console=both panic=halt")
    m.prompt()
    m.send("crash printer\r")
    m.expect(r"KERNEL PANIC: asked for, and its report fails")
    m.expect(r"PANIC WHILE REPORTING \(the registers\): debug exception\r?\n"
             r"at fault_print_regs\+0\r?\n")
    m.expect(r"KERNEL PANIC: asked for, and its report fails")
    m.expect(r"rip [0-9a-f]{16}")
    m.expect(r"crash_printer\+0x")
    m.expect(r"System halted\.\r?\n")


# What there is by then: no gates, no console, no command line, no memory, no heap, no threads, ...
@pytest.mark.parametrize("row", ["traps", "console", "cmdline", "cpu", "frames", "paging", "heap",
                                 "clock", "threads", "interrupts", "shell"])
def test_panic_while_starting(boot, row):
    m = boot(cmdline=f"console=both panic=exit crash={row}")
    m.expect(rf'KERNEL PANIC: asked for before "{row}"')
    m.expect(r"at kernel_main\+0x\w+, (before threads|thread 1 \"main\"), cpu 0")
    m.expect(r"rip [0-9a-f]{16}")
    m.expect(r"kernel_main\+0x")
    assert m.wait_exit() == EXIT_FAIL


def test_page_fault_shows_the_walk(boot):
    m = boot(cmdline="console=both panic=halt")
    m.prompt()
    m.send("crash pagefault\r")
    m.expect(r"(?i)cr2")
    m.expect(r"(?i)pml4e?")


def test_panic_exit(boot):
    m = boot(cmdline="console=both panic=exit")
    m.prompt()
    m.send("crash assert\r")
    assert m.wait_exit() == EXIT_FAIL


def test_panic_reboot(boot):
    m = boot(cmdline="console=both panic=reboot")  # -no-reboot: QEMU ends at the reset
    m.prompt()
    m.send("crash divide\r")
    m.expect("(?i)panic")
    assert m.wait_exit() == 0


def test_backtrace_reaches_the_shell(boot):
    m = boot(cmdline="console=both panic=halt")
    m.prompt()
    m.send("crash divide\r")
    m.expect(r"crash_divide\w*\+0x")
    m.expect(r"shell_\w+\+0x")
