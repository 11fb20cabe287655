# SPDX-License-Identifier: GPL-3.0-or-later
"""QEMU's gdb stub: stops a machine, looks at its CPUs and changes them, so that faults can be put into programs and
kernels as they are shipped.

The protocol: "Debugging with GDB", appendix "GDB Remote Serial Protocol". Registers of x86-64, in the order of 'g':
16 general ones, rip (8 bytes each), eflags, cs (4 bytes each).
"""

import itertools
import re
import socket
import struct
import subprocess
import time

from lib.kernels import REPOSITORY
from lib.scenario import expect

RIP, EFLAGS = 16, 17
RAX, RDI, RSP = 0, 5, 7
_numbers = itertools.count()
NO_INTERRUPTS = 0x2  # eflags with nothing set but the bit that always is


class Stub:
    """A machine that is stopped, until the end of `with` lets it go on."""

    def __init__(self, machine):
        self._path = machine.out / f"gdb-{next(_numbers)}.socket"  # another each time: QEMU removes the last one late
        machine.monitor("gdbserver none")  # of two it would not start the second
        machine.monitor(f"gdbserver unix:{self._path},server=on,wait=off")
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.settimeout(60)
        self._socket.connect(str(self._path))
        self._rest = b""
        self._cpus = machine.cpus
        self._ask("qXfer:features:read:target.xml:0,ff")  # without having seen it, nobody may change a register

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._ask("D")
        self._socket.close()

    def _packet(self):
        """The next packet that arrives."""
        while not (m := re.search(rb"\$([^#]*)#..", self._rest)):
            data = self._socket.recv(65536)
            expect(data, "the gdb stub closed its connection")
            self._rest += data
        self._rest = self._rest[m.end() :]
        self._socket.sendall(b"+")
        return m[1].decode()

    def _send(self, command):
        data = command.encode()
        self._socket.sendall(b"$" + data + b"#%02x" % (sum(data) & 0xFF))

    def _stopped(self):
        while not self._packet().startswith("T"):
            pass

    def _ask(self, command):
        self._send(command)
        while (reply := self._packet()).startswith("T"):  # that it stopped when we came, for example
            pass
        expect(reply and not reply.startswith("E"), f"the gdb stub refused {command}: {reply}")
        return reply

    def _select(self, cpu):
        self._ask(f"Hg{cpu + 1:x}")

    def cpu(self, number):
        """(in user mode, instruction pointer) of a CPU."""
        self._select(number)
        registers = bytes.fromhex(self._ask("g"))
        (rip,) = struct.unpack_from("<Q", registers, RIP * 8)
        (cs,) = struct.unpack_from("<I", registers, 17 * 8 + 4)
        return cs & 3 == 3, rip

    def register(self, cpu, register):
        """One of the general ones."""
        self._select(cpu)
        return struct.unpack_from("<Q", bytes.fromhex(self._ask("g")), register * 8)[0]

    def set(self, cpu, register, value):
        self._select(cpu)
        size = 4 if register == EFLAGS else 8
        self._ask(f"P{register:x}={value.to_bytes(size, 'little').hex()}")

    def read(self, cpu, address, count):
        """From a virtual address, as the CPU has it mapped."""
        self._select(cpu)
        return bytes.fromhex(self._ask(f"m{address:x},{count:x}"))

    def write(self, cpu, address, data):
        """To a virtual address, as the CPU has it mapped; write protection does not matter."""
        self._select(cpu)
        self._ask(f"M{address:x},{len(data):x}:{data.hex()}")

    def run_for(self, seconds):
        self._send("c")
        time.sleep(seconds)
        self._socket.sendall(b"\x03")
        self._stopped()

    def run_to(self, address, cpus=None, tries=300, meanwhile=None):
        """Until a CPU gets there, one of these if there are any; returns which. meanwhile is called once it runs."""
        for _ in range(tries):
            self._ask(f"Z0,{address:x},1")
            self._send("c")
            if meanwhile:
                meanwhile()
                meanwhile = None
            self._stopped()
            self._ask(f"z0,{address:x},1")
            at = [number for number in range(self._cpus) if self.cpu(number)[1] == address]
            expect(at, "the breakpoint was hit by nobody")
            for number in at:
                if cpus is None or number in cpus:
                    return number
            self.run_for(0.01)  # past it
        raise AssertionError(f"none of the CPUs {cpus} got there")

    def wait_for_mode(self, user, cpus, tries=300):
        """Lets the machine run until one of these CPUs is in user mode, or in the kernel; returns which."""
        for _ in range(tries):
            for number in cpus:
                if self.cpu(number)[0] == user:
                    return number
            self.run_for(0.01)
        raise AssertionError("no CPU came into that mode")


def writer_symbols(*names):
    """Addresses in the writer kernel: it runs where it was linked (nokaslr)."""
    patches = sorted((REPOSITORY / "kernel-patches").glob("*.patch"))
    folder = subprocess.run(
        [REPOSITORY / "imagewriter/build-kernel", "writer", REPOSITORY / "imagewriter/kernel.config", *patches],
        stdout=subprocess.PIPE, text=True, check=True,
    ).stdout.strip()  # fmt: skip
    with open(f"{folder}/System.map") as f:
        symbols = {name: int(address, 16) for address, _, name in map(str.split, f)}
    return [symbols[name] for name in names]
