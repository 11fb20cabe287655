# SPDX-License-Identifier: GPL-3.0-or-later
"""Directory (6), index segments, entries and runs (7)."""

import struct
from typing import NamedTuple

from chunkdata import CODECS
from errors import Unsupported, require
from sealing import TAG
from superblock import DATA_START, PAGE, Region, check_region

SEGMENT_MAX = 65536
SEGMENT_HEADER = 40
ENTRY_BYTES = 32
BLOCK_PAGES = 128
SKIP, DATA, ZERO, FILL = range(4)


class Run(NamedTuple):
    """What became of neighbouring pages; the word of FILL runs only."""

    kind: int
    pages: int
    word: int


class Entry(NamedTuple):
    """One block and its chunk."""

    first_pfn: int
    offset: int
    stored: int
    checksum: int
    codec: int
    data_pages: int
    runs: list
    tag: bytes  # in a sealed image; else empty

    def pages(self, kind):
        return sum(run.pages for run in self.runs if run.kind == kind)


def read_directory(raw, slot):
    """The places of all segments, each with its tag (empty where there is none)."""
    require(len(raw) >= 32, "directory: too short")
    magic, nonce, count, reserved = struct.unpack_from("<8s16sII", raw)
    require(magic == b"DORM-DIR", "directory: no DORM-DIR")
    require(nonce == slot.nonce, "directory: another nonce")
    require(reserved == 0, "directory: the reserved field is not zero")
    tag = TAG if slot.sealing else 0
    size = 16 + tag
    require(len(raw) == 32 + size * count, f"directory: {count} places in {len(raw)} bytes")
    places = [
        (Region(*fields), own)
        for *fields, own in struct.iter_unpack(f"<QII{tag}s", raw[32:])
    ]
    for number, (place, _) in enumerate(places):
        require(place.length >= SEGMENT_HEADER, f"place {number}: {place.length} bytes")
        check_region(place, slot.image_end, SEGMENT_MAX, f"place {number}")
    return places


def read_segment(raw, number, slot):
    """The entries of one segment, each checked by itself."""
    name = f"segment {number}"
    magic, nonce, found, count, length, entry_bytes, reserved = struct.unpack_from(
        "<8s16sIIIHH", raw
    )
    require(magic == b"DORM-IDX", f"{name}: no DORM-IDX")
    require(nonce == slot.nonce, f"{name}: another nonce")
    require(found == number, f"{name}: it says {found}")
    require(length == len(raw), f"{name}: {length} bytes in a place of {len(raw)}")
    expected = ENTRY_BYTES + (TAG if slot.sealing else 0)
    require(entry_bytes == expected, f"{name}: entry_bytes {entry_bytes}")
    require(reserved == 0, f"{name}: the reserved field is not zero")
    entries = []
    at = SEGMENT_HEADER
    for _ in range(count):
        entry, at = _read_entry(raw, at, slot, name)
        entries.append(entry)
    require(at == len(raw), f"{name}: {len(raw) - at} bytes behind the last entry")
    return entries


def _read_entry(raw, at, slot, name):
    tag_bytes = TAG if slot.sealing else 0
    require(at + ENTRY_BYTES + tag_bytes <= len(raw), f"{name}: an entry does not fit")
    first_pfn, *chunk, codec, reserved, data_pages, run_count, reserved2 = struct.unpack_from(
        "<QQIIBBHHH", raw, at
    )
    name = f"{name}, entry of pfn {first_pfn:#x}"
    require(reserved == reserved2 == 0, f"{name}: a reserved field is not zero")
    require(1 <= run_count <= BLOCK_PAGES, f"{name}: {run_count} runs")
    at += ENTRY_BYTES + tag_bytes
    tag = raw[at - tag_bytes : at]
    runs, at = _read_runs(raw, at, run_count, name)
    entry = Entry(first_pfn, *chunk, codec, data_pages, runs, tag)
    require(first_pfn % BLOCK_PAGES == 0, f"{name}: no multiple of 128")
    require(first_pfn < 1 << 40, f"{name}: 2^40 or above")
    require(data_pages == entry.pages(DATA), f"{name}: data_pages {data_pages}")
    _check_chunk(entry, slot, name)
    return entry, at


def _check_chunk(entry, slot, name):
    if entry.data_pages == 0:
        unused = (entry.offset, entry.stored, entry.checksum, entry.codec)
        require(not any(unused) and not any(entry.tag), f"{name}: a chunk without data")
        return
    if entry.codec >= len(CODECS):
        raise Unsupported(f"{name}: codec {entry.codec}")
    require(entry.offset >= DATA_START, f"{name}: the chunk starts before the data")
    size = entry.data_pages * PAGE
    fits = entry.stored == size if entry.codec == 0 else 1 <= entry.stored < size
    require(fits, f"{name}: stored {entry.stored}")
    require(entry.offset + entry.stored <= slot.image_end, f"{name}: the chunk ends too late")


def _read_runs(raw, at, count, name):
    runs = []
    for _ in range(count):
        require(at + 2 <= len(raw), f"{name}: a run does not fit")
        (head,) = struct.unpack_from("<H", raw, at)
        kind, pages, word = head >> 14, head & 0x3FFF, 0
        at += 2
        if kind == FILL:
            require(at + 8 <= len(raw), f"{name}: a word does not fit")
            (word,) = struct.unpack_from("<Q", raw, at)
            at += 8
        require(pages >= 1, f"{name}: an empty run")
        runs.append(Run(kind, pages, word))
    require(sum(run.pages for run in runs) <= BLOCK_PAGES, f"{name}: more than 128 pages")
    return runs, at


def check_index(entries, slot):
    """What has to hold over all entries of all segments."""
    for before, entry in zip(entries, entries[1:]):
        require(
            before.first_pfn < entry.first_pfn,
            f"pfn {entry.first_pfn:#x}: its entry comes after that of {before.first_pfn:#x}",
        )
    for name, kind in (("data_pages", DATA), ("zero_pages", ZERO), ("fill_pages", FILL)):
        total = sum(entry.pages(kind) for entry in entries)
        require(total == getattr(slot, name), f"{name}: {total} in the index")
    stored = sum(entry.stored for entry in entries)
    require(stored == slot.stored_bytes, f"stored_bytes: {stored} in the index")
