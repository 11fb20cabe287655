# SPDX-License-Identifier: GPL-3.0-or-later
"""The two slots of the superblock (3), and which of them counts (3.2)."""

import struct
from typing import NamedTuple, Optional

from checksum import crc32c
from errors import Corrupt, FormatError, Unsupported, require
from located import LOCATOR_AT, has_locator
from sealing import AUTHENTICATED, KEY_BYTES, KEYSLOTS_MAX, Sealing

PAGE = 4096
SLOT_BYTES = 4096
SLOT_OFFSETS = (4096, 8192)
DATA_START = 16384
HEADER_MAX = 65536
DIRECTORY_MAX = 16777216
STATES = ("empty", "writing", "valid", "resuming", "retired")
IMAGE_STATES = ("valid", "resuming")
SWAP_AREA, SEALED, SLOTS = 1, 2, 4  # of features_incompat
KNOWN = SWAP_AREA | SEALED | SLOTS

_SEALING = struct.Struct("<II QII QII 32s 32s 12s")
_FIXED = struct.Struct("<8sIIQ16sQII QII QII QQQQQQI")


class Region(NamedTuple):
    """A part of the image, with its checksum."""

    offset: int
    length: int
    checksum: int

    @property
    def end(self):
        """Where the last of its 4096-byte blocks ends."""
        return self.offset + (self.length + PAGE - 1) // PAGE * PAGE


def check_region(region, image_end, longest, name):
    """What section 3 says of every region."""
    require(region.offset % PAGE == 0, f"{name}: its offset is no multiple of 4096")
    require(region.offset >= DATA_START, f"{name}: it starts before the data")
    require(region.length >= 1, f"{name}: it is empty")
    require(region.length <= longest, f"{name}: {region.length} bytes are too many")
    require(region.end <= image_end, f"{name}: it ends behind image_end")


class Slot(NamedTuple):
    """One good slot."""

    state: str
    generation: int
    nonce: bytes
    created: int
    features_compat: int
    features_incompat: int
    header: Region
    directory: Region
    image_end: int
    data_pages: int
    zero_pages: int
    fill_pages: int
    raw_bytes: int
    stored_bytes: int
    failed_resumes: int
    reason: str
    sealing: Optional[Sealing]  # None: the image is not sealed
    tag: bytes
    tagged: bytes  # what the tag is over (13.5)


def read_slot(raw):
    """Check one slot, in the order of section 3, and take it apart."""
    if raw[:8] != b"DORMOUSE":
        raise FormatError("no superblock")
    require(crc32c(raw[:4092]) == int.from_bytes(raw[4092:], "little"), "slot: checksum")
    fields = _FIXED.unpack_from(raw)
    _, version, state, generation, nonce, created, compat, incompat = fields[:8]
    if version != 1:
        raise Unsupported(f"slot: version {version}")
    if incompat & ~KNOWN:
        raise Unsupported(f"slot: features_incompat {incompat:#x}")
    sealed = incompat & SEALED
    require(sealed or not any(raw[140:256]), "slot: sealing is not zero")
    require(compat or not any(raw[512:4056]), "slot: spare is not zero")
    require(sealed or not any(raw[4056:4088]), "slot: tag is not zero")
    require(not any(raw[4088:4092]), "slot: the reserved field is not zero")
    require(incompat & (SWAP_AREA | SLOTS) != SWAP_AREA | SLOTS, "slot: of two kinds of targets")
    require(state < len(STATES), f"slot: state {state}")
    reason = raw[256:512]
    require(reason[-1] == 0, "slot: the reason does not end with NUL")
    slot = Slot(
        STATES[state],
        generation,
        nonce,
        created,
        compat,
        incompat,
        Region(*fields[8:11]),
        Region(*fields[11:14]),
        *fields[14:21],
        reason[: reason.index(0)].decode("utf-8", "replace"),
        _read_sealing(raw) if sealed else None,
        raw[4056:4088],
        raw[:12] + bytes(12) + raw[24:48] + bytes(4) + raw[52:136] + bytes(4) + raw[140:256],
    )
    if slot.state in IMAGE_STATES:
        _check_places(slot)
    return slot


def _read_sealing(raw):
    cipher, flags, *fields, header, directory, reserved = _SEALING.unpack_from(raw, 140)
    require(not any(reserved), "slot: the reserved bytes of sealing are not zero")
    return Sealing(cipher, flags, Region(*fields[:3]), Region(*fields[3:]), header, directory)


def _check_places(slot):
    require(slot.image_end % PAGE == 0, "slot: image_end is no multiple of 4096")
    require(slot.image_end < 1 << 63, "slot: image_end is too large")
    check_region(slot.header, slot.image_end, HEADER_MAX, "header")
    check_region(slot.directory, slot.image_end, DIRECTORY_MAX, "directory")
    parts = [slot.header, slot.directory]
    if slot.sealing:
        parts += _check_sealing(slot)
    parts.sort()
    for before, after in zip(parts, parts[1:]):
        require(before.end <= after.offset, "slot: two parts overlap")
    require(slot.raw_bytes == slot.data_pages * PAGE, "slot: raw_bytes")
    require(slot.stored_bytes <= slot.raw_bytes, "slot: stored_bytes is above raw_bytes")


def _check_sealing(slot):
    flags, key, keyslots = slot.sealing.flags, slot.sealing.key, slot.sealing.keyslots
    if flags & ~AUTHENTICATED:
        raise Unsupported(f"slot: flags {flags:#x}")
    check_region(key, slot.image_end, KEY_BYTES, "sealed key")
    require(key.length == KEY_BYTES, f"sealed key: {key.length} bytes")
    if keyslots == Region(0, 0, 0):
        return [key]
    check_region(keyslots, slot.image_end, KEYSLOTS_MAX, "keyslots")
    return [key, keyslots]


def is_dead(slot, target):
    """Whether page 0 says that the image does not count (3.4), or its locator (3.5)."""
    if target.locator:
        return False  # by which it was found
    page = target.read(0, PAGE)
    if has_locator(page[LOCATOR_AT:]):
        return True
    signature = page[4086:4096]
    if slot.features_incompat & SWAP_AREA:
        return signature != b"LINHIB0001"
    return signature in (b"SWAPSPACE2", b"LINHIB0001")


def _rank(slot):
    return slot.generation, STATES.index(slot.state)


def _read_own(raw, target):
    """Check one slot, which must be of this target (3.5)."""
    try:
        slot = read_slot(raw)
    except Unsupported:
        if target.nonce and raw[24:40] != target.nonce:
            raise FormatError("slot: of another image than the map") from None
        raise
    if target.nonce and slot.nonce != target.nonce:
        raise FormatError("slot: of another image than the map")
    if bool(slot.features_incompat & SLOTS) != bool(target.locator):
        raise FormatError("slot: of another kind of target")
    return slot


def choose_slot(target):
    """The slot that counts, and what is odd about its twin (None: nothing)."""
    good, faults = [], []
    for at in SLOT_OFFSETS:
        try:
            good.append(_read_own(target.read(at, SLOT_BYTES), target))
        except (FormatError, Corrupt) as fault:
            faults.append(fault)
    if not good:
        # A damaged slot is a trace of an image; no superblock is none.
        raise next((f for f in faults if isinstance(f, Corrupt)), faults[0])
    if len(good) == 1:
        return good[0], f"twin: {faults[0]}"
    first, second = good
    if _rank(second) > _rank(first):
        first, second = second, first
    if first.nonce != second.nonce:
        return first, "twin: another nonce"
    if first.generation == second.generation:
        return first, "twin: the same generation"
    return first, None
