# SPDX-License-Identifier: GPL-3.0-or-later
"""Sealed images for the corpus (13): what seals, and what forges.

A Seal has the key. Who has it can also make an image that breaks a rule: the tag is
then right. A forger has none, but knows the format and makes every checksum right:
forge() and fix() change bytes under one without it being able to tell.
"""

import hashlib
import hmac
import struct

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM, ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from checksum import crc32c
from layout import KEY_BLOCK, SEALING, change, pack

AES, CHACHA = 1, 2
AUTHENTICATED = 1
SECRET = bytes(range(1, 65))
POLYNOMIAL = 0x82F63B78


def _derive(secret, salt, info):
    return HKDF(SHA256(), 32, salt, info).derive(secret)


def public_of(private):
    return private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)


class Seal:
    """How an image is sealed; attributes are changed before it is built."""

    def __init__(self, nonce, cipher=AES, seed=0):
        self.nonce, self.cipher = nonce, cipher
        self.flags = AUTHENTICATED
        self.secret = SECRET  # of the recipient
        self.image_key = hashlib.sha256(b"image key %d" % seed).digest()
        self.keyslots = b"LUKS\xba\xbe and so on"
        self.key_changes = {}  # of the sealed key; "checksum" too
        self.shared = None  # instead of what X25519 gives
        self.ephemeral_bytes = None  # instead of the public key
        self.changes = {}  # of the field sealing, before the tag is made
        self.tag_changes = {}  # of tags, by "segment 0", "chunk 0.1"
        self._ephemeral = X25519PrivateKey.from_private_bytes(hashlib.sha256(b"e%d" % seed).digest())

    def key_block(self):
        """The sealed key (13.3)."""
        public = public_of(X25519PrivateKey.from_private_bytes(self.secret[:32]))
        shared = self.shared or self._ephemeral.exchange(X25519PublicKey.from_public_bytes(public))
        ephemeral = self.ephemeral_bytes or public_of(self._ephemeral)
        authenticated = self.flags & AUTHENTICATED
        kek = _derive(
            shared + (self.secret[32:] if authenticated else b""),
            self.nonce,
            b"dormouse key 1" + ephemeral + public + bytes([authenticated]),
        )
        sealed = AESGCM(kek).encrypt(bytes(12), self.image_key, None)
        values = {
            "magic": b"DORM-KEY",
            "version": 1,
            "reserved": 0,
            "nonce": self.nonce,
            "ephemeral": ephemeral,
            "recipient": hashlib.sha256(public).digest(),
            "sealed": sealed[:32],
            "tag": sealed[32:],
            "spare": b"",
        }
        changes = {k: v for k, v in self.key_changes.items() if k != "checksum"}
        raw = bytes(pack(KEY_BLOCK, change(values, changes)))
        checksum = self.key_changes.get("checksum", lambda right: right)
        return raw + struct.pack("<I", checksum(crc32c(raw)))

    def _encrypt(self, domain, number, associated, data, name):
        cipher = {AES: AESGCM, CHACHA: ChaCha20Poly1305}[self.cipher]
        key = _derive(self.image_key, self.nonce, b"dormouse data 1")
        nonce = struct.pack("<IQ", domain, number)
        sealed = cipher(key).encrypt(nonce, bytes(data), self.nonce + associated)
        tag = sealed[-16:]
        return sealed[:-16], self.tag_changes.get(name, lambda right: right)(tag)

    def part(self, domain, number, data, name):
        """Bytes of an index segment or of notes, and their tag (13.4)."""
        return self._encrypt(domain, number, struct.pack("<IIQ", domain, len(data), number), data, name)

    def chunk(self, entry, name):
        pages = len(entry.data) // 4096
        associated = struct.pack(
            "<IIQBBH", 1, len(entry.chunk), entry.first_pfn, entry.codec, 0, pages
        )
        return self._encrypt(1, entry.first_pfn // 128, associated, entry.chunk, name)

    def field(self, key, keyslots, header, directory):
        """Sealing in the slot (13.1): two regions, and bytes to make digests of."""
        values = {
            "cipher": self.cipher,
            "flags": self.flags,
            "header_digest": hashlib.sha256(header).digest(),
            "directory_digest": hashlib.sha256(directory).digest(),
            "reserved": b"",
        }
        for name, region in (("key", key), ("keyslots", keyslots)):
            values |= {f"{name}_{field}": value for field, value in region.items()}
        return bytes(pack(SEALING, change(values, self.changes)))

    def tag(self, raw):
        """Of a slot (13.5)."""
        tagged = bytearray(raw[:256])
        for start, end in ((12, 24), (48, 52), (136, 140)):
            tagged[start:end] = bytes(end - start)
        key = _derive(self.image_key, self.nonce, b"dormouse superblock 1")
        return hmac.digest(key, bytes(tagged), "sha256")


def forge(raw, at):
    """Turn bits around in five bytes: the polynomial itself, which leaves no remainder."""
    pattern = 1 | POLYNOMIAL << 1
    for i in range(5):
        raw[at + i] ^= pattern >> 8 * i & 0xFF


def fix(data, checksum):
    """The same bytes but for the last four, with this checksum."""
    before, after = crc32c(data[:-4]) ^ 0xFFFFFFFF, checksum ^ 0xFFFFFFFF
    for _ in range(32):
        after = ((after ^ POLYNOMIAL) << 1 | 1 if after >> 31 else after << 1) & 0xFFFFFFFF
    forged = data[:-4] + struct.pack("<I", before ^ after)
    if crc32c(forged) != checksum:
        raise AssertionError("the checksum is not the wanted one")
    return forged
