# SPDX-License-Identifier: GPL-3.0-or-later
"""The writer itself fails, as it is shipped: the host goes on, and its memory is as it was.

Planted, and found: the way back from a panic not loaded (fault-panic); left in place when VALID is begun (fault-late);
windows not wiped, or the low one alone not (fault-wiped); devices not stopped by a panic's way back (fault-inflight:
megabytes of late reads are in the window); a writer kernel without kernel-patches/0003 (fault-unhalted), 0002
(fault-hang) or 0001 (fault-othercpu).
"""

import re
import secrets
import struct
import time

from lib.gdbstub import EFLAGS, NO_INTERRUPTS, RAX, RDI, RIP, RSP, Stub, writer_symbols
from lib.guest import make_guest
from lib.scenario import add, expect, scenario
from lib.session import Session, finish, hibernate, resume, round_trip

DIRECT_MAP = {4: 0xFFFF888000000000, 5: 0xFF11000000000000}  # of the writer kernel (nokaslr), by levels of paging
WRITING = r"\[#*\.*\] +\d+ %"  # the progress bar


def start(out, **options):
    m = make_guest(out, **options)
    m.start()
    m.ready_wait()
    return m, Session(m, tmpfs_mib=64, hog_mib=200)


def writing(m):
    """Sends the guest to sleep; returns the command, with the writer at work."""
    before = len(m.lines)
    command = m.send("dormouse hibernate")
    m.console_wait(WRITING, 60, after=before)
    return command


def came_back(session, command, *reasons, timeout=120):
    """dormouse hibernate ended with one of the reasons; the session goes on."""
    rc, output = session.machine.finish(command, timeout)
    expect(rc == 4 and any(r in output for r in reasons), f"dormouse hibernate exited {rc}: {output}")
    session.check()


@scenario("fault-panic", check=True)
def panic(out):
    """the writer's kernel panics (SysRq c): back in the host, with its message; then a round trip"""
    m, session = start(out)
    command = writing(m)
    m.monitor("chardev-send-break console")
    m.send_console(b"c")
    came_back(session, command, "the writer crashed (sysrq triggered crash)")
    m.run("grep -q 'Kernel panic - not syncing: sysrq' /run/dormouse/last")
    m.run("grep -q 'imagewriter: target is' /run/dormouse/last")
    round_trip(m)
    finish(session)


def windows_of(m):
    """With the writer at work: its windows, from the firmware's map that its kernel was given, and where it jumps back to."""
    start = int(re.search(r"window at (0x[0-9a-f]+)", m.console_wait("dormouse: window at", 1).text)[1], 16)
    params = m.memory(start + 0x1000, start + 0x2000)
    entries = [struct.unpack_from("<QQI", params, 0x2D0 + 20 * i) for i in range(params[0x1E8])]
    entry = m.read_physical(start + 0xE08)
    return [(at, at + size) for at, size, kind in entries if kind == 1], entry


def wiped_but_for(m, windows, kept):
    """Nothing is left in the windows but this range."""
    for start, end in windows:
        data = bytearray(m.memory(start, end))
        if start <= kept[0] < end:
            data[kept[0] - start : kept[1] - start] = bytes(kept[1] - kept[0])
        left = len(data) - data.count(0)
        expect(left == 0, f"{left} bytes are left in the window from {start:#x} to {end:#x}")


def in_flight(disk_kind, machine):
    """Stopping the machine waits for what a disk has begun: it ends before we look, and after the windows were wiped, if
    nothing has ended it before. It fails with an AHCI disk: QEMU 7.2 fills what that has begun to read whatever is said of bus
    mastering, as no real controller can."""

    def run(out):
        m, session = start(out, settings=["verify = full"], disk_kind=disk_kind, machine=machine)
        command = m.send("dormouse hibernate")
        m.console_wait(r"verifying.*\[#+\.*\] +\d+ %", 60)
        windows, entry = windows_of(m)
        expect(len(windows) > 1, f"there is no low window: {windows}")
        m.monitor("block_set_io_throttle target 0 100000 0 0 0 0")

        def panic_while_it_reads():
            time.sleep(2)
            m.monitor("chardev-send-break console")
            m.send_console(b"c")

        with Stub(m) as stub:
            expect(m.bus_masters(), "nothing is bus master while the writer works")
            stub.run_to(entry, meanwhile=panic_while_it_reads)
            masters = m.bus_masters()
            trampoline = m.register("RSP") & -0x1000
            wiped_but_for(m, windows, (trampoline - 0x7000, trampoline + 0x1000))
            expect(not masters, f"these may still access memory: {masters}")
        m.monitor("block_set_io_throttle target 0 0 0 0 0 0")
        came_back(session, command, "the writer crashed (sysrq triggered crash)")
        finish(session)

    return run


add(
    "fault-inflight",
    "the writer's kernel panics while a slow disk answers: nothing accesses memory any more when the host goes on",
    in_flight("virtio", "pc"),
)
add("fault-inflight-q35", "the same with virtio devices that have no ports", in_flight("virtio", "q35"))


@scenario("fault-segv")
def segv(out):
    """the writer's program dies of a bad pointer (SIGSEGV of PID 1): back in the host"""
    m, session = start(out)
    command = writing(m)
    with Stub(m) as stub:
        cpu = stub.wait_for_mode(True, range(m.cpus))
        stub.set(cpu, RIP, 0)
    came_back(session, command, "the writer crashed (Attempted to kill init! exitcode=0x0000000b)")
    finish(session)


@scenario("fault-oom")
def oom(out):
    """the writer has not enough memory in its window: back in the host"""
    m, session = start(out)
    # From when the program is started, so that its kernel can unpack it. 14 to 18 MiB do; with 12 it has enough.
    m.run("echo 'writer_cmdline = sysctl.vm.min_free_kbytes=16384' >>/etc/dormouse.conf")
    command = m.send("dormouse hibernate")
    came_back(session, command, "the writer crashed", "memory")
    finish(session)


def hang(stub, cpu):
    """The CPU runs in a circle with interrupts off."""
    (somewhere,) = writer_symbols("kernel_halt")  # nobody needs it
    stub.write(cpu, somewhere, b"\xeb\xfe")
    stub.set(cpu, EFLAGS, NO_INTERRUPTS)
    stub.set(cpu, RIP, somewhere)


def hung(where, cpus):
    """Where it hangs is fixed: with a lock that the other CPU comes to need, both hang, and only a watchdog outside helps
    (fault-nmi)."""

    def run(out):
        m, session = start(out)
        command = writing(m)
        (address,) = writer_symbols(where)
        with Stub(m) as stub:
            cpu = stub.run_to(address, cpus)
            hang(stub, cpu)
        came_back(session, command, "the writer crashed (Hard LOCKUP)")
        m.run(f"grep -q 'Watchdog detected hard LOCKUP on cpu {cpu}' /run/dormouse/last")
        finish(session)

    return run


add(
    "fault-hang",
    "the writer's CPU that draws the progress bar hangs, interrupts off and the serial line locked: back in the host",
    hung("serial8250_start_tx", [0, 1]),
)
add("fault-hang0", "the first CPU hangs with interrupts off, in a system call: the second one sees it", hung("do_syscall_64", [0]))
add("fault-hang1", "the same with the second CPU", hung("do_syscall_64", [1]))


@scenario("fault-othercpu")
def othercpu(out):
    """the writer's second CPU panics: back in the host, on the first"""
    m, session = start(out)
    command = writing(m)
    crash, banner = writer_symbols("panic", "linux_banner")
    with Stub(m) as stub:
        stub.wait_for_mode(False, [1])
        stub.set(1, RDI, banner)
        stub.set(1, RIP, crash)
    came_back(session, command, "the writer crashed (Linux version")
    finish(session)


def delay_halt(m, stop):
    """With the writer at work: when it jumps, its second CPU has said that it stopped, and not yet done so, and the first
    goes on."""
    with Stub(m) as stub:
        halt = stub.read(0, stop, 256).find(b"\xf4\xeb")  # hlt, and the jump back to it
        expect(halt > 0, "there is no loop of hlt in stop_this_cpu")
        stub.run_to(stop + halt, [1])  # QEMU goes on with the first one, for as long as that does not wait


@scenario("fault-unhalted", check=True)
def unhalted(out):
    """a CPU of the writer is delayed right before it halts, and its memory taken from it: the host goes on, and is resumed"""
    m = make_guest(out, mem=512)
    m.start()
    m.ready_wait()
    session = Session(m, tmpfs_mib=20, hog_mib=200)  # so much that there is time to attach
    (stop,) = writer_symbols("stop_this_cpu")
    command = m.send("dormouse hibernate --then return")
    m.console_wait(WRITING, 60)
    delay_halt(m, stop)
    rc, output = m.finish(command, 120)
    expect(rc == 0, f"dormouse hibernate --then return exited {rc}: {output}")
    session.check()
    command = hibernate(m)
    m.start()
    m.console_wait("imagewriter: target is", 60)
    delay_halt(m, stop)
    rc, output = m.finish(command, 120)
    expect(rc == 0, f"dormouse hibernate exited {rc} after the resume: {output}")
    session.check()
    finish(session)


def refuse(stub, cpu):
    """The function that the CPU is about to begin returns at once, with ENOMEM."""
    rsp = stub.register(cpu, RSP)
    stub.set(cpu, RAX, (1 << 64) - 12)
    stub.set(cpu, RIP, int.from_bytes(stub.read(cpu, rsp, 8), "little"))
    stub.set(cpu, RSP, rsp + 8)


@scenario("fault-noway")
def noway(out):
    """the way back cannot be loaded: before VALID a panic takes the other one, afterwards the image stays, and resumes"""
    m, session = start(out)
    load, flush = writer_symbols("__x64_sys_kexec_load", "blkdev_fsync")
    command = writing(m)
    with Stub(m) as stub:
        refuse(stub, stub.run_to(load, meanwhile=lambda: m.send_console(b"\x1b")))
    rc, output = m.finish(command, 120)
    expect(rc == 5, f"dormouse hibernate exited {rc} after Esc: {output}")
    session.check()
    before = len(m.lines)
    command = m.send("dormouse hibernate --then return")
    m.console_wait(WRITING, 60, after=before)
    with Stub(m) as stub:
        stub.run_to(load)  # takes the panic's away
        stub.run_to(flush)  # of VALID
        refuse(stub, stub.run_to(load))
    expect(m.exit_wait(60, command) == "guest-reset", "the machine did not reset")
    resume(m, command)
    session.check()
    finish(session)


@scenario("fault-late")
def late(out):
    """the writer's kernel panics when the image is valid already: no way back then, but a reset, and the image resumes"""
    m, session = start(out)
    command = writing(m)
    power_off, crash, banner = writer_symbols("kernel_power_off", "panic", "linux_banner")
    with Stub(m) as stub:
        cpu = stub.run_to(power_off)
        stub.set(cpu, RDI, banner)
        stub.set(cpu, RIP, crash)
    expect(m.exit_wait(60, command) == "guest-reset", "the machine did not reset")
    resume(m, command)
    session.check()
    finish(session)


@scenario("fault-wiped", check=True)
def wiped(out):
    """after a return the host's free memory holds nothing of the writer's"""
    m = make_guest(out, mem=512)
    m.start()
    m.ready_wait()
    m.run("workload fill /tmp/data 200", 120)  # so much that there is time to attach
    command = m.send("dormouse hibernate --then return")
    m.console_wait(WRITING, 60)
    windows, _ = windows_of(m)
    low = min(at for at, _ in windows)
    expect(low + 0x6000 < 640 << 10, f"there is no low window: {windows}")
    mark = secrets.token_bytes(64)
    with Stub(m) as stub:
        # Kernels reserve all below 1 MiB, for what few of them need at its end: nobody else writes there.
        stub.write(stub.wait_for_mode(False, range(m.cpus)), DIRECT_MAP[m.paging_levels()] + low + 0x4000, mark)
    expect(mark in m.memory(low, low + 0x6000), "the mark was not made")
    rc, output = m.finish(command, 120)
    expect(rc == 0, f"dormouse hibernate --then return exited {rc}: {output}")
    memory = m.memory(0, 512 << 20)
    m.kill()
    # What only a running writer kernel has: a message that it made.
    expect(b"Kernel command line: nokaslr" not in memory, "the writer's log is still in memory")
    expect(mark not in memory, "what was in the low window is still in memory")


NMI = ["-device", "i6300esb", "-watchdog-action", "inject-nmi"]
RESET = ["-device", "i6300esb", "-watchdog-action", "reset"]


@scenario("fault-nmi")
def nmi(out):
    """the writer's only CPU hangs with interrupts off: the watchdog's NMI brings the host back, and leaves it alone then"""
    m, session = start(out, cpus=1, extra=NMI)
    command = writing(m)
    with Stub(m) as stub:
        hang(stub, stub.wait_for_mode(False, [0]))
    came_back(session, command, "the writer crashed (NMI")
    m.run("sleep 45", 60)  # longer than any timeout
    session.check()
    finish(session)


@scenario("fault-hostwatchdog")
def host_watchdog(out):
    """a watchdog that the host has running outlives a hibernation, and bites when the host stops feeding it
    (planted: not handed back by the writer that resumes)"""
    m, session = start(out, extra=RESET)
    feeder = m.run("busybox watchdog -T 4 -t 1 -F /dev/watchdog >/dev/null 2>&1 & echo $!")
    m.run("dormouse hibernate --then return", 120)
    m.run("sleep 8", 60)
    session.check()
    round_trip(m)
    m.run("sleep 8", 60)
    session.check()
    m.send(f"kill -9 {feeder}")
    expect(m.exit_wait(30) == "guest-reset", "the watchdog did not bite")


@scenario("fault-nowatchdog")
def no_watchdog(out):
    """a watchdog that only the writer used does not bite the host (planted: not stopped on the way back)"""
    m, session = start(out, extra=RESET)
    m.run("dormouse hibernate --then return", 120)
    command = writing(m)
    m.monitor("chardev-send-break console")
    m.send_console(b"c")
    came_back(session, command, "the writer crashed")
    m.run("sleep 30", 60)
    round_trip(m)
    m.run("sleep 30", 60)
    session.check()
    finish(session)
