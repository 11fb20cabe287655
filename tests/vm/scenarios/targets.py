# SPDX-License-Identifier: GPL-3.0-or-later
"""Targets of every kind, set up by `dormouse setup` in the guest: swap in use, files, beneath the device mapper."""

import re
import subprocess

from lib import disk
from lib.guest import configuration, make_initramfs, make_root
from lib.kernels import test_kernel
from lib.qemu import DISKS, Boot, Machine
from lib.scenario import expect, scenario
from lib.session import Session, boot_on, finish, hibernate, resume

UUID = "5ca1ab1e-0d0d-4bad-8bad-c0ffee000001"
SWAP_MIB = 640
HALF_MIB = 384  # of it; a third of the pages is given back
DISK = {"virtio": "/dev/vdb", "nvme": "/dev/nvme0n2"}
PART = {"virtio": "/dev/vdb1", "nvme": "/dev/nvme0n2p1"}


def add_programs(root, *programs):
    """Programs of this machine with their libraries into the root filesystem, at their own paths."""
    found = subprocess.run(["ldd", *programs], capture_output=True, text=True, check=True).stdout
    files = {*programs, *re.findall(r"(/\S+) \(0x", found)}
    commands = "".join(f"rm {path}\nwrite {path} {path}\n" for path in sorted(files))
    subprocess.run(["debugfs", "-w", "-f", "-", root], input=commands, text=True, capture_output=True, check=True)


def make(out, *targets, parts=(), programs=(), disk_kind="virtio", settings=(), append="", **hardware):
    """A machine whose second disk has these partitions (images, which are used up), or is blank."""
    kernel = test_kernel()
    more = [*(f"target = {name}" for name in targets[1:]), *settings]
    conf = configuration(targets[0], *more)
    initramfs = make_initramfs(out / "initramfs.cpio", conf, kernel.modules)
    root = make_root(out / "root.img", conf, initramfs)
    if programs:
        add_programs(root, *programs)
    if parts:
        disk.make_parts(out / "target.img", parts)
    else:
        disk.make_blank(out / "target.img", 1024)
    boot = Boot(kernel.image, initramfs, append, 512)
    return Machine(out, boot, root, out / "target.img", disk=disk_kind, **hardware)


def make_swap(path, mib=SWAP_MIB):
    disk.make_blank(path, mib)
    subprocess.run(["mkswap", "-q", "-U", UUID, path], check=True)
    return path


def add_file(initramfs, name, content):
    """One more file into an initramfs: an archive behind it."""
    tree = initramfs.with_suffix(".more")
    path = tree / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)
    names = [str(p.relative_to(tree)) for p in [*reversed(path.parents), path] if tree in p.parents]
    with open(initramfs, "ab") as f:
        subprocess.run(
            ["cpio", "-o", "-H", "newc", "-R", "0:0", "--quiet"], cwd=tree, input="\n".join(names).encode(), stdout=f, check=True
        )


def set_up(m, options=""):
    """dormouse setup; what it pins goes into the initramfs of the next boot, here and in the guest."""
    said = m.run(f"dormouse setup {options}", 120)
    m.run("cd /; printf 'etc/dormouse\\netc/dormouse/pins\\n' | cpio -o -H newc >>/boot/initrd.img 2>/dev/null")
    add_file(m.boot.initramfs, "etc/dormouse/pins", m.run("cat /etc/dormouse/pins") + "\n")
    return said


class Swapped:
    """A program whose pages are in swap, half of it; they must be intact, and swap still work, at the end."""

    def __init__(self, m, area, mib=HALF_MIB):
        self.m, self.area = m, area
        self.pid = m.run(f"workload swapped /run/swapped {mib} >/run/swapped.log 2>&1 & echo $!")
        self._await("ready")
        self.used = self._used()
        expect(self.used > mib * 1024 // 2, f"only {self.used} KiB are in swap")

    def _used(self):
        return int(self.m.run(f"awk '$1 == \"{self.area}\" {{ print $4 }}' /proc/swaps"))

    def _await(self, result):
        said = self.m.run(
            f"while [ ! -e /run/swapped ] && [ -e /proc/{self.pid} ]; do usleep 100000; done; cat /run/swapped /run/swapped.log", 240
        )
        expect(said == result, f"swapped: {said}")

    def check(self):
        used = self._used()
        expect(used < self.used + 65536, f"{used} KiB are in swap, and {self.used} were before: something was not given back")
        self.m.run("rm /run/swapped")
        self.m.run(f"kill -USR1 {self.pid}")
        self._await("ok")


def start(m):
    m.start()
    m.ready_wait()
    return Session(m, tmpfs_mib=20)


def both_ways(m, session, checks=()):
    """Through power-off, then written and back."""
    resume(m, hibernate(m))
    for check in (session.check, *checks):
        check()
    m.run("dormouse hibernate --then return", 240)
    for check in (session.check, *checks):
        check()


def swap_partition(out, disk_kind):
    area = PART[disk_kind]
    m = make(out, area, parts=[make_swap(out / "swap.img")], disk_kind=disk_kind)
    session = start(m)
    m.run(f"swapon {area}")
    swapped = Swapped(m, area)
    said = set_up(m)
    expect("a swap area in use" in said, f"setup says {said}")
    expect_scattered(m, 100)
    both_ways(m, session, [swapped.check])
    m.run(f"kill {swapped.pid}; swapoff {area}; swapon {area}", 60)
    finish(session)
    boot_on(m, 0)
    m.run(f"swapon {area}")
    m.shut_down()


@scenario("target-swap", check=True, limit=500)
def swap(out):
    """the target is a swap partition in use, half full: its pages are intact after power-off, and after a return"""
    swap_partition(out, "virtio")


@scenario("target-swap-nvme", limit=500)
def swap_nvme(out):
    """the same on NVMe, where the kernel hands out swap in clusters all over it"""
    swap_partition(out, "nvme")


def expect_scattered(m, least):
    """What was reserved was in so many pieces at least, or the scenario shows less than it says."""
    rc, said = m.sh("dormouse hibernate --then return", 240)
    pieces = re.search(r"reserved, in (\d+) pieces", said)
    expect(rc == 0 and pieces, f"hibernate --then return exited {rc}: {said}")
    expect(int(pieces[1]) >= least, f"only {pieces[1]} pieces were reserved")


MAKERS = {
    "ext4": ["mke2fs", "-q", "-F", "-t", "ext4", "-E", "root_owner=0:0", "-U", UUID],
    "xfs": ["mkfs.xfs", "-q", "-f"],
    "btrfs": ["mkfs.btrfs", "-q", "-f", "-d", "single"],
}
CHECKERS = {
    "ext4": ["e2fsck", "-fn"],
    "xfs": ["xfs_repair", "-n"],
    "btrfs": ["btrfs", "check"],
}


def make_filesystem(path, kind, mib=900):
    disk.make_blank(path, mib)
    subprocess.run([*MAKERS[kind], path], check=True, stdout=subprocess.DEVNULL)
    return path


def check_filesystem(m, kind, partition):
    """Clean and whole, as the disk has it; a partition begins at the first MiB."""
    image = m.target
    if partition:
        image = m.out / "filesystem.img"
        with open(m.target, "rb") as source, open(image, "wb") as copy:
            source.seek(1 << 20)
            while data := source.read(1 << 20):
                copy.write(data)
    checked = subprocess.run([*CHECKERS[kind], image], capture_output=True, text=True)
    expect(checked.returncode == 0, f"{kind} is damaged: {checked.stdout[-300:]} {checked.stderr[-300:]}")


def file_target(out, kind, *, partition, size="400M", name="/mnt/dormouse.img"):
    """A file that setup makes on a filesystem of its own, on a bare disk or a partition."""
    made = make_filesystem(out / "fs.img", kind)
    # This kernel forbids writing to a disk that is mounted itself, unless it is told.
    m = make(out, name, parts=[made] if partition else (), append="" if partition else "bdev_allow_write_mounted=1")
    if not partition:
        made.rename(m.target)
    session = start(m)
    m.run(f"mkdir -p /mnt; mount -t {kind} /dev/vdb{'1' if partition else ''} /mnt; cp /usr/bin/dormouse /mnt/other")
    said = set_up(m, f"--size {size}")
    expect("made" in said and "a file, pinned" in said, f"setup says {said}")
    m.run("echo more >/mnt/more; rm /mnt/other; cp /usr/bin/dormouse /mnt/again")

    def check():
        m.run("cmp /usr/bin/dormouse /mnt/again; echo even more >>/mnt/more")

    both_ways(m, session, [check])
    m.run("umount /mnt", 60)
    finish(session)
    check_filesystem(m, kind, partition)
    boot_on(m, 0)
    m.shut_down()


@scenario("target-ext4file", check=True, limit=400)
def ext4file(out):
    """the target is a file on ext4, made by setup; the boot asks the filesystem for it too, without mounting it"""
    file_target(out, "ext4", partition=False)


@scenario("target-xfsfile", limit=400)
def xfsfile(out):
    """the target is a file on XFS, made by setup"""
    file_target(out, "xfs", partition=True)


@scenario("target-btrfsfile", limit=400)
def btrfsfile(out):
    """the target is a file on btrfs, made by setup without copy on write"""
    file_target(out, "btrfs", partition=True)


@scenario("target-swapfile", limit=500)
def swapfile(out):
    """the target is a swap file in use on ext4, in many pieces, half full: its pages are intact afterwards"""
    area = "/mnt/swapfile"
    m = make(out, area, parts=[make_filesystem(out / "fs.img", "ext4")], programs=["/usr/sbin/mkswap"])
    session = start(m)
    m.run("mkdir -p /mnt; mount -t ext4 /dev/vdb1 /mnt")
    m.run(f"for i in $(seq 0 15); do fallocate -o $((i * 40))m -l 40m {area}; fallocate -l 4m /mnt/between$i; done; chmod 600 {area}")
    m.run(f"mkswap {area}; swapon {area}")
    swapped = Swapped(m, area)
    said = set_up(m)
    expect("a swap file in use" in said, f"setup says {said}")
    expect_scattered(m, 100)
    both_ways(m, session, [swapped.check])
    m.run(f"kill {swapped.pid}; swapoff {area}; swapon {area}; swapoff {area}; umount /mnt", 60)
    finish(session)
    check_filesystem(m, "ext4", True)
    boot_on(m, 0)
    m.shut_down()
