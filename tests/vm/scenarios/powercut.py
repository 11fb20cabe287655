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
import secrets
import time
from pathlib import Path

from lib import disk, powercut
from lib.guest import configuration, make_initramfs, make_root
from lib.kernels import test_kernel
from lib.qemu import DISKS, Boot, Machine
from lib.scenario import Failure, expect, scenario
from lib.session import Session, hibernate, resume

TARGET_MIB = 512
ROOT_START = 1 << 20
COMMANDS = 1000  # more than a recorded guest was sent
DAMAGE = r"dormouse-resume: .*(header|directory|index|chunk).*(checksum|damaged)"


class Recording:
    """What a guest wrote, and what must be left of its session."""

    def __init__(self, folder):
        said = json.loads((folder / "recording.json").read_text())
        self.start = folder / "start.img"
        self.boot = Boot(test_kernel().image, folder / "initramfs.cpio", mem=512)
        self.target, self.session = said["target"], said["session"]
        self.entries = powercut.read_log(folder / "log-1") + powercut.read_log(folder / "log-2")
        self.slots = powercut.slot_writes(self.entries, self.target)


def record(out):
    """There and back, then power off and resume, with a filesystem under load all the time."""
    conf = configuration(DISKS["parts"][1][1])
    initramfs = make_initramfs(out / "initramfs.cpio", conf)
    parts = [make_root(out / "root.img", conf, initramfs), disk.make_blank(out / "target.img", TARGET_MIB)]
    starts = disk.make_parts(out / "disk.img", parts)
    disk.copy(out / "disk.img", out / "start.img")
    m = Machine(out, Boot(test_kernel().image, initramfs, mem=512), out / "disk.img", out / "disk.img", disk="parts")
    m.record = out / "log-1"
    m.start()
    m.ready_wait()
    session = Session(m, tmpfs_mib=20)
    kept = {name: copy.deepcopy(value) for name, value in vars(session).items() if name != "machine"}
    m.run("dormouse hibernate --then return", 240)
    command = hibernate(m)
    m.record = out / "log-2"
    resume(m, command)
    session.check()
    time.sleep(2)
    m.kill()
    (out / "recording.json").write_text(json.dumps({"target": starts[1], "session": kept}))
    return Recording(out)


def recording(out):
    folder = os.environ.get("POWERCUT_RECORDING")
    made = Recording(Path(folder)) if folder else record(out)
    states = [slot.state for slot in made.slots]
    expect(states.count(powercut.VALID) == 2, f"the recording has not the two images: {states}")
    early = powercut.early_writes(made.entries, made.slots, made.target)
    expect(not early, f"the host wrote before its image was retired: entries {early[:5]}")
    return made


def start(m):
    """Until something runs; the writer may find the image bad, note that, and reboot."""
    for _ in range(2):
        m.start()
        try:
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
        rc = start(m)
        became = "boot" if rc is None else "resume"
        expect(want in (became, "either"), f"a {became} where a {want} is due")
        if rc is None:
            expect(not m.console_has(DAMAGE), "an image was committed that does not verify")
            if hibernate_again:
                m.run("dormouse hibernate --then return", 240)
        else:
            expect(rc == 0, f"dormouse hibernate exited {rc} after the resume")
            session = copy.copy(Session.__new__(Session))
            vars(session).update(copy.deepcopy(made.session), machine=m)
            session.check()
            session.check_files()
        m.shut_down()
        disk.check_ext4(image, ROOT_START)
        return f"{became} ({want})"
    finally:
        m.kill()


def cuts(out, count):
    made = recording(out)
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
    cuts(out, 4)


@scenario("powercut-30", limit=3000)
def long(out):
    """the same at 30 moments"""
    cuts(out, 30)


@scenario("powercut-planted", limit=500)
def planted(out):
    """the flushes of a hibernation planted away: a power cut after it must be found to lose the image"""
    made = recording(out)
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
