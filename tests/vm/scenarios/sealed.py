# SPDX-License-Identifier: GPL-3.0-or-later
"""Encrypted images: through power-off, with everything that can open them, and what must not be believed."""

import functools
import subprocess

from lib import disk, forge
from lib.guest import BUILD, add_files, configuration, make_initramfs
from lib.keys import COST, PASSPHRASE, PROMPT, answer_prompt, make_sealed_guest, pins_of, resume_sealed, set_up
from lib.qemu import last_line
from lib.scenario import expect, scenario
from lib.session import Session, finish, hibernate

ASKS = ("resume_wait = 20", "resume_default = reboot")
WAITS = "waits for an answer"


def start(out, *, tmpfs_mib=20, **options):
    m = make_sealed_guest(out, **options)
    m.start()
    m.ready_wait()
    set_up(m)
    return m, Session(m, tmpfs_mib=tmpfs_mib)


def resumed(m, command, session):
    rc, output = m.finish(command, 120)
    expect(rc == 0, f"dormouse hibernate exited {rc} after the resume: {last_line(output)}")
    session.check()


@scenario("target-partition-encrypted", check=True, limit=400)
def target_partition_encrypted(out):
    """an encrypted image on a disk of its own, through power-off; the passphrase is typed at the console"""
    m, session = start(out)
    for _ in range(2):
        resume_sealed(m, hibernate(m))
        session.check()
    expect("retired" in m.run("dormouse status"), "the image was not retired")
    with open(m.target, "rb") as f:
        expect(b"DORM-KEY" not in f.read(m.target.stat().st_size), "the sealed key was not overwritten")
    finish(session)


@scenario("sealed-passphrases", limit=400)
def sealed_passphrases(out):
    """three wrong passphrases: asked what to do, t asks again; Enter alone: r reboots, and the next boot asks at once"""
    m, session = start(out, settings=("resume_wait = 1", "resume_default = discard"))
    command = hibernate(m)
    m.start()
    seen = 0
    for _ in range(3):
        seen = answer_prompt(m, "wrong", after=seen)
    # Nobody answers for long: the configuration's second does not count, since somebody was there.
    m.console_wait("it was not opened: 3 wrong passphrases", 60)
    m.console_wait(WAITS, 20)
    expect(m.exit_reason is None and not m.console_has("guest: ready"), "it did not wait")
    m.send_console(b"t")
    seen = answer_prompt(m, "", after=seen)
    m.console_wait("no passphrase was typed", 60, after=seen)
    m.console_wait(WAITS, 20, after=seen)
    m.send_console(b"r")
    expect(m.exit_wait(60) == "guest-reset", "r did not reboot")
    m.start()
    seen = answer_prompt(m, "wrong")
    answer_prompt(m, after=seen)
    resumed(m, command, session)
    finish(session)


@scenario("sealed-tools", limit=400)
def sealed_tools(out):
    """cryptsetup's luksDump and luksAddKey on the header; the added passphrase resumes until it is removed"""
    m, session = start(out)
    header = "/etc/dormouse/keys.luks"
    dump = m.run(f"cryptsetup luksDump {header}")
    expect("argon2id" in dump and "dormouse" in dump, f"luksDump says {dump}")
    m.run(f"printf '{PASSPHRASE}\nadded\n' | cryptsetup -q luksAddKey {COST} {header}", 120)
    expect("2 of 4" in m.sh("dormouse doctor", 60)[1], "doctor does not count the passphrases")
    resume_sealed(m, hibernate(m), "added")
    session.check()
    m.run(f"cryptsetup -q luksKillSlot {header} 1")
    command = hibernate(m)
    m.start()
    answer_prompt(m, "added")
    m.console_wait("wrong passphrase", 60)
    answer_prompt(m, after=len(m.lines))
    resumed(m, command, session)
    finish(session)


@scenario("sealed-keyfile", limit=400)
def sealed_keyfile(out):
    """the passphrase in a file of the initramfs: nobody is asked; a wrong file: somebody is"""
    m, session = start(out, settings=("key_file = /run/key",))
    command = hibernate(m)
    usual = m.boot.initramfs
    m.boot.initramfs = add_files(disk.copy(usual, out / "key.cpio"), {"run/key": PASSPHRASE.encode()})
    m.start()
    resumed(m, command, session)
    expect(not m.console_has(PROMPT), "somebody was asked")
    command = hibernate(m)
    m.boot.initramfs = add_files(disk.copy(usual, out / "wrong.cpio"), {"run/key": b"wrong", "run/other": PASSPHRASE.encode()})
    m.start()
    m.console_wait("key file /run/key does not open the image: wrong passphrase", 60)
    m.console_wait(PROMPT, 60)
    m.kill()
    m.boot.append = "dormouse.keyfile=/run/other"
    m.start()
    resumed(m, command, session)
    finish(session)


@scenario("sealed-nounlock", limit=400)
def sealed_nounlock(out):
    """a boot without the program that opens keyslots, or without a library of it: asked about, r; a whole boot resumes"""
    m, session = start(out, settings=ASKS)
    pins = pins_of(m)
    command = hibernate(m)
    whole = m.boot.initramfs
    conf = configuration("/dev/vdb", "encrypt = yes", *ASKS)
    pins = {"etc/dormouse/pins": pins}
    for name, unlock, says in (("without", False, "No such file"), ("half", True, "libcryptsetup.so.12")):
        m.boot.initramfs = add_files(make_initramfs(out / f"{name}.cpio", conf, unlock=unlock), pins)
        if unlock:
            library = next(line.split()[2] for line in ldd() if "libcryptsetup" in line)
            add_files(m.boot.initramfs, {library.lstrip("/"): b""})
        m.start()
        m.console_wait(f"is not resumed: the image cannot be opened: .*{says}", 60)
        m.console_wait("Without an answer|waits for an answer", 20)
        expect(not m.console_has(PROMPT), "somebody was asked for a passphrase")
        m.send_console(b"r")
        expect(m.exit_wait(60) == "guest-reset", "r did not reboot")
    m.boot.initramfs = whole
    m.start()
    answer_prompt(m)
    resumed(m, command, session)
    finish(session)


def ldd():
    return subprocess.run(["ldd", BUILD / "dormouse-unlock"], capture_output=True, text=True, check=True).stdout.splitlines()


def forgeries(m, out, older, keys):
    """Name, what is done to a copy of the target, whether the passphrase is asked for, and what is said."""
    offset = keys["chunk"]
    return (
        ("clear", forge.clear, False, "it is not encrypted, and the configuration says"),
        ("recipient", forge.recipient, False, "encrypted for other keys"),
        ("keyslots", functools.partial(forge.keyslots, luks=keys["foreign"]), True, "they are not of this machine"),
        ("slot", forge.slot, True, "the superblock was not made with the image's key"),
        ("header", forge.header, True, "the superblock was not made with the image's key"),
        ("directory", forge.directory, True, "the superblock was not made with the image's key"),
        ("replayed", functools.partial(forge.replayed, other=older), True, "the sealed key is another image's"),
        ("chunk", functools.partial(forge.unseen, offset=offset), True, "not what was encrypted with this key"),
    )


def foreign_header(m, out):
    """A LUKS2 header as large as ours, of another secret, which the same passphrase opens."""
    path = out / "foreign"
    disk.make_blank(path, 2)
    words = ["cryptsetup", "-q", "luksFormat", *COST.split(), "--key-size", "512", "--luks2-metadata-size", "16k"]
    words += ["--luks2-keyslots-size", "1008k", "--offset", "2080", path, "-"]
    subprocess.run(words, input=PASSPHRASE.encode(), check=True, capture_output=True)
    return path.read_bytes()[: forge.Forged(m.target).region(forge.KEYSLOTS)[1]]


def refused(m, name, asked, says):
    """A boot of a forged image: it says so, nothing is given control, and somebody is asked."""
    m.start()
    if asked:
        answer_prompt(m)
    try:
        m.console_wait(f"is not resumed: .*{says}", 60)
    except Exception:
        # The writer has found it, and left its reason in the image.
        expect(m.exit_reason == "guest-reset", f"{name}: {m.exit_reason}")
        expect(m.console_has(f"was not resumed: .*{says}"), f"{name}: the writer did not say so")
        m.kill()
        m.start()
        m.console_wait(f"is not resumed: .*{says}", 60)
    m.console_wait(f"Without an answer|{WAITS}", 20)
    expect(asked or not m.console_has(PROMPT), f"{name}: somebody was asked for a passphrase")
    m.send_console(b"p")
    expect(m.exit_wait(60) == "guest-shutdown", f"{name}: p did not power off")


@scenario("sealed-forged", limit=900)
def sealed_forged(out):
    """an image that was changed, exchanged, mixed with another between hibernating and booting: not authentic, no jump"""
    m, session = start(out, settings=ASKS)
    pins = pins_of(m)
    command = hibernate(m)
    older = disk.copy(m.target, out / "older.img")
    m.start()
    answer_prompt(m)
    resumed(m, command, session)
    command = hibernate(m)
    true = disk.copy(m.target, out / "true.img")
    keys = {"foreign": foreign_header(m, out), "chunk": first_chunk(true)}
    for name, change, asked, says in forgeries(m, out, older, keys):
        disk.copy(true, m.target)
        change(m.target)
        refused(m, name, asked, says)
    disk.copy(true, m.target)
    # One that could have been made by anybody, where the boot wants more.
    usual = m.boot.initramfs
    pins = pins.replace(b"authenticated = no", b"authenticated = yes")
    m.boot.initramfs = add_files(disk.copy(usual, out / "strict.cpio"), {"etc/dormouse/pins": pins})
    refused(m, "unauthenticated", True, "its key: .*sealed key")
    m.boot.initramfs = usual
    disk.copy(true, m.target)
    m.start()
    answer_prompt(m)
    resumed(m, command, session)
    finish(session)


def first_chunk(target):
    """Where stored data begin: chunks come before all else, but for the header."""
    offset, length = forge.Forged(target).region(forge.HEADER)
    return (offset + length + 4095) // 4096 * 4096 + 100
