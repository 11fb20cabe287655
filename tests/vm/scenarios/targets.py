# SPDX-License-Identifier: GPL-3.0-or-later
"""Targets of every kind, set up by `dormouse setup` in the guest: swap in use, files, beneath the device mapper.

Planted and found: an image written beside the slots that were reserved, into the next one of each pair (Swapped);
swap turned on without discarding.
"""

import re
import subprocess

from lib import disk, keys
from lib.guest import configuration, make_initramfs, make_root
from lib.kernels import debian_kernel, test_kernel
from lib.qemu import Boot, Machine
from lib.scenario import add, expect, scenario
from lib.session import Session, boot_on, finish, hibernate, resume

UUID = "5ca1ab1e-0d0d-4bad-8bad-c0ffee000001"
SWAP_MIB = 640
HALF_MIB = 584  # nearly all of it; a third of the pages is given back
MKSWAP = "/usr/sbin/mkswap"
PART = {"virtio": "/dev/vdb1", "nvme": "/dev/nvme0n2p1"}


def make(
    out, *targets, parts=(), tools=(), disk_kind="virtio", settings=(), append="", encrypted=False, kernel=None, **hardware
):  # fmt: skip
    """A machine whose second disk has these partitions (images, which are used up), or is blank."""
    kernel = kernel or test_kernel()
    more = [*(f"target = {name}" for name in targets[1:]), *settings, *(["encrypt = yes"] if encrypted else [])]
    conf = configuration(targets[0], *more)
    initramfs = make_initramfs(out / "initramfs.cpio", conf, kernel.modules, unlock=encrypted)
    root = make_root(out / "root.img", conf, initramfs, tools=(MKSWAP, *tools))
    if parts:
        disk.make_parts(out / "target.img", parts)
    else:
        disk.make_blank(out / "target.img", 1024)
    m = Machine(out, Boot(kernel.image, initramfs, append, 512), root, out / "target.img", disk=disk_kind, **hardware)
    m.encrypted = encrypted
    return m


def make_swap(path, mib=SWAP_MIB):
    disk.make_blank(path, mib)
    subprocess.run(["mkswap", "-q", "-U", UUID, path], check=True)
    return path


def set_up(m, options=""):
    """dormouse setup; what it pins goes into the initramfs of the next boot, here and in the guest."""
    if m.encrypted:
        return keys.set_up(m, options)
    said = m.run(f"dormouse setup {options}", 120)
    keys.take_pins(m)
    return said


def wake(m, command):
    """Starts the machine again, until the pending hibernate command ends well there."""
    if m.encrypted:
        keys.resume_sealed(m, command)
    else:
        resume(m, command)


class Swapped:
    """A program whose pages are in swap and nowhere else, half of it; they must be intact, and swap still work, at the end."""

    def __init__(self, m, area, mib=HALF_MIB):
        self.m, self.area, self.mib = m, area, mib
        self.pid = m.run(f"workload swapped /run/swapped {mib} >/run/swapped.log 2>&1 & echo $!")
        self._await("ready")
        self._push_out()
        self.used = self._used()
        expect(self.used > mib * 1024 // 2, f"only {self.used} KiB are in swap")

    def _push_out(self):
        """What memory still has a copy of would not be read from swap."""
        room = self._meminfo("MemAvailable") + self._meminfo("SwapCached")
        self.m.run(f"workload zeros {room}", 120)
        cached = self._meminfo("SwapCached")
        expect(cached < self.mib // 5, f"{cached} MiB of what is in swap are in memory, too")

    def _meminfo(self, name):
        return int(self.m.run(f"awk '/{name}/ {{ print int($2 / 1024) }}' /proc/meminfo"))

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
        self._push_out()


def start(m):
    m.start()
    m.ready_wait()
    return Session(m, tmpfs_mib=20)


def both_ways(m, session, checks=()):
    """Through power-off, then written and back."""
    wake(m, hibernate(m))
    for check in (session.check, *checks):
        check()
    m.run("dormouse hibernate --then return", 240)
    for check in (session.check, *checks):
        check()


@scenario("target-partition", limit=400)
def partition(out):
    """the target is a partition with nothing on it, whose name setup takes as it is"""
    m = make(out, PART["virtio"], parts=[disk.make_blank(out / "blank.img", 512)])
    session = start(m)
    said = set_up(m)
    expect("a disk or partition" in said, f"setup says {said}")
    both_ways(m, session)
    finish(session)
    boot_on(m, 0)
    m.shut_down()


def discards(m, area):
    """How many requests to discard something its disk had so far."""
    return int(m.run(f"awk '{{ print $12 }}' /sys/class/block/{area.removeprefix('/dev/')}/stat"))


def swap_partition(out, disk_kind, discard=False, **options):
    area = PART[disk_kind]
    m = make(out, area, parts=[make_swap(out / "swap.img")], disk_kind=disk_kind, discard=discard, **options)
    session = start(m)
    m.run(f"swapon {'-d' if discard else ''} {area}")
    swapped = Swapped(m, area)
    said = set_up(m)
    expect("a swap area in use" in said, f"setup says {said}")
    before = discards(m, area)
    expect_scattered(m, 100)
    expect(bool(discard) == (discards(m, area) > before), "what was given back was discarded, or was not")
    both_ways(m, session, [swapped.check])
    m.run(f"kill {swapped.pid}; swapoff {area}; swapon {area}", 60)
    finish(session)
    boot_on(m, 0)
    m.run(f"swapon {area}")
    m.shut_down()


def expect_scattered(m, least):
    """What was reserved was in so many pieces at least, or the scenario shows less than it says."""
    rc, said = m.sh("dormouse hibernate --then return", 240)
    pieces = re.search(r"reserved, in (\d+) pieces", said)
    expect(rc == 0 and pieces, f"hibernate --then return exited {rc}: {said}")
    expect(int(pieces[1]) >= least, f"only {pieces[1]} pieces were reserved")


MAKERS = {
    **{ext: ["mke2fs", "-q", "-F", "-t", ext, "-E", "root_owner=0:0", "-U", UUID] for ext in ("ext2", "ext3", "ext4")},
    "xfs": ["mkfs.xfs", "-q", "-f"],
    "btrfs": ["mkfs.btrfs", "-q", "-f", "-d", "single"],
}
CHECKERS = {
    **dict.fromkeys(("ext2", "ext3", "ext4"), ["e2fsck", "-fn"]),
    "xfs": ["xfs_repair", "-n"],
    "btrfs": ["btrfs", "check"],
}
DRIVERS = {"ext2": "ext4", "ext3": "ext4"}  # as in Debian's kernels


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


def file_target(out, kind, *, partition, size="400M", name="/mnt/dormouse.img", **options):
    """A file that setup makes on a filesystem of its own, on a bare disk or a partition."""
    made = make_filesystem(out / "fs.img", kind)
    # This kernel forbids writing to a disk that is mounted itself, unless it is told.
    m = make(out, name, parts=[made] if partition else (), append="" if partition else "bdev_allow_write_mounted=1", **options)
    if not partition:
        made.rename(m.target)
    session = start(m)
    driver = DRIVERS.get(kind, kind)
    m.run(f"mkdir -p /mnt; mount -t {driver} /dev/vdb{'1' if partition else ''} /mnt; cp /usr/bin/dormouse /mnt/other")
    if kind in DRIVERS:
        write_file(m, size, name)
    said = set_up(m, f"--size {size}")
    expect(("made" in said or kind in DRIVERS) and "a file, pinned" in said, f"setup says {said}")
    m.run("echo more >/mnt/more; rm /mnt/other; cp /usr/bin/dormouse /mnt/again")

    def check():
        m.run("cmp /usr/bin/dormouse /mnt/again; echo even more >>/mnt/more")

    both_ways(m, session, [check])
    m.run("umount /mnt", 60)
    finish(session)
    check_filesystem(m, kind, partition)
    boot_on(m, 0)
    m.shut_down()


def write_file(m, size, name):
    """Where nothing can be allocated, as setup says."""
    said = refused(m, f"dormouse setup --size {size}", "cannot allocate a file by itself")
    m.run(re.search(r"\(umask.*\)", said)[0], 240)


def swap_file(out, kind, **options):
    area = "/mnt/swapfile"
    m = make(out, area, parts=[make_filesystem(out / "fs.img", kind, 1100)], tools=("/usr/bin/chattr",), **options)
    session = start(m)
    m.run(f"mkdir -p /mnt; mount -t {kind} /dev/vdb1 /mnt; touch {area}")
    if kind == "btrfs":
        m.run(f"chattr +C {area}")
    m.run(f"for i in $(seq 0 15); do fallocate -o $((i * 40))m -l 40m {area}; fallocate -l 4m /mnt/between$i; done; chmod 600 {area}")
    m.run(f"mkswap {area}; swapon {area}")
    swapped = Swapped(m, area)
    said = set_up(m)
    expect("a swap file in use" in said, f"setup says {said}")
    expect_scattered(m, 100)
    both_ways(m, session, [swapped.check])
    m.run(f"kill {swapped.pid}; swapoff {area}; swapon {area}; swapoff {area}; umount /mnt", 60)
    finish(session)
    check_filesystem(m, kind, True)
    boot_on(m, 0)
    m.shut_down()


def declare(name, about, run, *, check=False, limit=400, **options):
    """A scenario, and the same with encrypted images."""
    add(f"target-{name}", about, lambda out: run(out, **options), check=check, limit=limit)
    encrypted = lambda out: run(out, encrypted=True, **options)  # noqa: E731
    add(f"target-{name}-encrypted", f"{about}; encrypted", encrypted, limit=limit + 200)


declare(
    "swap", "the target is a swap partition in use, half full: its pages are intact after power-off, and after a return",
    swap_partition, disk_kind="virtio", limit=500,
)  # fmt: skip
declare(
    "swap-nvme", "the same on NVMe, where the kernel hands out swap in clusters all over it",
    swap_partition, disk_kind="nvme", limit=500,
)  # fmt: skip
declare(
    "swap-discard", "the same where freed swap is discarded: what is given back, and nothing else",
    swap_partition, disk_kind="nvme", discard=True, limit=500,
)  # fmt: skip
declare(
    "swapfile", "the target is a swap file in use on ext4, in many pieces, half full: its pages are intact afterwards",
    swap_file, kind="ext4", limit=500,
)  # fmt: skip
declare("swapfile-xfs", "the same on XFS", swap_file, kind="xfs", limit=500)
declare("swapfile-btrfs", "the same on btrfs, without copy on write", swap_file, kind="btrfs", limit=500)
declare(
    "ext4file", "the target is a file on ext4, made by setup; the boot asks the filesystem for it too, without mounting it",
    file_target, kind="ext4", partition=False, check=True,
)  # fmt: skip
declare(
    "ext2file", "the target is a file on ext2, which setup cannot make, and which consists of many blocks",
    file_target, kind="ext2", partition=True,
)  # fmt: skip
declare("ext3file", "the same on ext3", file_target, kind="ext3", partition=True)
declare("xfsfile", "the target is a file on XFS, made by setup", file_target, kind="xfs", partition=True)
declare(
    "btrfsfile", "the target is a file on btrfs, made by setup without copy on write",
    file_target, kind="btrfs", partition=True,
)  # fmt: skip


def refused(m, command, message, code=3):
    rc, said = m.sh(command, 120)
    expect(rc == code and message in said, f"`{command}` exited {rc}, not {code} with \"{message}\": {said}")
    return said


def refuse_plain(m):
    """Beneath dm-crypt nothing is written that is not encrypted itself: setup pins no target there."""
    m.run("cp /etc/dormouse.conf /root/conf; echo encrypt = no >>/etc/dormouse.conf")
    refused(m, "dormouse setup --size 300M", "where only an encrypted image may be written")
    m.run("cp /root/conf /etc/dormouse.conf")


def refuse_plain_image(m):
    """Nor does hibernate take one that is set up; doctor says what a plain image gives away."""
    m.run("cp /etc/dormouse.conf /root/conf; echo encrypt = no >>/etc/dormouse.conf")
    refused(m, "dormouse hibernate", "only an encrypted one may be")
    refused(m, "dormouse doctor", "this machine's memory holds keys of encrypted disks")
    m.run("cp /root/conf /etc/dormouse.conf")


def open_volume(m, kind, *more):
    """A filesystem on a logical volume in two parts on LUKS, as /mnt; then more commands."""
    maker = " ".join(MAKERS[kind]).replace(f" -U {UUID}", "")
    commands = [
        "set -e; export DM_DISABLE_UDEV=1; echo of the disk >/root/key; mkdir -p /mnt; cd /root",
        "cryptsetup -q luksFormat --type luks2 --pbkdf pbkdf2 --pbkdf-force-iterations 1000 /dev/vdb1 key",
        "cryptsetup open --key-file key /dev/vdb1 pv",
        r"printf '0 409600 linear /dev/mapper/pv 1228800\n409600 1196032 linear /dev/mapper/pv 2048\n' >table",
        f"dmsetup create vg-home table; /usr/sbin/{maker} /dev/mapper/vg-home",
        f"mount -t {kind} /dev/mapper/vg-home /mnt",
        *more,
    ]
    m.run("; ".join(commands), 200)


def lvm_luks(out, swap, kind="ext4"):
    area = "/mnt/swapfile" if swap else "/mnt/dormouse.img"
    tools = (*keys.TOOLS, "/usr/sbin/mkfs.xfs", "/usr/sbin/mkfs.btrfs")
    m = make(out, area, parts=[disk.make_blank(out / "luks.img", 900)], tools=tools, encrypted=True)
    m.start()
    m.ready_wait()
    turn_on = [f"fallocate -l {SWAP_MIB}m {area}; chmod 600 {area}; mkswap {area}; swapon {area}"] if swap else []
    open_volume(m, kind, *turn_on)
    session = Session(m, tmpfs_mib=20)
    swapped = Swapped(m, area) if swap else None
    refuse_plain(m)
    expect(swap or m.sh(f"test -e {area}")[0] == 1, "setup has left a file that it refused")
    said = set_up(m, "" if swap else "--size 400M")
    kind = "a swap file in use" if swap else "a file, pinned"
    expect(kind in said and "of /dev/vdb" in said, f"setup says {said}")
    refuse_plain_image(m)
    m.run("workload fill /mnt/data 20")
    total = m.run("workload sum /mnt/data")

    def check():
        m.run("echo 3 >/proc/sys/vm/drop_caches")
        expect(m.run("workload sum /mnt/data") == total, "a file on the volume has changed")

    both_ways(m, session, [check, *([swapped.check] if swap else [])])
    if swap:
        m.run(f"kill {swapped.pid}; swapoff {area}; swapon {area}; swapoff {area}", 100)
    m.run("umount /mnt", 60)
    finish(session)
    boot_on(m, 0)
    m.shut_down()


add(
    "target-lvm-luks-encrypted", "a swap file on ext4 on a logical volume in two parts on LUKS, half full: intact afterwards",
    lambda out: lvm_luks(out, True), limit=700,
)  # fmt: skip
add(
    "target-lvm-luks-file-encrypted", "an ordinary file there",
    lambda out: lvm_luks(out, False), limit=700,
)  # fmt: skip
add(
    "target-lvm-luks-xfsfile-encrypted", "an ordinary file there, on XFS",
    lambda out: lvm_luks(out, False, "xfs"), limit=700,
)  # fmt: skip
add(
    "target-lvm-luks-btrfsfile-encrypted", "an ordinary file there, on btrfs",
    lambda out: lvm_luks(out, False, "btrfs"), limit=700,
)  # fmt: skip


RANDOM_SWAP = (
    "set -e; export DM_DISABLE_UDEV=1; cryptsetup -q open --type plain --cipher aes-xts-plain64 --key-size 512 "
    "--key-file /dev/urandom /dev/vdb1 cswap; mkswap /dev/mapper/cswap; swapon /dev/mapper/cswap"
)


# In two parts, in the other order on the disk.
LUKS_VOLUME = (
    "set -e; export DM_DISABLE_UDEV=1; cd /root; echo of the disk >key; "
    r"printf '0 409600 linear /dev/vdb1 1228800\n409600 1196032 linear /dev/vdb1 2048\n' >table; "
    "dmsetup create vg-swap table"
)
LUKS_FORMAT = "cryptsetup -q luksFormat --type luks2 --pbkdf pbkdf2 --pbkdf-force-iterations 1000 /dev/mapper/vg-swap key"
LUKS_SWAP = "cryptsetup open --key-file key /dev/mapper/vg-swap cswap"
SWAP_ON = "mkswap /dev/mapper/cswap; swapon /dev/mapper/cswap"


def mapped_swap(out, mib, first, again):
    """Swap in use as /dev/mapper/cswap, which such commands make and turn on, in two boots with one setup."""
    m = make(out, "/dev/mapper/cswap", parts=[disk.make_blank(out / "swap.img", mib)], tools=keys.TOOLS, encrypted=True)
    m.start()
    m.ready_wait()
    m.run(first, 60)
    session = Session(m, tmpfs_mib=20)
    swapped = Swapped(m, "/dev/mapper/cswap")
    refuse_plain(m)
    said = set_up(m)
    expect("a swap area in use" in said and "of /dev/vdb" in said, f"setup says {said}")
    refuse_plain_image(m)
    both_ways(m, session, [swapped.check])
    m.run(f"kill {swapped.pid}; swapoff /dev/mapper/cswap; swapon /dev/mapper/cswap", 60)
    finish(session)
    boot_on(m, 0)
    m.run(again, 60)
    session = Session(m, tmpfs_mib=20)
    wake(m, hibernate(m))
    session.check()
    finish(session)


@scenario("target-randomkey-encrypted", check=True, limit=900)
def randomkey(out):
    """swap that gets a random key at every boot, half full: nobody else could hibernate there; in two boots with one setup"""
    mapped_swap(out, SWAP_MIB, RANDOM_SWAP, RANDOM_SWAP)


@scenario("target-luks-lvm-encrypted", limit=900)
def luks_lvm(out):
    """swap in use on LUKS on a logical volume in two parts, half full: intact afterwards; in two boots with one setup"""
    first, again = ("; ".join([LUKS_VOLUME, *more, LUKS_SWAP, SWAP_ON]) for more in ([LUKS_FORMAT], []))
    mapped_swap(out, 900, first, again)


def nvme_disk(image, *more):
    """QEMU's arguments for a disk behind a controller that says that there may be others, and for more of them."""
    controllers = [arg for name in ("one", *more) for arg in ("-device", f"nvme,id={name},serial=dormouse,subsys=subsystem")]
    drive = f"if=none,id=behind,file={image},format=raw,cache=unsafe"
    return ["-device", "nvme-subsys,id=subsystem,nqn=dormouse", *controllers, "-drive", drive, "-device", "nvme-ns,drive=behind,bus=one,nsid=1"]


@scenario("target-nvme-head", limit=400)
def nvme_head(out):
    """NVMe with its own multipath, as Debian's kernel has it: a disk with one path is a target, with two it is refused

    That kernel does not jump, so it is set up only. Planted: what lies beneath /sys/devices/virtual is no disk.
    """
    area = "/dev/nvme0n1p1"
    disk.make_parts(out / "nvme.img", [make_swap(out / "swap.img")])
    for paths in 1, 2:
        more = nvme_disk(out / "nvme.img", *(["two"] if paths == 2 else []))
        m = make(out, area, kernel=debian_kernel(modules=("nvme",)), extra=more)
        m.start()
        m.ready_wait()
        m.run(f"while [ ! -e {area} ]; do usleep 100000; done; readlink -f /sys/class/block/nvme0n1 | grep virtual/nvme-subsystem")
        expect(int(m.run("ls -d /sys/class/block/nvme0c*n1 | wc -l")) == paths, "the paths are others")
        rc, said = m.sh(f"dormouse setup && dormouse status; swapon {area} && dormouse setup", 120)
        wanted = ("a disk or partition", "a swap area in use, pinned") if paths == 1 else ("with several paths",)
        expect(all(text in said for text in wanted) and rc == (0 if paths == 1 else 3), f"setup says {said}")
        m.kill()


@scenario("target-chosen", limit=400)
def chosen(out):
    """no target is configured: setup refuses without swap that can be one, and takes the swap area that is on and can; a boot
    knows it from the pins

    Planted: the largest area taken, though it lies in a file behind a loop device.
    """
    m = make(out, "/dev/none", parts=[make_swap(out / "swap.img")])
    session = start(m)
    m.run("sed -i '/^target/d' /etc/dormouse.conf")
    refused(m, "dormouse hibernate", "no target is set: run dormouse setup")
    refused(m, "dormouse setup", "there is no swap")
    m.run("dd if=/dev/zero of=/root/swap bs=1 count=0 seek=2G; losetup /dev/loop0 /root/swap; mkswap /dev/loop0; swapon /dev/loop0")
    refused(m, "dormouse setup", "lies in memory or in a file")
    m.run("swapon /dev/vdb1")
    said = set_up(m)
    m.run("swapoff /dev/loop0; losetup -d /dev/loop0; rm /root/swap")
    expect("the swap area /dev/vdb1, since none is configured" in said, f"setup says {said}")
    both_ways(m, session)
    said = m.run("dormouse status; dormouse doctor")
    for wanted in ("target /dev/vdb1: no image", "/dev/vdb1 is a swap area in use", "/dev/vdb1 lies on /dev/vdb"):
        expect(wanted in said, f'status and doctor do not say "{wanted}": {said}')
    finish(session)
    boot_on(m, 0)
    m.shut_down()
