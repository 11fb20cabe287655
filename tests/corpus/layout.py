# SPDX-License-Identifier: GPL-3.0-or-later
"""Structures of docs/image-format.md as tables, for writing them with any field
changed. The independent reader has its own tables; nothing is shared but the
checksum, whose check value is a test of its own."""

import struct

from checksum import crc32c

PAGE = 4096

SLOT = (
    ("magic", "8s", 0),
    ("version", "I", 8),
    ("state", "I", 12),
    ("generation", "Q", 16),
    ("nonce", "16s", 24),
    ("created", "Q", 40),
    ("features_compat", "I", 48),
    ("features_incompat", "I", 52),
    ("header_offset", "Q", 56),
    ("header_length", "I", 64),
    ("header_checksum", "I", 68),
    ("directory_offset", "Q", 72),
    ("directory_length", "I", 80),
    ("directory_checksum", "I", 84),
    ("image_end", "Q", 88),
    ("data_pages", "Q", 96),
    ("zero_pages", "Q", 104),
    ("fill_pages", "Q", 112),
    ("raw_bytes", "Q", 120),
    ("stored_bytes", "Q", 128),
    ("failed_resumes", "I", 136),
    ("sealing", "116s", 140),
    ("reason", "256s", 256),
    ("spare", "3544s", 512),
    ("tag", "32s", 4056),
    ("reserved", "I", 4088),
    ("checksum", "I", 4092),
)
SEALING = (
    ("cipher", "I", 0),
    ("flags", "I", 4),
    ("key_offset", "Q", 8),
    ("key_length", "I", 16),
    ("key_checksum", "I", 20),
    ("keyslots_offset", "Q", 24),
    ("keyslots_length", "I", 32),
    ("keyslots_checksum", "I", 36),
    ("header_digest", "32s", 40),
    ("directory_digest", "32s", 72),
    ("reserved", "12s", 104),
)
KEY_BLOCK = (
    ("magic", "8s", 0),
    ("version", "I", 8),
    ("reserved", "I", 12),
    ("nonce", "16s", 16),
    ("ephemeral", "32s", 32),
    ("recipient", "32s", 64),
    ("sealed", "32s", 96),
    ("tag", "16s", 128),
    ("spare", "3948s", 144),
)
BLOCK = (("magic", "8s", 0), ("version", "I", 8), ("bytes", "I", 12))
DIRECTORY = (("magic", "8s", 0), ("nonce", "16s", 8), ("count", "I", 24), ("reserved", "I", 28))
PLACE = (("offset", "Q", 0), ("length", "I", 8), ("checksum", "I", 12))
SEGMENT = (
    ("magic", "8s", 0),
    ("nonce", "16s", 8),
    ("number", "I", 24),
    ("entries", "I", 28),
    ("bytes", "I", 32),
    ("entry_bytes", "H", 36),
    ("reserved", "H", 38),
)
ENTRY = (
    ("first_pfn", "Q", 0),
    ("offset", "Q", 8),
    ("stored", "I", 16),
    ("checksum", "I", 20),
    ("codec", "B", 24),
    ("reserved25", "B", 25),
    ("data_pages", "H", 26),
    ("run_count", "H", 28),
    ("reserved30", "H", 30),
)


def change(values, changes):
    """Values with some replaced, or put through a function."""
    unknown = set(changes) - set(values)
    if unknown:
        raise KeyError(f"no such field: {unknown}")
    for name, new in changes.items():
        values[name] = new(values[name]) if callable(new) else new
    return values


def pack(table, values):
    """The bytes of a structure; what `values` does not name is zero."""
    name, form, offset = table[-1]
    raw = bytearray(offset + struct.calcsize(form))
    for name, form, offset in table:
        if name in values:
            struct.pack_into("<" + form, raw, offset, values[name])
    return raw


def padded(length, unit=PAGE):
    """Rounded up."""
    return (length + unit - 1) // unit * unit


def unpack(table, raw):
    """The values of a structure."""
    return {
        name: struct.unpack_from("<" + form, raw, offset)[0] for name, form, offset in table
    }


def slot(values, changes, finish=None):
    """A slot with its checksum right, unless that is what is changed. finish: gives
    the bytes before that."""
    values = {name: b"" if form.endswith("s") else 0 for name, form, _ in SLOT} | values
    checksum = changes.get("checksum", lambda right: right)
    raw = pack(SLOT, change(values, {k: v for k, v in changes.items() if k != "checksum"}))
    if finish:
        raw = finish(raw)
    struct.pack_into("<I", raw, 4092, checksum(crc32c(raw[:4092])))
    return raw


def record(tag, payload, length=None, padding=b""):
    """A record of a block; `length` is what it claims."""
    body = payload + padding
    body += bytes(padded(len(body), 8) - len(body))
    return struct.pack("<II", tag, len(payload) if length is None else length) + body


def block(records, changes):
    """A header block out of the bytes of its records."""
    values = {"magic": b"DORM-HDR", "version": 1, "bytes": 24 + len(records)}
    values |= {"reserved": 0, "checksum": 0}
    checksum = changes.get("checksum", lambda right: right)
    change(values, {k: v for k, v in changes.items() if k != "checksum"})
    raw = pack(BLOCK, values) + records + struct.pack("<I", values["reserved"])
    return raw + struct.pack("<I", checksum(crc32c(raw)))


def ranges(*items):
    """Payload of ranges: (start, end, type) or (start, end, type, reserved)."""
    return b"".join(struct.pack("<QQII", *(item + (0,))[:4]) for item in items)


def run(kind, pages, word=None):
    """A run; the word of FILL runs only."""
    number = {"skip": 0, "data": 1, "zero": 2, "fill": 3}[kind]
    return struct.pack("<H", number << 14 | pages) + (
        b"" if word is None else struct.pack("<Q", word)
    )
