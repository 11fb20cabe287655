# SPDX-License-Identifier: GPL-3.0-or-later
"""Cases: sealed images (13), read with the secret unless said otherwise, and what
somebody makes of one who has no key."""

import hashlib

import packer
from case import case, each
from checksum import crc32c
from image import NONCE, PAGE, RESUMING, RETIRED, VALID, Entry, noise_pages, sample, sample_dump
from sealer import AES, CHACHA, Seal, fix

CIPHERS = {"aes": AES, "chacha": CHACHA}


def _seal(image, **attributes):
    image.seal = Seal(NONCE)
    for name, value in attributes.items():
        setattr(image.seal, name, value)
    return image


@each("13.2", CIPHERS)
def good_sealed(image, cipher):
    _seal(image, cipher=cipher)


@each("13.2", CIPHERS)
def good_sealed_without_secret(image, cipher):
    """What can be checked without it is right."""
    _seal(image, cipher=cipher).secret = None


@case("13.3")
def good_sealed_not_authenticated(image):
    _seal(image, flags=0)


@case("13.1")
def good_sealed_without_keyslots(image):
    _seal(image, keyslots=b"")


@case("13.4")
def good_sealed_dump(_):
    return _seal(sample_dump())


@case("13.4")
def good_sealed_dump_without_secret(_):
    image = _seal(sample_dump())
    image.secret = None
    return image


@case("13.4")
def good_sealed_two_segments(image):
    _seal(image)
    image.segments.append([Entry(0x380, [("data", 2)], noise_pages(2))])


@each("13.5", {"resuming": RESUMING, "valid": VALID})
def good_sealed_state(image, state):
    _seal(image)
    image.slots = [{"state": state, "generation": g} for g in (16, 17)]


@case("13.5")
def good_sealed_changed_without_key(image):
    """All that the tag is not over."""
    _seal(image).forged = {
        "generation": 99,
        "failed_resumes": 7,
        "reason": b"the disk was slow",
        "features_compat": 1 << 31,
        "spare": b"of a newer version",
    }


@case("13.7")
def none_sealed_retired(image):
    _seal(image).slots = [{"state": RETIRED, "generation": g} for g in (8, 9)]
    image.secret = None


# Made by who has the key, against a rule.


@each("13.1", {"of_1": 2, "high": 1 << 31})
def unsupported_sealing_flags(image, flags):
    _seal(image, changes={"flags": flags})


@each("13.2", {"none": 0, "next": 3, "large": 0x101})
def unsupported_cipher(image, cipher):
    _seal(image, changes={"cipher": cipher})


@case("13.3")
def unsupported_sealed_key_version(image):
    _seal(image, key_changes={"version": 2})


@each(
    "13.1",
    {
        "reserved": {"reserved": b"\1"},
        "reserved_end": {"reserved": bytes(11) + b"\1"},
        "key_short": {"key_length": 4095},
        "key_long": {"key_length": 4097},
        "key_empty": {"key_length": 0},
        "key_unaligned": {"key_offset": lambda at: at + 512},
        "key_in_header": {"key_offset": 16384},
        "key_in_keyslots": {"key_offset": lambda at: at - PAGE},
        "key_behind_the_end": {"key_offset": lambda at: at + PAGE},
        "key_checksum": {"key_checksum": lambda c: c ^ 1},
        "keyslots_empty": {"keyslots_length": 0},
        "keyslots_nowhere": {"keyslots_offset": 0},
        "keyslots_in_key": {"keyslots_length": PAGE + 1},
        "keyslots_in_header": {"keyslots_offset": 16384},
    },
)
def bad_sealing(image, changes):
    _seal(image, changes=changes).both()


@case("13.1")
def bad_keyslots_long(image):
    _seal(image, keyslots=bytes(4194305)).both()


@case("13.1")
def bad_keyslots_checksum(image):
    """Seen without the secret as well; with it nobody needs them."""
    _seal(image, changes={"keyslots_checksum": lambda c: c ^ 1})
    image.secret = None


@each(
    "13.3",
    {
        "wiped": {"magic": b"", "version": 0, "nonce": b"", "ephemeral": b"", "recipient": b""},
        "magic": {"magic": b"DORM-KEX"},
        "checksum": {"checksum": lambda c: c ^ 1},
        "reserved": {"reserved": 1},
        "spare": {"spare": bytes(3947) + b"\1"},
    },
)
def bad_sealed_key(image, changes):
    _seal(image, key_changes=changes)


@case("13.1")
def bad_sealed_without_sealing(image):
    image.both(features_incompat=2)


@case("7.1")
def bad_sealed_entry_bytes(image):
    _seal(image).segment[0] = {"entry_bytes": 32}


@case("7.2")
def bad_sealed_tag_of_nothing(image):
    _seal(image).segments[0][-1].tag = bytes(15) + b"\1"


@case("6")
def bad_sealed_directory_short(image):
    _seal(image).directory["count"] = lambda count: count + 1


@case("5.3")
def bad_sealed_notes_short(_):
    image = _seal(sample_dump(b"x"))
    image.dump = {"length": 16, "checksum": lambda _: image.notes_checksum(16)}
    return image


@each("13.6", {"header": "header", "directory": "directory", "segment": "segment 0", "chunk": "chunk 0.1"})
def bad_sealed_damaged(image, part):
    """Checksums are looked at first."""
    _seal(image).damage(part, 5)


# Made by who has no key. Every checksum is right.


@each("13.6", {"first": 0, "fifth": 5, "middle": 150, "end": -5})
def forged_header(image, at):
    _seal(image).forge("header", at)


@each("13.6", {"nonce": 8, "count": 24, "place": 32, "tag": 48, "end": -5})
def forged_directory(image, at):
    _seal(image).forge("directory", at)


@each("13.6", {"first": 0, "entry": 40, "tag": 72, "end": -5})
def forged_segment(image, at):
    _seal(image).forge("segment 0", at)


@each("13.6", {f"{cipher}_{at}": (CIPHERS[cipher], at) for cipher in CIPHERS for at in (0, 50, -5)})
def forged_chunk(image, how):
    cipher, at = how
    _seal(image, cipher=cipher).forge("chunk 0.1", at)


@each("13.4", {"notes": 0, "their_tag": -5})
def forged_notes(_, at):
    image = _seal(sample_dump())
    image.forge("notes", at)
    return image


@case("13.6")
def forged_header_without_secret(image):
    _seal(image).forge("header", 60)
    image.secret = None


@case("13.6")
def forged_other_header(image):
    """With its checksum and its digest in the superblock."""
    _seal(image)

    def touch(raw, parts):
        start, length = parts["header"]
        header = bytearray(raw[start : start + length])
        at = header.index(b"6.12.0-test")
        header[at] ^= 1
        header = fix(bytes(header[:-4]) + bytes(4), crc32c(bytes(raw[start : start + length])))
        # The block's own checksum is its last four bytes, and the same already.
        header = header[:-4] + crc32c(header[:-4]).to_bytes(4, "little")
        raw[start : start + length] = header
        for slot in (4096, 8192):
            raw[slot + 68 : slot + 72] = crc32c(header).to_bytes(4, "little")
            raw[slot + 180 : slot + 212] = hashlib.sha256(header).digest()
            raw[slot + 4092 : slot + 4096] = crc32c(bytes(raw[slot : slot + 4092])).to_bytes(4, "little")

    image.touches.append(touch)


def _noise_blocks(seed):
    """Blocks whose chunks have one size and lie in the same places in all images."""
    image = sample()
    image.segments = [
        [Entry(0x100 + 0x80 * i, [("data", 2)], noise_pages(2, seed + i), packer.NONE) for i in range(4)]
    ]
    return image


def _put_fixed(raw, start, data):
    """Other bytes under the checksum that was there."""
    raw[start : start + len(data)] = fix(data, crc32c(bytes(raw[start : start + len(data)])))


@each("13.6", CIPHERS)
def forged_chunks_swapped(_, cipher):
    image = _seal(_noise_blocks(0), cipher=cipher)

    def touch(raw, parts):
        (a, n), (b, _) = parts["chunk 0.1"], parts["chunk 0.2"]
        first, second = bytes(raw[a : a + n]), bytes(raw[b : b + n])
        _put_fixed(raw, a, second)
        _put_fixed(raw, b, first)

    image.touches.append(touch)
    return image


@each("13.6", {"chunk": "chunk 0.3", "segment": "segment 0"})
def forged_replayed(_, part):
    """From another image of the same machine, with its own key, and even the same nonce."""
    image, other = _seal(_noise_blocks(0)), _noise_blocks(100)
    other.seal = Seal(NONCE, seed=1)
    theirs = other.build()
    start, length = other.parts[part]

    def touch(raw, parts):
        if parts[part] != (start, length):
            raise AssertionError("the images differ in their places")
        _put_fixed(raw, start, theirs[start : start + length])

    image.touches.append(touch)
    return image


@each(
    "13.5",
    {
        "nonce": {"nonce": NONCE[:-1] + b"\0"},
        "created": {"created": 1},
        "swap_area": {"features_incompat": 3},
        "data_pages": {"data_pages": lambda n: n + 1, "raw_bytes": lambda n: n + PAGE},
        "zero_pages": {"zero_pages": lambda n: n + 1},
        "fill_pages": {"fill_pages": lambda n: n - 1},
        "stored_bytes": {"stored_bytes": lambda n: n - 1},
        "header_checksum": {"header_checksum": lambda c: c ^ 1},
        "directory_length": {"directory_length": lambda n: n - 32},
        "tag": {"tag": lambda t: t[:-1] + bytes([t[-1] ^ 1])},
        "no_tag": {"tag": b""},
    },
)
def forged_slot(image, changes):
    _seal(image).forged = changes
    if changes.get("features_incompat") == 3:
        image.page0(b"LINHIB0001")


@each(
    "13.5",
    {
        "cipher": {"cipher": CHACHA},
        "flags": {"flags": 0},
        "header_digest": {"header_digest": bytes(32)},
        "directory_digest": {"directory_digest": bytes(32)},
        "keyslots": {"keyslots_checksum": 0},
    },
)
def forged_sealing(image, changes):
    _seal(image).forged_sealing = changes


@case("13.5")
def forged_truncated(image):
    """Less of it, and it says so."""
    _seal(image).extend(PAGE)
    image.forged = {"image_end": lambda end: end - PAGE}


@case("13.6")
def forged_not_sealed(image):
    """An image that is none, in the place of one: read with the secret."""
    image.secret = Seal(NONCE).secret


def _other_secret(first, second):
    right = Seal(NONCE).secret
    return (bytes(32) if first else right[:32]) + (bytes(32) if second else right[32:])


@each("13.3", {"private_key": (True, False), "authentication_key": (False, True), "both": (True, True)})
def forged_for_another(image, which):
    """Sealed, but not for who reads it, or not by who knows the authentication key."""
    right = Seal(NONCE).secret
    _seal(image, secret=_other_secret(*which))
    image.secret = right


@case("13.3")
def forged_sealed_key_of_another_image(image):
    _seal(image, key_changes={"nonce": bytes(16)})


@case("13.3")
def forged_ephemeral_of_zero(image):
    """A public key with which everybody has the same secret."""
    _seal(image, ephemeral_bytes=bytes(32), shared=bytes(32))


@each("13.3", {"ephemeral": 32, "recipient": 64, "sealed": 96, "tag": 130})
def forged_sealed_key(image, at):
    _seal(image).forge("key", at)
