# SPDX-License-Identifier: GPL-3.0-or-later
"""The replayer itself: python3 -m unittest lib.test_powercut, in tests/vm."""

import struct
import tempfile
import unittest
from pathlib import Path

from lib.powercut import (
    FLUSH, FUA, MAGIC, RESUMING, RETIRED, SECTOR, VALID, Entry, Target, early_writes, expected, read_log, replay,
    slot_writes,
)  # fmt: skip

START = 1 << 20
A, B = START + 4096, START + 8192
TARGET = Target((START, 2 * START))
WHOLE = Target((0, START))  # for what is torn between sectors
FLUSHED = Entry(0, b"", FLUSH)


def slot(place, state):
    return Entry(place, (b"DORMOUSE" + struct.pack("<II", 1, state)).ljust(4096, b"n"))


def sector(number, byte, flags=0, sectors=1):
    return Entry(number * SECTOR, bytes([byte]) * SECTOR * sectors, flags)


class Replay(unittest.TestCase):
    def outcomes(self, entries, moment, sectors, **options):
        """What the first sectors hold after each of many seeds, one byte for each."""
        found = set()
        with tempfile.TemporaryDirectory() as folder:
            disk = Path(folder) / "disk"
            for seed in range(200):
                disk.write_bytes(bytes(8 * SECTOR))
                replay(disk, entries, moment, seed, target=WHOLE, **options)
                found.add(disk.read_bytes()[: sectors * SECTOR : SECTOR])
        return found

    def test_flushed_stays(self):
        entries = [sector(0, 1), FLUSHED, sector(0, 2)]
        self.assertEqual(self.outcomes(entries, 3, 1), {b"\1", b"\2"})
        self.assertEqual(self.outcomes(entries, 2, 1), {b"\1"})
        self.assertEqual(self.outcomes(entries, 1, 1), {b"\0", b"\1"})

    def test_forgotten_flush(self):
        self.assertEqual(self.outcomes([sector(0, 1), FLUSHED], 2, 1, forget_from=0), {b"\0", b"\1"})

    def test_fua_stays(self):
        self.assertEqual(self.outcomes([sector(0, 1, FUA)], 1, 1), {b"\1"})

    def test_flush_is_before_its_own_data(self):
        self.assertEqual(self.outcomes([sector(0, 1), sector(1, 2, FLUSH)], 2, 2), {b"\1\0", b"\1\2"})

    def test_torn_between_sectors(self):
        self.assertEqual(
            self.outcomes([sector(0, 1, sectors=2)], 1, 2), {b"\0\0", b"\1\0", b"\0\1", b"\1\1"}
        )


class Expectation(unittest.TestCase):
    entries = [
        slot(A, 1), FLUSHED, slot(B, VALID), FLUSHED, slot(A, RESUMING), FLUSHED, slot(B, RESUMING), FLUSHED,
        slot(A, RETIRED), FLUSHED, slot(B, RETIRED), FLUSHED, sector(1, 7),
    ]  # fmt: skip

    def test_each_moment(self):
        slots = slot_writes(self.entries, TARGET)
        self.assertEqual([s.state for s in slots], [1, VALID, RESUMING, RESUMING, RETIRED, RETIRED])
        said = [expected(self.entries, slots, n) for n in range(len(self.entries) + 1)]
        self.assertEqual(said, ["boot"] * 3 + ["either", "resume", "either"] + ["boot"] * 8)

    def test_early_write(self):
        def early(entries):
            return early_writes(entries, slot_writes(entries, TARGET))

        self.assertEqual(early(self.entries), [])
        for at in range(3, 12):
            for place in (1, START // SECTOR + 1):  # outside of the target and in it
                self.assertEqual(early(self.entries[:at] + [sector(place, 7)] + self.entries[at:]), [at])


class Log(unittest.TestCase):
    def test_read(self):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "log"
            raw = struct.pack("<QQQI", MAGIC, 1, 2, SECTOR).ljust(SECTOR, b"\0")
            raw += struct.pack("<QQQQ", 3, 1, 0, SECTOR).ljust(SECTOR, b"\0") + b"x" * SECTOR
            raw += struct.pack("<QQQQ", 0, 0, FLUSH, 0).ljust(SECTOR, b"\0")
            path.write_bytes(raw)
            self.assertEqual(read_log(path), [Entry(3 * SECTOR, b"x" * SECTOR), FLUSHED])
            path.write_bytes(raw[: SECTOR * 2])
            with self.assertRaises(ValueError):
                read_log(path)
