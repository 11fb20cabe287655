# SPDX-License-Identifier: GPL-3.0-or-later
"""A session worth keeping, and what must hold after it was hibernated."""

import json
import re
import time

from lib import disk
from lib.qemu import last_line
from lib.scenario import Failure, expect

TROUBLE = r"BUG|Oops|WARNING|Call Trace|Out of memory|oom-kill|I/O error|corruption"
# The kernel has thawed processes once on its way back from the jump, and complains when /dev/snapshot does it
# again: host/freeze.c, thaw_processes().
KNOWN_WARNING = r"\[ cut here \]-+\n[^\n]*WARNING: [^\n]* thaw_processes\+.*?end trace"


class Session:
    """Programs with state in memory, sockets and files, in a guest that is up."""

    def __init__(self, machine, *, tmpfs_mib=64, hog_mib=0):
        self.machine = m = machine
        self.tmpfs_mib = tmpfs_mib
        self.pids = {}
        self.trouble = self._trouble()
        # As a network time client would; the boot's own error can be more than a second.
        m.run(f"workload setclock {time.time_ns()}")
        m.run("mkdir -p /root/files")
        self._start("counter", "counter /run/counter")
        self._start("files", "files /root/files /run/files")
        self._start("tcp", "tcp /run/tcp")
        if hog_mib:
            self._start("hog", f"hog /run/hog {hog_mib}")
        if tmpfs_mib:
            m.run(f"workload fill /tmp/data {tmpfs_mib}", 120)
            self.sum = m.run("workload sum /tmp/data", 60)
        for name in self.pids:
            self._await_file(name, 240)
        self.counts = self._counts()

    def _start(self, name, command):
        self.pids[name] = int(self.machine.run(f"workload {command} >/run/{name}.log 2>&1 & echo $!"))

    def _await_file(self, name, timeout):
        path = f"/run/{name}"
        return self.machine.run(
            f"while [ ! -e {path} ] && [ -e /proc/{self.pids[name]} ]; do usleep 100000; done; "
            f"cat {path} 2>/dev/null || {{ cat {path}.log; false; }}",
            timeout,
        )

    def _counts(self):
        pid, count, *_ = self.machine.run("cat /run/counter").split()
        expect(int(pid) == self.pids["counter"], "the counter is another process")
        return {"counter": int(count), "files": int(self.machine.run("cat /run/files"))}

    def _trouble(self):
        log = re.sub(KNOWN_WARNING, "", self.machine.run("dmesg"), flags=re.DOTALL)
        log = re.sub(r".* dormouse: \| .*", "", log)  # what the writer said, of itself
        return re.findall(rf".*(?:{TROUBLE}).*", log)

    def check(self):
        """The session went on where it was."""
        m = self.machine
        before = time.time()
        guest = int(m.run("workload now")) / 1e9
        expect(before - 2 < guest < time.time() + 2, f"the wall clock is {guest - before:+.1f} s off")
        cpus = m.run("cat /sys/devices/system/cpu/online")
        expect(cpus == ("0" if m.cpus == 1 else f"0-{m.cpus - 1}"), f"CPUs online: {cpus}")

        for name, pid in self.pids.items():
            expect(m.sh(f"kill -0 {pid}")[0] == 0, f"{name} is gone")
        self._check_progress()
        if self.tmpfs_mib:
            expect(m.run("workload sum /tmp/data", 60) == self.sum, "the checksum of the tmpfs file changed")
        for name in self.pids.keys() & {"tcp", "hog"}:
            m.run(f"rm /run/{name}; kill -USR1 {self.pids[name]}")
            result = self._await_file(name, 240)
            expect(result == "ok", f"{name}: {result}")

        new = [line for line in self._trouble() if line not in self.trouble]
        expect(not new, f"the kernel complains: {new[:1]}")

    def _check_progress(self):
        """The counts are not behind those of the last check, and still grow."""
        old, deadline = self.counts, time.monotonic() + 20
        first = self._counts()
        for name in old:
            expect(first[name] >= old[name], f"{name} went back from {old[name]} to {first[name]}")
        while any(self.counts[name] <= first[name] for name in old):
            expect(time.monotonic() < deadline, f"a program does not go on: {self.counts}")
            time.sleep(0.2)
            self.counts = self._counts()

    def check_files(self):
        """Stops the program that writes files, and checks what it wrote, as the disk has it."""
        m = self.machine
        m.run(f"kill {self.pids['files']}; while [ -e /proc/{self.pids['files']} ]; do usleep 100000; done")
        m.run("echo 3 >/proc/sys/vm/drop_caches; workload checkfiles /root/files", 60)


def finish(session):
    """Ends a guest that is up: nothing its session wrote is lost, and the filesystem is clean."""
    session.check_files()
    session.machine.shut_down()
    disk.check_ext4(session.machine.root)


def hibernate(machine, options="", *, command="dormouse hibernate", reason="guest-shutdown", timeout=300):
    """Sends the guest to sleep, until the machine is off; returns the command, which is still pending."""
    sent = time.monotonic()
    command = machine.send(f"{command} {options}")
    ended = machine.exit_wait(timeout, command)
    expect(ended == reason, f"hibernating ended by {ended}, not {reason}")
    _measure(machine, "hibernate", sent, time.monotonic())
    return command


def resume(machine, command, timeout=300):
    """Starts the machine again, until the pending hibernate command ends well there."""
    started = time.monotonic()
    machine.start()
    rc, output = machine.finish(command, timeout)
    expect(rc == 0, f"dormouse hibernate exited {rc} after the resume: {last_line(output)}")
    _measure(machine, "resume", started, time.monotonic())


def round_trip(machine, timeout=300):
    resume(machine, hibernate(machine, timeout=timeout), timeout)


def boot_on(machine, resume_exit, message=None, timeout=120):
    """Starts the machine; dormouse-resume must say message and let the boot go on, maybe after one more boot.

    The second boot is that of a writer that found the image bad and noted the reason in it.
    """
    machine.start()
    try:
        machine.ready_wait(timeout)
    except Failure:
        if machine.exit_reason != "guest-reset":
            raise
        machine.kill()
        machine.start()
        machine.ready_wait(timeout)
    expect(machine.console_has(f"^boot: resume exit {resume_exit}$"), f"resume did not exit {resume_exit}")
    if message:
        expect(machine.console_has(message), f"resume did not say /{message}/")


def _measure(machine, what, started, ended):
    """Appends how long a step took to times.jsonl, with the console lines that divide it."""
    marks = {"load": "dormouse: window at", "jump": "dormouse: jumping into the writer", "writer": "imagewriter: "}
    row = {"what": what, "boot": machine.boots, "seconds": round(ended - started, 2)}
    for name, text in marks.items():
        line = next((line for line in machine.lines if text in line.text and line.time > started), None)
        if line:
            row[f"{name}_at"] = round(line.time - started, 2)
    with open(machine.out / "times.jsonl", "a") as f:
        f.write(json.dumps(row) + "\n")
