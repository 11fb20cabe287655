# SPDX-License-Identifier: GPL-3.0-or-later
"""Which pages `dormouse pack` leaves out of a guest's dump, compared with what makedumpfile leaves out of it."""

import subprocess

from lib import dumps, kdump
from lib.guest import BUILD, make_guest
from lib.kernels import debian_kernel, test_kernel
from lib.scenario import add, expect, scenario

FREE_MIN = 20000  # pages with content that the guest has freed, or the comparison says little
NO_CHOICE = "every page is saved"  # pack says so when it cannot tell free pages

# Without one of these lines of vmcoreinfo nobody can tell which pages are free.
LINES = (
    "SYMBOL(mem_section)", "SIZE(mem_section)", "LENGTH(mem_section)", "OFFSET(mem_section.section_mem_map)",
    "NUMBER(SECTION_SIZE_BITS)", "SIZE(page)", "OFFSET(page.flags)", "OFFSET(page._mapcount)", "OFFSET(page.private)",
    "NUMBER(PAGE_BUDDY_MAPCOUNT_VALUE)", "SYMBOL(init_top_pgt)", "NUMBER(phys_base)", "NUMBER(pgtable_l5_enabled)",
)  # fmt: skip

# 256 MiB below the hole at 4 GiB and 256 above it, in two nodes, the second of which begins in the middle above.
HOLE_AND_NODES = {
    "mem": 512,
    "machine": "pc,max-ram-below-4g=256M",
    "nodes": (
        "-object", "memory-backend-ram,size=384M,id=m0", "-numa", "node,cpus=0,memdev=m0",
        "-object", "memory-backend-ram,size=128M,id=m1", "-numa", "node,cpus=1,memdev=m1",
    ),
}  # fmt: skip


def dormouse(*arguments):
    """Runs a command of dormouse that must succeed; returns what it says on stderr."""
    result = subprocess.run([BUILD / "dormouse", *arguments], capture_output=True, text=True, timeout=120)
    expect(result.returncode == 0, f"dormouse {arguments[0]} exited {result.returncode}: {result.stderr.strip()}")
    return result.stderr


def take_dump(out, kernel, *, levels, mem=384, nodes=(), **options):
    """The dump of a guest whose free memory is in many pieces, most of them with content."""
    m = make_guest(out, kernel=kernel, product=False, mem=mem, target_mib=1, extra=(*dumps.DEVICE, *nodes), **options)
    m.start()
    m.ready_wait(120)
    expect(m.paging_levels() == levels, f"the guest runs with {m.paging_levels()} levels")
    m.run("workload fill /tmp/data 40; cat /bin/* /usr/bin/* >/dev/null", 60)
    m.run("mkdir /tmp/f; for i in $(seq 8000); do echo $i >/tmp/f/$i; done; cd /tmp/f; rm *[13579]", 60)
    hog = "workload hog /run/hog 120 >/run/hog.log 2>&1 & while [ ! -e /run/hog ]; do usleep 100000; done"
    hog += "; kill $!; wait $! || :"  # its memory is free when it is gone
    m.run(hog, 120)
    dumps.take(m, out / "dump.img")
    m.kill()
    return out / "dump.img"


def compare(out, dump):
    """Packs the dump as QEMU wrote it, unpacks it, and compares; returns the counts."""
    said = dormouse("pack", "--codec", "lzo", dump, out / "packed.img")
    expect(NO_CHOICE not in said, f"pack cannot use the dump's vmcoreinfo: {said.strip()}")
    dormouse("unpack", out / "packed.img", out / "unpacked.img")
    dumps.put_headers_first(dump)
    judgement = kdump.Judgement(kdump.make(dump, out / "kdump.img", "-d", str(kdump.FREE), "-l"))
    with dumps.Dump(dump) as source, dumps.Dump(out / "unpacked.img") as copied:
        counts = dumps.compare(source, copied, judgement.is_kept)
    (out / "pages.txt").write_text("".join(f"{name}: {n}\n" for name, n in sorted(counts.items())))
    return counts


def selection(kernel, *, levels=5, **options):
    def run(out):
        counts = compare(out, take_dump(out, kernel(), levels=levels, **options))
        free = counts["left out"] + counts["saved"]
        expect(counts["wrong"] == 0, f"{counts['wrong']} pages came back with another content")
        expect(counts["lost"] == 0, f"pack leaves out {counts['lost']} pages that makedumpfile keeps")
        expect(free >= FREE_MIN, f"only {free} free pages have content")
        expect(counts["saved"] == 0, f"pack saves {counts['saved']} of {free} free pages")

    return run


def debian(series):
    return lambda: debian_kernel(series, (dumps.MODULE,))


def declare(name, about, *arguments, check=False, **options):
    about = f"pack leaves out the pages that makedumpfile does: {about}"
    add(f"selection-{name}", about, selection(*arguments, **options), check=check)


declare("test", "the tests' kernel, 5 levels", test_kernel, check=True)
declare("test4", "the tests' kernel, 4 levels", test_kernel, levels=4, append="no5lvl")
declare("6.1", "Debian's 6.1, 5 levels", debian("6.1"))
declare("6.1-4", "Debian's 6.1, 4 levels", debian("6.1"), levels=4, cpu="max,la57=off")
declare("6.12", "Debian's 6.12, 5 levels", debian("6.12"))
declare("6.12-4", "Debian's 6.12, 4 levels", debian("6.12"), levels=4, append="no5lvl")
declare("nokaslr", "Debian's 6.12 without KASLR", debian("6.12"), append="nokaslr")
declare("hole", "Debian's 6.12, memory with a hole, two nodes", debian("6.12"), **HOLE_AND_NODES)


@scenario("selection-unknown")
def unknown(out):
    """pack saves every page, and says so, when vmcoreinfo is not there or lacks a line"""
    dump = take_dump(out, test_kernel(), levels=5, mem=256)
    edited = out / "edited.img"

    def saves_all(what):
        said = dormouse("pack", "--codec", "none", "--force", edited, out / "packed.img")
        expect(NO_CHOICE in said, f"without {what}, pack said: {said.strip() or 'nothing'}")
        dormouse("unpack", "--force", out / "packed.img", out / "unpacked.img")
        with dumps.Dump(edited) as source, dumps.Dump(out / "unpacked.img") as copied:
            counts = dumps.compare(source, copied, lambda pfn: True)
        bad = counts["lost"] + counts["wrong"]
        expect(bad == 0, f"without {what}, {bad} pages are missing")

    dumps.write_without_note(dump, edited)
    saves_all("the note")
    for line in LINES:
        dumps.write_without_line(dump, edited, line.encode() + b"=")
        saves_all(line)
