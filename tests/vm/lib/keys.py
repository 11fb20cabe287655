# SPDX-License-Identifier: GPL-3.0-or-later
"""Guests whose images are encrypted: their keys, and the passphrase at the console."""

from lib.guest import add_files, make_guest
from lib.scenario import expect

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


def set_up(m, options="", passphrase=PASSPHRASE):
    """dormouse setup in the guest, and for the initramfs of its next boot; returns what it said."""
    output = m.run(f"printf '%s' '{passphrase}' | dormouse setup --key-file - {options}", 120)
    take_pins(m)
    return output


def take_pins(m):
    """Does to the next boot's initramfs what update-initramfs in the guest has done to its copy."""
    names = ("etc/dormouse/pins", "etc/dormouse.conf")
    add_files(m.boot.initramfs, {name: m.run(f"cat /{name}").encode() + b"\n" for name in names})


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
