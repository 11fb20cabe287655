# SPDX-License-Identifier: GPL-3.0-or-later
"""A swap area as the target: it is one again after every outcome, and an image in it dies when another boot turns it on."""

import re
import struct
import subprocess
import sys

from lib.guest import configuration, make_guest, make_initramfs
from lib.kernels import REPOSITORY
from lib.qemu import Boot
from lib.scenario import expect, scenario
from lib.session import Session, boot_on, finish, hibernate, resume
from scenarios import targets

sys.path.insert(0, str(REPOSITORY / "tests/reference"))
from checksum import crc32c  # noqa: E402

UUID = "5ca1ab1e-0d0d-4bad-8bad-c0ffee000001"
MAGIC = b"DORMOUSE"
SWAPON = "/usr/sbin/swapon"  # util-linux's: busybox's does not rewrite the signature of a suspended area


def blkid(path):
    """What blkid says of an image file, as a dict."""
    out = subprocess.run(["blkid", "-p", "-o", "export", path], capture_output=True, text=True, check=True).stdout
    return dict(line.split("=", 1) for line in out.splitlines() if "=" in line)


def expect_swap(m, kind):
    said = blkid(m.target)
    expect(said.get("TYPE") == kind, f"blkid says {said}, not {kind}")
    expect((said.get("UUID"), said.get("LABEL")) == (UUID, "restful"), f"blkid says {said}: another UUID or LABEL")


def add_swapon(root):
    """util-linux's swapon with its libraries into the root filesystem, as /root/swapon."""
    libraries = subprocess.run(["ldd", SWAPON], capture_output=True, text=True, check=True).stdout
    files = [(SWAPON, "/root/swapon")] + [(path, path) for path in re.findall(r"(/\S+) \(0x", libraries)]
    for source, destination in files:
        subprocess.run(["debugfs", "-w", "-R", f"write {source} {destination}", root], capture_output=True, check=True)


def start(out):
    m = make_guest(out, mem=512, target_mib=1024)
    add_swapon(m.root)
    subprocess.run(["mkswap", "-q", "-U", UUID, "-L", "restful", m.target], check=True)
    m.start()
    m.ready_wait()
    return m, Session(m, tmpfs_mib=20)


def superblocks(m):
    """How many are on the target; QEMU has no cache of its own."""
    with open(m.target, "rb") as f:
        f.seek(4096)
        return sum(f.read(4096).startswith(MAGIC) for _ in range(2))


def use_swap(m):
    """Pages of a program go where the superblocks were: of a disk that turns, the kernel gives out the first pages first."""
    expect(superblocks(m) == 2, "there are no superblocks to be overwritten")
    m.run(
        "workload swapped /run/swapped 16 >/run/swapped.log 2>&1 & "
        "while [ ! -e /run/swapped ] && [ -e /proc/$! ]; do usleep 100000; done; cat /run/swapped.log /run/swapped",
        60,
    )
    m.run("awk '$1 == \"/dev/vdb\" { exit $4 < 8192 }' /proc/swaps")
    expect(superblocks(m) == 0, "the superblocks are there yet")


def turn_on(m):
    m.run("/root/swapon /dev/vdb")
    m.run("grep -q ^/dev/vdb /proc/swaps; swapoff /dev/vdb", 60)


def encode_locator(nonce, place, signature):
    raw = struct.pack("<8sII16sQ458x", b"DORM-LOC", 1, 0, nonce, place)
    return raw + struct.pack("<I", crc32c(raw)) + signature


@scenario("target-swap-idle", limit=500)
def idle(out):
    """the target is a swap area that is not in use: swsuspend while hibernated, swap afterwards; a swapon has left the rest of a locator in it

    Planted: the rest not zeroed before the image is begun (hibernate fails; without its last check, the boot finds it dead).
    """
    m, session = start(out)
    with open(m.target, "r+b") as f:
        f.seek(3584)
        f.write(encode_locator(b"of an older one.", 8 << 20, b"SWAPSPACE2"))
    command = hibernate(m)
    expect_swap(m, "swsuspend")
    inspected = subprocess.run(["build/dormouse", "inspect", m.target], capture_output=True, text=True, check=False)
    expect("swap area" in inspected.stdout, f"inspect says {inspected}")
    verified = subprocess.run(["build/dormouse", "verify", m.target], capture_output=True, text=True, check=False)
    expect(verified.returncode == 0, f"verify says {verified}")
    resume(m, command)
    session.check()
    expect_swap(m, "swap")
    m.run("dormouse hibernate --then return", 240)
    session.check()
    expect_swap(m, "swap")
    turn_on(m)
    m.run("/root/swapon /dev/vdb")
    rc, output = m.sh("dormouse hibernate", 60)
    expect(rc == 3 and "run dormouse setup" in output, f"with swap on, hibernate exited {rc}: {output}")
    finish(session)
    boot_on(m, 0)
    m.shut_down()


def turned_on_elsewhere(out, use, message):
    """Hibernate, boot without our hook and turn swap on there; the next boot with it must say message and go on."""
    m, _ = start(out)
    hibernate(m)
    expect_swap(m, "swsuspend")
    with_hook = m.boot
    without = make_initramfs(out / "without.cpio", configuration("/dev/vdb"), resume=False)
    m.boot = Boot(with_hook.kernel, without, with_hook.append, with_hook.mem)
    m.start()
    m.ready_wait()
    m.run("/root/swapon /dev/vdb")
    use(m)
    m.shut_down()
    expect_swap(m, "swap")
    m.boot = with_hook
    boot_on(m, 0, message)
    expect_swap(m, "swap")
    turn_on(m)
    m.shut_down()


@scenario("stale-swapon", check=True)
def stale(out):
    """another boot has turned the swap area on: the image is dead, the boot says so and goes on"""
    turned_on_elsewhere(out, lambda m: None, "turned on by another boot")


@scenario("stale-swapon-used")
def stale_used(out):
    """another boot has used the swap area: its pages lie where the superblocks were, and nothing is resumed"""
    turned_on_elsewhere(out, use_swap, None)


PAGE0_SECTOR = (1 << 20) + 3584  # of the disk: the last one of the first partition's page 0
KEPT = "/var/lib/dormouse"


def read_sector(m):
    with open(m.target, "rb") as f:
        f.seek(PAGE0_SECTOR)
        return f.read(512)


def leave_locator(m, nonce):
    """As a host does it that could not put page 0 back: the locator is there, its map is not, and what was there is kept."""
    held, place = read_sector(m), 8 << 20
    with open(m.target, "r+b") as f:
        f.seek(PAGE0_SECTOR)
        f.write(encode_locator(nonce, place, b"LINHIB0001"))
    lines = ["target = /dev/vdb1", "identity = -", f"disk_bytes = {m.target.stat().st_size}", f"byte = {PAGE0_SECTOR}"]
    lines += [f"map = {place}", f"nonce = {nonce.hex()}", *(f"sector = {held[i : i + 64].hex()}" for i in range(0, 512, 64))]
    lines.append(f"checksum = {crc32c(''.join(line + chr(10) for line in lines).encode()):08x}")
    m.run(f"mkdir -p {KEPT}")
    for line in lines:  # all at once is too much for a terminal's line
        m.run(f"echo '{line}' >>{KEPT}/sector-{nonce.hex()}")


@scenario("target-swap-kept")
def kept(out):
    """page 0 of swap in use could not be put back: what it held was kept, and status or hibernate puts it back

    Planted: hibernate that does not look for it is refused.
    """
    m = targets.make(out, "/dev/vdb1", parts=[targets.make_swap(out / "swap.img")])
    session = targets.start(m)
    m.run("mkdir -p /var/lib; swapon /dev/vdb1")
    targets.set_up(m)
    before = read_sector(m)
    expect(before.endswith(b"SWAPSPACE2"), f"page 0 ends with {before[-10:]}")
    leave_locator(m, b"of the first one")
    said = m.run("dormouse status")
    expect("is put back" in said and read_sector(m) == before, f"status says {said}")
    leave_locator(m, b"of another image")
    said = m.run("dormouse hibernate --then return", 240)
    expect("is put back" in said and read_sector(m) == before, f"hibernate says {said}")
    session.check()
    expect(m.run(f"ls {KEPT}") == "", "a file is left")
    m.run("swapoff /dev/vdb1; swapon /dev/vdb1", 60)
    m.shut_down()
