# SPDX-License-Identifier: GPL-3.0-or-later
"""Many hibernations of one guest: nothing wears out."""

from lib import disk
from lib.guest import make_guest
from lib.scenario import expect, scenario
from lib.session import Session, finish, round_trip

ROUNDS = 20
OFF_EACH = 4  # each so many-th is through power-off, the others come back at once
# What may be missing after all of them, in KiB: the kernel's own caches come and go by a few MiB.
TOLERANCE = {"MemAvailable": 16 << 10, "SwapFree": 8 << 10, "Slab": 8 << 10}


def figures(m):
    m.run("sync; echo 3 >/proc/sys/vm/drop_caches; sleep 1")
    text = m.run("cat /proc/meminfo")
    found = {line.split(":")[0]: int(line.split()[1]) for line in text.splitlines()}
    # Kernel threads have no program.
    return {name: found[name] for name in TOLERANCE} | {"processes": int(m.run("for p in /proc/[0-9]*; do readlink $p/exe; done | wc -l"))}


@scenario("twenty", limit=1500)
def twenty(out):
    """twenty hibernations in a row with a filesystem under load and swap in use: no error, no leak of memory or swap"""
    swap = disk.make_blank(out / "swap.img", 512)
    m = make_guest(
        out, mem=512, target_mib=1024,
        extra=["-drive", f"if=none,id=swap,file={swap},format=raw,cache=unsafe", "-device", "virtio-blk-pci,drive=swap,addr=9"],
    )  # fmt: skip
    m.start()
    m.ready_wait()
    device = m.run("for d in vda vdb vdc; do [ $(cat /sys/class/block/$d/size) = 1048576 ] && echo /dev/$d; done").split()[-1]
    m.run(f"mkswap {device} && swapon {device}")
    session = Session(m, tmpfs_mib=20, hog_mib=280)
    m.run("workload fill /tmp/more 330", 120)
    used = int(m.run("awk '/SwapTotal/ { t = $2 } /SwapFree/ { print t - $2 }' /proc/meminfo"))
    expect(used > 4 << 10, f"swap is not in use: {used} KiB")
    m.run("rm /tmp/more")
    session.check()  # which brings back from swap what was there, before and after
    before = figures(m)
    for number in range(1, ROUNDS + 1):
        if number % OFF_EACH == 0:
            round_trip(m)
        else:
            rc, output = m.sh("dormouse hibernate --then return", 240)
            expect(rc == 0, f"hibernation {number} exited {rc}: {output}")
    session.check()
    after = figures(m)
    (out / "figures.txt").write_text(f"{before}\n{after}\n")
    print(f"hibernations in a row: {ROUNDS}, before {before}, after {after}")
    for name, tolerance in TOLERANCE.items():
        lost = (after[name] - before[name]) * (1 if name == "Slab" else -1)
        expect(lost <= tolerance, f"{name} was {before[name]} KiB, is {after[name]} KiB")
    expect(after["processes"] <= before["processes"], f"{after['processes']} processes, {before['processes']} before")
    finish(session)
