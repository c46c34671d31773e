"""bootfacts.py - one boot, measured: what docs/boot.md is compared with.

A machine is stopped at each transition by hardware breakpoints, through QEMU's gdb stub, and its
registers and memory are read there; a second look, at the prompt, takes the boot trace.  What
concerns the medium is read from the image's bytes.  gdb itself is not needed: four packets of its
remote protocol are enough.

Usage: bootfacts.py	prints all that was measured, for writing the document
"""

import json
import os
import re
import socket
import struct
import subprocess
import sys
import tempfile
import time

import vm

LOW_MEMORY = 0xA0000  # bytes of guest memory kept from a stop
STEPS_MAX = 40  # single steps until a register has changed


class Stub:
    """QEMU's gdb stub.  Protocol: gdb manual, "Remote Serial Protocol", "Packets"."""

    def __init__(self, path):
        deadline = time.monotonic() + vm.TIMEOUT
        self.sock = socket.socket(socket.AF_UNIX)
        while True:
            try:
                self.sock.connect(path)
                break
            except (FileNotFoundError, ConnectionRefusedError):
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.02)
        self.sock.settimeout(vm.TIMEOUT)

    def packet(self, text):
        """Send a command and return the answer."""
        self.sock.sendall(b"$%s#%02x" % (text.encode(), sum(text.encode()) & 0xFF))
        data = b""
        while not re.search(rb"\$([^#]*)#..$", data):
            got = self.sock.recv(4096)
            if not got:
                raise vm.VmError(f"the gdb stub closed at {text}")
            data += got
        self.sock.sendall(b"+")
        return re.search(rb"\$([^#]*)#..$", data).group(1).decode()

    def command(self, text):
        answer = self.packet(text)
        if answer != "OK":
            raise vm.VmError(f"gdb stub: {text}: {answer or 'unknown'}")

    def run_to(self, address):
        self.command(f"Z1,{address:x},1")
        self.packet("c")
        self.command(f"z1,{address:x},1")

    def step(self):
        self.packet("s")


def symbols(path):
    """The symbol table of an ELF file, by name."""
    with open(path, "rb") as f:
        data = f.read()
    wide = data[4] == 2
    shoff, = struct.unpack_from("<Q" if wide else "<I", data, 40 if wide else 32)
    size, count = struct.unpack_from("<HH", data, 58 if wide else 46)
    section = "<IIQQQQIIQQ" if wide else "<IIIIIIIIII"
    headers = [struct.unpack_from(section, data, shoff + i * size) for i in range(count)]
    table = next(h for h in headers if h[1] == 2)  # SHT_SYMTAB
    names = headers[table[6]][4]
    found = {}
    for at in range(table[4], table[4] + table[5], table[9]):
        if wide:
            name, _, _, shndx, value, _ = struct.unpack_from("<IBBHQQ", data, at)
        else:
            name, value, _, _, _, shndx = struct.unpack_from("<IIIBBH", data, at)
        text = data[names + name:data.index(b"\0", names + name)].decode()
        if text and shndx:
            found.setdefault(text, value)
    return found


def short_name(name):
    """AX for EAX and RAX, RFLAGS for EFL and RFL: one name in all modes."""
    if name in ("EFL", "RFL"):
        return "RFLAGS"
    return name if name == "EFER" else re.sub(r"^[ER](?=[A-Z])", "", name)


def registers(machine):
    """`info registers` as numbers; segments as dictionaries."""
    text = machine.hmp("info registers").replace("\r", "")
    regs = {}
    for name, value in re.findall(r"\b([A-Z0-9]{2,4}) *=([0-9a-f]+)\b", text):
        regs.setdefault(short_name(name), int(value, 16))
    for name, sel, base, limit, attr in re.findall(
            r"(?m)^([C-GS]S|LDT|TR) *=([0-9a-f]{4}) ([0-9a-f]+) ([0-9a-f]{8}) ([0-9a-f]{8})", text):
        regs[name] = {"sel": int(sel, 16), "base": int(base, 16), "limit": int(limit, 16),
                      "attr": int(attr, 16)}
    for name, base, limit in re.findall(r"(?m)^([GI]DT)= +([0-9a-f]+) ([0-9a-f]+)", text):
        regs[name + "R"] = {"base": int(base, 16), "limit": int(limit, 16)}
    return regs


def floppy_image(folder):
    """A floppy with the files of the build."""
    path = os.path.join(folder, "floppy.img")
    files = [os.path.join(vm.BUILD, "image", n) for n in ("MINOS.CFG", "MINOS.ELF")] + [vm.SMALL_INITRD]
    stages = [f"--{name}={os.path.join(vm.BUILD, name + '.bin')}" for name in ("stage1", "stage2")]
    subprocess.run([sys.executable, os.path.join(vm.ROOT, "tools", "mkimage.py"), "floppy",
                    *stages, "-o", path, *files], check=True)
    return path


def port(machine, number):
    """Read an I/O port of the stopped machine."""
    return int(machine.hmp(f"i /b {number:#x}").split("=")[1], 16)


def uart(machine):
    """COM1's line control register and divisor.  Spec: PC16550D data sheet, "Registers"."""
    lcr = port(machine, 0x3FB)
    machine.hmp(f"o /b 0x3fb {lcr | 0x80:#x}")
    divisor = port(machine, 0x3F8) | port(machine, 0x3F9) << 8
    machine.hmp(f"o /b 0x3fb {lcr:#x}")
    return {"lcr": lcr, "divisor": divisor}


def pics(machine):
    """Mask and first vector of both interrupt controllers, the first one first."""
    found = re.findall(r"pic([01]):.* imr=(\w\w).* irq_base=(\w\w)", machine.hmp("info pic"))
    return [(int(mask, 16), int(base, 16)) for _, mask, base in sorted(found)]


# --- the run --------------------------------------------------------------------------------------

# In the order of the boot: where the machine is stopped, by the symbols of which file.
STOPS = [("stage1", "stage1"), ("stage1", "cs_zero"), ("stage1", "int13")]
STOPS += [("stage2", name) for name in (
    "stage2_entry", "to_protected.far", "to_protected.in", "start32", "stage2_main",
    "bios_int", "bios_int.protected16", "bios_int.real", "bios_int.returned", "bios_int.back",
    "long_mode")]
# Then, one instruction at a time, until the register is another.
CHANGES = [("mov cr4, eax", "CR4"), ("mov cr3, eax", "CR3"), ("wrmsr", "EFER"),
           ("mov cr0, eax", "CR0")]
STOPS_AFTER = [("stage2", "long_mode.here"), ("stage2", "long_mode.long"), ("kernel", "_start"),
               ("kernel", "kernel_main")]
MEMORY_AT = ("stage1", "int13", "stage2_entry", "bios_int", "long_mode", "_start")
# Of several calls, the one that is looked at: stage 1's first extended read.
WANTED = {"int13": lambda regs: regs["AX"] >> 8 & 0xFF == 0x42}


class Run:
    """What was measured: stops (registers by name, in order), memory, trace, symbols, image."""

    def __init__(self):
        self.symbols = {part: symbols(os.path.join(vm.BUILD, name)) for part, name in (
            ("stage1", "stage1.elf"), ("stage2", "stage2.elf"), ("kernel", "minos.elf"))}
        self.stops, self.memory, self.trace, self.pics = {}, {}, [], {}
        self.part = {name: part for part, name in STOPS + STOPS_AFTER} | {"prompt": "kernel"}
        with open(vm.IMAGE, "rb") as f:
            self.image = f.read()
        self.reference = "version 7.2." in subprocess.run(
            [vm.QEMU, "--version"], stdout=subprocess.PIPE, check=True).stdout.decode()
        self._stops()
        self._prompt()
        self.media = {name: self._medium(name) for name in ("disk", "usb", "cd", "floppy")}

    def _take(self, machine, name):
        self.stops[name] = registers(machine)
        if name in MEMORY_AT:
            self.memory[name] = machine.memory(0, LOW_MEMORY)

    def _stops(self):
        with vm.Machine(paused=True) as m:
            path = os.path.join(m.dir, "gdb")
            m.hmp(f"gdbserver unix:{path},server=on,wait=off")
            stub = Stub(path)
            self._take(m, "reset")
            self.reset_code = m.memory(0xFFFFFFF0, 5)
            for part, name in STOPS:
                stub.run_to(self.symbols[part][name])
                while not WANTED.get(name, lambda regs: True)(registers(m)):
                    stub.step()  # a breakpoint under the machine's feet would stop it at once
                    stub.run_to(self.symbols[part][name])
                self._take(m, name)
            for name, register in CHANGES:
                self._step_until_changed(m, stub, register)
                self._take(m, name)
            for part, name in STOPS_AFTER:
                stub.run_to(self.symbols[part][name])
                self._take(m, name)
                self.pics[name] = pics(m)
                self.uart = uart(m)

    @staticmethod
    def _step_until_changed(machine, stub, register):
        before = registers(machine)[register]
        for _ in range(STEPS_MAX):
            stub.step()
            if registers(machine)[register] != before:
                return
        raise vm.VmError(f"{register} is still {before:x}h after {STEPS_MAX} instructions")

    def _medium(self, media):
        """Stage 1's hand-over on this medium: registers, and memory up to stage 2."""
        with tempfile.TemporaryDirectory() as folder:
            image = floppy_image(folder) if media == "floppy" else vm.IMAGE
            with vm.Machine(image, media=media, machine="pc" if media == "floppy" else "q35",
                            paused=True) as m:
                path = os.path.join(m.dir, "gdb")
                m.hmp(f"gdbserver unix:{path},server=on,wait=off")
                Stub(path).run_to(self.symbols["stage2"]["stage2_entry"])
                return registers(m), m.memory(0, 0x8000)

    def _prompt(self):
        with vm.Machine() as m:
            m.prompt()
            self.trace = vm.boot_trace(m)
            m.qmp("stop")
            last = self.trace[-1]  # the machine may have stopped in an interrupt handler
            self.stops["prompt"] = {**registers(m), "IP": last["ip"], "SP": last["sp"],
                                    "RFLAGS": last["rflags"]}
            self.pics["prompt"] = pics(m)
            base = self.symbols["kernel"]["gdt"] & 0x7FFFFFFF
            self.kernel_gdt = m.memory(base, self.stops["prompt"]["GDTR"]["limit"] + 1)
            self.video = m.memory(0xA0000, 0x20000)


if __name__ == "__main__":
    run = Run()
    print(json.dumps({"stops": run.stops, "trace": run.trace}, indent=1))
    sys.exit(0)
