# SPDX-License-Identifier: GPL-3.0-or-later
"""A small writer of images in which every field can be made wrong.

A case gets the image of sample() and changes it; build() then lays it out and
computes what follows from the rest. Checksums are made last, over what was
changed: so a case has the one defect that it names. To damage bytes under their
checksum there is damage(). A change is a value or a function of the right one.
"""

import random
import struct

import packer
from checksum import crc32c
from layout import (
    DIRECTORY,
    ENTRY,
    PAGE,
    PLACE,
    SEALING,
    SEGMENT,
    SLOT,
    block,
    change,
    pack,
    padded,
    ranges,
    record,
    run,
    slot,
    unpack,
)
from sealer import forge

NONCE = bytes(range(0xA0, 0xB0))
EMPTY, WRITING, VALID, RESUMING, RETIRED = range(5)
SLOT_A, SLOT_B = 4096, 8192
DATA_START = 16384
RAM, RESERVED, ACPI_DATA, ACPI_NVS, UNUSABLE, PERSISTENT = 1, 2, 3, 4, 5, 7

MEMORY, WINDOWS, MAIN_WINDOW, JUMP_ENTRY, LEVELS, WRITER, FREE_FILL, DUMP, DISKS, PRINTS = range(
    0x80000001, 0x8000000B
)
RELEASE, HOSTNAME, BUILD_ID, CPUS, VMCOREINFO, REPORT, WATCHDOG = range(16, 23)


def u32(value):
    return struct.pack("<I", value)


def u64(*values):
    return struct.pack(f"<{len(values)}Q", *values)


def text_pages(count, seed=0):
    """Pages that get smaller."""
    return b"".join((b"page %d of %d, " % (i, seed) * 512)[:PAGE] for i in range(count))


def noise_pages(count, seed=0):
    """Pages that do not."""
    return random.Random(seed).randbytes(count * PAGE)


def one_disk(size=1 << 30, identity=b"serial"):
    """An entry of DISKS."""
    return u64(size) + identity.ljust(56, b"\0")


def one_print(disk=0, kind=1, offset=1024, length=1024, mark_at=0x70, reserved=0, name=b"/ (ext4)"):
    """An entry of PRINTS."""
    return u32(disk) + u32(kind) + u64(offset, length) + u32(mark_at) + u32(reserved) + bytes(48) + name.ljust(80, b"\0")


class Entry:
    """A block: its runs, and the data of its DATA runs."""

    def __init__(self, first_pfn, runs, data=b"", codec=packer.NONE, **changes):
        self.first_pfn = first_pfn
        self.runs = [run(*r) for r in runs]
        self.data = data
        self.codec = codec
        self.chunk = packer.pack(codec, data) if data else b""
        self.shares = None  # another entry whose chunk bytes are this one's
        self.tag = bytes(16)  # in a sealed image, of an entry without data
        self.counts = {kind: sum(r[1] for r in runs if r[0] == kind) for kind in ("zero", "fill")}
        self.changes = changes

    def encode(self, offset, chunk, tag):
        """chunk: as it is stored."""
        self.values = {
            "first_pfn": self.first_pfn,
            "offset": offset if chunk else 0,
            "stored": len(chunk),
            "checksum": crc32c(chunk) if chunk else 0,
            "codec": self.codec,
            "reserved25": 0,
            "data_pages": len(self.data) // PAGE,
            "run_count": len(self.runs),
            "reserved30": 0,
        }
        return pack(ENTRY, change(self.values, self.changes)) + tag + b"".join(self.runs)


class Image:
    """What build() makes an image of."""

    def __init__(self):
        self.records = []  # [tag, payload], or the bytes of a record
        self.notes = b""
        self.dump = {}  # changes of the region in DUMP
        self.segments = []  # lists of Entry
        # Changes of the structures; those of segments and places by number.
        self.block, self.directory, self.segment, self.place = {}, {}, {}, {}
        self.slot = {}  # of both slots
        # Of each slot, or bytes, or None for no superblock. As after a commit.
        self.slots = [{"state": WRITING, "generation": 6}, {"state": VALID, "generation": 7}]
        self.at = {}  # offsets of parts, by name; the others follow one another
        self.segment_tail = {}  # bytes behind the entries of a segment, by number
        self.directory_tail = b""
        self.touches = []
        self.length = None  # of the file, if it is not image_end
        self.seal = None  # Seal
        # Changes by who has no key, after the tag was made: of slots, of sealing in them.
        self.forged, self.forged_sealing = {}, {}
        self.secret = True  # what it is read with; True: the seal's, None: nothing

    def set_record(self, tag, payload):
        """Replace or add a record; None: leave it out."""
        self.records = [r for r in self.records if isinstance(r, bytes) or r[0] != tag]
        if payload is not None:
            self.records.append([tag, payload])

    def payload(self, tag):
        return next(r[1] for r in self.records if not isinstance(r, bytes) and r[0] == tag)

    def both(self, **changes):
        """Make the twin an image too, and change both slots: what is wrong with
        them is then not a matter of which one counts."""
        self.slots = [{"state": VALID, "generation": 6}, {"state": VALID, "generation": 7}]
        self.slot.update(changes)

    def damage(self, part, at, flip=0x10):
        """Flip a bit of a part after its checksum was made; negative: from its
        end."""

        def touch(raw, parts):
            start, length = parts[part]
            raw[start + (at + length if at < 0 else at)] ^= flip

        self.touches.append(touch)

    def forge(self, part, at):
        """Change five bytes of a part so that no checksum tells; negative: from its end."""

        def touch(raw, parts):
            start, length = parts[part]
            forge(raw, start + (at + length if at < 0 else at))

        self.touches.append(touch)

    def read_with(self):
        """The secret, or None."""
        if self.secret is True:
            return self.seal.secret if self.seal else None
        return self.secret

    def notes_checksum(self, length):
        """Of the first bytes of the notes as they are stored."""
        start, _ = self.parts["notes"]
        return crc32c(bytes(self._raw[start : start + length]))

    def extend(self, room):
        """Let the image end later than its last part."""
        self.slot["image_end"] = self.length = lambda end: end + room

    def page0(self, signature):
        """Let page 0 end with this."""

        def touch(raw, parts):
            raw[PAGE - len(signature) : PAGE] = signature

        self.touches.append(touch)

    def litter(self, start, end):
        """Overwrite bytes that have no meaning; start and end as in a slice."""

        def touch(raw, parts):
            raw[start:end] = b"\xa5" * len(raw[start:end])

        self.touches.append(touch)

    def litter_padding(self, part):
        """Fill up the last 4096 bytes of a part."""

        def touch(raw, parts):
            end = sum(parts[part])
            raw[end : padded(end)] = b"\xa5" * (padded(end) - end)

        self.touches.append(touch)

    def build(self):
        """The bytes of the whole target."""
        self._raw, self.parts, self._end = bytearray(DATA_START), {}, DATA_START
        notes = {"offset": 0, "length": 0, "checksum": 0}
        if self.notes:
            notes = self._put("notes", self._sealed_notes())
        header_bytes = block(self._records(notes), self.block)
        header = self._put("header", header_bytes)
        places = [self._segment(number) for number in range(len(self.segments))]
        directory = {"magic": b"DORM-DIR", "nonce": NONCE, "count": len(places), "reserved": 0}
        directory_bytes = pack(DIRECTORY, change(directory, self.directory)) + b"".join(places)
        directory_bytes += self.directory_tail
        directory = self._put("directory", directory_bytes)
        sealing = self._seal(header_bytes, directory_bytes)
        image_end = padded(len(self._raw))
        self._raw += bytes(image_end - len(self._raw))
        values = self._slot_values(header, directory, image_end) | sealing
        finish = self._finish_slot if self.seal else None
        for number, offset in enumerate((SLOT_A, SLOT_B)):
            changes = self.slots[number]
            if isinstance(changes, dict):
                changes = slot(values, self.slot | changes, finish)
            self._raw[offset : offset + PAGE] = changes or bytes(PAGE)
            self.parts["slot a" if number == 0 else "slot b"] = (offset, PAGE)
        if self.length is not None:
            length = self.length(image_end)
            self._raw = self._raw[:length] + bytes(max(0, length - len(self._raw)))
        for touch in self.touches:
            touch(self._raw, self.parts)
        return bytes(self._raw)

    def _sealed_notes(self):
        return b"".join(self.seal.part(3, 0, self.notes, "notes")) if self.seal else self.notes

    def _seal(self, header, directory):
        """What a sealed image has besides; its values in the slot."""
        if not self.seal:
            return {}
        keyslots = {"offset": 0, "length": 0, "checksum": 0}
        if self.seal.keyslots:
            keyslots = self._put("keyslots", self.seal.keyslots)
        key = self._put("key", self.seal.key_block())
        return {
            "features_incompat": 2,
            "sealing": self.seal.field(key, keyslots, header, directory),
        }

    def _finish_slot(self, raw):
        """The tag, and then what a forger does."""
        values = unpack(SLOT, raw) | {"tag": self.seal.tag(raw)}
        sealing = change(unpack(SEALING, values["sealing"]), self.forged_sealing)
        values["sealing"] = bytes(pack(SEALING, sealing))
        return pack(SLOT, change(values, self.forged))

    def _put(self, name, raw, unit=PAGE):
        offset = self.at.get(name)
        if offset is None:
            offset = padded(self._end, unit)
            self._end = padded(offset + len(raw), unit)
        self._raw += bytes(max(0, offset + len(raw) - len(self._raw)))
        self._raw[offset : offset + len(raw)] = raw
        self.parts[name] = (offset, len(raw))
        return {"offset": offset, "length": len(raw), "checksum": crc32c(raw)}

    def _records(self, notes):
        raw = b""
        for item in self.records:
            if isinstance(item, bytes):
                raw += item
                continue
            tag, payload = item
            if callable(payload):  # DUMP: only now it is known where the notes are
                payload = payload(notes)
            raw += record(tag, payload)
        return raw

    def _segment(self, number):
        raw = bytearray()
        for position, entry in enumerate(self.segments[number]):
            offset, chunk, tag = 0, entry.chunk, entry.tag if self.seal else b""
            if self.seal and chunk:
                chunk, tag = self.seal.chunk(entry, f"chunk {number}.{position}")
            if entry.shares:
                offset, chunk = entry.shares.values["offset"], entry.shares.chunk
            elif chunk:
                offset = self._put(f"chunk {number}.{position}", chunk, 1)["offset"]
            raw += entry.encode(offset, chunk, tag)
        raw += self.segment_tail.get(number, b"")
        values = {
            "magic": b"DORM-IDX",
            "nonce": NONCE,
            "number": number,
            "entries": len(self.segments[number]),
            "bytes": 40 + len(raw),
            "entry_bytes": 48 if self.seal else 32,
            "reserved": 0,
        }
        raw, tag = pack(SEGMENT, change(values, self.segment.get(number, {}))) + raw, b""
        if self.seal:
            raw, tag = self.seal.part(2, number, raw, f"segment {number}")
        place = self._put(f"segment {number}", raw)
        return pack(PLACE, change(place, self.place.get(number, {}))) + tag

    def _slot_values(self, header, directory, image_end):
        entries = [entry for segment in self.segments for entry in segment]
        data_pages = sum(len(entry.data) // PAGE for entry in entries)
        values = {
            "magic": b"DORMOUSE",
            "version": 1,
            "nonce": NONCE,
            "created": 1700000000,
            "image_end": image_end,
            "data_pages": data_pages,
            "zero_pages": sum(entry.counts["zero"] for entry in entries),
            "fill_pages": sum(entry.counts["fill"] for entry in entries),
            "raw_bytes": data_pages * PAGE,
            "stored_bytes": sum(entry.values["stored"] for entry in entries),
            "failed_resumes": 1,
            "reason": b"a reason",
        }
        for name, region in (("header", header), ("directory", directory)):
            values |= {f"{name}_{field}": value for field, value in region.items()}
        return values


def sample():
    """An image of a host with all codecs, kinds of runs and types of memory."""
    image = Image()
    image.records = [
        [
            MEMORY,
            ranges(
                (0x1000, 0x9F000, RAM),
                (0x9F000, 0x100000, RESERVED),
                (0x100000, 0x4000000, RAM),
                (0x4000000, 0x4010000, ACPI_DATA),
                (0x4010000, 0x4020000, ACPI_NVS),
                (0x4020000, 0x4030000, UNUSABLE),
                (0x100000000, 0x100100000, PERSISTENT),
                (0x100100000, 0x100200800, RAM),
            ),
        ],
        [WINDOWS, ranges((0x2000000, 0x2200000, RAM), (0x2800000, 0x2900000, RAM))],
        [MAIN_WINDOW, ranges((0x2000000, 0x2200000, RAM))],
        [JUMP_ENTRY, u64(0x234567)],
        [LEVELS, u32(4)],
        [WRITER, bytes(range(32))],
        [FREE_FILL, u32(1)],
        [DISKS, one_disk() + one_disk(1 << 20, b"")],
        [PRINTS, one_print() + one_print(offset=8192, kind=2) + one_print(1, 5, 0, 65536, 0xFFFFFFFF)],
        [RELEASE, b"6.12.0-test"],
        [HOSTNAME, b"sample"],
        [BUILD_ID, b"0123456789abcdef0123456789abcdef01234567"],
        [CPUS, u32(2)],
        [VMCOREINFO, u64(0x300000) + u32(1024) + u32(0)],
        [WATCHDOG, u32(60)],
        [REPORT, u64(0x301000, 0x302000, 0x2001000, 0x303000) + bytes(range(16, 32))],
    ]
    image.segments = [
        [
            Entry(0x100, [("data", 3), ("zero", 5), ("fill", 2, 7)], text_pages(3), packer.LZO),
            Entry(0x180, [("skip", 1), ("data", 2)], text_pages(2, 1), packer.LZ4),
            Entry(0x200, [("data", 1), ("skip", 2), ("data", 1)], text_pages(2, 2), packer.ZSTD),
            Entry(0x280, [("data", 1)], noise_pages(1), packer.NONE),
            Entry(0x300, [("zero", 128)]),
        ]
    ]
    return image


def sample_dump(notes=b"notes of a dump "):
    """An image that was made of a memory dump."""
    image = Image()
    image.notes = notes
    image.records = [
        [MEMORY, ranges((0x1000, 0x9F000, RAM), (0x100000, 0x4000000, RAM))],
        [LEVELS, u32(5)],
        [FREE_FILL, u32(0)],
        [DUMP, lambda region: bytes(pack(PLACE, change(region, image.dump)))],
        [RELEASE, b""],
        [CPUS, u32(0)],
    ]
    image.segments = [[Entry(0x100, [("data", 2), ("zero", 1)], text_pages(2), packer.ZSTD)]]
    return image
