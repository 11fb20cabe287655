# SPDX-License-Identifier: GPL-3.0-or-later
"""The writer's window over what it needs to read of the host."""

import base64
import re
import struct

from lib.guest import make_guest
from lib.scenario import Failure, expect, scenario
from lib.session import Session, finish, round_trip

WINDOW = 46 << 20  # at least so many bytes has the main window: window_plan() in lib/jump/window.c
GRAIN = 2 << 20  # what a window is aligned to
KERNEL = 0xFFFFFFFF80000000  # where the kernel's own mapping begins
ADDRESS = 0x000FFFFFFFFFF000  # of an entry in a page table
LARGE = 1 << 7  # an entry that maps a page itself


def window_over(m, address):
    """The base of a window that holds the address and lies in RAM as a whole; None if there is none."""
    ram = re.findall(r"^([0-9a-f]+)-([0-9a-f]+) : System RAM", m.run("cat /proc/iomem"), re.MULTILINE)
    for start, end in ((int(start, 16), int(end, 16) + 1) for start, end in ram):
        if start <= address < end:
            base = min(address, end - WINDOW) // GRAIN * GRAIN
            return base if start <= base and address < base + WINDOW else None
    raise Failure(f"{address:#x} is not in RAM")


def kcore(m):
    """The beginning of /proc/kcore: an ELF header, program headers, and notes with the vmcoreinfo."""
    return base64.b64decode(m.run("dd if=/proc/kcore bs=4096 count=4 2>/dev/null | base64 -w 0"))


def find_vmemmap(header):
    """Where the array of struct page begins: the segment that is neither RAM, nor vmalloc (tebibytes), nor KERNEL."""
    (offset,) = struct.unpack_from("<Q", header, 32)
    size, count = struct.unpack_from("<HH", header, 54)
    for i in range(count):
        kind, _, _, virtual, physical, _, length, _ = struct.unpack_from("<IIQQQQQQ", header, offset + i * size)
        if kind == 1 and physical == 2**64 - 1 and length < 1 << 40 and virtual < KERNEL:
            return virtual
    raise Failure("/proc/kcore shows no vmemmap")


def walk(m, top, virtual):
    """Physical addresses of the tables that map a virtual address, from the top, and that which it maps to."""
    tables = [top]
    for level in reversed(range(m.paging_levels())):
        entry = m.read_physical(tables[-1] + (virtual >> (12 + 9 * level) & 511) * 8)
        expect(entry & 1, f"{virtual:#x} is not mapped")
        if level == 0 or entry & LARGE:
            inside = (1 << (12 + 9 * level)) - 1
            return tables, entry & ADDRESS & ~inside | virtual & inside
        tables.append(entry & ADDRESS)
    raise AssertionError


def find_places(m):
    """What the writer reads of the host, by name: physical addresses."""
    header = kcore(m)
    top_symbol = int(re.search(rb"SYMBOL\(init_top_pgt\)=([0-9a-f]+)", header)[1], 16)
    _, top = walk(m, m.register("CR3") & ADDRESS, top_symbol)
    tables, vmemmap = walk(m, top, find_vmemmap(header))
    vmcoreinfo = int(m.run("cat /sys/kernel/vmcoreinfo").split()[0], 16)
    return {"vmcoreinfo": vmcoreinfo, "vmemmap": vmemmap} | {f"page table {n}": t for n, t in enumerate(tables)}


@scenario("window", check=True, limit=600)
def window(out):
    """the window lies over the host's vmcoreinfo, its vmemmap, and the page tables that map that"""
    m = make_guest(out)
    m.start()
    m.ready_wait()
    session = Session(m)
    windows = {}
    for name, address in find_places(m).items():
        base = next((b for b in windows if b <= address < b + WINDOW), None) or window_over(m, address)
        if base is not None:
            windows.setdefault(base, []).append(f"{name} at {address:#x}")
        else:  # in the last partial 2 MiB of RAM, where no window can be; happens to the lower page tables
            expect(name not in ("vmcoreinfo", "vmemmap", "page table 0"), f"no window can hold {name} at {address:#x}")
    for base, names in windows.items():
        with open(out / "windows.txt", "a") as f:
            f.write(f"{base:#x}: {', '.join(names)}\n")
        m.run(f"sed -i '/^window/d' /etc/dormouse.conf; echo 'window = {base:#x}' >>/etc/dormouse.conf")
        round_trip(m)
        m.run(f"dmesg | grep -q 'dormouse: window at {base:#x} '")
        session.check()
    finish(session)
