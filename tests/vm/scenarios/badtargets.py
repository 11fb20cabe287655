# SPDX-License-Identifier: GPL-3.0-or-later
"""Targets that cannot be used, or not any more: a clear error, and the session goes on; or the next target is taken.

Planted and found: a boot that does not ask the filesystem of a file (target-journal, its first half).
"""

import re
import subprocess
import sys

from lib import disk, keys
from lib.kernels import REPOSITORY
from lib.scenario import expect, scenario
from lib.session import Session, boot_on, finish, hibernate, resume
from scenarios.targets import check_filesystem, make, make_filesystem, make_swap, refused, set_up, start, wake

sys.path.insert(0, str(REPOSITORY / "tests/reference"))
from located import LOCATOR_AT, Located, Whole, open_target  # noqa: E402
from superblock import choose_slot  # noqa: E402


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


MIB = 1 << 20


def partition_slot(m, start, mib):
    """The superblock on a partition as a whole."""
    with open(m.target, "rb") as f:
        return choose_slot(Located(Whole(f), [(start * MIB, mib * MIB)]))[0]


def located_target(m, at):
    """An image in slots or a file, while the machine is off: its superblock, and its sealed key if it has one."""
    with open(m.target, "rb") as f:
        target = open_target(f, at)
        slot = choose_slot(target)[0]
        return slot, target.read(slot.sealing.key.offset, slot.sealing.key.length) if slot.sealing else None


def area_pages(m, mib):
    """All pages of the first partition, while the machine is off."""
    with open(m.target, "rb") as f:
        f.seek(MIB)
        return [f.read(4096) for _ in range(mib * 256)]


def expect_size(said):
    """The image was no larger than it was said to be at worst, nor much smaller than with nothing compressed."""
    worst, written = re.search(r"at worst (\d+)", said), re.search(r"returned: (\d+) MiB written", said)
    expect(worst and written, f"hibernate says {said}")
    expect(int(worst[1]) // 4 < int(written[1]) <= int(worst[1]), f"{written[1]} MiB were written, and {worst[1]} said at worst")


@scenario("target-next", check=True, limit=400)
def next_(out):
    """three targets: the first is too small, the second is full while the image is written, and the third gets it, with
    another nonce; the worst case that was told holds

    Planted: the nonce kept for the next target.
    """
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
    expect_size(said)
    session.check()
    nonces = [partition_slot(m, 33, 140).nonce]
    command = hibernate(m, timeout=400)
    full, image = partition_slot(m, 33, 140), located_target(m, 173 * MIB + LOCATOR_AT)[0]
    expect((full.state, image.state) == ("retired", "valid"), f"the full target says {full.state}, the third {image.state}")
    expect(len({*nonces, full.nonce, image.nonce}) == 3, "an attempt has the nonce of another")
    resume(m, command)
    session.check()
    rc, said = m.sh("dormouse doctor --target /dev/vdb1", 60)
    expect("the target /dev/vdb1 is probably too small" in said, f"doctor exited {rc}: {said}")
    rc, said = m.sh("dormouse hibernate --target /dev/vdb2", 240)
    expect(rc == 4 and "the next target" not in said, f"with the full target alone, hibernate exited {rc}: {said}")
    session.check()
    finish(session)
    boot_on(m, 0)
    m.shut_down()


@scenario("target-next-encrypted", limit=900)
def next_encrypted(out):
    """sealed: swap in use is full while the image is written to its slots, and the file behind it gets it, each time with
    another nonce and key; the swap is as it was
    """
    area, name = "/dev/vdb1", "/mnt/dormouse.img"
    parts = [make_swap(out / "swap.img", 200), make_filesystem(out / "fs.img", "ext4", 640)]
    m = make(out, area, name, parts=parts, settings=["codec = none"], tools=keys.TOOLS, encrypted=True)
    m.start()
    m.ready_wait()
    m.run(f"swapon {area}; mkdir -p /mnt; mount -t ext4 /dev/vdb2 /mnt")
    session = Session(m, tmpfs_mib=20, hog_mib=150)
    set_up(m, "--size 480M")
    secret = keys.read_secret(m)
    head = int(re.search(rf"head (\d+) .*{name}", m.run("cat /etc/dormouse/pins"))[1])
    said = m.run("dormouse hibernate --then return", 500)
    for wanted in ("is full: it has", f"the next target is {name}", "returned:"):
        expect(wanted in said, f"hibernate does not say \"{wanted}\": {said}")
    nonces, image_keys = set(), set()
    for _ in range(2):
        command = hibernate(m, timeout=500)
        pages = area_pages(m, 200)
        expect(not any(page.startswith(b"DORM-KEY") for page in pages), "there is a sealed key in the full area")
        expect(b"DORM-LOC" not in pages[0], "the full area has a locator")
        full = {page[16:32] for page in pages if page.startswith(b"DORM-MAP")}
        slot, sealed = located_target(m, head)
        expect(slot.state == "valid" and full, f"the file says {slot.state}, and the area has {len(full)} maps")
        expect(slot.nonce not in full | nonces, "an attempt has the nonce of another")
        nonces |= {slot.nonce, *full}
        image_keys.add(keys.image_keys(secret, sealed)["image"])
        wake(m, command)
        session.check()
    expect(len(image_keys) == 2, "two images have the same key")
    m.run(f"swapoff {area}; swapon {area}; swapoff {area}; umount /mnt", 100)
    finish(session)


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
