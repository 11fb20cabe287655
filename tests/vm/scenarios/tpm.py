# SPDX-License-Identifier: GPL-3.0-or-later
"""Tokens: a TPM opens the image, and nobody types anything; where it does not, somebody is asked.

swtpm stands for the TPM, and the guest makes the initramfs of its next boot by the list that the real hook has
(initramfs/unlock-needs). Tried with a planted fault: a token that does not open taken for an image that cannot be opened:
no prompt.
"""

import functools
import re
import subprocess
import tempfile

from lib.guest import UNLOCK_NEEDS
from lib.keys import PASSPHRASE, PROMPT, TOOLS, answer_prompt, make_sealed_guest, resume_sealed, set_up, take_initramfs
from lib.qemu import last_line
from lib.scenario import expect, scenario
from lib.session import Session, finish, hibernate
from lib.tpm import Tpm

HEADER = "/etc/dormouse/keys.luks"
CRYPTENROLL = "/usr/bin/systemd-cryptenroll"
NO_KEY = "the TPM2 token: the TPM does not give its key"


@functools.cache
def token_tools():
    """systemd-cryptenroll, and what it and the boot load by name: of this machine, for the guest."""
    with tempfile.NamedTemporaryFile("w") as header:
        header.write('"systemd-tpm2"')
        header.flush()
        needs = subprocess.run([UNLOCK_NEEDS, header.name], capture_output=True, text=True, check=True).stdout
    expect("lacks" not in needs, f"this machine lacks libraries: {needs}")
    return (CRYPTENROLL, *re.findall(r"^file (\S+)$", needs, re.MULTILINE))


def start(out, model):
    m = make_sealed_guest(out, tools=(*TOOLS, *token_tools()), tpm=Tpm(out / "tpm", model))
    m.start()
    m.ready_wait()
    set_up(m)
    return m, Session(m, tmpfs_mib=20)


def enroll(m, options):
    """In place of what was there; and the initramfs of the next boot gets what it needs."""
    m.run(f"PASSWORD='{PASSPHRASE}' NEWPIN=1234 {CRYPTENROLL} --wipe-slot=tpm2 --tpm2-device=auto {options} {HEADER}", 120)
    m.run("update-initramfs -u", 60)


def doctor(m):
    """What it says of tokens."""
    return re.search(r"^\S+ +tokens .*$", m.sh("dormouse doctor", 60)[1], re.MULTILINE)[0]


def sleep(m):
    command = hibernate(m)
    take_initramfs(m)
    return command


def wake(m, command, session):
    """By the token alone."""
    m.start()
    rc, output = m.finish(command, 120)
    expect(rc == 0, f"dormouse hibernate exited {rc} after the resume: {last_line(output)}")
    expect(not m.console_has(PROMPT), "somebody was asked")
    session.check()


def wake_asked(m, command, session, says):
    """The token does not do, which is said; the passphrase does."""
    resume_sealed(m, command)
    expect(m.console_has(f"no token opens it: {says}"), f'it does not say "{says}"')
    session.check()


def pcr(m):
    return m.run("cat /sys/class/tpm/tpm0/pcr-sha256/7")


@scenario("sealed-tpm2", limit=500)
def sealed_tpm2(out):
    """a TPM2 token bound to PCR 7: resumes without a question; another TPM, or an initramfs without the plugin: asks"""
    m, session = start(out, "tpm-crb")
    expect("0 TPM2" in doctor(m), doctor(m))
    m.run(f"PASSWORD='{PASSPHRASE}' {CRYPTENROLL} --tpm2-device=auto --tpm2-pcrs=7 {HEADER}", 120)
    said = doctor(m)
    expect(said.startswith("warning") and "libcryptsetup-token-systemd-tpm2.so" in said, said)
    wake_asked(m, sleep(m), session, "the TPM2 token: systemd's plugin for it is not here")
    m.run("update-initramfs -u", 60)
    said = doctor(m)
    expect(said.startswith("ok") and "1 TPM2" in said, said)
    before = pcr(m)
    wake(m, sleep(m), session)
    expect(pcr(m) == before, "the TPM is not what it was, to the host")
    command = sleep(m)
    m.tpm.exchange()
    wake_asked(m, command, session, NO_KEY)
    finish(session)


# TPM2_PCR_Extend of PCR 7 with 32 times "x": TPM 2.0 library specification, part 3, 22.2.
EXTEND = r"\x80\x02\0\0\0\x41\0\0\x01\x82\0\0\0\x07\0\0\0\x09\x40\0\0\x09\0\0\0\0\0\0\0\0\x01\0\x0b" + 32 * "x"


@scenario("sealed-tpm2-pin", limit=500)
def sealed_tpm2_pin(out):
    """a TPM2 token with a PIN: asks for the passphrase; without: does not; one sealed to other measurements: asks"""
    m, session = start(out, "tpm-tis")
    enroll(m, "--tpm2-pcrs= --tpm2-with-pin=yes")
    said = doctor(m)
    expect(said.startswith("warning") and "wants a PIN" in said, said)
    wake_asked(m, sleep(m), session, "the TPM2 token: it wants a PIN")
    enroll(m, "--tpm2-pcrs=")
    wake(m, sleep(m), session)
    # What the next boot measures will not have this in it.
    before = pcr(m)
    m.run(f"exec 3<>/dev/tpmrm0; printf '{EXTEND}' >&3; dd bs=64 count=1 <&3 >/dev/null")
    expect(pcr(m) != before, "PCR 7 was not extended")
    enroll(m, "--tpm2-pcrs=7")
    wake_asked(m, sleep(m), session, NO_KEY)
    finish(session)
