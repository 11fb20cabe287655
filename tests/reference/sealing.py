# SPDX-License-Identifier: GPL-3.0-or-later
"""Sealed images (13): the key, and what is decrypted with it."""

import hashlib
import hmac
import struct
from typing import NamedTuple

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM, ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from checksum import crc32c
from errors import AuthError, Unsupported, require

TAG = 16
KEY_BYTES = 4096
KEYSLOTS_MAX = 4194304
AUTHENTICATED = 1  # of the flags
CHUNK, SEGMENT, NOTES = 1, 2, 3
CIPHERS = {1: ("aes-256-gcm", AESGCM), 2: ("chacha20-poly1305", ChaCha20Poly1305)}


def authentic(condition, text):
    if not condition:
        raise AuthError(text)


def _derive(secret, salt, info):
    return HKDF(SHA256(), 32, salt, info).derive(secret)


def open_key(raw, slot, secret):
    """The image key out of the sealed key (13.3)."""
    require(raw[:8] == b"DORM-KEY", "sealed key: no DORM-KEY")
    require(crc32c(raw[:4092]) == int.from_bytes(raw[4092:], "little"), "sealed key: checksum")
    version, reserved = struct.unpack_from("<II", raw, 8)
    if version != 1:
        raise Unsupported(f"sealed key: version {version}")
    require(reserved == 0 and not any(raw[144:4092]), "sealed key: a reserved byte is not zero")
    authentic(raw[16:32] == slot.nonce, "sealed key: another image's")
    private = X25519PrivateKey.from_private_bytes(secret[:32])
    public = private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    ephemeral = raw[32:64]
    authentic(raw[64:96] == hashlib.sha256(public).digest(), "sealed key: for somebody else")
    try:
        shared = private.exchange(X25519PublicKey.from_public_bytes(ephemeral))
    except ValueError:
        raise AuthError("sealed key: the ephemeral public key is none") from None
    authenticated = slot.sealing.flags & AUTHENTICATED
    kek = _derive(
        shared + (secret[32:] if authenticated else b""),
        slot.nonce,
        b"dormouse key 1" + ephemeral + public + bytes([authenticated]),
    )
    try:
        return AESGCM(kek).decrypt(bytes(12), raw[96:144], None)
    except InvalidTag:
        raise AuthError("sealed key: its tag is wrong") from None


class Keys:
    """What an image key is used for (13.4)."""

    def __init__(self, image_key, slot):
        self._slot = slot
        self._data_key = _derive(image_key, slot.nonce, b"dormouse data 1")
        self._tag_key = _derive(image_key, slot.nonce, b"dormouse superblock 1")

    def check_tag(self):
        """That of the superblock (13.5)."""
        expected = hmac.digest(self._tag_key, self._slot.tagged, "sha256")
        authentic(hmac.compare_digest(expected, self._slot.tag), "slot: its tag is wrong")

    def _open(self, domain, number, associated, sealed, tag, name):
        cipher = self._slot.sealing.cipher
        if cipher not in CIPHERS:
            raise Unsupported(f"slot: cipher {cipher}")
        try:
            return CIPHERS[cipher][1](self._data_key).decrypt(
                struct.pack("<IQ", domain, number), sealed + tag, self._slot.nonce + associated
            )
        except InvalidTag:
            raise AuthError(f"{name}: its tag is wrong") from None

    def open_part(self, domain, number, sealed, tag, name):
        """An index segment, or notes."""
        associated = struct.pack("<IIQ", domain, len(sealed), number)
        return self._open(domain, number, associated, sealed, tag, name)

    def open_chunk(self, entry, stored, name):
        associated = struct.pack(
            "<IIQBBH", CHUNK, entry.stored, entry.first_pfn, entry.codec, 0, entry.data_pages
        )
        return self._open(CHUNK, entry.first_pfn // 128, associated, stored, entry.tag, name)


class Sealing(NamedTuple):
    """That field of a slot (13.1); the places are Regions."""

    cipher: int
    flags: int
    key: tuple
    keyslots: tuple
    header_digest: bytes
    directory_digest: bytes

    def check_digest(self, raw, name):
        expected = getattr(self, f"{name}_digest")
        authentic(hashlib.sha256(raw).digest() == expected, f"{name}: its digest is another")
