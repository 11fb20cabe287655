# SPDX-License-Identifier: GPL-3.0-or-later
"""The command line of dormouse."""

from lib.guest import make_guest
from lib.scenario import expect, scenario


@scenario("cli", check=True)
def cli(out):
    """help, usage errors, doctor and status exit as documented"""
    m = make_guest(out)
    m.start()
    m.ready_wait()
    expected = {
        "--help": (0, "exit codes"),
        "hibernate --help": (0, "--then"),
        "status --help": (0, "usage"),
        "doctor --help": (0, "usage"),
        "": (2, "usage|command"),
        "sleep": (2, "sleep"),
        "hibernate --fast": (2, "--fast"),
        "hibernate --then dream": (2, "dream"),
        "hibernate --config /nowhere": (2, "/nowhere"),
        "doctor": (0, ""),
        "status": (0, ""),
    }
    for arguments, (code, words) in expected.items():
        rc, output = m.sh(f"dormouse {arguments}")
        expect(rc == code, f"dormouse {arguments} exited {rc}: {output}")
        m.run(f"dormouse {arguments} 2>&1 | grep -qE -e '{words}'")
    m.shut_down()
