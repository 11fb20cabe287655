# SPDX-License-Identifier: GPL-3.0-or-later
"""What a boot does with an image that it cannot resume, with somebody at the console and with nobody."""

import re

from lib import disk
from lib.guest import configuration, make_guest, make_initramfs
from lib.scenario import expect, scenario
from lib.session import Session, boot_on, finish, hibernate, resume
from scenarios.bad import SLOTS, image_parts

ASKS = ("resume_wait = 20", "resume_default = reboot")
SECOND = "/dev/vdc"


def sleep(out, **options):
    m = make_guest(out, **options)
    m.start()
    m.ready_wait()
    session = Session(m, tmpfs_mib=20)
    return m, session, hibernate(m)


def answer(m, question, key, after=r"Without an answer|waits for an answer"):
    """Waits for the question, and types."""
    m.console_wait(question, 60)
    m.console_wait(after, 20)
    m.send_console(key)


def resumed(m, command, session):
    rc, output = m.finish(command, 120)
    expect(rc == 0, f"dormouse hibernate exited {rc} after the resume: {output}")
    session.check()


@scenario("choice-reboot", check=True)
def choice_reboot(out):
    """the memory map has moved: r reboots, the next boot has the right one and resumes unasked; the log says so"""
    m, session, command = sleep(out, mem=1024, settings=ASKS)
    m.boot.mem = 768
    m.start()
    answer(m, "memory map has moved .*it had not moved before", b"\x1b[Br")
    expect(m.exit_wait(60) == "guest-reset", "r did not reboot")
    m.boot.mem = 1024
    m.start()
    resumed(m, command, session)
    # Log lines of the boot kernel's program are in the host's.
    m.run("dmesg | grep -q 'dormouse-resume: resuming the image of guest'")
    m.run("dormouse status | grep -q 'dormouse-resume: resuming the image'")
    m.run("dormouse status | grep -q 'imagewriter: '")
    finish(session)


@scenario("choice-discard")
def choice_discard(out):
    """d discards the image; no later boot finds it"""
    m, _, _ = sleep(out, mem=1024, settings=ASKS)
    m.boot.mem = 768
    m.start()
    answer(m, "memory map has moved", b"d")
    m.ready_wait()
    expect(m.console_has("^boot: resume exit 3$"), "resume did not exit 3")
    m.shut_down()
    m.boot.mem = 1024
    boot_on(m, 0)
    m.shut_down()


@scenario("choice-timeout", limit=400)
def choice_timeout(out):
    """nobody answers: three reboots, then it waits for a person, whose p keeps the image, which is resumed later"""
    m, session, command = sleep(out, mem=1024, settings=("resume_wait = 2", "resume_default = reboot"))
    m.boot.mem = 768
    for said in ("it had not moved before", "in the same way", "in the same way"):
        m.start()
        m.console_wait(f"memory map has moved .*{said}", 60)
        expect(m.exit_wait(60) == "guest-reset", "the default was not taken")
    m.start()
    answer(m, "memory map has moved", b"p", "This waits for an answer")
    expect(m.exit_wait(60) == "guest-shutdown", "p did not power off")
    m.boot.mem = 1024
    m.start()
    resumed(m, command, session)
    finish(session)


@scenario("choice-nowriter")
def choice_nowriter(out):
    """the boot's initramfs has no writer: r, and a boot that has it resumes"""
    m, session, command = sleep(out, settings=ASKS)
    whole = m.boot.initramfs
    m.boot.initramfs = make_initramfs(out / "without.cpio", configuration("/dev/vdb", *ASKS), writer=False)
    m.start()
    answer(m, "is not resumed: .*writer", b"r")
    expect(m.exit_wait(60) == "guest-reset", "r did not reboot")
    m.boot.initramfs = whole
    m.start()
    resumed(m, command, session)
    finish(session)


@scenario("choice-twin-damaged")
def choice_twin_damaged(out):
    """one superblock is damaged: never resumed unasked; t resumes"""
    m, session, command = sleep(out, settings=ASKS)
    with open(m.target, "rb") as f:
        slots = f.read(12288)
    twin = next(at for at in (4096, 8192) if slots[at + 12] == 1)  # WRITING
    disk.overwrite(m.target, twin + 300, 4)
    m.start()
    answer(m, "superblocks is damaged", b"t", "This waits for an answer")
    resumed(m, command, session)
    finish(session)


@scenario("choice-damaged")
def choice_damaged(out):
    """the index is damaged: asked before the image is lost; p keeps it, and when the damage is gone it resumes unasked

    Planted: retired without a question.
    """
    m, session, command = sleep(out, settings=ASKS)
    ((at, length),) = image_parts(m.target)["index"]
    with open(m.target, "rb") as f:
        f.seek(at)
        right = f.read(length)
    disk.overwrite(m.target, at, length)
    m.start()
    answer(m, "can never be resumed: .*index", b"p", "Without an answer in 20 s: discard")
    expect(m.exit_wait(60) == "guest-shutdown", "p did not power off")
    with open(m.target, "r+b") as f:
        f.seek(at)
        f.write(right)
    m.start()
    resumed(m, command, session)
    finish(session)


def unreadable(times):
    """For blkdebug: so many reads of each superblock fail."""
    rule = '[inject-error]\nevent = "none"\niotype = "read"\nerrno = "5"\nsector = "{}"\nonce = "on"\n'
    return "".join(rule.format(at // 512) for at in SLOTS for _ in range(times))


@scenario("choice-unreadable")
def choice_unreadable(out):
    """both superblocks give read errors: a few are got over unasked; after more somebody is asked, and t looks again

    Planted: looked at once only (the first resume asks).
    """
    faults = out / "faults"
    m, session, command = sleep(out, settings=ASKS, target_faults="# none yet\n")
    faults.write_text(unreadable(3))
    m.start()
    resumed(m, command, session)
    expect(not m.console_has("nobody knows"), "somebody was asked at once")
    m.shut_down()
    faults.write_text("# none\n")
    m.start()
    m.ready_wait()
    session = Session(m, tmpfs_mib=20)
    command = hibernate(m)
    faults.write_text(unreadable(6))
    m.start()
    answer(m, "nobody knows whether an image is on /dev/vdb: .*Input/output error", b"t", "Without an answer in 20 s: boot without")
    resumed(m, command, session)
    finish(session)


@scenario("choice-absent")
def choice_absent(out):
    """a target of two is not there: the console says what is waited for, b ends it, and the image on the other one resumes"""
    m = make_guest(out, settings=(*ASKS, "target = /dev/vdz"))
    m.start()
    answer(m, "waiting for /dev/vdz, where", b"b", "At the latest in 27 s")
    m.ready_wait()
    session = Session(m, tmpfs_mib=20)
    command = hibernate(m)
    m.start()
    answer(m, "waiting for /dev/vdz, where", b"b", "At the latest in 27 s")
    resumed(m, command, session)
    finish(session)


@scenario("choice-two-images")
def choice_two_images(out):
    """two targets with an image each: asked which; the second is resumed, and no image is left"""
    second = disk.make_blank(out / "second.img", 2048)
    drive = f"if=none,id=second,file={second},format=raw,cache=unsafe"
    extra = ["-drive", drive, "-device", "virtio-blk-pci,drive=second,addr=0x10"]
    m = make_guest(out, settings=(*ASKS, f"target = {SECOND}"), extra=extra)
    m.start()
    m.ready_wait()
    # Or the first image would be stale by the time that the second is made.
    m.run("mount -o remount,ro /; echo first >/run/which")
    command = hibernate(m)
    first = disk.copy(m.target, out / "first.img")
    resume(m, command)
    m.run("echo second >/run/which")
    command = hibernate(m, f"--target {SECOND}")
    disk.copy(first, m.target)
    m.start()
    answer(m, "more than one image", b"2", "This waits for an answer")
    rc, output = m.finish(command, 120)
    expect(rc == 0, f"dormouse hibernate exited {rc} after the resume: {output}")
    expect(m.run("cat /run/which") == "second", "the other image was resumed")
    status = m.run("dormouse status")
    expect(len(re.findall("^target .*: retired$", status, re.MULTILINE)) == 2, f"an image is left: {status}")
    expect("another image was chosen" in status, f"the first was not given up: {status}")
    m.kill()
    boot_on(m, 0)
    m.shut_down()
