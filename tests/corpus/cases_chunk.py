# SPDX-License-Identifier: GPL-3.0-or-later
"""Cases: chunks (8), their places and what they are unpacked from."""

import packer
from case import case, each
from image import PAGE, Entry, noise_pages, text_pages

MIB = 1 << 20
COMPRESSORS = {"lzo": packer.LZO, "lz4": packer.LZ4, "zstd": packer.ZSTD}
CODECS = {"none": packer.NONE} | COMPRESSORS
SKIPPABLE = b"\x50\x2a\x4d\x18" + b"\x04\0\0\0" + b"skip"


def _add(image, codec, data, stored=None):
    """One more block; its chunk is `stored`, whatever the codec would make."""
    entry = Entry(0x380, [("data", len(data) // PAGE)], data, codec)
    if stored is not None:
        entry.chunk = stored
    image.segments[0].append(entry)
    return entry


@each("8.1", CODECS)
def good_codec(image, codec):
    image.segments = [[]]
    _add(image, codec, text_pages(4))


@each("8.1", CODECS)
def good_whole_block(image, codec):
    _add(image, codec, text_pages(128))


@each("8.1", {str(level): level for level in (-5, 1, 10, 19)})
def good_zstd_level(image, level):
    data = text_pages(4)
    _add(image, packer.ZSTD, data, packer.zstd(data, level))


@each(
    "8.1",
    {
        "without_content_size": {"sized": False},
        "with_checksum": {"checked": True},
    },
)
def good_zstd_frame(image, options):
    data = text_pages(4)
    _add(image, packer.ZSTD, data, packer.zstd_frame(data, **options))


@each("8", CODECS)
def bad_chunk_damaged(image, codec):
    _add(image, codec, text_pages(4))
    image.damage("chunk 0.5", 0)


@each("8", CODECS)
def bad_chunk_damaged_at_end(image, codec):
    _add(image, codec, text_pages(4))
    image.damage("chunk 0.5", -1, 1)


@each("8", CODECS)
def bad_chunk_checksum_field(image, codec):
    _add(image, codec, text_pages(4)).changes = {"checksum": lambda c: c ^ 1}


@each("8", COMPRESSORS)
def bad_chunk_of_noise(image, codec):
    """The checksum holds, and it is nothing that the codec wrote."""
    _add(image, codec, text_pages(4), noise_pages(1))


@each("8", COMPRESSORS)
def bad_chunk_cut(image, codec):
    data = text_pages(4)
    _add(image, codec, data, packer.pack(codec, data)[:-1])


@each("8", COMPRESSORS)
def bad_chunk_of_one_byte(image, codec):
    _add(image, codec, text_pages(1), b"\0")


@each("8", COMPRESSORS)
def bad_chunk_with_trailing_byte(image, codec):
    data = text_pages(4)
    _add(image, codec, data, packer.pack(codec, data) + b"\0")


@each("8", COMPRESSORS)
def bad_chunk_with_page_too_few(image, codec):
    data = text_pages(4)
    _add(image, codec, data, packer.pack(codec, data[:-PAGE]))


@each("8", COMPRESSORS)
def bad_chunk_with_byte_too_few(image, codec):
    data = text_pages(4)
    _add(image, codec, data, packer.pack(codec, data[:-1]))


@each("8", COMPRESSORS)
def bad_chunk_with_byte_too_many(image, codec):
    data = text_pages(4)
    _add(image, codec, data, packer.pack(codec, data + b"x"))


@each("8", COMPRESSORS)
def bad_chunk_with_page_too_many(image, codec):
    data = text_pages(4)
    _add(image, codec, data, packer.pack(codec, text_pages(5)))


@each("8", COMPRESSORS)
def bad_chunk_twice(image, codec):
    """The second half would be enough by itself, and both are too much."""
    data = text_pages(4)
    _add(image, codec, data, packer.pack(codec, data) * 2)


@each("8", COMPRESSORS)
def bad_chunk_in_two_parts(image, codec):
    """What comes out has the right size, but one codec unit must give it all."""
    data = text_pages(4)
    halves = packer.pack(codec, data[: 2 * PAGE]) + packer.pack(codec, data[2 * PAGE :])
    _add(image, codec, data, halves)


@each("8", {"byte_less": -1, "page_less": -PAGE})
def bad_stored_data_too_short(image, cut):
    data = noise_pages(2)
    _add(image, packer.NONE, data, data[:cut])


@each(
    "8.1",
    {
        f"{said}_is_{name}": (codec, other)
        for said, codec in COMPRESSORS.items()
        for name, other in CODECS.items()
        if codec != other and other != packer.NONE
    },
)
def bad_codec(image, codecs):
    said, used = codecs
    data = text_pages(4)
    _add(image, said, data, packer.pack(used, data))


@each("7.2", COMPRESSORS)
def bad_stored_above_data(image, codec):
    """It can be unpacked, but should have been stored as it is."""
    _add(image, codec, noise_pages(1))


@case("8.1")
def bad_lzo_without_end_marker(image):
    data = text_pages(4)
    _add(image, packer.LZO, data, packer.lzo(data)[:-3])


def _lz4_of_one_match(offset):
    """4096 bytes: one literal, one match, and the five literals of the end."""
    return b"\x1fa" + bytes((offset, 0)) + b"\xff" * 15 + b"\xf6" + b"\x50last!"


@case("8.1")
def good_lz4_written_by_hand(image):
    _add(image, packer.LZ4, bytes(PAGE), _lz4_of_one_match(1))


@case("8.1")
def bad_lz4_match_before_start(image):
    _add(image, packer.LZ4, bytes(PAGE), _lz4_of_one_match(2))


@case("8.1")
def bad_lz4_frame(image):
    """The block inside of a frame of LZ4."""
    data = text_pages(4)
    raw = packer.lz4(data)
    frame = b"\x04\x22\x4d\x18\x60\x40\x82" + len(raw).to_bytes(4, "little") + raw + bytes(4)
    _add(image, packer.LZ4, data, frame)


# What versions 0.7 wrote. The library may still read it, and RFC 8878 does not
# know it: other magic, other order of the bytes in a block's header, an empty
# block at the end.
ZSTD_0_7 = b"\x27\xb5\x2f\xfd" + b"\x60\x00\x0f" + b"\x80\x10\x00z" + b"\xc0\0\0"


def _zstd_of_one_byte(descriptor=0x60, dictionary=b"", size=PAGE):
    """A frame of one RLE block, by RFC 8878, 3.1.1: 4096 times one byte."""
    block = (PAGE << 3 | 1 << 1 | 1).to_bytes(3, "little") + b"z"
    return _zstd_header(descriptor, dictionary, size) + block


def _zstd_header(descriptor=0x60, dictionary=b"", size=PAGE):
    fields = bytes((descriptor,)) + dictionary + (size - 256).to_bytes(2, "little")
    return b"\x28\xb5\x2f\xfd" + fields


@each("7.2", {"lzo": packer.LZO, "lz4": packer.LZ4})
def bad_stored_equal_to_data(image, codec):
    """As large as its data, and not larger: as many zeros as it takes, and noise."""
    candidates = (bytes(n) + noise_pages(1)[n:] for n in range(PAGE))
    _add(image, codec, next(d for d in candidates if len(packer.pack(codec, d)) == PAGE))


@case("7.2")
def bad_stored_equal_to_data_zstd(image):
    """A block of 14 equal bytes and one of the rest, which libzstd would not make."""
    data = b"z" * 14 + noise_pages(1)[14:]
    same = (14 << 3 | 1 << 1).to_bytes(3, "little") + b"z"
    rest = ((PAGE - 14) << 3 | 1).to_bytes(3, "little") + data[14:]
    _add(image, packer.ZSTD, data, _zstd_header() + same + rest)


@case("8.1")
def good_zstd_written_by_hand(image):
    _add(image, packer.ZSTD, bytes(PAGE), _zstd_of_one_byte())


@each(
    "8.1",
    {
        "dictionary_id": _zstd_of_one_byte(0x61, b"\5"),
        "reserved_bit": _zstd_of_one_byte(0x68),
        "size_less": _zstd_of_one_byte(size=PAGE - 1),
        "size_more": _zstd_of_one_byte(size=PAGE + 1),
        "checksum_missing": _zstd_of_one_byte(0x64),
        "checksum_wrong": _zstd_of_one_byte(0x64) + b"\0\0\0\0",
        "magic_0": bytes(4) + _zstd_of_one_byte()[4:],
        "of_before_the_standard": ZSTD_0_7,
        "skippable": SKIPPABLE,
        "skippable_before": SKIPPABLE + _zstd_of_one_byte(),
        "skippable_behind": _zstd_of_one_byte() + SKIPPABLE,
    },
)
def bad_zstd(image, stored):
    _add(image, packer.ZSTD, bytes(PAGE), stored)


@case("8.1")
def bad_zstd_with_dictionary(image):
    data = noise_pages(2)
    _add(image, packer.ZSTD, data, packer.zstd_frame(data, dictionary=data))


@case("8.1")
def bad_zstd_empty_frame_behind(image):
    data = text_pages(4)
    _add(image, packer.ZSTD, data, packer.zstd(data) + packer.zstd(b""))


@case("7.2")
def good_chunk_shared(image):
    """Several entries may name the same bytes; stored_bytes counts each."""
    first = image.segments[0][0]
    again = Entry(0x380, [("skip", 7), ("data", 3)], first.data, first.codec)
    again.shares = first
    image.segments.append([again])


@case("7.2")
def good_chunks_all_shared(image):
    data = noise_pages(1)
    entries = [Entry(0x100 + 0x80 * i, [("data", 1)], data) for i in range(60)]
    for entry in entries[1:]:
        entry.shares = entries[0]
    image.segments = [entries]


@case("2.1")
def good_chunks_descending(image):
    for number in range(4):
        image.at[f"chunk 0.{number}"] = 131072 - 8192 * number


@case("2")
def good_chunk_first_of_data(image):
    """Where the header is otherwise."""
    image.at["header"] = 65536


@each(
    "2",
    {
        "last_byte": MIB - 1,
        "first_byte": MIB,
        "middle": MIB - 3000,
        "second": 2 * MIB - 2000,
        "page_before": MIB - PAGE,
    },
)
def good_chunk_at_mib(image, at):
    image.at["chunk 0.3"] = at


@each("2", {"512_kib": MIB - (256 << 10) + 1, "aligned": MIB - (512 << 10)})
def good_large_chunk_at_mib(image, at):
    """The largest chunk there is."""
    image.at["chunk 0.5"] = at
    _add(image, packer.NONE, noise_pages(128))


@case("2")
def good_chunks_far_apart(image):
    """Longer steps than a reader may want to read at once, forth and back."""
    for number, at in enumerate((5 * MIB - 7, MIB - 7, 3 * MIB - 7, 65536)):
        image.at[f"chunk 0.{number}"] = at


@case("8")
def bad_chunk_damaged_across_mib(image):
    """Damage behind the boundary only."""
    image.at["chunk 0.3"] = MIB - 4095
    image.damage("chunk 0.3", -1)
