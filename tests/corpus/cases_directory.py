# SPDX-License-Identifier: GPL-3.0-or-later
"""Cases: directory and places (6), and index segments (7.1)."""

from case import case, each
from checksum import crc32c
from image import MEMORY, RAM, Entry
from layout import ranges

# Blocks above 4 GiB, for segments that need many.
MANY = 0x100000


def _zero(first_pfn):
    return Entry(first_pfn, [("zero", 1)])


def _sized_segment(fills, zeros):
    """Entries of 42 and of 34 bytes."""
    entries = [Entry(MANY + 128 * i, [("fill", 1, i)]) for i in range(fills)]
    return entries + [_zero(MANY + 128 * (fills + i)) for i in range(zeros)]


def _much_memory(image):
    image.set_record(MEMORY, ranges((0x1000, 0x4000000, RAM), (MANY << 12, 1 << 40, RAM)))


@each(
    "6",
    {
        "magic": {"magic": b"DORM-IDX"},
        "nonce": {"nonce": bytes(16)},
        "nonce_end": {"nonce": lambda n: n[:15] + b"\0"},
        "count_less": {"count": 0},
        "count_more": {"count": 2},
        "count_wraps": {"count": (1 << 28) + 1},
        "reserved": {"reserved": 1},
        "reserved_end": {"reserved": 1 << 31},
    },
)
def bad_directory(image, changes):
    image.directory = changes


@each("6", {"one_byte": b"\0", "a_place": bytes(16)})
def bad_directory_tail(image, tail):
    image.directory_tail = tail


def _first_of(image, part, length):
    """Region of only the first bytes of a part, under a right checksum."""
    raw = image.build()
    at = image.parts[part][0]
    return {"length": length, "checksum": crc32c(raw[at : at + length])}


@each("6", {"16": 16, "31": 31})
def bad_directory_cut(image, length):
    image.segments = []
    region = _first_of(image, "directory", length)
    image.both(directory_length=region["length"], directory_checksum=region["checksum"])


@case("6")
def good_no_segments(image):
    image.segments = []


@case("7.1")
def good_empty_segment(image):
    image.segments.insert(0, [])


@each("7.1", {"two": 2, "five": 5})
def good_segments(image, count):
    (entries,) = image.segments
    image.segments = [[entry] for entry in entries[: count - 1]] + [entries[count - 1 :]]


@case("6")
def good_segments_in_another_order(image):
    first = image.segments[0]
    image.segments = [first[:2], first[2:]]
    image.at["segment 0"] = 131072
    image.at["chunk 1.0"] = 65537


@each(
    "6",
    {
        "length_0": {"length": 0, "checksum": 0},
        "length_less": {"length": lambda n: n - 1},
        "length_more": {"length": lambda n: n + 1},
        "checksum": {"checksum": lambda c: c ^ 1},
        "offset_0": {"offset": 0},
        "offset_overflows": {"offset": 2**64 - 4096},
        "length_largest": {"length": 2**32 - 1},
    },
)
def bad_place(image, changes):
    image.place[0] = changes


@each("6", {"1": 1, "39": 39, "40": 40})
def bad_segment_cut(image, length):
    image.place[0] = _first_of(image, "segment 0", length)


@case("6")
def bad_place_not_aligned(image):
    image.at["segment 0"] = 65536 + 512
    image.extend(4096)


@case("6")
def bad_place_before_data(image):
    image.at["segment 0"] = 12288


@case("6")
def bad_place_behind_image_end(image):
    image.at["segment 0"] = 65536
    image.slot["image_end"] = 65536


@each("7.1", {"header": 30, "entry": 41, "last": -1})
def bad_segment_damaged(image, at):
    image.damage("segment 0", at)


@each(
    "7.1",
    {
        "magic": {"magic": b"DORM-DIR"},
        "nonce": {"nonce": bytes(16)},
        "nonce_end": {"nonce": lambda n: n[:15] + b"\0"},
        "number": {"number": 1},
        "number_largest": {"number": 2**32 - 1},
        "entries_less": {"entries": 4},
        "entries_more": {"entries": 6},
        "entries_0": {"entries": 0},
        "entries_largest": {"entries": 2**32 - 1},
        "bytes_less": {"bytes": lambda n: n - 1},
        "bytes_more": {"bytes": lambda n: n + 1},
        "bytes_0": {"bytes": 0},
        "entry_bytes_0": {"entry_bytes": 0},
        "entry_bytes_48": {"entry_bytes": 48},
        "reserved": {"reserved": 1},
        "reserved_end": {"reserved": 1 << 15},
    },
)
def bad_segment(image, changes):
    image.segment[0] = changes


@case("7.1")
def bad_segment_numbers_swapped(image):
    first = image.segments[0]
    image.segments = [first[:2], first[2:]]
    image.segment = {0: {"number": 1}, 1: {"number": 0}}


@each("7.1", {"one": b"\0", "an_entry": bytes(32)})
def bad_segment_tail(image, tail):
    image.segment_tail[0] = tail


@case("7.1")
def good_segment_longest(image):
    _much_memory(image)
    image.segments.append(_sized_segment(10, 1914))


@case("6")
def bad_segment_too_long(image):
    _much_memory(image)
    image.segments.append(_sized_segment(11, 1913))


@case("7.1")
def bad_segment_cuts_runs(image):
    """The last entry says two runs and has one."""
    image.segments[0][-1].changes = {"run_count": 2}


@case("7.1")
def bad_segment_cuts_word(image):
    entry = Entry(0x300, [("fill", 1, 7)])
    entry.runs[0] = entry.runs[0][:9]
    image.segments[0][-1] = entry


@each("7.1", {"after_run": 1, "before_entry": 31})
def bad_segment_cuts_entry(image, length):
    image.segment_tail[0] = bytes(length)
    image.segment[0] = {"entries": 6}
