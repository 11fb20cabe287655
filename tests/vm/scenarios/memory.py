# SPDX-License-Identifier: GPL-3.0-or-later
"""How much memory the writer needs, in its window as it is."""

import re

from lib.guest import make_guest
from lib.scenario import expect, scenario

SPARE_MIB = 2  # must be left: a kernel whose memory is gone fails in places that nobody tests
LIMIT = 300


def spare(m, verb):
    """MiB of the window that the writer's log says were never used while it was at work."""
    lines = [line.text for line in m.lines]
    found = [f[1] for line in lines if (f := re.search(r"memory: ([\d.]+) MiB of the window were never used", line))]
    expect(found, f"the writer did not say how much memory it used for {verb}")
    return float(found[-1])


def worst_index(out, codec):
    m = make_guest(out, cpus=16, mem=2048)
    m.start()
    m.ready_wait(LIMIT)
    m.run(f"echo 'codec = {codec}' >>/etc/dormouse.conf")
    m.run("workload sieve /run/sieve 1200 >/run/sieve.log 2>&1 & while [ ! -e /run/sieve ]; do usleep 100000; done", LIMIT)
    number = m.send("dormouse hibernate --then return")
    rc, text = m.finish(number, LIMIT)
    expect(rc == 0, f"dormouse hibernate exited {rc}: {text}")
    left = spare(m, "writing")
    with open(out / "memory.txt", "a") as f:
        f.write(f"{codec}: window for 16 CPUs and 2 GiB, worst index: {left} MiB never used\n")
    expect(left >= SPARE_MIB, f"writing with {codec} left only {left} MiB of the window")
    m.kill()


@scenario("memory", check=True, limit=600)
def memory(out):
    """16 CPUs and the worst index: the writer's window is large enough, with some MiB to spare"""
    worst_index(out, "lz4")


@scenario("memory-zstd", limit=600)
def memory_zstd(out):
    """the same with zstd:9, whose scratch memory makes the window larger"""
    worst_index(out, "zstd:9")
