# SPDX-License-Identifier: GPL-3.0-or-later
"""Dormouse as a user of Debian has it: `make install`, `dormouse setup`, and the initramfs that update-initramfs makes."""

import re

from lib import debian, keys
from lib.kernels import REPOSITORY
from lib.scenario import expect, scenario
from lib.session import Session, hibernate

LIMIT = 3600  # the first one on a machine builds a kernel and installs Debian
DROP_IN = "/etc/systemd/system/systemd-hibernate.service.d/dormouse.conf"
SYSTEMD = (
    "systemctl hibernate && "
    "until journalctl -b -o cat -u systemd-hibernate | grep -E '^(Finished|Failed)'; do sleep 1; done"
)


def set_up(m):
    """Installed, then set up with what is there: no configuration."""
    m.install()
    said = m.run(f"printf '%s' '{keys.PASSPHRASE}' | dormouse setup --key-file - 2>&1", 400)
    expect(f"the swap area {debian.SWAP}, since none is configured" in said, f"setup says {said}")
    expect("pinned at byte" in said and "of /dev/vda" in said, f"setup says {said}")
    expect("no authentication key" not in said, f"the keys are on an encrypted disk: {said}")
    said = m.run("dormouse doctor", 120)
    expect("this machine can hibernate" in said and "beneath dm-crypt" in said, f"doctor says {said}")


def expect_first(m):
    """The prompt came before anything of the disk was opened, activated, checked or mounted."""
    asked = next(i for i, line in enumerate(m.lines) if keys.PROMPT in line.text)
    before = "\n".join(line.text for line in m.lines[:asked])
    expect("Running /scripts/init-premount" in before, "the boot script of Dormouse ran elsewhere")
    for other in (debian.LUKS_PROMPT, "set up successfully", "local-top", "local-premount", "mounted filesystem", "fsck"):
        expect(other not in before, f'before Dormouse looked there was "{other}"')


def wake(m, command):
    """One passphrase, and the pending command ends well."""
    m.start()
    keys.answer_prompt(m, timeout=120)
    rc, said = m.finish(command, 300)
    expect(rc == 0, f"{command} exited {rc} after the resume: {said}")
    expect_first(m)
    expect(not m.console_has(debian.LUKS_PROMPT), "the disk's passphrase was asked for, too")


def use_systemd(m):
    """As README says."""
    text = re.search(r"^\[Service\]\n(?:ExecStart.*\n)+", (REPOSITORY / "README.md").read_text(), re.MULTILINE)[0]
    m.run(f"mkdir -p $(dirname {DROP_IN}); printf '%s' '{text}' >{DROP_IN}; systemctl daemon-reload")


def failed_units(m):
    return m.run("systemctl list-units --failed --plain --no-legend | awk '{ print $1 }'").split()


def expect_clean(m):
    """This boot found both filesystems clean, and had no journal to replay."""
    said = m.run("journalctl -b -o cat --no-pager; dmesg", 60)
    trouble = re.search(r".*(?:EXT4-fs.*(?:recover|orphan|warning|error)|recovering journal|not cleanly|was modified).*", said, re.I)
    expect(not trouble, f"a filesystem was not clean: {trouble and trouble[0]}")
    expect(m.console_has(rf"{debian.ROOT}: clean"), "fsck did not say that the root is clean")


@scenario("debian-lvm-luks", limit=LIMIT)
def lvm_luks(out):
    """a whole Debian on LVM on LUKS: setup, hibernating to the swap in use, by systemd too; one passphrase, then a clean boot"""
    m = debian.Debian(out)
    m.start()
    m.boot_wait()
    set_up(m)
    session = Session(m, tmpfs_mib=20, hog_mib=60)
    boot, failed = m.run("cat /proc/sys/kernel/random/boot_id"), failed_units(m)
    m.run("logger before")
    wake(m, hibernate(m))
    session.check()
    use_systemd(m)
    m.run("logger between")
    wake(m, hibernate(m, command=SYSTEMD))
    session.check()
    expect(m.run("cat /proc/sys/kernel/random/boot_id") == boot, "it is another boot")
    m.run("logger after; journalctl --sync; journalctl --verify", 120)
    said = m.run("journalctl -b -o cat --no-pager | grep -xE 'before|between|after'").split()
    expect(said == ["before", "between", "after"], f"the journal has {said}")
    expect(failed_units(m) == failed, f"failed since: {failed_units(m)}")
    session.check_files()
    m.shut_down()
    m.start()
    m.boot_wait()
    expect(not m.console_has(keys.PROMPT), "there is no image, and a passphrase was asked for")
    expect_clean(m)
    m.run(f"swapon --show=NAME --noheadings | grep -x $(readlink -f {debian.SWAP})")
    m.shut_down()


def mistype(m):
    """Three wrong passphrases, until the question what to do is there; returns how many lines there are then."""
    seen = 0
    for _ in range(3):
        seen = keys.answer_prompt(m, "wrong", after=seen, timeout=120)
    m.console_wait("is not resumed: it was not opened: 3 wrong passphrases", 60, seen)
    return m.lines.index(m.console_wait("This waits for an answer", 20, seen)) + 1


@scenario("debian-passphrases", limit=LIMIT)
def passphrases(out):
    """a whole Debian, three wrong passphrases: the right one after them resumes; discarded, it boots, and its disks are clean"""
    m = debian.Debian(out)
    m.start()
    m.boot_wait()
    set_up(m)
    session = Session(m, tmpfs_mib=20)
    command = hibernate(m)
    m.start()
    seen = mistype(m)
    m.send_console(b"t")
    keys.answer_prompt(m, after=seen)
    rc, said = m.finish(command, 300)
    expect(rc == 0, f"hibernate exited {rc} after the resume: {said}")
    session.check()
    m.run("echo written before >/root/before")
    hibernate(m)
    m.start()
    mistype(m)
    m.send_console(b"d")
    m.boot_wait()
    expect(not m.console_has("image of an earlier session"), "something of the image was left")
    m.run("grep written /root/before && swapon --show | grep /dev/dm")
    m.run("dormouse doctor", 120)
    m.shut_down()
    m.start()
    m.boot_wait()
    expect_clean(m)
    m.shut_down()
