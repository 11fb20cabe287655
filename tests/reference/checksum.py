# SPDX-License-Identifier: GPL-3.0-or-later
"""CRC-32C (1), two bytes at a time: twice as fast as the table of 256, and the
table of 65536 still takes only some milliseconds to make."""

import array
import sys

_POLYNOMIAL = 0x82F63B78


def _make_tables():
    one, two = [], []
    for byte in range(256):
        crc = byte
        for _ in range(8):
            crc = crc >> 1 ^ (_POLYNOMIAL if crc & 1 else 0)
        one.append(crc)
    for high in range(256):
        for low in range(256):
            crc = one[low]
            two.append(one[(crc ^ high) & 0xFF] ^ crc >> 8)
    return one, two


_ONE, _TWO = _make_tables()


def crc32c(data):
    """Checksum of a bytes-like object."""
    data = bytes(data)
    pairs = array.array("H", data[: len(data) & ~1])
    if sys.byteorder != "little":
        pairs.byteswap()
    table = _TWO
    crc = 0xFFFFFFFF
    for pair in pairs:
        crc = table[(crc ^ pair) & 0xFFFF] ^ crc >> 16
    if len(data) & 1:
        crc = _ONE[(crc ^ data[-1]) & 0xFF] ^ crc >> 8
    return crc ^ 0xFFFFFFFF


if crc32c(b"123456789") != 0xE3069283:
    raise AssertionError("CRC-32C is wrong")
