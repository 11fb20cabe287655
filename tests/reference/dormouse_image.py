# SPDX-License-Identifier: GPL-3.0-or-later
"""A second reader of Dormouse images, for the tests.

Written from docs/image-format.md alone, so that its agreement with the C code
says something about both and about the document. It checks everything that a
reader or restorer has to check, and is not made to be fast. Numbers in
parentheses are sections of that document.
"""

import argparse
import collections
import hashlib
import json
import sys

from checksum import crc32c
from chunkdata import CODECS, unpack
from errors import AuthError, Corrupt, FormatError, ImageError, Unsupported, require
from header import Region, read_header
from index import DATA, SKIP, ZERO, check_index, read_directory, read_segment
from located import open_target
from sealing import AUTHENTICATED, CIPHERS, NOTES, SEGMENT, TAG, Keys, open_key
from superblock import DATA_START, IMAGE_STATES, PAGE, choose_slot, is_dead

__all__ = ["AuthError", "Corrupt", "FormatError", "Image", "ImageError", "Unsupported"]


class Image:
    """An image in an open file whose bytes are its address space, or those of a disk on
    which it lies at a certain byte (3.5).

    Made only when slots, header, notes, directory and index are right; chunks
    are read by verify() and pages(). Of a sealed image, index, notes and chunks
    are read with its secret (64 bytes) only; without it, what can be is checked.
    """

    def __init__(self, file, at=None, secret=None):
        self._target = open_target(file, at)
        if self._target.size < DATA_START:
            raise FormatError("too short for an image")
        self.slot, self.twin = choose_slot(self._target)
        if self.slot.state not in IMAGE_STATES:
            raise FormatError(f"no image: the state is {self.slot.state}")
        if is_dead(self.slot, self._target):
            raise FormatError("no image: the swap area was turned on, or made, since")
        require(self.slot.image_end <= self._target.size, "image_end lies behind the end of the target")
        self._keys = self._unseal(secret)
        self._readable = bool(self._keys) or not self.slot.sealing
        self.header = read_header(self._read_digested("header"), self.slot.image_end)
        self.notes = self._read_notes()
        self.places = read_directory(self._read_digested("directory"), self.slot)
        self.entries = []
        for number, (place, tag) in enumerate(self.places):
            raw = self._read_region(place, f"segment {number}")
            if self._keys:
                raw = self._keys.open_part(SEGMENT, number, raw, tag, f"segment {number}")
            if self._readable:
                self.entries += read_segment(raw, number, self.slot)
        if self._readable:
            check_index(self.entries, self.slot)
            self._check_pages()

    def _unseal(self, secret):
        sealing = self.slot.sealing
        if not sealing:
            if secret:
                raise AuthError("the image is not sealed, and should be")
            return None
        raw = self._read_region(sealing.key, "sealed key")
        if not secret:
            if sealing.keyslots.length:
                self._read_region(sealing.keyslots, "keyslots")
            return None
        keys = Keys(open_key(raw, self.slot, secret), self.slot)
        keys.check_tag()
        return keys

    def _read_digested(self, name):
        raw = self._read_region(getattr(self.slot, name), name)
        if self.slot.sealing:
            self.slot.sealing.check_digest(raw, name)
        return raw

    def _read_notes(self):
        dump = self.header.dump
        if not dump:
            return None
        if dump == Region(0, 0, 0):
            return b""
        raw = self._read_region(dump, "notes")
        if self._keys:
            require(len(raw) > TAG, "notes: too short")
            raw = self._keys.open_part(NOTES, 0, raw[:-TAG], raw[-TAG:], "notes")
        return raw

    def _read_region(self, region, name):
        raw = self._target.read(region.offset, region.length)
        require(crc32c(raw) == region.checksum, f"{name}: checksum")
        return raw

    def _check_pages(self):
        """The restorer's rule of section 7: only RAM outside of the windows."""
        for entry in self.entries:
            pfn = entry.first_pfn
            for run in entry.runs:
                for page in range(pfn, pfn + run.pages):
                    allowed = run.kind == SKIP or self.header.saved_may_hold(page)
                    require(allowed, f"pfn {page:#x} is no RAM, or in a window")
                pfn += run.pages

    def _chunk(self, entry):
        name = f"chunk of pfn {entry.first_pfn:#x}"
        stored = self._target.read(entry.offset, entry.stored)
        require(crc32c(stored) == entry.checksum, f"{name}: checksum")
        if self._keys:
            stored = self._keys.open_chunk(entry, stored, name)
        try:
            return unpack(entry.codec, stored, entry.data_pages * PAGE)
        except Corrupt as fault:
            raise Corrupt(f"{name}: {fault}") from None

    def pages(self):
        """Every saved page, ascending, as (pfn, bytes)."""
        for entry in self.entries:
            data = self._chunk(entry) if entry.data_pages else b""
            pfn, at = entry.first_pfn, 0
            for run in entry.runs:
                for page in range(pfn, pfn + run.pages):
                    if run.kind == DATA:
                        yield page, data[at : at + PAGE]
                        at += PAGE
                    elif run.kind == ZERO:
                        yield page, bytes(PAGE)
                    elif run.kind != SKIP:
                        yield page, run.word.to_bytes(8, "little") * (PAGE // 8)
                pfn += run.pages

    def verify(self):
        """Read every chunk."""
        for entry in self.entries:
            if entry.data_pages:
                self._chunk(entry)

    def summary(self):
        """What the image says, made of what JSON knows."""
        slot, header = self.slot, self.header
        codecs = collections.Counter(CODECS[e.codec][0] for e in self.entries if e.data_pages)
        return {
            "state": slot.state,
            "generation": slot.generation,
            "nonce": slot.nonce.hex(),
            "created": slot.created,
            "failed_resumes": slot.failed_resumes,
            "reason": slot.reason,
            "twin": self.twin,
            "image_end": slot.image_end,
            "data_pages": slot.data_pages,
            "zero_pages": slot.zero_pages,
            "fill_pages": slot.fill_pages,
            "raw_bytes": slot.raw_bytes,
            "stored_bytes": slot.stored_bytes,
            "map_place": self._target.map_place,
            "map_extents": len(self._target.extents),
            "locator": self._target.locator,
            "segments": len(self.places),
            "entries": len(self.entries),
            "sealed": bool(slot.sealing),
            "cipher": slot.sealing and CIPHERS[slot.sealing.cipher][0],
            "authenticated": slot.sealing and bool(slot.sealing.flags & AUTHENTICATED),
            "chunks": dict(sorted(codecs.items())),
            "header": {
                "memory": [r._asdict() for r in header.memory],
                "windows": [r._asdict() for r in header.windows],
                "main_window": header.main_window and header.main_window._asdict(),
                "jump_entry": header.jump_entry,
                "levels": header.levels,
                "writer": header.writer and header.writer.hex(),
                "free_fill": header.free_fill,
                "dump": header.dump and header.dump._asdict(),
                "release": header.release,
                "hostname": header.hostname,
                "build_id": header.build_id,
                "cpus": header.cpus,
                "vmcoreinfo": header.vmcoreinfo,
                "report": header.report and header.report[0],
            },
        }


def _write_pages(image, path):
    with open(path, "w", encoding="ascii") as out:
        for pfn, page in image.pages():
            out.write(f"{pfn} {hashlib.sha256(page).hexdigest()}\n")


def main():
    """tests/reference/read-image"""
    parser = argparse.ArgumentParser(
        prog="read-image",
        description="Check a whole image.",
        epilog="Exit codes: 0 whole, 1 not read, 6 no image, 7 unsupported, 8 corrupt,"
        " 9 not authentic.",
    )
    parser.add_argument("image")
    parser.add_argument(
        "--at", type=lambda text: int(text, 0), metavar="BYTE", help="where on a disk it lies"
    )
    parser.add_argument("--secret", metavar="FILE", help="64 bytes that open a sealed image")
    parser.add_argument("--json", action="store_true", help="print what was found")
    parser.add_argument("--pages", metavar="OUT", help="write 'pfn sha256' for each saved page")
    options = parser.parse_args()
    try:
        secret = None
        if options.secret:
            with open(options.secret, "rb") as file:
                secret = file.read()
        with open(options.image, "rb") as file:
            image = Image(file, options.at, secret)
            image.verify()
            if options.pages:
                _write_pages(image, options.pages)
    except ImageError as fault:
        print(f"{fault.kind}: {fault}", file=sys.stderr)
        return fault.exit_code
    except OSError as fault:
        print(f"read-image: {fault}", file=sys.stderr)
        return 1
    if options.json:
        print(json.dumps(image.summary(), indent=2))
    else:
        slot = image.slot
        twin = f" ({image.twin})" if image.twin else ""
        print(
            f"{slot.state}: {slot.data_pages} data, {slot.zero_pages} zero,"
            f" {slot.fill_pages} fill pages in {len(image.entries)} blocks{twin}"
        )
    return 0
