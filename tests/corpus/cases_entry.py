# SPDX-License-Identifier: GPL-3.0-or-later
"""Cases: index entries (7.2), their runs (7.3), and the pages that they name."""

import packer
from case import case, each
from image import DATA_START, MEMORY, RAM, Entry, text_pages
from layout import ranges


def _zero(first_pfn, pages=1):
    return Entry(first_pfn, [("zero", pages)])


@each(
    "7.2",
    {
        "not_aligned": [_zero(0x300), _zero(0x381)],
        "same": [_zero(0x300), _zero(0x300)],
        "descending": [_zero(0x380), _zero(0x300)],
    },
)
def bad_first_pfn(image, entries):
    image.segments[0][-1:] = entries


@each("7.2", {"same": 0x300, "descending": 0x180})
def bad_first_pfn_across_segments(image, first_pfn):
    image.segments.append([_zero(first_pfn)])


@case("7.2")
def good_first_pfn_highest(image):
    highest = ((1 << 52) - (128 << 12), 1 << 52, RAM)
    image.set_record(MEMORY, ranges((0x1000, 0x4000000, RAM), highest))
    image.segments[0].append(_zero((1 << 40) - 128, 128))


@each("7.2", {"2_40": 1 << 40, "2_52": 1 << 52, "largest": 2**64 - 128})
def bad_first_pfn_too_high(image, first_pfn):
    image.set_record(MEMORY, ranges((0x1000, 0x4000000, RAM), (1 << 40, 1 << 52, RAM)))
    image.segments[0].append(_zero(first_pfn))


@each("7.2", {"2_40": 1 << 40, "largest": 2**64 - 128})
def bad_first_pfn_of_skipped_too_high(image, first_pfn):
    """No page there is saved, but the block is named."""
    image.segments[0].append(Entry(first_pfn, [("skip", 1)]))


@each(
    "7.2",
    {
        "0": {"offset": 0},
        "overflows": {"offset": 2**64 - 1},
        "2_63": {"offset": 1 << 63},
    },
)
def bad_chunk_offset(image, changes):
    image.segments[0][0].changes = changes


@each("7.2", {"wholly": 12288, "by_a_byte": DATA_START - 1})
def bad_chunk_before_data(image, at):
    image.at |= {"header": 65536, "chunk 0.0": 131072, "chunk 0.3": at}


@case("7.2")
def bad_chunk_across_image_end(image):
    image.at["chunk 0.3"] = 65536 - 1
    image.slot["image_end"] = 65536


@case("7.2")
def good_chunk_up_to_image_end(image):
    image.at["chunk 0.3"] = 65536 - 4096


@each("7.2", {"less": lambda n: n - 1, "more": lambda n: n + 1, "0": 0, "largest": 2**32 - 1})
def bad_stored(image, stored):
    image.segments[0][1].changes = {"stored": stored}
    image.slot["stored_bytes"] = lambda n: min(n, 8 * 4096)


@each("8.1", {"4": 4, "128": 128, "255": 255})
def unsupported_codec(image, codec):
    image.segments[0][0].changes = {"codec": codec}


@case("8.1")
def unsupported_codec_before_any_chunk_is_read(image):
    """Found in the index, though a chunk of an entry before is damaged."""
    image.segments[0][2].changes = {"codec": 4}
    image.damage("chunk 0.0", 5)


@each(
    "7.2",
    {
        "25": {"reserved25": 1},
        "25_end": {"reserved25": 128},
        "30": {"reserved30": 1},
        "30_end": {"reserved30": 1 << 15},
    },
)
def bad_entry_reserved(image, changes):
    image.segments[0][1].changes = changes


@each("7.2", {"less": 2, "more": 4, "0": 0, "largest": 2**16 - 1})
def bad_entry_data_pages(image, number):
    image.segments[0][0].changes = {"data_pages": number}


@each("7.2", {"counted_by_runs": 3, "counted_by_field": 2})
def bad_entry_data_pages_fit_chunk(image, counted):
    """The chunk has as many pages as data_pages, but not as the runs, says."""
    entry = Entry(0x380, [("data", 3)], text_pages(3), packer.LZO, data_pages=2)
    entry.chunk = packer.lzo(text_pages(2))
    image.segments[0].append(entry)
    image.slot |= {"data_pages": 8 + counted, "raw_bytes": (8 + counted) * 4096}


@each("7.2", {"0": 0, "less": 2, "more": 4, "129": 129, "largest": 2**16 - 1})
def bad_run_count(image, number):
    image.segments[0][0].changes = {"run_count": number}


@case("7.2")
def bad_run_count_0_without_runs(image):
    entry = _zero(0x300)
    entry.runs, entry.counts = [], {"zero": 0, "fill": 0}
    image.segments[0][-1] = entry


@each(
    "7.2",
    {
        "offset": {"offset": DATA_START},
        "stored": {"stored": 1},
        "checksum": {"checksum": 1},
        "codec": {"codec": packer.LZO},
        "unknown_codec": {"codec": 4},
    },
)
def bad_no_chunk_with(image, changes):
    image.segments[0][-1].changes = changes


@each(
    "7.3",
    {
        "data": ("data", 0),
        "skip": ("skip", 0),
        "zero": ("zero", 0),
        "fill": ("fill", 0, 7),
    },
)
def bad_empty_run(image, empty):
    image.segments[0].append(Entry(0x380, [("zero", 1), empty, ("zero", 1)]))


@each(
    "7.3",
    {
        "zero": [("zero", 129)],
        "skip": [("zero", 1), ("skip", 128)],
        "fill": [("fill", 64, 1), ("fill", 65, 2)],
        "mixed": [("zero", 100), ("skip", 20), ("fill", 9, 2)],
        "largest": [("zero", 0x3FFF)],
        "wrapping": [("skip", 0x3FFF)] * 4 + [("zero", 5)],
    },
)
def bad_too_many_pages(image, runs):
    image.segments[0].append(Entry(0x380, runs))


@case("7.3")
def bad_too_many_data_pages(image):
    image.segments[0].append(Entry(0x380, [("data", 129)], text_pages(129), packer.LZO))


@each(
    "7.3",
    {
        "not_joined": [("zero", 1), ("zero", 1), ("fill", 1, 7), ("fill", 2, 7)],
        "with_last_skip": [("zero", 1), ("skip", 127)],
        "of_word_0": [("fill", 3, 0)],
        "of_largest_word": [("fill", 3, 2**64 - 1)],
        "of_all_pages_skipped_but_last": [("skip", 127), ("zero", 1)],
        "skip_not_joined": [("skip", 1), ("skip", 2), ("zero", 1)],
        "most": [("zero", 1), ("fill", 1, 1)] * 64,
        "of_one_kind_each": [("zero", 1)] * 128,
        "fill_of_block": [("fill", 128, 1 << 63)],
    },
)
def good_runs(image, runs):
    image.segments[0].append(Entry(0x380, runs))


@each(
    "7.3",
    {
        "not_joined": [("data", 1), ("data", 1)],
        "apart": [("data", 1), ("zero", 100), ("data", 1), ("skip", 26)],
        "last": [("skip", 126), ("data", 2)],
    },
)
def good_data_runs(image, runs):
    image.segments[0].append(Entry(0x380, runs, text_pages(2), packer.LZ4))


@each("7.3", {"alone": [("skip", 1)], "all": [("skip", 128)], "two": [("skip", 1), ("skip", 1)]})
def good_entry_of_skip_runs(image, runs):
    image.segments[0].append(Entry(0x380, runs))


@each(
    "7",
    {
        "window": (0x2000, [("zero", 1)]),
        "window_end": (0x2180, [("skip", 127), ("fill", 1, 1)]),
        "second_window": (0x2800, [("zero", 1)]),
        "reserved": (0x80, [("skip", 31), ("zero", 1)]),
        "acpi": (0x4000, [("zero", 1)]),
        "persistent": (0x100000, [("zero", 1)]),
        "nowhere": (0x8000, [("zero", 1)]),
        "part_of_ram": (0x100200, [("zero", 1)]),
        "first": (0, [("zero", 1)]),
    },
)
def bad_page_outside_ram(image, block):
    image.segments[0].append(Entry(*block))
    image.segments[0].sort(key=lambda entry: entry.first_pfn)


@case("7")
def bad_data_page_in_window(image):
    image.segments[0].append(Entry(0x2000, [("data", 1)], text_pages(1), packer.LZO))


@each(
    "7",
    {
        "behind_window": (0x2200, [("zero", 1)]),
        "below_window": (0x1F80, [("skip", 127), ("zero", 1)]),
        "skipped_in_window": (0x2180, [("skip", 128)]),
        "last_of_ram": (0x3F80, [("skip", 127), ("zero", 1)]),
        "lowest": (0, [("skip", 1), ("zero", 1)]),
        "high": (0x100180, [("zero", 128)]),
    },
)
def good_page(image, block):
    image.segments[0].append(Entry(*block))
    image.segments[0].sort(key=lambda entry: entry.first_pfn)


@case("7")
def good_run_across_ranges(image):
    """Each page lies in one range, the run in two."""
    image.set_record(MEMORY, ranges((0x1000, 0x310000, RAM), (0x310000, 0x4000000, RAM)))


@case("7")
def bad_page_across_ranges(image):
    """No range holds all of it, though both are RAM."""
    image.set_record(MEMORY, ranges((0x1000, 0x310800, RAM), (0x310800, 0x4000000, RAM)))


@case("7.3")
def good_counts_by_kind_of_run(image):
    """A FILL run of word 0 counts as fill_pages, not as zero_pages."""
    image.segments = [[Entry(0x100, [("fill", 4, 0), ("zero", 2)])]]
    image.slot |= {"fill_pages": 4, "zero_pages": 2}
