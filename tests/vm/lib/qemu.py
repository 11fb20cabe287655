# SPDX-License-Identifier: GPL-3.0-or-later
"""A machine in QEMU: boots, console log, command channel, monitor.

The console (ttyS0) goes to serial-N.log, one file for each boot, and is kept
in memory line by line with the time it came. A shell in the guest listens on
the command channel (ttyS1). A command stays pending while the guest is
hibernated: its end arrives in a later QEMU process.
"""

import base64
import json
import os
import re
import selectors
import shutil
import socket
import subprocess
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from lib.scenario import Failure, expect

OVMF = Path("/usr/share/OVMF")
_on = set()  # the machines that are switched on

# The two disks: QEMU's arguments for one of them, and their names in the guest. "parts": they are partitions of one
# disk, whose writes can be recorded (Machine.record, lib/powercut.py).
DISKS = {
    "virtio": (["-device", "virtio-blk-pci,drive={drive}{options}"], ("/dev/vda", "/dev/vdb")),
    "nvme": (["-device", "nvme-ns,drive={drive},bus=nvme,nsid={number}"], ("/dev/nvme0n1", "/dev/nvme0n2")),
    "parts": (["-device", "virtio-blk-pci,drive={drive}{options}"], ("/dev/vda1", "/dev/vda2")),
    "ahci": (
        ["-device", "ide-hd,drive={drive},bus=ahci.{number},model={drive}"],
        ("/dev/disk/by-id/root", "/dev/disk/by-id/target"),
    ),
}
CONTROLLERS = {
    "virtio": [],
    "parts": [],
    "nvme": ["-device", "nvme,id=nvme,serial=dormouse"],
    "ahci": ["-device", "ich9-ahci,id=ahci"],
}


@dataclass
class Line:
    time: float  # host's monotonic clock
    text: str


@dataclass
class Boot:
    """What one start of the machine boots; scenarios change it between starts."""

    kernel: Path
    initramfs: Path
    append: str = ""
    mem: int = 2048  # MiB


class Machine:
    def __init__(
        self, out, boot, root, target, *, cpus=2, cpu="max", machine="pc", firmware="bios", disk="virtio",
        disk_options="", extra=(), target_faults="", discard=False, commands=0, tpm=None,
    ):
        self.out, self.boot = Path(out), boot
        self.root, self.target = Path(root), Path(target)  # images on the test's side
        self.root_device, self.target_device = DISKS[disk][1]  # names in the guest
        self.cpus = cpus
        self.tpm = tpm  # lib/tpm.py
        self.boots = 0
        self.record = None  # the file that gets the log of the next start's writes; only with disk="parts"
        self.process = None
        self.lines: list[Line] = []  # console of this boot
        self._unfinished = b""  # its last line, still without an end
        self.exit_reason = None
        self._changed = threading.Condition()
        self._channel = b""  # of all boots: a command may begin in one and end in another
        self._commands = commands  # numbers taken already, by a guest that this machine may resume
        self._replies: dict[int, dict] = {}  # of the monitor, by request
        self._hardware = [
            "-accel", "kvm" if os.environ.get("ACCEL") == "kvm" else "tcg,thread=single",
            "-machine", machine, "-cpu", cpu, "-smp", str(cpus), "-nodefaults", "-display", "none", "-no-reboot",
            *CONTROLLERS[disk], *extra,
        ]  # fmt: skip
        self._parts = disk == "parts"
        drives = () if self._parts else (("root", root), ("target", target))
        for number, (drive, image) in enumerate(drives, start=1):
            # No host cache flushes: tests here end QEMU, never the host.
            if drive == "target" and target_faults:
                (self.out / "faults").write_text(target_faults)
                image = f"blkdebug:{self.out / 'faults'}:{image}"
            cache = "writeback" if drive == "target" and target_faults else "unsafe"  # with "unsafe" no flush could fail
            unmap = ",discard=unmap" if discard else ""  # what the guest discards becomes zeros
            self._hardware += ["-drive", f"if=none,id={drive},file={image},format=raw,cache={cache}{unmap}"]
            self._hardware += [arg.format(drive=drive, number=number, options=disk_options) for arg in DISKS[disk][0]]
        if firmware == "ovmf":
            variables = self.out / "OVMF_VARS.fd"
            shutil.copy(OVMF / "OVMF_VARS.fd", variables)
            self._hardware += ["-drive", f"if=pflash,format=raw,readonly=on,file={OVMF / 'OVMF_CODE.fd'}"]
            self._hardware += ["-drive", f"if=pflash,format=raw,file={variables}"]

    def _one_disk(self):
        """QEMU's arguments for the disk that both are parts of."""
        if not self.record:
            disk = ["-drive", f"if=none,id=disk,file={self.root},format=raw,cache=unsafe"]
        else:
            self.record.write_bytes(b"")
            disk = ["-blockdev", f"driver=file,filename={self.root},node-name=file,cache.no-flush=on"]
            disk += ["-blockdev", f"driver=file,filename={self.record},node-name=log,cache.no-flush=on"]
            disk += ["-blockdev", "driver=blklogwrites,file=file,log=log,node-name=disk,log-super-update-interval=1"]
        return [*disk, "-device", "virtio-blk-pci,drive=disk"]

    def start(self):
        """Power on. Waits for nothing."""
        assert self.process is None
        self.boots += 1
        self.lines, self._unfinished, self.exit_reason = [], b"", None
        ours, theirs = zip(*(socket.socketpair() for _ in range(3)))
        console, channel, monitor = (s.fileno() for s in theirs)
        tpm = []
        if self.tpm:
            tpm, tpm_socket = self.tpm.start()
            theirs += (tpm_socket,)
        command = [
            # QEMU dies with this process, however that ends.
            "setpriv", "--pdeathsig", "KILL", "qemu-system-x86_64", *self._hardware,
            *(self._one_disk() if self._parts else []), *tpm, "-m", f"{self.boot.mem}M",
            "-kernel", self.boot.kernel, "-initrd", self.boot.initramfs,
            "-append", f"console=ttyS0 panic=-1 root={self.root_device} {self.boot.append}",
            "-chardev", f"socket,id=console,fd={console}", "-serial", "chardev:console",
            "-chardev", f"socket,id=channel,fd={channel}", "-serial", "chardev:channel",
            "-chardev", f"socket,id=monitor,fd={monitor}", "-mon", "chardev=monitor,mode=control",
        ]  # fmt: skip
        with open(self.out / "qemu.log", "ab") as log:
            self.process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, pass_fds=[s.fileno() for s in theirs]
            )
        _on.add(self)
        for s in theirs:
            s.close()
        self._console_socket, self._channel_socket, self._monitor_socket = ours
        self._pump_thread = threading.Thread(target=self._pump, args=(self.process, *ours), daemon=True)
        self._pump_thread.start()
        self._monitor_socket.sendall(b'{"execute": "qmp_capabilities"}\n')

    def _pump(self, process, console, channel, monitor):
        """Reads all that QEMU sends until it ends. The only writer of what the waits look at."""
        monitor_rest = b""
        reason = "QEMU ended by itself, see qemu.log"
        open_sockets = selectors.DefaultSelector()
        for s in (console, channel, monitor):
            open_sockets.register(s, selectors.EVENT_READ)
        with open(self.out / f"serial-{self.boots}.log", "wb", buffering=0) as log:
            while open_sockets.get_map():
                for key, _ in open_sockets.select():
                    try:
                        data = key.fileobj.recv(65536)
                    except ConnectionResetError:  # QEMU ended with our bytes unread
                        data = b""
                    if not data:
                        open_sockets.unregister(key.fileobj)
                        continue
                    with self._changed:
                        if key.fileobj is console:
                            log.write(data)
                            *whole, self._unfinished = re.split(rb"[\r\n]+", self._unfinished + data)
                            # "\r" and "\n" may come apart, and are no line between them.
                            self.lines += [Line(time.monotonic(), w.decode(errors="replace")) for w in whole if w]
                        elif key.fileobj is channel:
                            self._channel += data
                        else:
                            *whole, monitor_rest = (monitor_rest + data).split(b"\n")
                            for message in map(json.loads, whole):
                                if message.get("event") == "SHUTDOWN":
                                    reason = message["data"]["reason"]
                                elif "id" in message:
                                    self._replies[message["id"]] = message
                        self._changed.notify_all()
        process.wait()
        for s in (console, channel, monitor):
            s.close()
        with self._changed:
            self.exit_reason = reason
            self._changed.notify_all()

    def _wait(self, ready, timeout, what):
        """Until ready() is not None; the end of the machine is a failure unless that made it ready."""
        deadline = time.monotonic() + timeout
        with self._changed:
            while (result := ready()) is None:
                expect(self.exit_reason is None, f"the machine ended ({self.exit_reason}) before {what}")
                expect(time.monotonic() < deadline, f"no {what} within {timeout} s")
                self._changed.wait(min(1, deadline - time.monotonic()))
        return result

    def kill(self):
        """Power off at once; harmless when the machine is off."""
        if self.process:
            self.process.kill()
            self._off()

    def _off(self):
        self._pump_thread.join()
        if self.tpm:
            self.tpm.wait()
        self.process = None
        _on.discard(self)

    def exit_wait(self, timeout, command=None):
        """Waits until the machine switched itself off; returns QEMU's reason: 'guest-shutdown' or 'guest-reset'.

        With a pending command, its end before that is a failure.
        """

        def ended():
            if command is not None and (result := self._result(command)):
                raise Failure(f"the command ended with {result[0]} instead of the machine: {last_line(result[1])}")
            return self.exit_reason

        reason = self._wait(ended, timeout, "power-off")
        self._off()
        return reason

    def send(self, command):
        """Starts a shell command in the guest; finish() waits for its end."""
        self._commands += 1
        text = base64.b64encode(command.encode()).decode()
        self._channel_socket.sendall(
            f'echo "@{self._commands}<"; (eval "$(echo {text} | base64 -d)") </dev/null 2>&1; '
            f'echo "@{self._commands}>$?@"\n'.encode()
        )
        return self._commands

    def _result(self, command):
        m = re.search(rb"@%d<\n(.*?)@%d>(\d+)@" % (command, command), self._channel, re.DOTALL)
        return m and (int(m[2]), m[1].decode(errors="replace").strip())

    def finish(self, command, timeout):
        """Waits for a sent command; returns (exit code, output)."""
        return self._wait(lambda: self._result(command), timeout, f"end of command {command}")

    def sh(self, command, timeout=30):
        """Runs a shell command in the guest; returns (exit code, output)."""
        number = self.send(command)
        return self._wait(lambda: self._result(number), timeout, f"end of `{command}`")

    def run(self, command, timeout=30):
        """Runs a shell command that must succeed; returns its output."""
        rc, output = self.sh(command, timeout)
        expect(rc == 0, f"`{command}` exited {rc}: {last_line(output)}")
        return output

    def console_wait(self, pattern, timeout, after=0):
        """Waits for a console line of this boot, not among the first so many; returns it."""

        def found():
            return next((line for line in self.lines[after:] if re.search(pattern, line.text)), None)

        return self._wait(found, timeout, f"console line /{pattern}/")

    def prompt_wait(self, pattern, timeout):
        """Waits until the console's last line, which has not ended, asks for something."""

        def found():
            return re.search(pattern, self._unfinished.decode(errors="replace"))

        self._wait(found, timeout, f"prompt /{pattern}/")

    def console_has(self, pattern):
        with self._changed:
            return any(re.search(pattern, line.text) for line in self.lines)

    def send_console(self, data):
        """Types on the console."""
        self._console_socket.sendall(data)

    def outcome_wait(self, timeout=120):
        """What the boot of an unknown disk came to: None, a boot; else the exit code of the command that was pending."""

        def outcome():
            if m := re.search(rb"@\d+>(\d+)@", self._channel):
                return (int(m[1]),)
            return (None,) if any(line.text.startswith("guest: ready") for line in self.lines) else None

        return self._wait(outcome, timeout, "resume or boot")[0]

    def ready_wait(self, timeout=60):
        """Waits for the shell in the guest."""
        self.console_wait("^guest: ready", timeout)

    def monitor(self, command, timeout=10):
        """Runs a command of QEMU's human monitor; returns its output."""
        number = len(self._replies)
        request = {"execute": "human-monitor-command", "id": number, "arguments": {"command-line": command}}
        self._monitor_socket.sendall(json.dumps(request).encode() + b"\n")
        reply = self._wait(lambda: self._replies.get(number), timeout, f"answer of the monitor to `{command}`")
        expect("return" in reply, f"the monitor refused `{command}`: {reply}")
        return reply["return"]

    def register(self, name):
        """A register of the first CPU, for example CR3."""
        return int(re.search(rf"\b{name}=([0-9a-f]+)", self.monitor("info registers"))[1], 16)

    def paging_levels(self):
        return 5 if self.register("CR4") & 1 << 12 else 4

    def read_physical(self, address):
        """The 64-bit word at a physical address."""
        return int(self.monitor(f"xp /1gx {address:#x}").split()[-1], 16)

    def memory(self, start, end):
        """What is in physical memory."""
        path = self.out / "memory.part"
        self.monitor(f'pmemsave {start:#x} {end - start:#x} "{path}"', 120)
        data = path.read_bytes()
        path.unlink()
        return data

    def bus_masters(self):
        """The PCI functions that may access memory, of all on bus 0."""
        masters = []
        for place in re.findall(r"Bus +0, device +(\d+), function +(\d+)", self.monitor("info pci")):
            device, function = map(int, place)
            self.monitor(f"o /w 0xcf8 {1 << 31 | device << 11 | function << 8 | 4:#x}")
            if int(self.monitor("i /h 0xcfc").split("=")[1], 16) & 4:
                masters.append(f"{device}.{function}")
        return masters

    def shut_down(self, timeout=60):
        """Ends the guest as a user would: programs stopped, filesystems clean."""
        self.send("killall workload; sync; mount -o remount,ro / && poweroff -f")
        reason = self.exit_wait(timeout)
        expect(reason == "guest-shutdown", f"shutting down ended by {reason}")


def kill_all():
    for machine in list(_on):
        machine.kill()


def last_line(text):
    return text.strip().splitlines()[-1] if text.strip() else "(no output)"
