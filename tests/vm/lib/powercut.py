# SPDX-License-Identifier: GPL-3.0-or-later
"""Power cuts: what a disk with a volatile cache holds when power goes at one moment.

QEMU's blklogwrites records every write and flush of a disk, in the format of
dm-log-writes: a super block of one sector (magic, version, entries, sector
size), then for each entry a sector that describes it (sector, count, flags,
bytes) and its data. Root and target are partitions of one disk, so that the
order of all writes is known.
"""

import random
import struct
from dataclasses import dataclass

MAGIC = 0x6A736677736872
SECTOR, BLOCK = 512, 4096
FLUSH, FUA, DISCARD = 1, 2, 4
MAGIC_SLOT = b"DORMOUSE"  # docs/image-format.md, 3
VALID, RESUMING, RETIRED = 2, 3, 4


@dataclass
class Entry:
    offset: int  # bytes, on the disk
    data: bytes
    flags: int = 0


class Target:
    """Where on the disk the target lies: ranges of (start, end), in bytes."""

    def __init__(self, *ranges):
        self.ranges = [(start, end) for start, end in ranges]

    def __contains__(self, entry):
        return any(start <= entry.offset < end for start, end in self.ranges)


def read_log(path):
    """The entries of a log, oldest first."""
    entries = []
    with open(path, "rb") as f:
        magic, version, count, sector = struct.unpack("<QQQI", f.read(28))
        if magic != MAGIC or version != 1 or sector != SECTOR:
            raise ValueError(f"{path} is no write log of {SECTOR}-byte sectors")
        f.seek(SECTOR)
        for _ in range(count):
            start, sectors, flags, length = struct.unpack("<QQQQ", f.read(SECTOR)[:32])
            if flags & DISCARD:  # no data follows; what it leaves is anything, and zeros are one of that
                entries.append(Entry(start * SECTOR, bytes(sectors * SECTOR), flags))
                continue
            data = f.read(sectors * SECTOR)
            if len(data) != sectors * SECTOR:
                raise ValueError(f"{path} ends within an entry")
            entries.append(Entry(start * SECTOR, data, flags))
    return entries


def settled(entries, moment):
    """How many of the first entries a flush has made durable when power goes after `moment` of them.

    An entry with FLUSH is a flush, then its own data.
    """
    return max((i for i in range(moment) if entries[i].flags & FLUSH), default=0)


def replay(disk, entries, moment, seed, *, target, forget_from=None):
    """Brings a copy of the starting disk to what a cut after `moment` entries leaves.

    What no flush covers lands, vanishes, or is torn, as the seed says: between sectors on the target, elsewhere
    between blocks of 4 KiB, since ext4 itself does not survive a superblock of which one sector was written and the
    other not. Flushes from entry forget_from on do nothing, as if the program had left them out.
    """
    chance = random.Random(seed)
    durable = settled(entries, moment if forget_from is None else min(moment, forget_from))
    with open(disk, "r+b") as f:
        for number, entry in enumerate(entries[:moment]):
            fate = "lands"
            if number >= durable and not entry.flags & FUA:
                fate = chance.choice(("lands", "vanishes", "torn"))
            if fate == "vanishes":
                continue
            unit = SECTOR if entry in target else BLOCK
            for at in range(0, len(entry.data), unit):
                if fate == "lands" or chance.random() < 0.5:
                    f.seek(entry.offset + at)
                    f.write(entry.data[at : at + unit])


@dataclass
class Slot:
    number: int  # of the entry
    state: int
    nonce: bytes


def slot_writes(entries, target):
    """Every write of a superblock; in swap in use, and in a file, it may be anywhere."""
    found = []
    for number, entry in enumerate(entries):
        if entry in target and len(entry.data) == BLOCK and entry.data.startswith(MAGIC_SLOT):
            found.append(Slot(number, struct.unpack_from("<I", entry.data, 12)[0], entry.data[24:40]))
    return found


def expected(entries, slots, moment):
    """What may come of a cut after `moment` entries: "resume", "boot" or "either"."""
    written = [s for s in slots if s.number < moment]
    valid = next((i for i in reversed(range(len(written))) if written[i].state == VALID), None)
    if valid is None:
        return "boot"
    later = written[valid + 1 :]
    first = later[0] if later else written[valid]
    flushed = settled(entries, moment) > first.number
    if later:  # RESUMING or RETIRED, or the next image
        return "boot" if flushed else "either"
    return "resume" if flushed else "either"


def early_writes(entries, slots):
    """Numbers of all writes but those of slots while an image is VALID or RESUMING: the host wrote too early."""
    early, open_since = [], None
    retired = 0
    state = {s.number: s.state for s in slots}
    for number, entry in enumerate(entries):
        if entry.flags & FLUSH and retired >= 2:  # both slots, and they are durable
            open_since = None
        if number in state:
            if state[number] == VALID:
                open_since, retired = number, 0
            elif state[number] == RETIRED:
                retired += 1
        elif open_since is not None and entry.data:
            early.append(number)
    return early


def moments(entries, slots, count, chance):
    """Moments to cut at: of each five one that must resume, one that may, one near a write of a slot, two anywhere."""
    anywhere = range(1, len(entries) + 1)
    by_outcome = {}
    for moment in anywhere:
        by_outcome.setdefault(expected(entries, slots, moment), []).append(moment)
    near = [min(s.number + k, len(entries)) for s in slots for k in (0, 1, 2, 3)]
    kinds = (by_outcome["resume"], by_outcome["either"], near, anywhere, anywhere)
    return [chance.choice(kinds[i % len(kinds)]) for i in range(count)]
