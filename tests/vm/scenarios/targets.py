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


def make(out, *targets, parts=(), programs=(), disk_kind="virtio", settings=(), **hardware):
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
    boot = Boot(kernel.image, initramfs, "", 512)
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
