# SPDX-License-Identifier: GPL-3.0-or-later
"""The header (5): what was to know of the host, or of the dump."""

import struct
from typing import NamedTuple, Optional

from errors import Unsupported, require
from records import read_block
from superblock import Region, check_region

MEMORY, WINDOWS, MAIN_WINDOW, JUMP_ENTRY, LEVELS, WRITER, FREE_FILL, DUMP, DISKS, PRINTS = range(
    0x80000001, 0x8000000B
)
RELEASE, HOSTNAME, BUILD_ID, CPUS, VMCOREINFO, REPORT, WATCHDOG = range(16, 23)

NAMES = {
    MEMORY: "MEMORY",
    WINDOWS: "WINDOWS",
    MAIN_WINDOW: "MAIN_WINDOW",
    JUMP_ENTRY: "JUMP_ENTRY",
    LEVELS: "LEVELS",
    WRITER: "WRITER",
    FREE_FILL: "FREE_FILL",
    DUMP: "DUMP",
    DISKS: "DISKS",
    PRINTS: "PRINTS",
    RELEASE: "RELEASE",
    HOSTNAME: "HOSTNAME",
    BUILD_ID: "BUILD_ID",
    CPUS: "CPUS",
    VMCOREINFO: "VMCOREINFO",
    REPORT: "REPORT",
    WATCHDOG: "WATCHDOG",
}
REQUIRED_OF_ALL = (MEMORY, LEVELS, FREE_FILL, RELEASE)
ONLY_OF_HOSTS = (WINDOWS, MAIN_WINDOW, JUMP_ENTRY, WRITER, DISKS, PRINTS)

RAM = 1
TYPES = (1, 2, 3, 4, 5, 7)
FREE_FILLS = ("none", "zero", "poison", "save")
PAGE = 4096
RANGES_MAX = 128
NOTES_MAX = 1 << 20
PRINT_KINDS = (1, 2, 3, 4, 5)
PRINT_WANTED = 16
PRINT_LENGTH_MAX = 2 << 30
NO_MARK = 0xFFFFFFFF


class Range(NamedTuple):
    """Physical memory of one type."""

    start: int
    end: int
    type: int

    def holds(self, start, end):
        return self.start <= start and end <= self.end

    def overlaps(self, start, end):
        return start < self.end and self.start < end


class Print(NamedTuple):
    """A fingerprint (5.4)."""

    disk: int
    kind: int
    offset: int
    length: int
    mark_at: int
    mark: bytes
    digest: bytes
    name: bytes


class Header(NamedTuple):
    """A header that has passed all checks; None: not there."""

    memory: list
    windows: list
    main_window: Optional[Range]
    jump_entry: Optional[int]
    levels: int
    writer: Optional[bytes]
    free_fill: str
    dump: Optional[Region]
    disks: Optional[list]
    prints: Optional[list]
    release: str
    hostname: Optional[str]
    build_id: Optional[str]
    cpus: Optional[int]
    vmcoreinfo: Optional[tuple]
    report: Optional[tuple]
    watchdog: Optional[int]

    def ram_holds(self, start, end):
        """Is all of it RAM, by one range?"""
        return any(r.type == RAM and r.holds(start, end) for r in self.memory)

    def saved_may_hold(self, pfn):
        """May the image contain this page (5.1)?"""
        start, end = pfn * PAGE, (pfn + 1) * PAGE
        return self.ram_holds(start, end) and not any(w.overlaps(start, end) for w in self.windows)


def _ranges(payload, most, name):
    require(len(payload) % 24 == 0, f"{name}: length {len(payload)}")
    require(1 <= len(payload) // 24 <= most, f"{name}: {len(payload) // 24} ranges")
    ranges = []
    for start, end, kind, reserved in struct.iter_unpack("<QQII", payload):
        require(start < end, f"{name}: a range ends before it starts")
        require(end <= 1 << 52, f"{name}: a range ends above 2^52")
        require(reserved == 0, f"{name}: the reserved field of a range is not zero")
        if kind not in TYPES:
            raise Unsupported(f"{name}: type {kind} of memory")
        require(not ranges or ranges[-1].end <= start, f"{name}: not ascending, or overlapping")
        ranges.append(Range(start, end, kind))
    return ranges


def _number(payload, size, name):
    require(len(payload) == size, f"{name}: length {len(payload)}")
    return int.from_bytes(payload, "little")


def _string(payload, most, name):
    require(len(payload) <= most, f"{name}: {len(payload)} bytes")
    require(0 not in payload, f"{name}: a NUL inside")
    return payload.decode("utf-8", "replace")


def _free_fill(payload):
    number = _number(payload, 4, "FREE_FILL")
    if number >= len(FREE_FILLS):
        raise Unsupported(f"FREE_FILL: {number}")
    return FREE_FILLS[number]


def _levels(payload):
    levels = _number(payload, 4, "LEVELS")
    if levels not in (4, 5):
        raise Unsupported(f"LEVELS: {levels}")
    return levels


def _writer(payload):
    require(len(payload) == 32, f"WRITER: length {len(payload)}")
    return payload


def _dump(payload):
    require(len(payload) == 16, f"DUMP: length {len(payload)}")
    return Region(*struct.unpack("<QII", payload))


def _padded(text, name):
    require(0 in text, f"{name}: a string without an end")
    require(not text.rstrip(b"\0").count(0), f"{name}: something behind a string")
    return text.rstrip(b"\0")


def _disks(payload):
    require(len(payload) % 64 == 0 and len(payload) // 64 <= 64, f"DISKS: length {len(payload)}")
    disks = []
    for size, identity in struct.iter_unpack("<Q56s", payload):
        require(0 < size < 1 << 63 and size % 512 == 0, "DISKS: size")
        disks.append((size, _padded(identity, "DISKS")))
    return disks


def _prints(payload):
    require(len(payload) % 160 == 0 and len(payload) // 160 <= 256, f"PRINTS: length {len(payload)}")
    prints = []
    for fields in struct.iter_unpack("<IIQQII16s32s80s", payload):
        if fields[1] not in PRINT_KINDS + (PRINT_WANTED,):
            raise Unsupported(f"PRINTS: kind {fields[1]}")
        require(fields[1] != PRINT_WANTED, "PRINTS: a kind of the handoff")
        require(fields[5] == 0, "PRINTS: the reserved field is not zero")
        prints.append(Print(*fields[:5], *fields[6:8], _padded(fields[8], "PRINTS")))
    return prints


def _vmcoreinfo(payload):
    require(len(payload) == 16, f"VMCOREINFO: length {len(payload)}")
    address, size, reserved = struct.unpack("<QII", payload)
    require(reserved == 0, "VMCOREINFO: the reserved field is not zero")
    require(address + size <= 1 << 52, "VMCOREINFO: it ends above 2^52")
    return (address, size) if address or size else None


def _report(payload):
    require(len(payload) == 48, f"REPORT: length {len(payload)}")
    pages = struct.unpack_from("<4Q", payload)
    return (pages, payload[32:]) if any(pages) else None


# What each record must look like by itself, in the order of Header's fields.
READERS = {
    MEMORY: lambda p: _ranges(p, RANGES_MAX, "MEMORY"),
    WINDOWS: lambda p: _ranges(p, RANGES_MAX, "WINDOWS"),
    MAIN_WINDOW: lambda p: _ranges(p, 1, "MAIN_WINDOW")[0],
    JUMP_ENTRY: lambda p: _number(p, 8, "JUMP_ENTRY"),
    LEVELS: _levels,
    WRITER: _writer,
    FREE_FILL: _free_fill,
    DUMP: _dump,
    DISKS: _disks,
    PRINTS: _prints,
    RELEASE: lambda p: _string(p, 64, "RELEASE"),
    HOSTNAME: lambda p: _string(p, 64, "HOSTNAME"),
    BUILD_ID: lambda p: _string(p, 40, "BUILD_ID"),
    CPUS: lambda p: _number(p, 4, "CPUS"),
    VMCOREINFO: _vmcoreinfo,
    REPORT: _report,
    WATCHDOG: lambda p: _number(p, 4, "WATCHDOG"),
}


def read_header(raw, image_end):
    """Check a header by all rules of section 5 and take it apart."""
    payloads = read_block(raw, b"DORM-HDR", 1, READERS)
    values = {tag: READERS[tag](payload) for tag, payload in payloads.items()}
    is_dump = DUMP in values
    for tag in REQUIRED_OF_ALL + (() if is_dump else ONLY_OF_HOSTS):
        require(tag in values, f"{NAMES[tag]} is missing")
    if is_dump:
        for tag in ONLY_OF_HOSTS + (REPORT,):
            require(tag not in values, f"{NAMES[tag]} in the image of a dump")
    values.setdefault(WINDOWS, [])
    header = Header(*(values.get(tag) for tag in READERS))
    if is_dump:
        _check_dump(header, image_end)
    else:
        _check_host(header)
    return header


def _check_host(header):
    for window in header.windows:
        require(window.type == RAM, "WINDOWS: not RAM")
        require(window.start % PAGE == window.end % PAGE == 0, "WINDOWS: no whole pages")
        require(header.ram_holds(window.start, window.end), "WINDOWS: outside of RAM")
    require(header.main_window in header.windows, "MAIN_WINDOW is none of WINDOWS")
    entry = header.jump_entry
    require(entry != 0, "JUMP_ENTRY is 0")
    require(header.saved_may_hold(entry // PAGE), "JUMP_ENTRY is no RAM, or in a window")
    for page in header.report[0] if header.report else ():
        require(page != 0, "REPORT: only some addresses are 0")
        require(page % PAGE == 0, "REPORT: not aligned")
        require(header.ram_holds(page, page + PAGE), "REPORT: not in RAM")
    _check_prints(header)


def _check_prints(header):
    for p in header.prints:
        require(p.disk < len(header.disks), "PRINTS: no such disk")
        require(p.length and p.length % 512 == p.offset % 512 == 0, "PRINTS: not whole sectors")
        require(p.length <= PRINT_LENGTH_MAX, "PRINTS: too long")
        require(p.offset + p.length <= header.disks[p.disk][0], "PRINTS: behind the disk's end")
        require(p.mark_at == NO_MARK or p.mark_at + 16 <= p.length, "PRINTS: mark")
    places = [(p.disk, p.offset, p.length) for p in header.prints]
    require(places == sorted(set(places)), "PRINTS: not ascending")


def _check_dump(header, image_end):
    for r in header.memory:
        require(r.type == RAM, "MEMORY: not RAM, in the image of a dump")
        require(r.start % PAGE == r.end % PAGE == 0, "MEMORY: no whole pages, in that of a dump")
    if header.dump != Region(0, 0, 0):
        check_region(header.dump, image_end, NOTES_MAX, "notes")
