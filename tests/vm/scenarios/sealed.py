# SPDX-License-Identifier: GPL-3.0-or-later
"""Encrypted images: through power-off, with everything that can open them, and what must not be believed."""

from lib.keys import make_sealed_guest, resume_sealed, set_up
from lib.scenario import expect, scenario
from lib.session import Session, finish, hibernate


def start(out, **options):
    m = make_sealed_guest(out, **options)
    m.start()
    m.ready_wait()
    set_up(m)
    return m, Session(m, tmpfs_mib=20)


@scenario("target-partition-encrypted", check=True, limit=400)
def target_partition_encrypted(out):
    """an encrypted image on a disk of its own, through power-off; the passphrase typed at the console"""
    m, session = start(out)
    for _ in range(2):
        resume_sealed(m, hibernate(m))
        session.check()
    expect("retired" in m.run("dormouse status"), "the image was not retired")
    finish(session)
