# SPDX-License-Identifier: GPL-3.0-or-later
"""Record blocks (9): tagged records under one checksum."""

import struct

from checksum import crc32c
from errors import Corrupt, Unsupported, require

CRITICAL = 0x80000000


def read_block(raw, magic, version, known):
    """Payloads by tag, of the tags in `known`; other records are skipped.

    `raw` is the whole block. A wrong magic is Corrupt: what led here was ours.
    """
    require(len(raw) >= 24 and len(raw) % 8 == 0, f"{len(raw)} bytes are no record block")
    found_magic, found_version, length = struct.unpack_from("<8sII", raw)
    require(found_magic == magic, f"no {magic.decode()}")
    require(length == len(raw), f"block: {length} bytes in a region of {len(raw)}")
    reserved, checksum = struct.unpack_from("<II", raw, length - 8)
    require(crc32c(raw[: length - 4]) == checksum, "block: checksum")
    if found_version != version:
        raise Unsupported(f"block: version {found_version}")
    require(reserved == 0, "block: the reserved field is not zero")
    return _read_records(raw[16 : length - 8], known)


def _read_records(raw, known):
    found = {}
    at = 0
    while at < len(raw):
        tag, length = struct.unpack_from("<II", raw, at)
        end = at + 8 + (length + 7) // 8 * 8
        require(end <= len(raw), f"record {tag:#x} does not fit")
        payload = raw[at + 8 : at + 8 + length]
        require(not any(raw[at + 8 + length : end]), f"record {tag:#x}: padding")
        at = end
        if tag in known:
            if tag in found:
                raise Corrupt(f"record {tag:#x} comes twice")
            found[tag] = payload
        elif tag & CRITICAL:
            raise Unsupported(f"record {tag:#x} is critical and not known")
    return found
