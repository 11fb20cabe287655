# SPDX-License-Identifier: GPL-3.0-or-later
"""A disk with a located target (3.5) on it, in which every field can be made wrong.

The image is made by image.py and laid over extents of a disk; build() makes map and
locator as they should be, changed where the case says so, with checksums over the change.
"""

import struct

from checksum import crc32c
from image import NONCE
from layout import PAGE, change, pack

MAP = (
    ("magic", "8s", 0),
    ("version", "I", 8),
    ("number", "I", 12),
    ("nonce", "16s", 16),
    ("blocks", "I", 32),
    ("entries", "I", 36),
    ("next", "Q", 40),
    ("locator", "Q", 48),
    ("saved", "512s", 56),
    ("list", "3520s", 568),
    ("reserved", "I", 4088),
    ("checksum", "I", 4092),
)
LOCATOR = (
    ("magic", "8s", 0),
    ("version", "I", 8),
    ("reserved", "I", 12),
    ("nonce", "16s", 16),
    ("map", "Q", 32),
    ("spare", "458s", 40),
    ("checksum", "I", 498),
    ("signature", "10s", 502),
)
ENTRIES_MAX = 220
AT = 5 * PAGE + 3584  # of the locator
HEAD = 8 * PAGE  # of a file


def _sealed(table, values, changes):
    """A structure with its checksum right, unless that is what is changed."""
    checksum = changes.get("checksum", lambda right: right)
    values = change(values, {k: v for k, v in changes.items() if k != "checksum"})
    raw = pack(table, values | {"checksum": 0})
    at = next(offset for name, _, offset in table if name == "checksum")
    struct.pack_into("<I", raw, at, checksum(crc32c(raw[:at])))
    return raw


def locator(place, changes=None):
    """One that says that the map is there."""
    values = {
        "magic": b"DORM-LOC",
        "version": 1,
        "reserved": 0,
        "nonce": NONCE,
        "map": place,
        "spare": b"",
        "signature": b"LINHIB0001",
    }
    return _sealed(LOCATOR, values, changes or {})


class Disk:
    """What build() makes a disk of."""

    def __init__(self, image, file=False, pieces=(1, 3, 2, 5)):
        self.image = image
        self.file = file
        self.at = HEAD if file else AT
        self.block = {}  # changes of blocks of the map, by number
        self.locator = {}
        self.extents = lambda extents: extents  # as they are told
        self.touches = []
        self._pieces = pieces
        if not file:
            image.slot["features_incompat"] = 4

    def _scatter(self, pages):
        """Extents for so many pages: higher and higher ones below each other, with
        gaps; of a file the head comes first."""
        extents, place, n = [], 16 * PAGE, 0
        if self.file:
            extents.append((HEAD, 4 * PAGE))
            pages -= 4
        while pages > 0:
            piece = min(self._pieces[n % len(self._pieces)], pages)
            extents.insert(n // 2 + self.file, (place, piece * PAGE))
            place += (piece + 1) * PAGE
            pages -= piece
            n += 1
        return extents, place

    def damage(self, place, flip=0x10):
        """Flip a bit after all checksums were made; place: of the extents."""
        self.touches.append((place, flip))

    def place_of(self, extents, offset):
        for place, length in extents:
            if offset < length:
                return place + offset
            offset -= length
        raise IndexError(offset)

    def build(self):
        """The bytes of the disk."""
        raw = self.image.build()
        pages = len(raw) // PAGE
        extents, end = self._scatter(pages)
        blocks = (len(extents) + ENTRIES_MAX - 1) // ENTRIES_MAX
        self.places = [self.place_of(extents, 12288)]
        self.places += [end + number * PAGE for number in range(blocks - 1)]
        disk = bytearray(end + blocks * PAGE)
        for page in range(pages):
            place = self.place_of(extents, page * PAGE)
            disk[place : place + PAGE] = raw[page * PAGE : (page + 1) * PAGE]
        told = self.extents(list(extents))
        for number, place in enumerate(self.places):
            disk[place : place + PAGE] = self._map_block(number, told)
        if not self.file:
            disk[AT - 3584 : AT] = b"swap page zero, " * 224
            disk[AT : AT + 512] = locator(self.places[0], self.locator)
        for place, flip in self.touches:
            disk[place(self.places) if callable(place) else place] ^= flip
        return bytes(disk)

    def _map_block(self, number, extents):
        own = extents[number * ENTRIES_MAX : (number + 1) * ENTRIES_MAX]
        first = number == 0 and not self.file
        values = {
            "magic": b"DORM-MAP",
            "version": 1,
            "number": number,
            "nonce": NONCE,
            "blocks": len(self.places),
            "entries": len(own),
            "next": (self.places + [0])[number + 1],
            "locator": AT if first else 0,
            "saved": b"what swap page zero ends with" if first else b"",
            "list": b"".join(struct.pack("<QQ", *extent) for extent in own),
            "reserved": 0,
        }
        return _sealed(MAP, values, self.block.get(number, {}))
