# SPDX-License-Identifier: GPL-3.0-or-later
"""The writer itself fails, in the kernel as it is shipped: the host goes on, and its memory is as it was."""

from lib.guest import make_guest
from lib.scenario import expect, scenario
from lib.session import Session, finish, round_trip

WRITING = r"\[#*\.*\] +\d+ %"  # the progress bar


def start(out, **options):
    m = make_guest(out, **options)
    m.start()
    m.ready_wait()
    return m, Session(m, tmpfs_mib=64, hog_mib=200)


def came_back(session, command, reason, timeout=120):
    """dormouse hibernate ended with the reason; the session goes on, and can hibernate again."""
    m = session.machine
    rc, output = m.finish(command, timeout)
    expect(rc == 4 and reason in output, f"dormouse hibernate exited {rc}: {output}")
    session.check()


def break_key(m, key):
    """SysRq on the serial line: a break, then the key."""
    m.monitor("chardev-send-break console")
    m.send_console(key)


@scenario("fault-panic", check=True)
def panic(out):
    """the writer's kernel panics (SysRq c) while it writes: back in the host, with its message; then a round trip"""
    m, session = start(out)
    command = m.send("dormouse hibernate")
    m.console_wait(WRITING, 60)
    break_key(m, b"c")
    came_back(session, command, "the writer crashed (sysrq triggered crash)")
    m.run("grep -q 'Kernel panic - not syncing: sysrq' /run/dormouse/last")
    m.run("grep -q 'imagewriter: target is' /run/dormouse/last")
    round_trip(m)
    finish(session)
