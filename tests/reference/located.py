# SPDX-License-Identifier: GPL-3.0-or-later
"""Located targets (3.5): an address space whose extents lie scattered on a disk."""

import os
from typing import NamedTuple

from checksum import crc32c
from errors import Corrupt, FormatError, Unsupported, require

PAGE = 4096
MAP_OFFSET = 12288
HEAD_BYTES = 16384
LOCATOR_BYTES = 512
LOCATOR_AT = PAGE - LOCATOR_BYTES
BLOCKS_MAX = 298
ENTRIES_MAX = 220
EXTENTS_MAX = 65536
PLACES_END = 1 << 63


class Whole:
    """A target that is all of a file or device."""

    nonce = None  # that slots must have
    locator = map_place = 0
    extents = ()

    def __init__(self, file):
        self._file = file
        self.size = file.seek(0, os.SEEK_END)

    def read(self, offset, length):
        self._file.seek(offset)
        raw = self._file.read(length)
        if len(raw) != length:
            raise OSError(f"only {len(raw)} of {length} bytes at {offset}")
        return raw


class Map(NamedTuple):
    """What all blocks of an extent map say together (3.5.1)."""

    nonce: bytes
    locator: int
    extents: list
    places: list


class Located:
    """The target that a map is of, on a disk."""

    def __init__(self, disk, extents, nonce=None, map_place=0, locator=0):
        self._disk = disk
        self.map_place = map_place
        self.extents = extents
        self.nonce = nonce
        self.locator = locator
        self.size = sum(length for _, length in extents)

    def read(self, offset, length):
        raw = b""
        for place, room in self.extents:
            if offset < room and len(raw) < length:
                raw += self._disk.read(place + offset, min(length - len(raw), room - offset))
                offset = room
            offset -= room
        if len(raw) != length:
            raise OSError(f"only {len(raw)} of {length} bytes")
        return raw


def _fields(raw, *offsets):
    """Little-endian numbers: (offset, bytes)."""
    return [int.from_bytes(raw[at : at + size], "little") for at, size in offsets]


def _read_page(disk, place):
    require(place % PAGE == 0 and place + PAGE <= disk.size, f"map: no place on the disk: {place}")
    return disk.read(place, PAGE)


def _read_block(raw, number):
    """Check one block; its blocks, nonce, next, locator, saved and extents."""
    if raw[:8] != b"DORM-MAP":
        raise (Corrupt if number else FormatError)("no extent map")
    require(crc32c(raw[:4092]) == int.from_bytes(raw[4092:], "little"), "map: checksum")
    version, own, blocks, entries, following, locator, reserved = _fields(
        raw, (8, 4), (12, 4), (32, 4), (36, 4), (40, 8), (48, 8), (4088, 4)
    )
    if version != 1:
        raise Unsupported(f"map: version {version}")
    require(own == number, f"map: block {own} instead of {number}")
    require(number < blocks <= BLOCKS_MAX, f"map: {blocks} blocks")
    is_last = number + 1 == blocks
    require(1 <= entries <= ENTRIES_MAX, f"map: {entries} entries")
    require(is_last or entries == ENTRIES_MAX, "map: a block that is not full")
    require(number * ENTRIES_MAX + entries <= EXTENTS_MAX, "map: too many extents")
    require((following == 0) == is_last, "map: next")
    require(following % PAGE == 0 and following < PLACES_END, "map: next is no place")
    require(number == 0 or locator == 0, "map: a locator in a further block")
    if locator:
        require(locator % PAGE == LOCATOR_AT and locator < PLACES_END, "map: locator")
    else:
        require(not any(raw[56:568]), "map: saved, without a locator")
    end = 568 + 16 * entries
    require(reserved == 0 and not any(raw[end:4088]), "map: reserved is not zero")
    extents = [tuple(_fields(raw, (at, 8), (at + 8, 8))) for at in range(568, end, 16)]
    return blocks, raw[16:32], following, locator, extents


def read_map(disk, place):
    """The whole map whose first block is there, checked."""
    places, extents = [], []
    blocks, nonce, following, locator, more = _read_block(_read_page(disk, place), 0)
    while True:
        places.append(place)
        extents += more
        if len(places) == blocks:
            break
        place = following
        own_blocks, own_nonce, following, _, more = _read_block(
            _read_page(disk, place), len(places)
        )
        require(own_blocks == blocks and own_nonce == nonce, "map: a block of another map")
    _check_extents(disk, extents, places, locator)
    return Map(nonce, locator, extents, places)


def _check_extents(disk, extents, places, locator):
    parts = list(extents) + [(place, PAGE) for place in places[1:]]
    if locator:
        parts.append((locator - LOCATOR_AT, PAGE))
    for place, length in parts:
        require(place % PAGE == 0 and length % PAGE == 0 and length, "map: an extent")
        require(place + length <= disk.size, "map: an extent behind the end of the disk")
    parts.sort()
    for one, other in zip(parts, parts[1:]):
        require(sum(one) <= other[0], "map: two extents overlap")
    require(sum(length for _, length in extents) > HEAD_BYTES, "map: too small a target")
    require(locator or extents[0][1] >= HEAD_BYTES, "map: a head in pieces")
    offset = MAP_OFFSET
    for place, length in extents:
        if offset < length:
            require(place + offset == places[0], "map: it is not where its extents have it")
            break
        offset -= length


def has_locator(sector):
    """Whether there is one, sound or damaged."""
    return sector[:8] == b"DORM-LOC" and sector[502:] == b"LINHIB0001"


def _read_locator(disk, at):
    """Nonce, and the place of the map (3.5.2)."""
    if at + LOCATOR_BYTES > disk.size:
        raise FormatError("no locator behind the end of the disk")
    raw = disk.read(at, LOCATOR_BYTES)
    if not has_locator(raw):
        raise FormatError("no locator")
    require(crc32c(raw[:498]) == int.from_bytes(raw[498:502], "little"), "locator: checksum")
    version, reserved, place = _fields(raw, (8, 4), (12, 4), (32, 8))
    if version != 1:
        raise Unsupported(f"locator: version {version}")
    require(reserved == 0 and not any(raw[40:498]), "locator: reserved is not zero")
    require(place % PAGE == 0 and 0 < place < PLACES_END, "locator: map")
    return raw[16:32], place


def _open_locator(disk, at):
    nonce, place = _read_locator(disk, at)
    try:
        found = read_map(disk, place)
    except FormatError as fault:
        raise Corrupt(f"{fault}, though there is a locator") from None
    require(found.nonce == nonce, "the locator is of another image than the map")
    require(found.locator == at, "the map is of another locator")
    return Located(disk, found.extents, nonce, place, at)


def _open_head(disk, at):
    try:
        found = read_map(disk, at + MAP_OFFSET)
        require(not found.locator, "the map is none of a file")
    except (FormatError, Corrupt):
        return Located(disk, [(at, HEAD_BYTES)])
    return Located(disk, found.extents, found.nonce, at + MAP_OFFSET)


def open_target(file, at=None):
    """What the bytes of the file are, or what lies at that byte of a disk."""
    disk = Whole(file)
    if at is None:
        return disk
    if at % PAGE == LOCATOR_AT:
        return _open_locator(disk, at)
    return _open_head(disk, at)
