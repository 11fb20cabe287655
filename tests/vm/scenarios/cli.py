# SPDX-License-Identifier: GPL-3.0-or-later
"""The command line of dormouse, and how long the way into the writer takes."""

from lib.guest import make_guest
from lib.scenario import expect, scenario
from lib.session import Session


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


@scenario("startup")
def startup(out):
    """at most 1.5 s from the jump to imagewriter's first line and 1 s to load it, in the best of three"""
    m = make_guest(out)
    m.start()
    m.ready_wait()
    Session(m)
    load_times, start_times = [], []
    for _ in range(3):
        seen = len(m.lines)
        m.run("dormouse hibernate --then return", 120)
        lines = m.lines[seen:]
        window, jump, first = (
            next(line.time for line in lines if text in line.text)
            for text in ("dormouse: window at", "dormouse: jumping into the writer", "imagewriter: ")
        )
        load_times.append(jump - window)
        start_times.append(first - jump)
    with open(out / "startup.txt", "w") as f:
        f.write(f"load: {load_times}\nstart: {start_times}\n")
    expect(min(start_times) <= 1.5, f"{min(start_times):.2f} s from the jump to imagewriter's first line")
    expect(min(load_times) <= 1.0, f"{min(load_times):.2f} s to load the writer")
    m.shut_down()
