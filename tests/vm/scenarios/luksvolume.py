# SPDX-License-Identifier: GPL-3.0-or-later
"""A LUKS partition as the target, opened by the writer itself."""

import subprocess

from lib import disk, keys
from lib.guest import configuration, make_initramfs, make_root
from lib.kernels import test_kernel
from lib.qemu import Boot, Machine
from lib.scenario import expect, scenario
from lib.session import Session, boot_on, finish, hibernate
from scenarios.choice import ASKS, answer

KEY = "a key that only this machine has"
CHEAP = "--pbkdf pbkdf2 --pbkdf-force-iterations 1000"
START = 1 << 20  # of the partition, as disk.make_parts has it


def cryptsetup(arguments, path, more="", text=keys.PASSPHRASE):
    """cryptsetup ARGUMENTS PATH MORE, with text as the key file; what it prints."""
    words = ["cryptsetup", "-q", *arguments.split(), "--key-file", "-", path, *more.split()]
    done = subprocess.run(words, input=text.encode(), capture_output=True, check=False)
    expect(done.returncode == 0, f"cryptsetup {arguments}: {done.stderr.decode()}")
    return done.stdout.decode()


def make_luks(path, key):
    key.write_text(KEY)
    disk.make_blank(path, 640)
    cryptsetup(f"luksFormat --type luks2 --sector-size 4096 {CHEAP}", path)
    cryptsetup(f"luksAddKey {CHEAP}", path, str(key))
    return path


def make(out, *settings, tools=("/usr/sbin/dmsetup",)):
    """A guest whose target is a LUKS partition beside a mounted one, and without its key file yet; and where the mounted
    one lies."""
    kernel = test_kernel()
    conf = configuration("luks:/dev/vdb1", *settings)
    initramfs = make_initramfs(out / "initramfs.cpio", conf, kernel.modules, unlock=True)
    root = make_root(out / "root.img", conf, initramfs, tools=tools)
    other = disk.make_ext4(out / "other.img", 16)
    _, other_at = disk.make_parts(out / "target.img", [make_luks(out / "part.img", out / "key"), other])
    m = Machine(out, Boot(kernel.image, initramfs, "", 512), root, out / "target.img")
    m.start()
    m.ready_wait()
    m.run("mkdir /other; mount -t ext4 /dev/vdb2 /other")
    return m, other_at


def put_key(m):
    m.run(f"mkdir -p -m 700 /etc/dormouse; printf '%s' '{KEY}' >/etc/dormouse/target.key")


def mark(m, command="luksDump"):
    """By the LUKS header's text, of which there are two copies; the newer one counts."""
    return subprocess.run(
        ["cryptsetup", *command.split(), "--header", copy_of(m), copy_of(m)], capture_output=True, text=True, check=True
    ).stdout


def is_marked(m):
    return "dormouse-image" in mark(m)


def is_told(m, what):
    """Does the mark say that a boot has discarded it, or went on beside it?"""
    return f'"{what}":true' in "".join(mark(m, "luksDump --dump-json-metadata").split())


def copy_of(m):
    """The partition's LUKS header as a file of its own."""
    path = m.out / "header.luks"
    with open(m.target, "rb") as f:
        f.seek(START)
        path.write_bytes(f.read(16 << 20))
    return path


def volume_key(m):
    path = m.out / "volume-key"
    path.unlink(missing_ok=True)
    cryptsetup(f"luksDump --dump-volume-key --volume-key-file {path}", copy_of(m))
    return path.read_bytes()


def holds(path, text):
    with open(path, "rb") as f:
        while block := f.read(16 << 20):
            if text in block:
                return True
    return False


def leave_mapping(m):
    """As a run that was killed leaves it."""
    m.run("export DM_DISABLE_UDEV=1; dmsetup create dormouse-target --table '0 8 linear /dev/vdb1 0'")


@scenario("target-luks-writer", check=True, limit=400)
def luks_writer(out):
    """the writer opens a LUKS partition itself, beside a mounted one; a boot asks for its passphrase only when an image is in it

    Planted: the area's place on the disk without the partition's start (the writer finds nothing); the mapping made
    of the disk, which is in use (hibernate is refused); the mark left after the return (the last boot asks); a mapping that
    is left of an earlier run in the way of the next one; memory that was free not filled when the image is not sealed.
    """
    m, other_at = make(out)
    rc, said = m.sh("dormouse hibernate", 60)
    expect(rc == 3 and "cryptsetup luksAddKey" in said, f"without a key file, hibernate exited {rc}: {said}")
    put_key(m)
    session = Session(m, tmpfs_mib=20)
    leave_mapping(m)
    m.run("dormouse hibernate --then return", 240)
    session.check()
    expect(not is_marked(m), "the header is marked after a return")
    command = hibernate(m)
    expect(is_marked(m), "the header is not marked")
    expect(not holds(m.target, b"DORM-HDR"), "the image lies there in the clear")
    m.start()
    seen = keys.answer_prompt(m, "wrong")
    keys.answer_prompt(m, after=seen)
    rc, said = m.finish(command, 300)
    expect(rc == 0, f"dormouse hibernate exited {rc} after the resume: {said}")
    session.check()
    left = keys.dump_memory(m, out / "memory")
    expect(keys.PASSPHRASE.encode() not in left, "the passphrase is still in memory")
    found = keys.find_keys(left, {"first half": volume_key(m)[:32], "second half": volume_key(m)[32:]})
    expect(not found, f"the volume key is still in memory: {found}")
    expect(not is_marked(m), "the header is marked after the resume")
    m.run("echo more >/other/file; umount /other")
    finish(session)
    disk.check_ext4(m.target, other_at)
    boot_on(m, 0)
    expect(not m.console_has(keys.PROMPT), "a passphrase is asked for, and there is no image")
    m.shut_down()


def prompts(m):
    return sum(keys.PROMPT in line.text for line in m.lines)


@scenario("target-luks-writer-encrypted", limit=500)
def luks_writer_encrypted(out):
    """the image in the LUKS partition is encrypted besides: one passphrase for both is asked for once; where they differ, the
    second prompt says of what it is

    Planted: what was typed for the partition not tried on the image.
    """
    m, _ = make(out, "encrypt = yes", tools=keys.TOOLS)
    put_key(m)
    keys.set_up(m)
    session = Session(m, tmpfs_mib=20)
    m.run("dormouse hibernate --then return", 240)
    session.check()
    command = hibernate(m)
    m.start()
    keys.answer_prompt(m)
    rc, said = m.finish(command, 300)
    expect(rc == 0, f"dormouse hibernate exited {rc} after the resume: {said}")
    expect(prompts(m) == 1, f"{prompts(m)} passphrases were asked for")
    session.check()
    left = keys.dump_memory(m, out / "memory")
    expect(keys.PASSPHRASE.encode() not in left, "the passphrase is still in memory")
    m.run(f"printf '{keys.PASSPHRASE}\nanother\n' | cryptsetup -q luksChangeKey {keys.COST} /etc/dormouse/keys.luks", 120)
    command = hibernate(m)
    m.start()
    seen = keys.answer_prompt(m)
    m.console_wait("passphrase for the image on luks:/dev/vdb1; it is not the one", 60)
    keys.answer_prompt(m, "another", after=seen)
    rc, said = m.finish(command, 300)
    expect(rc == 0, f"dormouse hibernate exited {rc} after the resume: {said}")
    expect(prompts(m) == 2, f"{prompts(m)} passphrases were asked for")
    session.check()
    expect(not is_marked(m), "the header is marked after the resume")
    finish(session)


ONLY_LOOK = """#!/bin/sh
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev 2>/dev/null
/usr/lib/dormouse/resume
echo "looked: exit $?"
sync
poweroff -f
"""


def look_with_noresume(m):
    """Boots what goes no further than dormouse-resume, which is told to leave the image alone."""
    normal = m.boot
    init = m.out / "look-init"
    init.write_text(ONLY_LOOK)
    conf = configuration("luks:/dev/vdb1", *ASKS)
    initramfs = make_initramfs(m.out / "look.cpio", conf, writer=False, unlock=True, init=init)
    m.boot = Boot(normal.kernel, initramfs, "noresume", normal.mem)
    m.start()
    m.console_wait("^looked: exit 0", 60)
    m.exit_wait(30)
    expect(not m.console_has(keys.PROMPT), "noresume asks for a passphrase")
    m.boot = normal


@scenario("target-luks-choice", limit=500)
def luks_choice(out):
    """wrong passphrases, or none, for a LUKS partition with an image: a choice, and nothing is lost before somebody says so

    Planted: errors of opening it taken for those of other targets (the boot goes on); opened with noresume, too (it asks);
    a mark that says "skipped" taken for a plain one (resumed unasked); the mark taken away from what is closed (later boots
    find nothing); one that says "discarded" taken for a plain one (the next boot asks).
    """
    m, _ = make(out, *ASKS)
    put_key(m)
    session = Session(m, tmpfs_mib=20)
    command = hibernate(m)
    look_with_noresume(m)
    expect(is_told(m, "skipped"), "noresume has not told the next boot")
    m.start()
    seen = 0
    for _ in range(3):
        seen = keys.answer_prompt(m, "wrong", after=seen)
    answer(m, "is not resumed: it was not opened: 3 wrong passphrases", b"t", "This waits for an answer")
    keys.answer_prompt(m, after=seen)
    answer(m, "not resumed at an earlier boot .*noresume", b"t", "This waits for an answer")
    rc, said = m.finish(command, 300)
    expect(rc == 0, f"dormouse hibernate exited {rc} after the resume: {said}")
    session.check()
    hibernate(m)
    m.start()
    keys.answer_prompt(m, "")
    answer(m, "is not resumed: no passphrase was typed", b"d", "This waits for an answer")
    m.ready_wait()
    expect(m.console_has("^boot: resume exit 3$"), "resume did not exit 3")
    expect(is_told(m, "discarded"), "the header does not say that the image is discarded")
    m.shut_down()
    boot_on(m, 0)
    expect(not m.console_has(keys.PROMPT), "a passphrase is asked for, and the image was discarded")
    said = m.run("dormouse hibernate --then return", 240)
    expect("of an earlier session, which is discarded now" in said, f"hibernate says {said}")
    expect(not is_marked(m), "the header is marked after a return")
    m.shut_down()
