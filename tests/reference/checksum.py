# SPDX-License-Identifier: GPL-3.0-or-later
"""CRC-32C (1), by the table of bytes."""

import functools

_POLYNOMIAL = 0x82F63B78
_REMEMBERED = 65536


def _make_table():
    table = []
    for crc in range(256):
        for _ in range(8):
            crc = crc >> 1 ^ (_POLYNOMIAL if crc & 1 else 0)
        table.append(crc)
    return table


_TABLE = _make_table()


def _compute(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc = _TABLE[(crc ^ byte) & 0xFF] ^ crc >> 8
    return crc ^ 0xFFFFFFFF


# The corpus has the same parts in hundreds of images, each written and read.
_compute_once = functools.lru_cache(256)(_compute)


def crc32c(data):
    """Checksum of a bytes-like object."""
    data = bytes(data)
    return _compute_once(data) if len(data) <= _REMEMBERED else _compute(data)


if crc32c(b"123456789") != 0xE3069283:
    raise AssertionError("CRC-32C is wrong")
