# SPDX-License-Identifier: GPL-3.0-or-later
"""Bad input: each gets a clear message and exit code, and the host or the boot goes on."""

import re
import struct

from lib import disk
from lib.guest import configuration, make_guest, make_initramfs
from lib.kernels import debian_kernel
from lib.scenario import expect, scenario
from lib.session import Session, boot_on, finish, hibernate

SLOTS = (4096, 8192)  # the superblock's two places; this and image_parts(): docs/image-format.md
SLOT_BYTES = 4096
VALID = 2


def start(out, **options):
    m = make_guest(out, **options)
    m.start()
    m.ready_wait()
    return m, Session(m, tmpfs_mib=20)


def refuse(session, message, *, options="", codes=(3,)):
    """dormouse hibernate refuses with this message; the session goes on."""
    rc, output = session.machine.sh(f"dormouse hibernate {options}", 120)
    expect(rc in codes, f"dormouse hibernate exited {rc}: {output}")
    expect(re.search(message, output, re.IGNORECASE), f"the message does not say /{message}/: {output}")
    session.check()


def refuse_untouched(session, message, **options):
    """The same, and nothing is written to the target."""
    before = disk.digest(session.machine.target)
    refuse(session, message, **options)
    expect(disk.digest(session.machine.target) == before, "the target was written to")
    session.machine.shut_down()


def sleep(out, **options):
    """A hibernated guest."""
    m, _ = start(out, **options)
    hibernate(m)
    return m


@scenario("bad-notarget", check=True)
def notarget(out):
    """the target does not exist"""
    _, session = start(out, target_mib=64)
    refuse_untouched(session, "/dev/vdz", options="--target /dev/vdz")


@scenario("bad-small", check=True)
def small(out):
    """the target is far too small"""
    m, session = start(out, target_mib=16)
    refuse(session, "small|space|MiB", codes=(3, 4))
    m.shut_down()
    boot_on(m, 0)
    m.shut_down()


@scenario("bad-full", check=True)
def full(out):
    """the target fills up while the image is written: back to the host, nothing lost"""
    m = make_guest(out, target_mib=160)
    m.start()
    m.ready_wait()
    session = Session(m, tmpfs_mib=20, hog_mib=400)
    refuse(session, "writer gave up.*full", codes=(4,))
    finish(session)
    boot_on(m, 0)
    m.shut_down()


def fault(iotype):
    """What QEMU's blkdebug is to do: an I/O error at the image's 64th MiB, which only chunks reach. (With another event
    than "none" it would hit whatever comes after that event.)"""
    return f'[inject-error]\nevent = "none"\niotype = "{iotype}"\nerrno = "5"\nsector = "{(64 << 20) // 512}"\nonce = "off"\n'


@scenario("bad-write")
def bad_write(out):
    """a sector of the target cannot be written: back to the host, nothing lost"""
    m = make_guest(out, target_faults=fault("write"))
    m.start()
    m.ready_wait()
    session = Session(m, tmpfs_mib=20, hog_mib=200)
    refuse(session, "writer gave up.*[Ii]nput/output error", codes=(4,))
    finish(session)


# A filesystem that is frozen, and one in a file on it: freezing that one waits for a write that waits for the first.
# Whoever froze it thaws it once processes are thawed, as a virus scanner answers then.
HELD_UP = """(
set -e
truncate -s 64M /tmp/a; /usr/sbin/mke2fs -q -F -t ext4 -E lazy_itable_init=0,lazy_journal_init=0 /tmp/a
losetup /dev/loop0 /tmp/a; mkdir /tmp/on; mount -t ext4 /dev/loop0 /tmp/on
truncate -s 32M /tmp/on/b; /usr/sbin/mke2fs -q -F -t ext4 -E lazy_itable_init=0,lazy_journal_init=0 /tmp/on/b
losetup /dev/loop1 /tmp/on/b; mkdir /tmp/held; mount -t ext4 /dev/loop1 /tmp/held
sync
fsfreeze --freeze /tmp/on
)"""
LET_GO = "until dmesg | grep -q 'Restarting tasks'; do usleep 100000; done; fsfreeze --unfreeze /tmp/on"


@scenario("bad-freeze")
def bad_freeze(out):
    """a filesystem that does not freeze with processes frozen: after half a minute the host goes on, nothing is frozen,
    and it can hibernate later"""
    m = make_guest(out, tools=("/usr/sbin/mke2fs",))
    m.start()
    m.ready_wait()
    session = Session(m, tmpfs_mib=20)
    m.run(HELD_UP)
    m.run(f"{{ {LET_GO}; }} >/run/let-go 2>&1 &")
    refuse(session, "filesystem on /tmp/held cannot be frozen", options="--then return", codes=(1,))
    m.run("! pidof dormouse")
    m.run("echo x >/root/x && echo x >/tmp/on/x && echo x >/tmp/held/x && sync")
    # With loop devices in the right order, and nobody in the way.
    rc, output = m.sh("dormouse hibernate --then return", 240)
    expect(rc == 0, f"dormouse hibernate --then return exited {rc}: {output}")
    session.check()
    m.run("umount /tmp/held && losetup -d /dev/loop1 && umount /tmp/on && losetup -d /dev/loop0")
    finish(session)


def nth(event, numbers):
    """For blkdebug: the events with these numbers, from 1, fail once each."""
    text = "".join(
        f'[set-state]\nevent = "{event}"\nstate = "{n}"\nnew_state = "{n + 1}"\n' for n in range(1, max(numbers) + 1)
    )
    return text + "".join(f'[inject-error]\nevent = "{event}"\nstate = "{n}"\nerrno = "5"\nonce = "on"\n' for n in numbers)


def fail_each(out, event, numbers):
    """Hibernations in a row, most of which one of the faults ends, until the last one works."""
    m = make_guest(out, mem=512, target_mib=512, target_faults=nth(event, numbers))
    m.start()
    m.ready_wait()
    session = Session(m, tmpfs_mib=20)
    codes = []
    for _ in range(len(numbers) + 1):
        rc, output = m.sh("dormouse hibernate --then return", 240)
        with open(out / "hibernations.txt", "a") as f:
            f.write(f"{rc}: {output}\n")
        codes.append(rc)
        # The host's kernel tells of the faults that hit the host itself; nothing worse may be in its log.
        m.run("! dmesg | grep -E 'BUG|Oops|EXT4-fs error'; dmesg -c >/dev/null")
        session.check()
    # 1: the host itself met the fault, 4: the writer did.
    expect(set(codes) <= {0, 1, 4}, f"dormouse hibernate exited {codes}")
    expect(codes[-1] == 0 and sum(rc != 0 for rc in codes) >= len(numbers) // 2, f"dormouse hibernate exited {codes}")
    m.kill()
    boot_on(m, 0)
    m.shut_down()


@scenario("bad-nth-write")
def nth_write(out):
    """the Nth write to the target fails, for several N: back to the host each time, nothing lost"""
    fail_each(out, "write_aio", (1, 4, 9, 20, 40))


@scenario("bad-nth-flush")
def nth_flush(out):
    """the Nth flush of the target fails, for several N, mostly under the host: it goes on, nothing lost"""
    fail_each(out, "flush_to_disk", (1, 3, 7, 12))


@scenario("bad-readback", check=True)
def bad_readback(out):
    """verify = full: a sector of the image cannot be read back before it is committed: back to the host, nothing lost"""
    m = make_guest(out, target_faults=fault("read"))
    m.start()
    m.ready_wait()
    m.run("echo 'verify = full' >>/etc/dormouse.conf")
    session = Session(m, tmpfs_mib=20, hog_mib=200)
    refuse(session, "writer gave up.*reading the image back.*[Ii]nput/output error", codes=(4,))
    finish(session)


@scenario("bad-restore-read")
def restore_read(out):
    """a sector of the image cannot be read when its pages are put back: a reset, and the next boot has the reason"""
    m = make_guest(out, target_faults=fault("read"))
    m.start()
    m.ready_wait()
    Session(m, tmpfs_mib=20, hog_mib=200)
    hibernate(m)
    boot_on(m, 3, "dormouse-resume: .*earlier boot.*[Ii]nput/output error")
    expect(m.boots == 3, "the writer did not get as far as the sector")
    m.shut_down()


@scenario("bad-gone")
def gone(out):
    """the target disappears while it is written: back to the host; when it is there again nothing is resumed"""
    m = make_guest(out)
    m.start()
    m.ready_wait()
    session = Session(m, tmpfs_mib=20, hog_mib=200)
    command = m.send("dormouse hibernate")
    m.console_wait(r"\[#*\.*\] +\d+ %", 60)
    m.monitor("drive_del target")
    rc, output = m.finish(command, 180)
    expect(rc in (1, 4) and re.search("[Ii]nput/output error", output), f"dormouse hibernate exited {rc}: {output}")
    session.trouble = session._trouble()  # the host's kernel has met the missing disk as well
    session.check()
    finish(session)
    boot_on(m, 0)
    m.shut_down()


@scenario("bad-timelimit", check=True)
def timelimit(out):
    """writing takes longer than the time limit: back to the host, nothing lost (planted: the limit not looked at)"""
    m = make_guest(out)
    m.start()
    m.ready_wait()
    session = Session(m, tmpfs_mib=20, hog_mib=400)
    m.run("echo 'time_limit = 1' >>/etc/dormouse.conf")
    refuse(session, "writer gave up.*time limit of 1 s", codes=(4,))
    finish(session)


@scenario("bad-mounted", check=True)
def mounted(out):
    """the target is mounted"""
    m = make_guest(out, target_mib=64)
    disk.make_ext4(m.target, 64)
    m.start()
    m.ready_wait()
    session = Session(m, tmpfs_mib=20)
    m.run("mkdir /tmp/mnt; mount -t ext4 -o ro /dev/vdb /tmp/mnt")
    refuse_untouched(session, "mounted")


@scenario("bad-beside", check=True)
def beside(out):
    """beside the target: a filesystem that one thread alone has mounted, in a mount namespace of its own, so that it would not
    be frozen; swap on a device that has not been shown to survive. A filesystem whose first mount is hidden is no obstacle

    Planted: only each process' first thread looked at; this process' namespace alone; filesystems alone looked below;
    the first mount of each filesystem alone tried.
    """
    m = make_guest(out, target_mib=64, tools=["/usr/sbin/dmsetup", "/usr/sbin/mkswap"])
    other, swap = disk.make_ext4(out / "other.img", 16), disk.make_blank(out / "swap.img", 16)
    disk.make_parts(m.target, [disk.make_blank(out / "blank.img", 300), other, swap])
    m.start()
    m.ready_wait()
    session = Session(m, tmpfs_mib=20)
    pid = m.run("workload apart /run/apart /dev/vdb2 >/run/apart.log 2>&1 & echo $!")
    m.run(f"while [ ! -e /run/apart ] && [ -e /proc/{pid} ]; do usleep 100000; done; cat /run/apart")
    refuse(session, f"/dev/vdb2 is mounted .* of process {pid} .workload. alone", options="--target /dev/vdb1")
    m.run(f"kill {pid}; while [ -e /proc/{pid} ]; do usleep 100000; done")
    table = "0 32768 flakey /dev/vdb3 0 60 0"
    m.run(f"export DM_DISABLE_UDEV=1; dmsetup create odd --table '{table}'; mkswap /dev/mapper/odd; swapon /dev/mapper/odd")
    refuse(session, "the swap area /dev/mapper/odd: .*flakey", options="--target /dev/vdb1")
    m.run("export DM_DISABLE_UDEV=1; swapoff /dev/mapper/odd; dmsetup remove odd")
    m.run("mkdir /root/other; mount -t ext4 /dev/vdb2 /root/other; mount -o bind /root/other /root/other")
    m.run("dormouse hibernate --target /dev/vdb1 --then return", 240)
    session.check()
    m.run("umount /root/other; umount /root/other")
    finish(session)


@scenario("bad-foreign", check=True)
def foreign(out):
    """the target carries a filesystem"""
    m = make_guest(out, target_mib=64)
    disk.make_ext4(m.target, 64)
    m.start()
    m.ready_wait()
    refuse_untouched(Session(m, tmpfs_mib=20), "ext4|filesystem")


@scenario("bad-nojump")
def nojump(out):
    """the host's kernel has no KEXEC_JUMP"""
    _, session = start(out, kernel=debian_kernel(), target_mib=64)
    refuse_untouched(session, "KEXEC_JUMP")


@scenario("bad-noinitramfs", check=True)
def noinitramfs(out):
    """the next boot's initramfs has no writer"""
    without = make_initramfs(out / "next.cpio", configuration("/dev/vdb"), writer=False)
    _, session = start(out, next_initramfs=without, target_mib=64)
    refuse_untouched(session, "initramfs|initrd")


@scenario("bad-noimage", check=True)
def noimage(out):
    """a boot without an image goes on, silently"""
    m, _ = start(out, target_mib=64)
    lines = [line.text for line in m.lines]
    first, last = lines.index("boot: looking for an image"), lines.index("boot: resume exit 0")
    said = [text for text in lines[first + 1 : last] if not text.startswith("[")]  # the kernel may speak
    expect(not said, f"resume said {said}")
    expect(not disk.data_ranges(m.target), "the target was written to")
    m.shut_down()


@scenario("bad-nowriter", check=True)
def nowriter(out):
    """there is an image, but the boot's initramfs has no writer"""
    m = sleep(out)
    whole = m.boot.initramfs
    m.boot.initramfs = make_initramfs(out / "without.cpio", configuration("/dev/vdb"), writer=False)
    boot_on(m, 3, "dormouse-resume: .*writer")
    m.shut_down()
    # That boot has written to the root filesystem, so the image is gone for all others.
    m.boot.initramfs = whole
    boot_on(m, 0)
    m.shut_down()


@scenario("bad-memmap", check=True)
def memmap(out):
    """the image is of a machine with more memory"""
    m = sleep(out, mem=1024)
    m.boot.mem = 768
    boot_on(m, 3, "dormouse-resume: .*memory map")
    m.shut_down()


def image_parts(path):
    """Where the parts of an image are, by what resume calls them: (offset, length) of a few bytes of each."""
    with open(path, "rb") as f:
        f.seek(SLOTS[0])
        slots = f.read(2 * SLOT_BYTES)
        (valid,) = (i for i in (0, 1) if struct.unpack_from("<I", slots, i * SLOT_BYTES + 12)[0] == VALID)
        header, _, _, directory, _, _, image_end = struct.unpack_from("<QIIQIIQ", slots, valid * SLOT_BYTES + 56)
        f.seek(directory + 32)
        (segment,) = struct.unpack("<Q", f.read(8))
    return {
        "superblock": [(offset + 300, 4) for offset in SLOTS],
        "one of its two superblocks": [(SLOTS[1 - valid] + 300, 4)],
        "header": [(header + 20, 4)],
        "directory": [(directory + 20, 4)],
        "index": [(segment + 40, 4)],
        "chunk": [(16384 + (image_end - 16384) // 2, 65536)],
    }


@scenario("bad-torn", check=True, limit=400)
def torn(out):
    """a part of the image is damaged, each part in turn"""
    m = sleep(out)
    kept = [(path, disk.copy(path, path.with_suffix(".kept.img"))) for path in (m.root, m.target)]
    for name, ranges in image_parts(m.target).items():
        for path, copy in kept:
            disk.copy(copy, path)
        for offset, length in ranges:
            disk.overwrite(m.target, offset, length)
        with open(out / "torn.txt", "a") as f:
            f.write(f"{name}: {ranges}, from boot {m.boots + 1}\n")
        boot_on(m, 3, rf"dormouse-resume: .*{name}.*(checksum|damaged)")
        m.kill()
