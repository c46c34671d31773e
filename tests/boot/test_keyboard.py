"""test_keyboard.py - every key of each layout, pressed at the PS/2 keyboard by QMP's send-key.

QEMU names keys by their place on a US keyboard, so the tables below say what is printed on the
keys of the real keyboards: us (IBM 101 keys), de (DIN 2137 T1), fr (AZERTY).  What arrives is the
line editor's echo on the serial line (UTF-8).
"""

import re
import time

import pytest

from vm import plain

ROW_NUMBERS = "grave_accent 1 2 3 4 5 6 7 8 9 0 minus equal".split()
ROW_UPPER = "q w e r t y u i o p bracket_left bracket_right".split()
ROW_MIDDLE = "a s d f g h j k l semicolon apostrophe backslash".split()
ROW_LOWER = "less z x c v b n m comma dot slash".split()

# (keys, what they give), with the modifier as key.  A blank stands for a dead key or none.
LAYOUTS = {
    "us": {
        "": [(ROW_NUMBERS, "`1234567890-="), (ROW_UPPER, "qwertyuiop[]"),
             (ROW_MIDDLE, "asdfghjkl;'\\"), (ROW_LOWER[1:], "zxcvbnm,./")],
        "shift": [(ROW_NUMBERS, "~!@#$%^&*()_+"), (ROW_UPPER, "QWERTYUIOP{}"),
                  (ROW_MIDDLE, 'ASDFGHJKL:"|'), (ROW_LOWER[1:], "ZXCVBNM<>?")],
    },
    "de": {
        "": [(ROW_NUMBERS, " 1234567890ß "), (ROW_UPPER, "qwertzuiopü+"),
             (ROW_MIDDLE, "asdfghjklöä#"), (ROW_LOWER, "<yxcvbnm,.-")],
        "shift": [(ROW_NUMBERS, '°!"§$%&/()=? '), (ROW_UPPER, "QWERTZUIOPÜ*"),
                  (ROW_MIDDLE, "ASDFGHJKLÖÄ'"), (ROW_LOWER, ">YXCVBNM;:_")],
        "alt_r": [(ROW_NUMBERS, "  ²³   {[]}\\ "), (ROW_UPPER, "@ €        ~"),
                  (ROW_LOWER, "|      µ   ")],
    },
    "fr": {
        "": [(ROW_NUMBERS, "²&é\"'(-è_çà)="), (ROW_UPPER, "azertyuiop $"),
             (ROW_MIDDLE, "qsdfghjklmù*"), (ROW_LOWER, "<wxcvbn,;:!")],
        "shift": [(ROW_NUMBERS, " 1234567890°+"), (ROW_UPPER, "AZERTYUIOP £"),
                  (ROW_MIDDLE, "QSDFGHJKLM%µ"), (ROW_LOWER, ">WXCVBN?./§")],
        "alt_r": [(ROW_NUMBERS, "  ~#{[|`\\^@]}"), (ROW_UPPER, "  €        ¤")],
    },
}

# Dead keys: (layout, keys pressed one after the other, what arrives).
DEAD = [
    ("de", ["grave_accent", "a"], "â"), ("de", ["grave_accent", "shift-e"], "Ê"),
    ("de", ["grave_accent", "spc"], "^"), ("de", ["equal", "e"], "é"),
    ("de", ["equal", "spc"], "´"), ("de", ["shift-equal", "e"], "è"),
    ("de", ["shift-equal", "spc"], "`"), ("de", ["shift-equal", "u"], "ù"),
    ("fr", ["bracket_left", "o"], "ô"), ("fr", ["bracket_left", "spc"], "^"),
    ("fr", ["shift-bracket_left", "e"], "ë"), ("fr", ["shift-bracket_left", "u"], "ü"),
]


def press(vm, keys, expected):
    """Press keys at an empty prompt and compare the echo; leaves an empty line."""
    vm.sync()
    start = len(vm.output)
    vm.keys(*keys, hold_ms=5)
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        echoed = plain(bytes(vm.output[start:]))
        if len(echoed) >= len(expected):
            break
        time.sleep(0.05)
    time.sleep(0.1)
    echoed = plain(bytes(vm.output[start:]))
    assert echoed == expected


@pytest.mark.parametrize("layout,modifier", [(l, m) for l, maps in LAYOUTS.items() for m in maps])
def test_every_key(vm, layout, modifier):
    vm.command(f"kbd {layout}")
    for keys, chars in LAYOUTS[layout][modifier]:
        assert len(keys) == len(chars)
        wanted = [(k, c) for k, c in zip(keys, chars) if c != " "]
        names = [f"{modifier}-{k}" if modifier else k for k, _ in wanted]
        press(vm, names, "".join(c for _, c in wanted))
    vm.command("kbd us")


@pytest.mark.parametrize("layout,keys,expected", DEAD)
def test_dead_keys(vm, layout, keys, expected):
    vm.command(f"kbd {layout}")
    press(vm, keys, expected)
    vm.command("kbd us")


def test_all_of_ascii_can_be_typed_on_every_layout():
    for layout, maps in LAYOUTS.items():
        chars = {c for rows in maps.values() for _, row in rows for c in row}
        chars |= {result for name, _, result in DEAD if name == layout}
        missing = {chr(c) for c in range(0x21, 0x7f)} - chars
        assert not missing, (layout, missing)


def test_national_letters_on_the_screen(vm):
    vm.command("kbd de")
    vm.keys("semicolon", "apostrophe", "bracket_left", "minus")
    vm.expect_screen("öäüß")
    vm.send("\x03")
    vm.command("kbd us")


def test_caps_lock(vm):
    vm.keys("caps_lock")
    press(vm, ["a", "1", "shift-b"], "A1b")
    vm.keys("caps_lock")
    press(vm, ["a"], "a")


def test_num_lock_and_the_keypad(vm):
    vm.keys("num_lock")
    digits = [f"kp_{i}" for i in range(10)]
    press_either(vm, digits, "0123456789")
    press(vm, ["kp_add", "kp_subtract", "kp_multiply", "kp_divide"], "+-*/")


def press_either(vm, keys, expected):
    """Num Lock may have been on or off at power-on: one of two tries gives digits."""
    try:
        press(vm, keys, expected)
    except AssertionError:
        vm.send("\x03")
        vm.keys("num_lock")
        press(vm, keys, expected)


def test_extended_keys_edit_the_line(vm):
    vm.type("echo bd")
    vm.keys("left", "left")
    vm.type("a")
    vm.keys("right")
    vm.type("c")
    vm.keys("end")
    vm.type("ef")
    vm.keys("left", "delete", "home", "delete")
    vm.type("e")
    vm.keys("end", "ret")
    vm.expect(rb"\nabcde\r?\n")
    vm.keys("up", "ret")
    vm.expect(rb"\nabcde\r?\n")


def test_tab_and_backspace(vm):
    vm.type("unamx\b")
    vm.keys("tab", "ret")
    vm.expect("MinOS")


def test_key_repeat(vm):
    """QEMU repeats nothing by itself: several make codes without a break stand for the keyboard's."""
    vm.sync()
    start = len(vm.output)
    for _ in range(5):
        vm.qmp("input-send-event", events=[
            {"type": "key", "data": {"down": True, "key": {"type": "qcode", "data": "x"}}}])
        time.sleep(0.03)
    vm.qmp("input-send-event", events=[
        {"type": "key", "data": {"down": False, "key": {"type": "qcode", "data": "x"}}}])
    time.sleep(0.5)
    assert re.search(rb"x{5}", bytes(vm.output[start:]))
    vm.send("\x03")


def test_ctrl_letters(vm):
    vm.type("echo rubbish")
    vm.keys("ctrl-u")
    vm.type("echo clean\n")
    vm.expect(rb"\nclean\r?\n")
