#!/usr/bin/env python3
"""check.py - exercise 2: do both switches of address line 20 work, and do they do no harm?

A20_OFF (tests/boot/firmware.asm) turns the line off after each disk call and refuses int 15h
AX=2401h.  QEMU always has port 92h where it has an 8042; so for the second part the loader's table
of methods is changed in the image: port 92h's place gets the function that does nothing.
QEMU's trace tells which bytes were written to which port.
"""

import os
import re
import shutil
import struct
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from checklib import Erring, Wrong, expect, main, make, run, symbols, vm  # noqa: E402

STAGE2_ADDR = 0x8000
METHOD_SIZE, PORT92_METHOD = 20, 2  # struct in boot/stage2/a20.c: pointer, 16 bytes of name
SEES = r"a20 [^\n]+ yes\r?\n|address line A20 stays off"
EVENTS = ("port92_write", "pckbd_kbd_write_command", "pckbd_outport_write")
KBD_OFF, KBD_ON, WRITE_OUTPUT = 0xAD, 0xAE, 0xD1
BIT_A20, BIT_RESET = 2, 1

folder = tempfile.mkdtemp(prefix="minos-exercise-")


def traceable():
    """Can this QEMU write a trace?  (Distributions build it so; others may not.)"""
    text = subprocess.run([vm.QEMU, "-trace", "help"], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, check=False).stdout.decode(errors="replace")
    return all(event in text for event in EVENTS)


def boot(image, *, end="minOS> ", **options):
    """Boot on the firmware above; returns (what the loader said about A20, the trace)."""
    log = os.path.join(folder, "trace")
    extra = [*options.pop("extra", []), "-D", log]
    if traceable():
        extra += [word for event in EVENTS for word in ("-trace", event)]
    with Erring("A20_OFF", image=image, extra=extra, **options) as m:
        said = m.expect(SEES).group().decode()
        if "stays off" not in said:
            m.expect(end)
        m.qmp("quit")
        m.wait_exit()
    with open(log, encoding="ascii", errors="replace") as f:
        return said.strip(), f.read()


def bytes_written(trace, event):
    return [int(value, 16) for value in re.findall(rf"(?m)^{event} .*?0x([0-9a-f]+)$", trace)]


def port_92h():
    """part one: port 92h turns the line on where int 15h refuses"""
    said, trace = boot(vm.IMAGE)
    expect(said.endswith("by port 92h? yes"), '"by port 92h? yes" on the serial line', f'"{said}"')
    bad = [v for v in bytes_written(trace, "port92_write") if v & BIT_A20 and v & BIT_RESET]
    expect(not bad, "bit 0 of port 92h stays 0", f"{bad[:1]} was written" if bad else "")


def make_image(name, build, stage2):
    """An image with the boot sector of @build, this stage 2, and the files that are built."""
    image = os.path.join(folder, name)
    files = [os.path.join(vm.BUILD, "image", f) for f in ("MINOS.CFG", "MINOS.ELF", "INITRD.TAR")]
    run(sys.executable, "tools/mkimage.py", "disk", "--stage1", os.path.join(build, "stage1.bin"),
        "--stage2", stage2, "-o", image, *files)
    return image


def without_port_92h():
    """The image with a20_port92() taken out of the table."""
    symbol = symbols("stage2.elf")
    with open(os.path.join(vm.BUILD, "stage2.bin"), "rb") as f:
        code = bytearray(f.read())
    place = symbol["methods"] - STAGE2_ADDR + PORT92_METHOD * METHOD_SIZE
    name = bytes(code[place + 4:place + METHOD_SIZE]).rstrip(b"\0")
    if name != b"by port 92h":
        raise Wrong("expected: the table `methods` of a20.c as it was\n"
                    f"seen:     {name!r} in its row {PORT92_METHOD}")
    struct.pack_into("<I", code, place, symbol["a20_nothing"])
    stage2 = os.path.join(folder, "stage2.bin")
    with open(stage2, "wb") as f:
        f.write(code)
    return make_image("no92.img", vm.BUILD, stage2)


def keyboard_controller():
    """part two: the 8042 turns the line on where port 92h does nothing"""
    said, trace = boot(without_port_92h())
    expect(said.endswith("by the 8042? yes"), '"by the 8042? yes" on the serial line', f'"{said}"')
    written = bytes_written(trace, "pckbd_outport_write")
    bad = [f"{v:02x}h" for v in written if not v & BIT_RESET]
    expect(not bad, "bit 0 of the output port stays 1", " ".join(bad[:3]))
    commands = bytes_written(trace, "pckbd_kbd_write_command")
    for at, command in enumerate(commands):
        after = commands[at + 1:]
        off = after.index(KBD_OFF) if KBD_OFF in after else len(after)
        expect(command != WRITE_OUTPUT or KBD_ON in after[:off],
               "the keyboard is on again (AEh) after each write to the output port (D1h)",
               "commands to port 64h: "
               + " ".join(f"{c:02x}" for c in commands[max(at - 2, 0):at + 4]))


def no_controller():
    """both parts: a PC with neither port 92h nor an 8042 gets its message, and soon"""
    build = os.path.join(vm.BUILD, "exercise2")
    make(f"BUILD={build}", "S2DEFS=-DTEST_A20_STUCK", f"{build}/stage2.bin", f"{build}/stage1.bin")
    image = make_image("stuck.img", build, os.path.join(build, "stage2.bin"))
    for machine in ("pc,i8042=off", "pc"):
        with vm.Machine(image, machine=machine) as m:
            m.expect("cpu ")
            try:
                m.expect("address line A20 stays off")
            except vm.VmError:
                raise Wrong('expected: "address line A20 stays off" where no switch helps '
                            f"(-M {machine})\n"
                            "seen:     the loader says nothing more; it waits for ever?\n"
                            f"          {m.serial_text().strip()}") from None


if __name__ == "__main__":
    try:
        main(port_92h, keyboard_controller, no_controller)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
