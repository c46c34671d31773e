"""gdbstub.py - stops a machine at addresses, over QEMU's gdb stub; for tests that count or look.

Only what that needs of the protocol: breakpoints, continue, step, registers, memory.  A machine that
is to be stopped is started paused, with options() among its `extra`; attach() stops one that runs.
Spec: Debugging with GDB, appendix "GDB Remote Serial Protocol".
"""

import socket

from vm import TIMEOUT


def options(path):
    """QEMU's options for a stub that listens at @path, a socket."""
    return ["-chardev", f"socket,id=gdb,path={path},server=on,wait=off", "-gdb", "chardev:gdb"]


def attach(machine):
    """Stop a running Machine; returns the connection."""
    path = f"{machine.dir}/gdb"
    machine.hmp(f"gdbserver unix:{path},server=on,wait=off")
    return GdbStub(path)


class GdbStub:
    """The connection; a context manager.  While the machine stands still, QMP can be asked, too."""

    def __init__(self, path):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(TIMEOUT)
        self.sock.connect(str(path))
        self.file = self.sock.makefile("rb")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.file.close()
        self.sock.close()

    def _send(self, text):
        data = text.encode()
        self.sock.sendall(b"$%s#%02x" % (data, sum(data) & 0xff))

    def _receive(self):
        while (byte := self.file.read(1)) != b"$":  # acknowledgements
            if not byte:
                raise OSError("QEMU closed its gdb stub")
        data = bytearray()
        while (byte := self.file.read(1)) != b"#":
            if not byte:
                raise OSError("QEMU closed its gdb stub")
            data += byte
        self.file.read(2)  # the sum: nothing is lost on a local socket
        self.sock.sendall(b"+")
        return data.decode()

    def _ask(self, text):
        """Exchange a packet.  That the machine stopped when we came is said at any time, unasked."""
        self._send(text)
        answer = self._receive()
        while answer[:1] == "T":
            answer = self._receive()
        return answer

    def _breakpoint(self, kind, address):
        answer = self._ask(f"{kind}1,{address:x},1")
        if answer != "OK":
            raise OSError(f"QEMU's gdb stub answers {answer!r} to a breakpoint at {address:#x}")

    def run_to(self, *addresses):
        """Let the machine run until its next instruction is at one of @addresses, linear ones."""
        for address in addresses:
            self._breakpoint("Z", address)
        self._send("c")
        answer = self._receive()
        if answer[:1] not in ("S", "T"):
            raise OSError(f"QEMU's gdb stub says {answer!r} instead of stopping")
        for address in addresses:
            self._breakpoint("z", address)

    def step(self):
        """One instruction, without interrupts."""
        self._send("s")
        self._receive()

    def pc(self):
        """In 64-bit mode: RIP, which follows the 16 general registers."""
        return int.from_bytes(bytes.fromhex(self._ask("g"))[16 * 8:17 * 8], "little")

    def memory(self, address, size):
        """@size bytes at a linear address."""
        return bytes.fromhex(self._ask(f"m{address:x},{size:x}"))

    def leave(self):
        """Let the machine run, and do not wait."""
        self._send("c")
