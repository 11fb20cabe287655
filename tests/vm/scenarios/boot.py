# SPDX-License-Identifier: GPL-3.0-or-later
"""The harness itself, without Dormouse."""

from lib.guest import make_guest
from lib.scenario import scenario
from lib.session import Session, finish


@scenario("boot", check=True, product=False)
def boot(out):
    """a guest boots and its workload passes its own checks, without hibernation"""
    m = make_guest(out, product=False)
    m.start()
    m.ready_wait()
    session = Session(m, hog_mib=100)
    session.check()
    session.check()
    finish(session)
