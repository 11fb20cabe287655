# SPDX-License-Identifier: GPL-3.0-or-later
"""A root on LVM on LUKS, that the boot opens after it has looked for an image, as initramfs-tools does it."""

from lib import disk, keys
from lib.guest import add_files
from lib.qemu import Boot
from lib.scenario import expect, scenario
from lib.session import boot_on
from scenarios.targets import SWAP_MIB, Swapped, both_ways, make, set_up, start

# Two parts, so that nothing lies where it would without it.
VOLUME = r"printf '0 409600 linear /dev/mapper/pv 2048\n409600 1843200 linear /dev/mapper/pv 614400\n'"
OPEN_ROOT = f"""
export DM_DISABLE_UDEV=1
mkdir -p /run
cryptsetup open --key-file /root.key /dev/vdb1 pv
{VOLUME} | dmsetup create vg-root
"""


def move_root(m):
    """The guest's root goes onto a logical volume on LUKS, which the next boot opens with a key file after it has looked for
    an image; the guest is off then."""
    commands = [
        "set -e; export DM_DISABLE_UDEV=1; echo of the disk >/root/key; mkdir -p /mnt; cd /root",
        "cryptsetup -q luksFormat --type luks2 --pbkdf pbkdf2 --pbkdf-force-iterations 1000 /dev/vdb1 key",
        "cryptsetup open --key-file key /dev/vdb1 pv",
        f"{VOLUME} | dmsetup create vg-root; /usr/sbin/mke2fs -q -t ext4 /dev/mapper/vg-root",
        "mount -t ext4 /dev/mapper/vg-root /mnt; cd /",
        "cp -a bin sbin usr etc root boot lib* /mnt; cd /mnt; mkdir proc sys dev run tmp; cd /; umount /mnt",
        "dmsetup remove vg-root; cryptsetup close pv",
    ]
    m.run("; ".join(commands), 200)
    m.shut_down()
    files = {"open-root": OPEN_ROOT.encode(), "open-root.disk": b"/dev/vdb1\n", "root.key": b"of the disk\n"}
    add_files(m.boot.initramfs, files, keys.TOOLS)
    m.boot = Boot(m.boot.kernel, m.boot.initramfs, f"{m.boot.append} root=/dev/mapper/vg-root", m.boot.mem)


@scenario("target-root-lvm-luks-encrypted", limit=700)
def root_lvm_luks(out):
    """the root itself is on LVM on LUKS, with a swap file in it as the target, half full; keys on it are authenticated"""
    area = "/swapfile"
    m = make(out, area, parts=[disk.make_blank(out / "luks.img", 1300)], tools=keys.TOOLS, encrypted=True)
    m.start()
    m.ready_wait()
    move_root(m)
    session = start(m)
    m.run("grep -q '^/dev/mapper/vg-root / ' /proc/mounts")
    m.run(f"fallocate -l {SWAP_MIB}m {area}; chmod 600 {area}; mkswap {area}; swapon {area}")
    swapped = Swapped(m, area)
    said = set_up(m)
    expect("a swap file in use" in said and "of /dev/vdb" in said, f"setup says {said}")
    m.run("grep -q '^authenticated = yes' /etc/dormouse/pins")
    both_ways(m, session, [swapped.check])
    m.run(f"kill {swapped.pid}; swapoff {area}; swapon {area}; swapoff {area}", 100)
    session.check_files()
    m.shut_down()
    boot_on(m, 0)
    m.run(f"grep -q '^/dev/mapper/vg-root / ' /proc/mounts; dmesg | grep 'vg-root\\|dm-1' | grep -i 'recover\\|error' && exit 1; swapon {area}; swapoff {area}", 60)
    m.shut_down()
