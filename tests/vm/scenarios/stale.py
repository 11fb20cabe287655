# SPDX-License-Identifier: GPL-3.0-or-later
"""Old images: what was written to since is never resumed, and what was not is."""

import subprocess

from lib import disk
from lib.guest import configuration, make_guest, make_initramfs
from lib.qemu import Boot
from lib.scenario import add, expect, scenario
from lib.session import Session, boot_on, hibernate, resume

SINCE = "dormouse-resume: .*was written to since"


def rescue(machine, script):
    """Boots another system, which runs these lines in an initramfs and switches off."""
    normal = machine.boot
    init = machine.out / "rescue-init"
    init.write_text(
        "#!/bin/sh\nset -eu\nmount -t proc proc /proc\nmount -t sysfs sysfs /sys\n"
        "mount -t devtmpfs devtmpfs /dev 2>/dev/null || :\n"
        f"{script}\necho rescue: done\nsync\npoweroff -f\n"
    )
    initramfs = make_initramfs(machine.out / "rescue.cpio", configuration("none"), writer=False, resume=False, init=init)
    machine.boot = Boot(normal.kernel, initramfs, mem=normal.mem)
    machine.start()
    machine.console_wait("^rescue: done", 60)
    machine.exit_wait(30)
    machine.boot = normal


def start(out, *, second=None, size_mib=0):
    """A guest; second: the command that makes a filesystem on a third disk, which is then mounted at /second."""
    extra = []
    if second:
        image = disk.make_blank(out / "second.img", size_mib)
        subprocess.run([*second, image], check=True, stdout=subprocess.DEVNULL)
        extra = ["-drive", f"if=none,id=second,file={image},format=raw,cache=unsafe"]
        extra += ["-device", "virtio-blk-pci,drive=second,serial=second,addr=0x10"]
    m = make_guest(out, extra=extra)
    m.start()
    m.ready_wait()
    return m, Session(m, tmpfs_mib=20)


@scenario("stale-resumed", limit=600)
def resumed(out):
    """resumed, written on, power cut: not resumed again; nor is a copy of the image put back"""
    m, session = start(out)
    command = hibernate(m)
    copy = disk.copy(m.target, out / "kept.img")
    resume(m, command)
    session.check()
    m.run("echo new >/root/new; sync")
    m.kill()
    disk.copy(copy, m.target)
    boot_on(m, 3, SINCE)
    expect(m.run("cat /root/new") == "new", "a file that was written after the resume is lost")
    m.shut_down()
    disk.check_ext4(m.root)


@scenario("stale-rescue-rw", check=True, limit=400)
def rescue_rw(out):
    """another system mounted the root filesystem and wrote to it: not resumed"""
    m, _ = start(out)
    hibernate(m)
    rescue(m, "mount -t ext4 /dev/vda /root\necho new >/root/rescue\numount /root")
    boot_on(m, 3, rf"{SINCE}.*superblock differs")
    m.shut_down()
    disk.check_ext4(m.root)


@scenario("stale-rescue-ro", limit=600)
def rescue_ro(out):
    """mounted read-only by another system: resumed when that wrote nothing, refused when it cleaned up open files"""
    m, session = start(out)
    command = hibernate(m)
    before = disk.digest(m.root)
    rescue(m, "mount -t ext4 -o ro /dev/vda /root\nls -lR /root >/dev/null\numount /root")
    expect(disk.digest(m.root) == before, "mounting a frozen filesystem read-only has changed it")
    resume(m, command)
    session.check()
    m.run("dd if=/dev/zero of=/root/open bs=1M count=2 && (exec 3</root/open; rm /root/open; sleep 10000) >/dev/null 2>&1 &")
    m.run("while [ -e /root/open ] || ! pidof sleep >/dev/null; do usleep 100000; done")
    hibernate(m)
    rescue(m, "mount -t ext4 -o ro /dev/vda /root\numount /root")
    boot_on(m, 3, SINCE)
    m.shut_down()
    disk.check_ext4(m.root)


def second_disk(make, kind, size_mib):
    """A scenario: a filesystem on a second disk."""

    def run(out):
        m, session = start(out, second=make, size_mib=size_mib)
        m.run(f"mkdir -p /second && mount -t {kind} /dev/vdc /second && echo old >/second/file", 60)
        resume(m, hibernate(m))
        session.check()
        m.run("[ $(cat /second/file) = old ]")
        hibernate(m)
        rescue(m, f"mkdir /second\nmount -t {kind} /dev/vdc /second\necho new >/second/new\numount /second")
        boot_on(m, 3, rf"/second \({kind} on /dev/vdc\) was written to since")
        m.shut_down()

    about = f"a second disk with {kind}: resumed when nobody touched it, refused when another system wrote there"
    add(f"stale-{kind}", about, run, limit=600)


second_disk(["mkfs.xfs", "-q"], "xfs", 320)
second_disk(["mkfs.btrfs", "-q"], "btrfs", 320)


@scenario("stale-late")
def late(out):
    """written to while the writer puts the pages back: seen right before the jump, which is not made (planted: that
    comparison left out)"""
    m = make_guest(out)
    m.start()
    m.ready_wait()
    Session(m, tmpfs_mib=20, hog_mib=300)
    command = hibernate(m)
    m.start()
    m.console_wait(r"reading \[#*\.*\] +\d+ %", 60)
    disk.overwrite(m.root, 1024 + 44, 4)  # the time of its last mount
    expect(m.exit_wait(60, command) == "guest-reset", "the writer went on")
    expect(m.console_has("imagewriter: .*not resumed: .*was written to since"), "the writer did not see it")
    disk.overwrite(m.root, 1024 + 44, 4)  # as it was: what follows mounts it
    boot_on(m, 3, "dormouse-resume: .*earlier boot.*was written to since")
    m.shut_down()
