# SPDX-License-Identifier: GPL-3.0-or-later
"""Hibernate, power off, resume: on many kinds of machines, and in its variants."""

import time

from lib.guest import configuration, make_guest, make_initramfs
from lib.kernels import debian_kernel
from lib.qemu import Boot
from lib.scenario import add, expect, scenario
from lib.session import Session, boot_on, finish, hibernate, resume, round_trip


def start(out, *, tmpfs_mib=64, hog_mib=0, **options):
    m = make_guest(out, **options)
    m.start()
    m.ready_wait()
    return m, Session(m, tmpfs_mib=tmpfs_mib, hog_mib=hog_mib)


def simple(rounds=1, verify=lambda m: None, **options):
    """A scenario: some round trips on a machine with these options; verify sees that it is the machine wanted."""

    def run(out):
        m, session = start(out, **options)
        verify(m)
        for _ in range(rounds):
            round_trip(m)
            session.check()
        verify(m)
        finish(session)

    return run


def levels(expected):
    def verify(m):
        expect(m.paging_levels() == expected, f"the host runs with {m.paging_levels()} levels")
        flag = "grep -q la57 /proc/cpuinfo"
        expect((m.sh(flag)[0] == 0) == (expected == 5), "la57 in /proc/cpuinfo contradicts CR4")

    return verify


def uefi(m):
    m.run("test -d /sys/firmware/efi")


def remapping(m):
    m.run("dmesg | grep -q 'DMAR-IR: Enabled IRQ remapping'")
    # The disks are behind the IOMMU.
    m.run("[ $(ls -d /sys/class/block/vd[ab]/device/../iommu_group | wc -l) = 2 ]")


def reserved(m):
    m.run("grep -q 'Crash kernel' /proc/iomem")
    if m.boots > 1:  # the log goes on where the host hibernated
        m.run("dmesg | grep -q 'dormouse: window at .*crashkernel'")


def fresh_memory(m):
    """What the kernel takes from its free pages is as it left them; it complains in dmesg else."""
    available = int(m.run("awk '/MemAvailable/ { print int($2 / 1024) }' /proc/meminfo"))
    m.run(f"workload zeros {available - 150}", 120)


add("roundtrip", "processes, a TCP connection, tmpfs and open files survive power-off", simple(tmpfs_mib=200), check=True)
add("rounds", "three round trips in a row on one machine", simple(rounds=3, tmpfs_mib=200), limit=600)
add("crashkernel", "the window is the host's crashkernel reservation", simple(verify=reserved, append="crashkernel=96M"))
add("cpus1", "round trip with one CPU", simple(cpus=1))
add("cpus4", "round trip with four CPUs", simple(cpus=4))
add("levels4", "round trip of a host with 4 levels of page tables", simple(verify=levels(4), append="no5lvl"))
add("levels5", "round trip of a host with 5 levels of page tables", simple(verify=levels(5)))
add("ram512", "round trip with 512 MiB of RAM", simple(mem=512))
add("ram6g", "round trip with 6 GiB of RAM", simple(mem=6144, target_mib=8192, hog_mib=512), limit=600)
add("ovmf", "round trip with UEFI firmware on q35", simple(verify=uefi, firmware="ovmf", machine="q35"), check=True)
add("nvme", "round trip with root and target on NVMe", simple(disk_kind="nvme"))
add("ahci", "round trip with root and target on AHCI", simple(disk_kind="ahci"))
add("initonfree", "round trip of a host with init_on_free=1", simple(verify=fresh_memory, mem=1024, append="init_on_free=1"))
add("pagepoison", "round trip of a host with page_poison=1", simple(verify=fresh_memory, mem=1024, append="page_poison=1"))
add(
    "iommu", "round trip with an Intel IOMMU and interrupt remapping on q35",
    simple(
        verify=remapping, machine="q35", append="intel_iommu=on",
        extra=["-device", "intel-iommu,intremap=on,caching-mode=on"], disk_options=",iommu_platform=on,disable-legacy=on",
    ),
)  # fmt: skip
add(
    "full85", "85 % of 2 GiB of RAM in anonymous memory: all of it survives, nothing is killed",
    simple(tmpfs_mib=0, hog_mib=2048 * 85 // 100), limit=900,
)  # fmt: skip


# While the writer is being loaded.
TERMINATE = """
dmesg -c >/dev/null
dormouse hibernate --then return & pid=$!
until dmesg | grep -q 'dormouse: window at' || [ ! -e /proc/$pid ]; do usleep 5000; done
kill -TERM $pid
wait $pid"""


@scenario("return", check=True)
def return_(out):
    """written and back without power-off; the image is retired, no boot takes it. Where a kernel would panic at the
    warning that each return costs, it does not, and afterwards it would again; a signal before the jump ends it"""
    m, session = start(out)
    m.run("cd /proc/sys/kernel; echo 1 >panic_on_warn; echo 1 >warn_limit")
    for _ in range(2):
        rc, output = m.sh("dormouse hibernate --then return", 240)
        expect(rc == 0, f"dormouse hibernate --then return exited {rc}: {output}")
        session.check()
        expect(m.run("cat /proc/sys/kernel/panic_on_warn /proc/sys/kernel/warn_limit").split() == ["1", "1"], "not put back")
    rc, output = m.sh(TERMINATE, 120)
    expect(rc == 5 and "aborted (Terminated)" in output, f"dormouse hibernate exited {rc} after SIGTERM: {output}")
    m.run("[ $(cat /sys/kernel/kexec_loaded) = 0 ]")
    session.check()
    # A power cut right after the return: what is on the target was not left to a later clean-up.
    m.run("dormouse hibernate --then return", 240)
    m.kill()
    boot_on(m, 0)
    m.shut_down()


@scenario("then-reboot")
def then_reboot(out):
    """--then reboot ends in a reset, and the next boot resumes"""
    m, session = start(out)
    resume(m, hibernate(m, "--then reboot", reason="guest-reset"))
    session.check()
    finish(session)


@scenario("abort-key", check=True)
def abort_key(out):
    """Esc on the console while the image is written brings the session back; Ctrl-S stops nothing before"""
    m, session = start(out, hog_mib=500)
    command = m.send("dormouse hibernate")
    m.console_wait(r"\[#*\.*\] +\d+ %", 60)
    m.send_console(b"\x13")
    time.sleep(0.5)
    m.console_wait(r"writing \[#*\.*\] +\d+ %", 10, after=len(m.lines))
    m.send_console(b"\x1b")
    rc, output = m.finish(command, 60)
    expect(rc == 5, f"dormouse hibernate exited {rc} after Esc: {output}")
    session.check()
    m.kill()
    boot_on(m, 0)
    m.shut_down()


@scenario("otherkernel", check=True, limit=400)
def otherkernel(out):
    """the boot kernel is Debian's, with 4 levels for a host of 5, and the reverse"""
    debian = debian_kernel()
    next_initramfs = make_initramfs(out / "next.cpio", configuration("/dev/vdb"), debian.modules)
    m = make_guest(out, next_initramfs=next_initramfs)
    test_boot = m.boot
    for host_levels, host_append, boot_append in ((5, "", "no5lvl"), (4, "no5lvl", "")):
        m.boot = Boot(test_boot.kernel, test_boot.initramfs, host_append)
        m.start()
        m.ready_wait()
        levels(host_levels)(m)
        session = Session(m)
        command = hibernate(m)
        m.boot = Boot(debian.image, next_initramfs, boot_append)
        resume(m, command)
        expect(m.console_has("Linux version .*cloud"), "the boot kernel was not Debian's")
        levels(host_levels)(m)
        session.check()
        finish(session)
