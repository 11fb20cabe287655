# SPDX-License-Identifier: GPL-3.0-or-later
"""Targets that cannot be used, or not any more: a clear error, and the session goes on; or the next target is taken.

Planted and found: a boot that does not ask the filesystem of a file (target-journal, its first half).
"""

import subprocess

from lib import disk
from lib.scenario import expect, scenario
from lib.session import Session, boot_on, finish, hibernate, resume
from scenarios.targets import check_filesystem, make, make_filesystem, make_swap, refused, set_up, start


@scenario("target-moved", limit=300)
def moved(out):
    """the file was replaced by another since it was set up, or renamed: hibernate refuses, and setup cures it"""
    m = make(out, "/mnt/dormouse.img", parts=[make_filesystem(out / "fs.img", "ext4")])
    session = start(m)
    m.run("mkdir -p /mnt; mount -t ext4 /dev/vdb1 /mnt")
    refused(m, "dormouse hibernate", "dormouse setup makes a file there")
    set_up(m, "--size 300M")
    m.run("mv /mnt/dormouse.img /mnt/old; fallocate -l 300m /mnt/dormouse.img")
    refused(m, "dormouse hibernate", "has moved since it was set up")
    session.check()
    m.run("rm /mnt/old")
    set_up(m)
    m.run("mv /mnt/dormouse.img /mnt/other; ln -s other /mnt/dormouse.img")
    refused(m, "dormouse hibernate", "has another name in its filesystem")
    m.run("mv /mnt/other /mnt/dormouse.img")
    resume(m, hibernate(m))
    session.check()
    m.run("umount /mnt", 60)
    finish(session)


@scenario("target-reflink", limit=300)
def reflink(out):
    """the file shares blocks with a copy on XFS: refused, by setup and by hibernate"""
    m = make(out, "/mnt/dormouse.img", parts=[make_filesystem(out / "fs.img", "xfs")])
    session = start(m)
    m.run("mkdir -p /mnt; mount -t xfs /dev/vdb1 /mnt")
    set_up(m, "--size 300M")
    m.run("dd if=/dev/zero of=/mnt/dormouse.img bs=1M count=1 conv=notrunc; sync; workload clone /mnt/dormouse.img /mnt/copy")
    refused(m, "dormouse hibernate", "shares blocks with another file")
    refused(m, "dormouse setup", "shares blocks with another file")
    session.check()
    m.run("rm /mnt/copy")
    m.run("dormouse hibernate --then return", 240)
    session.check()
    m.run("umount /mnt", 60)
    finish(session)
    check_filesystem(m, "xfs", True)


@scenario("target-raid1", limit=300)
def raid1(out):
    """swap on a RAID1: neither setup nor hibernate take it"""
    members = [disk.make_blank(out / f"member{i}.img", 300) for i in range(2)]
    m = make(out, "/dev/md0", parts=members, tools=["/usr/sbin/mdadm"])
    m.start()
    m.ready_wait()
    m.run("mdadm --create /dev/md0 --run --assume-clean --level=1 --metadata=1.2 --raid-devices=2 /dev/vdb1 /dev/vdb2", 60)
    m.run("mkswap /dev/md0; swapon /dev/md0")
    session = Session(m, tmpfs_mib=20)  # the kernel has warned of one disk for both members
    refused(m, "dormouse setup", "lies on a RAID")
    refused(m, "dormouse hibernate", "lies on a RAID")
    session.check()
    m.run("swapoff /dev/md0; mdadm --stop /dev/md0")
    finish(session)


@scenario("target-next", check=True, limit=400)
def next_(out):
    """three targets: the first is too small, the second is full while the image is written, and the third gets it"""
    small, full = disk.make_blank(out / "small.img", 32), disk.make_blank(out / "full.img", 140)
    names = ["/dev/vdb1", "/dev/vdb2", "/dev/vdb3"]
    m = make(out, *names, parts=[small, full, make_swap(out / "swap.img")], settings=["codec = none"])
    m.start()
    m.ready_wait()
    m.run("swapon /dev/vdb3")
    session = Session(m, tmpfs_mib=20, hog_mib=150)
    set_up(m)
    said = m.run("dormouse hibernate --then return", 300)
    for wanted in (
        "the target /dev/vdb1 is too small", "the target is /dev/vdb2 instead",
        "the next target is /dev/vdb3", "returned:",
    ):  # fmt: skip
        expect(wanted in said, f"hibernate does not say \"{wanted}\": {said}")
    session.check()
    resume(m, hibernate(m, timeout=400))
    session.check()
    rc, said = m.sh("dormouse doctor --target /dev/vdb1", 60)
    expect("the target /dev/vdb1 is probably too small" in said, f"doctor exited {rc}: {said}")
    rc, said = m.sh("dormouse hibernate --target /dev/vdb2", 240)
    expect(rc == 4 and "the next target" not in said, f"with the full target alone, hibernate exited {rc}: {said}")
    session.check()
    finish(session)
    boot_on(m, 0)
    m.shut_down()


@scenario("target-unlisted", limit=300)
def unlisted(out):
    """a boot would not look at the target, by its own copy of the configuration: refused, but for --then return

    Planted: the targets of the initramfs not compared with those that are set.
    """
    parts = [disk.make_blank(out / f"part{i}.img", 300) for i in range(2)]
    m = make(out, "/dev/vdb1", parts=parts)
    session = start(m)
    set_up(m)
    refused(m, "dormouse hibernate --target /dev/vdb2", 'say "target = /dev/vdb2"')
    m.run("dormouse hibernate --target /dev/vdb2 --then return", 240)
    session.check()
    m.run("sed -i s/vdb1/vdb2/ /etc/dormouse.conf")
    refused(m, "dormouse hibernate", "looks for images on other targets")
    m.run("echo nonsense >>/etc/dormouse.conf; update-initramfs -u -k all; sed -i /nonsense/d /etc/dormouse.conf")
    refused(m, "dormouse hibernate", "the configuration in the initramfs /boot/initrd.img cannot be read")
    set_up(m)
    resume(m, hibernate(m))
    session.check()
    finish(session)


def rename_in_root(path, old, new):
    """In the bytes of the root directory: the filesystem's superblock stays as it is."""
    with open(path, "r+b") as f:
        while block := f.read(4096):
            if b"lost+found" in block and old in block:
                f.seek(-len(block), 1)
                f.write(block.replace(old, new))
                return
    raise AssertionError(f"no {old} in a root directory")


@scenario("target-journal", limit=300)
def journal(out):
    """the directory of the file is damaged, so the boot asks; or somebody mounted its ext4, and the journal is not empty: not resumed"""
    m = make(out, "/mnt/dormouse.img", parts=[make_filesystem(out / "fs.img", "ext4")])
    start(m)
    m.run("mkdir -p /mnt; mount -t ext4 /dev/vdb1 /mnt")
    set_up(m, "--size 300M")
    hibernate(m)
    rename_in_root(m.target, b"dormouse.img", b"somebody.img")
    boot_on(m, 3, "/dormouse.img on /dev/vdb1: Directory block checksum does not match")
    rename_in_root(m.target, b"somebody.img", b"dormouse.img")
    m.run("mkdir -p /mnt; mount -t ext4 /dev/vdb1 /mnt")
    hibernate(m)
    at = f"{m.target}?offset={1 << 20}"
    subprocess.run(["debugfs", "-w", "-R", "feature needs_recovery", at], check=True, capture_output=True)
    boot_on(m, 3, "ext4 on /dev/vdb1. was written to since the machine was hibernated")
    m.shut_down()
    boot_on(m, 0)
    m.shut_down()
