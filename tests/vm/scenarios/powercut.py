# SPDX-License-Identifier: GPL-3.0-or-later
"""Power cuts while a guest hibernates, resumes and works on: lib/powercut.py.

One recording, many cuts. A failure says seed and moment; to see it again keep
the recording: mv build/vm/powercut /tmp/cut; POWERCUT_RECORDING=/tmp/cut
POWERCUT_SEED=... POWERCUT_AT=... tests/vm/run powercut
"""

import copy
import json
import os
import random
import re
import secrets
import subprocess
import time
from pathlib import Path

from lib import disk, keys, powercut
from lib.guest import configuration, make_initramfs, make_root
from lib.kernels import test_kernel
from lib.qemu import DISKS, Boot, Machine
from lib.scenario import Failure, expect, scenario
from lib.session import Session, hibernate, resume
from scenarios.targets import Swapped, make_swap

TARGET_MIB = 512
ROOT_START = 1 << 20
SECOND = DISKS["parts"][1][1]
COMMANDS = 1000  # more than a recorded guest was sent
DAMAGE = r"dormouse-resume: .*(header|directory|index|chunk).*(checksum|damaged)"


class Blank:
    """The target is a partition of its own, the image is not encrypted."""

    sealed = False

    def make(self, out):
        """A machine as it is before it is recorded, and where its target lies."""
        conf = configuration(SECOND)
        initramfs = make_initramfs(out / "initramfs.cpio", conf)
        parts = [make_root(out / "root.img", conf, initramfs), disk.make_blank(out / "target.img", TARGET_MIB)]
        start = disk.make_parts(out / "disk.img", parts)[1]
        boot = Boot(test_kernel().image, initramfs, mem=512)
        m = Machine(out, boot, out / "disk.img", out / "disk.img", disk="parts")
        return m, powercut.Target((start, start + (TARGET_MIB << 20)))

    def boot(self, m):
        """What each boot does before it hibernates."""

    def start_more(self, m):
        """Programs besides the session's; what must be known of them later."""
        return {}

    def check_more(self, m, known):
        """What must be true of them, and of the target, where a session has been resumed."""


class Swap(Blank):
    """The target is swap in use, half full; the image is encrypted."""

    sealed = True
    mib = 400
    swapped_mib = 180

    def make(self, out):
        m, start = keys.make_sealed_parts(out, target=SECOND, second=make_swap(out / "swap.img", self.mib))
        m.start()
        m.ready_wait()
        self.boot(m)
        keys.set_up(m)
        m.run(f"swapoff {SECOND}", 60)
        m.shut_down()
        return m, powercut.Target((start, start + (self.mib << 20)))

    def boot(self, m):
        m.run(f"swapon {SECOND}")

    def start_more(self, m):
        swapped = Swapped(m, SECOND, self.swapped_mib)
        return {name: value for name, value in vars(swapped).items() if name != "m"}

    def check_more(self, m, known):
        swapped = Swapped.__new__(Swapped)
        vars(swapped).update(known, m=m)
        swapped.check()
        m.run(f"kill {swapped.pid}; swapoff {SECOND}; swapon {SECOND}", 60)


class File(Blank):
    """The target is a file on the root filesystem, which the host goes on writing to; the image is encrypted."""

    sealed = True
    name = "/dormouse.img"

    def make(self, out):
        m, _ = keys.make_sealed_parts(out, target=self.name, root_mib=900)
        m.start()
        m.ready_wait()
        keys.set_up(m, "--size 320M")
        m.shut_down()
        return m, powercut.Target(*self._ranges(m.root))

    def _ranges(self, image):
        """Where the file lies on the disk, by e2fsprogs."""
        command = ["debugfs", "-R", f"blocks {self.name}", f"{image}?offset={ROOT_START}"]
        blocks = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
        expect(len(blocks) == 320 << 8, f"debugfs says that the file has {len(blocks)} blocks")
        return [(ROOT_START + first * 4096, ROOT_START + (last + 1) * 4096) for first, last in runs(map(int, blocks))]


def runs(numbers):
    """(first, last) of what follows each other."""
    found = []
    for n in sorted(numbers):
        if found and n == found[-1][1] + 1:
            found[-1][1] = n
        else:
            found.append([n, n])
    return found


KINDS = {kind.__name__: kind() for kind in (Blank, Swap, File)}


class Recording:
    """What a guest wrote, and what must be left of its session."""

    def __init__(self, folder):
        said = json.loads((folder / "recording.json").read_text())
        self.kind = KINDS[said["kind"]]
        self.start = folder / "start.img"
        self.boot = Boot(test_kernel().image, folder / "initramfs.cpio", mem=512)
        self.target, self.session, self.more = powercut.Target(*said["target"]), said["session"], said["more"]
        self.entries = powercut.read_log(folder / "log-1") + powercut.read_log(folder / "log-2")
        self.slots = powercut.slot_writes(self.entries, self.target)


def record(out, kind):
    """There and back, then power off and resume, with a filesystem under load all the time."""
    m, target = kind.make(out)
    disk.copy(out / "disk.img", out / "start.img")
    m.record = out / "log-1"
    m.start()
    m.ready_wait()
    kind.boot(m)
    session = Session(m, tmpfs_mib=20)
    more = kind.start_more(m)
    kept = {name: copy.deepcopy(value) for name, value in vars(session).items() if name != "machine"}
    m.run("dormouse hibernate --then return", 240)
    command = hibernate(m)
    m.record = out / "log-2"
    if kind.sealed:
        keys.resume_sealed(m, command)
    else:
        resume(m, command)
    session.check()
    time.sleep(2)
    m.kill()
    said = {"kind": type(kind).__name__, "target": target.ranges, "session": kept, "more": more}
    (out / "recording.json").write_text(json.dumps(said))
    return Recording(out)


def recording(out, kind):
    folder = os.environ.get("POWERCUT_RECORDING")
    made = Recording(Path(folder)) if folder else record(out, kind)
    states = [slot.state for slot in made.slots]
    expect(states.count(powercut.VALID) == 2, f"the recording has not the two images: {states}")
    early = powercut.early_writes(made.entries, made.slots)
    expect(not early, f"something was written before its image was retired: entries {early[:5]}")
    return made


def start(m, sealed):
    """Until something runs; the writer may find the image bad, note that, and reboot."""
    for _ in range(2):
        m.start()
        try:
            if sealed:
                line = m.console_wait(f"^guest: ready|{keys.PROMPT}", 120)
                if re.search(keys.PROMPT, line.text):
                    m.send_console(keys.PASSPHRASE.encode() + b"\r")
            return m.outcome_wait()
        except Failure:
            if m.exit_reason != "guest-reset":
                raise
            m.kill()
    raise Failure("the machine reboots again and again")


def cut(out, made, moment, seed, *, hibernate_again=True, forget_from=None):
    """One power cut, and the boot after it; returns what became of it."""
    image = disk.copy(made.start, out / "cut.img")
    powercut.replay(image, made.entries, moment, f"{seed}:{moment}", target=made.target, forget_from=forget_from)
    want = powercut.expected(made.entries, made.slots, moment)
    folder = out / f"cut-{moment}"
    folder.mkdir(exist_ok=True)
    m = Machine(folder, made.boot, image, image, disk="parts", commands=COMMANDS)
    try:
        rc = start(m, made.kind.sealed)
        became = "boot" if rc is None else "resume"
        expect(want in (became, "either"), f"a {became} where a {want} is due")
        if rc is None:
            expect(not m.console_has(DAMAGE), "an image was committed that does not verify")
            made.kind.boot(m)
            if hibernate_again:
                m.run("dormouse hibernate --then return", 240)
        else:
            expect(rc == 0, f"dormouse hibernate exited {rc} after the resume")
            session = copy.copy(Session.__new__(Session))
            vars(session).update(copy.deepcopy(made.session), machine=m)
            session.check()
            made.kind.check_more(m, made.more)
            session.check_files()
        m.shut_down()
        disk.check_ext4(image, ROOT_START)
        return f"{became} ({want})"
    finally:
        m.kill()


def cuts(out, kind, count):
    made = recording(out, kind)
    seed = os.environ.get("POWERCUT_SEED") or secrets.token_hex(4)
    at = os.environ.get("POWERCUT_AT")
    moments = [int(at)] if at else powercut.moments(made.entries, made.slots, count, random.Random(seed))
    violations = []
    with open(out / "cuts.txt", "w", buffering=1) as log:
        for number, moment in enumerate(moments):
            chance = seed if at else f"{seed}.{number}"  # of a moment drawn twice other writes vanish
            try:
                became = cut(out, made, moment, chance, hibernate_again=number % 3 == 0)
            except Failure as failure:
                became = f"VIOLATION: {failure}"
                violations.append(f"seed {chance}, moment {moment}: {failure}")
            print(f"  cut {moment} of {len(made.entries)}, seed {chance}: {became}", file=log)
    print(f"kills: {len(moments)} tried, {len(violations)} violations (seed {seed})")
    expect(not violations, "; ".join(violations))


@scenario("powercut", check=True, limit=500)
def short(out):
    """power cut at random moments of writing, resuming and retiring: the whole image or none, filesystem clean"""
    cuts(out, KINDS["Blank"], 4)


@scenario("powercut-30", limit=3000)
def long(out):
    """the same at 30 moments"""
    cuts(out, KINDS["Blank"], 30)


@scenario("powercut-swap-encrypted", limit=3000)
def swap(out):
    """the same at 20 moments, the target being swap in use: whatever the moment, it can be turned on again

    Planted: a boot that does not put page 0 back after an image was retired (a cut right after that).
    """
    cuts(out, KINDS["Swap"], 20)


@scenario("powercut-file-encrypted", limit=3000)
def file(out):
    """the same at 20 moments, the target being a file on the root filesystem"""
    cuts(out, KINDS["File"], 20)


@scenario("powercut-planted", limit=500)
def planted(out):
    """the flushes of a hibernation planted away: a power cut after it must be found to lose the image"""
    made = recording(out, KINDS["Blank"])
    valid = [s.number for s in made.slots if s.state == powercut.VALID][-1]
    writing = [s.number for s in made.slots if s.state == 1 and s.number < valid][-1]
    flush = next(i for i in range(valid, len(made.entries)) if made.entries[i].flags & powercut.FLUSH)
    expect(powercut.expected(made.entries, made.slots, flush + 1) == "resume", "the moment chosen is not the one after VALID")
    cut(out, made, flush + 1, "whole")  # with the flushes all is well
    found = 0
    for seed in range(3):
        try:
            cut(out, made, flush + 1, seed, forget_from=writing)
        except Failure as failure:
            found += "resume is due" in str(failure) or "does not verify" in str(failure)
    print(f"planted faults: {found} of 3 found (no flush after WRITING)")
    expect(found == 3, f"only {found} of 3 planted faults were found")
