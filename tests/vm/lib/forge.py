# SPDX-License-Identifier: GPL-3.0-or-later
"""What somebody can do to a sealed image who writes to its disk, and knows the format but no key.

All checksums are made right again, so that nothing but the keys can tell.
"""

import hashlib
import struct
import sys

from lib.kernels import REPOSITORY
from lib.scenario import expect

sys.path.insert(0, str(REPOSITORY / "tests/reference"))
from checksum import crc32c  # noqa: E402

SLOTS = (4096, 8192)
VALID = 2
SEALED = 2  # of features_incompat
# Places in a slot (docs/image-format.md, 3 and 13.1).
FEATURES, HEADER, DIRECTORY, KEY, KEYSLOTS = 52, 56, 72, 148, 164
HEADER_DIGEST, DIRECTORY_DIGEST, SEALING, TAG = 180, 212, 140, 4056
# CRC-32C's polynomial, first the highest power, as bits of bytes are taken: 33 bits that a checksum does not see.
UNSEEN = sum(bit << i for i, bit in enumerate(int(c) for c in f"{0x11EDC6F41:033b}"))


class Forged:
    """A copy of a target that is changed: the slot that counts, and regions by their place in it."""

    def __init__(self, path):
        self._path = path
        with open(path, "rb") as f:
            slots = {}
            for at in SLOTS:
                f.seek(at)
                slots[at] = bytearray(f.read(4096))
        valid = [at for at, slot in slots.items() if struct.unpack_from("<I", slot, 12)[0] == VALID]
        expect(len(valid) == 1, f"there are {len(valid)} slots that say VALID")
        self._at, self.slot = valid[0], slots[valid[0]]

    def region(self, field):
        offset, length = struct.unpack_from("<QI", self.slot, field)
        return offset, length

    def read(self, field):
        offset, length = self.region(field)
        with open(self._path, "rb") as f:
            f.seek(offset)
            return bytearray(f.read(length))

    def put(self, offset, data):
        with open(self._path, "r+b") as f:
            f.seek(offset)
            f.write(data)

    def replace(self, field, data, digest=None):
        """Other bytes for a region, in the same place; what is put into the slot matches them."""
        offset, length = self.region(field)
        expect(len(data) == length, "another length")
        self.put(offset, data)
        struct.pack_into("<I", self.slot, field + 12, crc32c(data))
        if digest:
            self.slot[digest : digest + 32] = hashlib.sha256(data).digest()

    def put_slot(self):
        struct.pack_into("<I", self.slot, 4092, crc32c(self.slot[:4092]))
        self.put(self._at, self.slot)


def unseen(path, offset):
    """Bits flipped at a place, so that the checksum of whatever it lies in stays right."""
    with open(path, "r+b") as f:
        f.seek(offset)
        old = f.read(64)
        new = (int.from_bytes(old, "little") ^ UNSEEN << 100).to_bytes(64, "little")
        expect(new != old and crc32c(new) == crc32c(old), "the checksum sees it")
        f.seek(offset)
        f.write(new)


def slot(path):
    """The superblock says that the image is of another time."""
    f = Forged(path)
    f.slot[40] ^= 1
    f.put_slot()


def header(path):
    """The header says another thing of the host: its name."""
    f = Forged(path)
    data = f.read(HEADER)
    at = data.index(b"guest")
    data[at : at + 5] = b"quest"
    struct.pack_into("<I", data, len(data) - 4, crc32c(data[:-4]))
    f.replace(HEADER, data, HEADER_DIGEST)
    f.put_slot()


def directory(path):
    """A tag of an index segment is another one."""
    f = Forged(path)
    data = f.read(DIRECTORY)
    data[-1] ^= 1
    f.replace(DIRECTORY, data, DIRECTORY_DIGEST)
    f.put_slot()


def keyslots(path, luks):
    """The keyslots are somebody else's, who knows a passphrase for them."""
    f = Forged(path)
    f.replace(KEYSLOTS, luks)
    f.put_slot()


def keyslots_damaged(path):
    """No forgery: one bit of the keyslots is another one."""
    f = Forged(path)
    data = f.read(KEYSLOTS)
    data[100] ^= 1
    f.put(f.region(KEYSLOTS)[0], data)


def recipient(path):
    """The key is sealed for somebody else."""
    f = Forged(path)
    data = f.read(KEY)
    data[64] ^= 1
    struct.pack_into("<I", data, 4092, crc32c(data[:4092]))
    f.replace(KEY, data)
    f.put_slot()


def replayed(path, other):
    """An older image of the same machine under the name and with the header of this one, by whose fingerprints the
    filesystems are compared."""
    f, old = Forged(path), Forged(other)
    for field in (DIRECTORY, KEY, KEYSLOTS):
        f.put(old.region(field)[0], old.read(field))
    for start, end in ((DIRECTORY, 136), (SEALING, HEADER_DIGEST), (DIRECTORY_DIGEST, 256), (TAG, TAG + 32)):
        f.slot[start:end] = old.slot[start:end]
    f.put_slot()


def clear(path):
    """It says that it is not encrypted at all."""
    f = Forged(path)
    (features,) = struct.unpack_from("<I", f.slot, FEATURES)
    struct.pack_into("<I", f.slot, FEATURES, features & ~SEALED)
    f.slot[SEALING:256] = bytes(256 - SEALING)
    f.slot[TAG : TAG + 32] = bytes(32)
    f.put_slot()
