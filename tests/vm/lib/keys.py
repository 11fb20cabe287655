# SPDX-License-Identifier: GPL-3.0-or-later
"""Guests whose images are encrypted: their keys, and the passphrase at the console."""

import base64
import gzip
import hashlib
import hmac
import subprocess
import sys
from types import SimpleNamespace

from lib import disk
from lib.guest import BUILD, add_files, configuration, make_guest, make_initramfs, make_root
from lib.kernels import REPOSITORY, test_kernel
from lib.qemu import DISKS, Boot, Machine
from lib.scenario import expect

sys.path.insert(0, str(REPOSITORY / "tests/reference"))
from sealing import open_key  # noqa: E402

PASSPHRASE = "correct horse"
PROMPT = "Dormouse: passphrase for"
CRYPTSETUP = "/usr/sbin/cryptsetup"
TOOLS = (CRYPTSETUP, "/usr/sbin/dmsetup", "/usr/sbin/mke2fs")
# Argon2id as setup has it, or every keyslot would take what this machine thinks right.
COST = "--pbkdf argon2id --pbkdf-memory 65536 --pbkdf-force-iterations 4 --pbkdf-parallel 1"


def make_sealed_guest(out, *, settings=(), tools=TOOLS, mem=512, target_mib=1024, **options):
    """A guest that encrypts its images, once it was set up. AES is slow when emulated: it is small."""
    return make_guest(
        out, settings=("encrypt = yes", *settings), unlock=True, tools=tools, mem=mem, target_mib=target_mib, **options
    )


def make_sealed_parts(out, *, target=DISKS["parts"][1][1], second=None, root_mib=512):
    """The same with root and a second partition (an image, or blank) on one disk, whose writes can be recorded.

    Returns where the second begins, too.
    """
    conf = configuration(target, "encrypt = yes")
    initramfs = make_initramfs(out / "initramfs.cpio", conf, unlock=True)
    root = make_root(out / "root.img", conf, initramfs, tools=TOOLS, mib=root_mib)
    start = disk.make_parts(out / "disk.img", [root, second or disk.make_blank(out / "target.img", 512)])[1]
    boot = Boot(test_kernel().image, initramfs, mem=512)
    return Machine(out, boot, out / "disk.img", out / "disk.img", disk="parts"), start


def set_up(m, options="", passphrase=PASSPHRASE):
    """dormouse setup in the guest, and for the initramfs of its next boot; returns what it said."""
    output = m.run(f"printf '%s' '{passphrase}' | dormouse setup --key-file - {options}", 120)
    take_pins(m)
    return output


def take_pins(m):
    """Does to the next boot's initramfs what update-initramfs in the guest has done to its copy."""
    names = ("etc/dormouse/pins", "etc/dormouse.conf")
    add_files(m.boot.initramfs, {name: m.run(f"cat /{name}").encode() + b"\n" for name in names})


def take_initramfs(m):
    """While the machine is off: the next boot's initramfs is the one that the guest has made of its own."""
    dump = m.out / "guest-initrd.img"
    command = f"dump /boot/initrd.img {dump}"
    done = subprocess.run(["debugfs", "-R", command, m.root], capture_output=True, text=True, check=True)
    expect(dump.exists() and dump.stat().st_size, f"the guest's initramfs cannot be read: {done.stderr}")
    m.boot.initramfs = dump


def pins_of(m):
    return m.run("cat /etc/dormouse/pins").encode() + b"\n"


def answer_prompt(m, passphrase=PASSPHRASE, *, after=0, timeout=60):
    """Waits for the prompt, not among the first so many lines, and types; returns how many lines there are then."""
    line = m.console_wait(PROMPT, timeout, after)
    count = m.lines.index(line) + 1
    m.send_console(passphrase.encode() + b"\r")
    return count


def resume_sealed(m, command, passphrase=PASSPHRASE, timeout=300):
    """Starts the machine, types the passphrase, until the pending hibernate command ends well."""
    m.start()
    answer_prompt(m, passphrase)
    rc, output = m.finish(command, timeout)
    expect(rc == 0, f"dormouse hibernate exited {rc} after the resume: {output}")


def read_secret(m, passphrase=PASSPHRASE):
    """The 64 bytes behind the guest's keyslots; opened on this side, so that they never were in its memory."""
    header = m.out / "keys.luks"
    header.write_bytes(gzip.decompress(base64.b64decode(m.run("gzip -c /etc/dormouse/keys.luks | base64", 120))))
    done = subprocess.run([BUILD / "dormouse-unlock", header], input=passphrase.encode(), capture_output=True, check=True)
    expect(len(done.stdout) == 64, done.stderr)
    return done.stdout


def image_keys(secret, keyblock, flags=0):
    """All keys of an image, by its sealed key: what must be nowhere but in the writer."""
    nonce = keyblock[16:32]
    key = open_key(keyblock, SimpleNamespace(nonce=nonce, sealing=SimpleNamespace(flags=flags)), secret)
    pseudorandom = hmac.digest(nonce, key, hashlib.sha256)
    infos = {"data": b"dormouse data 1", "tag": b"dormouse superblock 1"}
    return {"image": key} | {name: hmac.digest(pseudorandom, info + b"\x01", hashlib.sha256) for name, info in infos.items()}


def dump_memory(m, path):
    m.monitor(f"pmemsave 0 {m.boot.mem << 20:#x} \"{path}\"", 120)
    return path.read_bytes()


def find_keys(memory, keys):
    """Names of those of which a half is there: a cipher spreads a key over its rounds, first half first."""
    return [name for name, key in keys.items() if key[:16] in memory or key[16:] in memory]
