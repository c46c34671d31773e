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
    "panic": (r"asked for at the prompt", r"crash_panic\w*\+0x"),
    "corrupt": (r"ledger 0xffff8\w+ does not add up: received \d+, spent \d+, balance \d{5,} ",
                r"ledger_check\w*\+0x"),
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
