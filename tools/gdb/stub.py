#!/usr/bin/env python3
"""stub.py - stands between gdb and QEMU's gdb stub, and repairs one thing.

usage: stub.py LISTEN QEMU_SOCKET READY
	LISTEN is a port of localhost, or the path of a socket; READY a file that is made when it listens.

In 16-bit and 32-bit code gdb sees an i386's registers (low-view.xml) and can write them only all at
once, by the packet `G`.  QEMU (7.2 at least) takes `G` apart wrongly outside 64-bit mode: it reads
four bytes of the control registers where eight were sent, so that each write would spoil CR4 and
others.  Here `G` becomes one `P` for each register that changed.  Everything else passes as it is.
One debugger at a time; ends when QEMU does.
Spec: GDB manual, "GDB Remote Serial Protocol"; QEMU, gdb-xml/i386-64bit.xml (order and sizes).
"""

import os
import re
import selectors
import socket
import sys

# Bytes of each register in `g`, in QEMU's order: its number is its place here.
SIZES = [8] * 17 + [4] * 7 + [8] * 9 + [10] * 8 + [4] * 8 + [16] * 16 + [4]
PACKET = re.compile(rb"\$([^#]*)#(..)", re.S)


def packet(payload):
    return b"$%s#%02x" % (payload, sum(payload) & 0xFF)


def fields(data):
    """The registers of a `g` reply or `G` packet, each as its hexadecimal digits."""
    parts, at = [], 0
    for size in SIZES:
        parts.append(data[at:at + 2 * size])
        at += 2 * size
    return parts


def writes(before, after):
    """The packets that turn the registers @before into @after."""
    changed = ((n, new) for n, (old, new) in enumerate(zip(fields(before), fields(after)))
               if len(new) == len(old) and old.lower() != new.lower())
    return [b"P%x=%s" % change for change in changed]


class Relay:
    def __init__(self, client, qemu):
        self.client, self.qemu = client, qemu
        self.pending = b""  # of what gdb sent: the beginning of a packet

    def ask(self, payload):
        """Exchange one packet with QEMU while gdb waits; the reply's payload."""
        self.qemu.sendall(packet(payload))
        data = b""
        while not (match := PACKET.search(data)):
            more = self.qemu.recv(65536)
            if not more:
                raise ConnectionError("QEMU ended")
            data += more
        self.qemu.sendall(b"+")
        return match[1]

    def write_registers(self, values):
        replies = [self.ask(write) for write in writes(self.ask(b"g"), values)]
        bad = [reply for reply in replies if reply != b"OK"]
        self.client.sendall(b"+" + packet(bad[0] or b"E01" if bad else b"OK"))

    def from_client(self, data):
        """Pass on what gdb sent, but for packets `G`."""
        self.pending += data
        while self.pending:
            if self.pending[:1] != b"$":
                plain, dollar, rest = self.pending.partition(b"$")
                self.qemu.sendall(plain)
                self.pending = dollar + rest
            elif match := PACKET.match(self.pending):
                self.pending = self.pending[match.end():]
                if match[1][:1] == b"G":
                    self.write_registers(match[1][1:])
                else:
                    self.qemu.sendall(match[0])
            else:
                return  # the rest of the packet is on its way

    def run(self):
        """Until one of the two hangs up."""
        with selectors.DefaultSelector() as ready:
            ready.register(self.client, selectors.EVENT_READ)
            ready.register(self.qemu, selectors.EVENT_READ)
            while True:
                for key, _ in ready.select():
                    data = key.fileobj.recv(65536)
                    if not data:
                        return
                    if key.fileobj is self.client:
                        self.from_client(data)
                    else:
                        self.client.sendall(data)


def listen(where):
    if where.isdigit():
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", int(where)))
    else:
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(where)
    listener.listen(1)
    return listener


def main():
    if len(sys.argv) != 4:
        sys.exit(__doc__.split("\n\n")[1])
    try:
        listener = listen(sys.argv[1])
    except (OSError, OverflowError) as problem:
        sys.exit(f"debug: cannot listen at {sys.argv[1]}: {problem}")
    with open(sys.argv[3], "w", encoding="ascii"):
        pass
    while True:
        client, _ = listener.accept()
        with client, socket.socket(socket.AF_UNIX) as qemu:
            try:
                qemu.connect(sys.argv[2])
                Relay(client, qemu).run()
            except OSError:
                pass  # either has gone: as good as hanging up
        if not os.path.exists(sys.argv[2]):
            return


if __name__ == "__main__":
    main()
