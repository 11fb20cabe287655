# SPDX-License-Identifier: GPL-3.0-or-later
"""Cases: the fields of a slot (3). Both slots have the defect, so that it does
not matter which one counts."""

from case import case, each
from image import (
    DATA_START,
    EMPTY,
    RESUMING,
    RETIRED,
    VALID,
    WRITING,
)
from layout import record


@case("3")
def good_sample(image):
    pass


@each("3", {"zero": b"", "case": b"dormouse", "last_byte": b"DORMOUSF"})
def none_magic(image, magic):
    image.both(magic=magic)


@case("3")
def none_magic_before_checksum(image):
    image.both(magic=b"SWAPSPAC", checksum=lambda c: c ^ 1)


@each("3", {"empty": 0, "boot_sector": 4096, "one_slot": 8192, "zeros": 65536})
def none_foreign_target(image, length):
    return bytes(length)


@each(
    "3",
    {"version": 8, "sealing": 140, "spare": 2000, "reserved": 4091, "own": 4092, "own_end": 4095},
)
def bad_slot_checksum(image, at):
    image.both()
    image.damage("slot a", at)
    image.damage("slot b", at)


@each("3", {"0": 0, "2": 2, "256": 256, "largest": 0xFFFFFFFF})
def unsupported_version(image, version):
    image.both(version=version)


@case("4")
def unsupported_version_of_other_layout(image):
    image.both(version=2, state=77, sealing=b"\xff" * 116, reason=b"\xff" * 256, tag=b"\xff")


@case("3")
def bad_version_without_checksum(image):
    image.both(version=2, checksum=lambda c: c ^ 1)


@each("3", {"first": 8, "last": 1 << 31, "beside_known": 1 | 2 | 8})
def unsupported_features_incompat(image, bit):
    image.both(features_incompat=bit)


@case("3")
def unsupported_features_incompat_before_the_rest(image):
    image.both(features_incompat=8, state=9, sealing=b"cipher", tag=b"tag")


@each("4.1", {"first": 1, "last": 1 << 31, "all": 0xFFFFFFFF})
def good_features_compat(image, bits):
    image.both(features_compat=bits)


@case("3")
def good_features_compat_with_spare(image):
    image.both(features_compat=1, spare=b"\xff" * 3544)


@each("3", {"sealing": "sealing", "tag": "tag", "reserved": "reserved"})
def bad_features_compat_with(image, field):
    image.both(features_compat=1, **{field: 1 if field == "reserved" else b"\1"})


@each(
    "3",
    {
        "sealing": {"sealing": b"\1"},
        "sealing_end": {"sealing": bytes(115) + b"\1"},
        "spare": {"spare": b"\1"},
        "spare_end": {"spare": bytes(3543) + b"\1"},
        "tag": {"tag": b"\1"},
        "tag_end": {"tag": bytes(31) + b"\1"},
        "field_4088": {"reserved": 1},
        "field_4088_end": {"reserved": 1 << 31},
    },
)
def bad_slot_reserved(image, changes):
    image.both(**changes)


@each("3", {"sealing": {"sealing": b"\1"}, "spare": {"spare": b"\1"}, "tag": {"tag": b"\1"}})
def bad_slot_reserved_of_retired(image, changes):
    image.both(**changes)
    image.slots = [{"state": RETIRED, "generation": g} for g in (6, 7)]


@each("3.1", {"valid": VALID, "resuming": RESUMING})
def good_state(image, state):
    image.slots = [{"state": state, "generation": g} for g in (6, 7)]


@each("3.1", {"empty": EMPTY, "writing": WRITING, "retired": RETIRED})
def none_state(image, state):
    image.slots = [{"state": state, "generation": g} for g in (6, 7)]


@each("3.1", {"empty": EMPTY, "writing": WRITING, "retired": RETIRED})
def none_state_with_senseless_places(image, state):
    image.slot.update(header_offset=5, header_length=0, directory_offset=2**64 - 1)
    image.slot.update(image_end=3, raw_bytes=1, stored_bytes=2, data_pages=2**64 - 1)
    image.slots = [{"state": state, "generation": g} for g in (6, 7)]


@each("3.1", {"5": 5, "largest": 0xFFFFFFFF})
def bad_state(image, state):
    image.both()
    image.slots = [{"state": state, "generation": g} for g in (6, 7)]


@each(
    "3",
    {
        "created_0": {"created": 0},
        "created_largest": {"created": 2**64 - 1},
        "failed_resumes": {"failed_resumes": 2**32 - 1},
        "reason_empty": {"reason": b""},
        "reason_longest": {"reason": b"r" * 255},
        "reason_control": {"reason": b"\x1b[2J\a\r\n"},
        "reason_not_utf8": {"reason": b"\xff\xfe"},
        "reason_behind_nul": {"reason": b"r\0" + b"x" * 253},
    },
)
def good_slot(image, changes):
    image.both(**changes)


@each("3", {"nowhere": b"r" * 256, "only_before": b"r\0" + b"x" * 254})
def bad_reason_without_nul(image, reason):
    image.both(reason=reason)


@case("3")
def good_nonce_zero(image):
    """Nothing says that the nonce is not zero: it is random."""
    image.slot["nonce"] = bytes(16)
    image.directory["nonce"] = bytes(16)
    image.segment[0] = {"nonce": bytes(16)}


@each("3", {"header": 16384 + 512, "directory": 32768 + 512})
def bad_region_not_aligned(image, offset):
    """The part is really there, and only its place is wrong."""
    image.at["header" if offset < 32768 else "directory"] = offset
    image.at["segment 0"] = 40960
    image.extend(4096)
    image.both()


@each("3", {"header": "header", "directory": "directory"})
def bad_region_before_data(image, part):
    image.at[part] = 12288
    image.both()


@each("3", {"header": "header", "directory": "directory"})
def bad_region_behind_image_end(image, part):
    image.at[part] = 65536
    image.both(image_end=65536)


@each("3", {"header": "header", "directory": "directory"})
def bad_region_empty(image, part):
    image.both(**{f"{part}_length": 0, f"{part}_checksum": 0})


@each(
    "3",
    {
        "header_offset": {"header_offset": 2**64 - 4096},
        "header_length": {"header_length": 2**32 - 1},
        "directory_offset": {"directory_offset": 2**64 - 4096},
        "directory_length": {"directory_length": 2**32 - 1},
    },
)
def bad_region_overflows(image, changes):
    image.both(**changes)


@each("3", {"header": "header", "directory": "directory", "segment": "segment 0"})
def bad_region_checksum(image, part):
    image.damage(part, -1, 0x80)


@each("3", {"header": "header_checksum", "directory": "directory_checksum"})
def bad_region_checksum_field(image, field):
    image.both(**{field: lambda c: c ^ 0x80000000})


def _fill_header(image, length):
    """A record to be skipped makes the header as long as this."""
    room = length - 24 - len(image._records({}))
    image.records.append(record(99, bytes(room - 8)))


@case("3")
def good_header_longest(image):
    _fill_header(image, 65536)


@case("3")
def bad_header_too_long(image):
    _fill_header(image, 65536 + 8)
    image.both()


@case("3")
def bad_directory_too_long(image):
    image.both(image_end=20 << 20, directory_length=(16 << 20) + 16)
    image.length = lambda end: 20 << 20


@case("3")
def bad_header_and_directory_overlap(image):
    """The directory lies in a record of the header that is to be skipped, so
    that both of them are right."""
    image.both()
    image.at["directory"] = at = DATA_START + 4096
    empty = record(99, bytes(8192))
    image.records.insert(0, empty)
    directory = image.build()[at : at + 4096]
    body = bytes(4096 - 16 - 8) + directory
    image.records[0] = record(99, body + bytes(8192 - len(body)))


@each(
    "3",
    {
        "zero": lambda end: 0,
        "in_front_of_data": lambda end: 12288,
        "not_aligned": lambda end: end + 512,
        "2_63": lambda end: 1 << 63,
        "largest": lambda end: 2**64 - 4096,
    },
)
def bad_image_end(image, value):
    image.both(image_end=value)
    image.length = lambda end: end + 4096


@case("3")
def bad_image_end_behind_target(image):
    image.both(image_end=lambda end: end + 4096)


@each("2", {"header": "header", "directory": "directory", "segment": "segment 0"})
def bad_target_cut(image, part):
    """The part lies wholly behind the cut: that is damage, and not a failure to read."""
    image.both()
    image.at[part] = 65536
    image.length = lambda end: 65536


@case("2")
def bad_target_cut_before_chunk(image):
    image.both()
    image.at["chunk 0.1"] = 65536
    image.length = lambda end: 65536


@case("2")
def good_image_end_with_room(image):
    image.extend(65536)


@each(
    "3",
    {
        "raw_bytes": {"raw_bytes": lambda n: n - 1},
        "raw_bytes_more": {"raw_bytes": lambda n: n + 4096},
        "raw_bytes_wrap": {"data_pages": lambda n: n + 2**52},
        "stored_above_raw": {"stored_bytes": 8 * 4096 + 1},
    },
)
def bad_counts(image, changes):
    image.both(**changes)


@each(
    "7",
    {
        "data_pages": {"data_pages": lambda n: n + 1, "raw_bytes": lambda n: n + 4096},
        "data_pages_less": {"data_pages": lambda n: n - 1, "raw_bytes": lambda n: n - 4096},
        "zero_pages": {"zero_pages": lambda n: n + 1},
        "zero_pages_wrap": {"zero_pages": lambda n: n + 2**32},
        "fill_pages": {"fill_pages": lambda n: n - 1},
        "zero_as_fill": {"zero_pages": lambda n: n - 1, "fill_pages": lambda n: n + 1},
        "stored_bytes": {"stored_bytes": lambda n: n - 1},
        "stored_bytes_more": {"stored_bytes": lambda n: n + 1},
    },
)
def bad_sum(image, changes):
    image.both(**changes)


@case("3")
def good_stored_equals_raw(image):
    image.segments = [[image.segments[0][3]]]


@case("2")
def good_litter_around_the_image(image):
    """Boot sector, the reserved 4096 bytes, and behind the image."""
    image.length = lambda end: end + 65536
    image.litter(0, 4096)
    image.litter(12288, DATA_START)
    image.litter(-65536, None)


@case("2")
def good_litter_between_parts(image):
    image.at["directory"] = 131072
    image.litter(65536, 131072)


@each("2", {"header": "header", "segment": "segment 0", "directory": "directory"})
def good_litter_in_padding(image, part):
    image.litter_padding(part)


@case("2")
def good_parts_in_another_order(image):
    image.at |= {"directory": 65536, "header": 69632, "segment 0": 81920, "chunk 0.0": 90112}


@case("3")
def good_header_next_to_directory(image):
    image.at |= {"header": 65536, "directory": 69632}


SIGNATURES = {"swap": b"SWAPSPACE2", "none": bytes(10), "other": b"S1SUSPEND\0", "old": b"SWAP-SPACE"}


@case("3.4")
def good_swap_area(image):
    image.both(features_incompat=1)
    image.page0(b"LINHIB0001")


@each("3.4", {"case": b"linhib0001", "early": b"LINHIB0001\0", "last_byte": b"LINHIB0002", **SIGNATURES})
def none_swap_area_turned_on(image, signature):
    image.both(features_incompat=1)
    image.page0(signature)


@each("3.4", {"swap": b"SWAPSPACE2", "marked": b"LINHIB0001"})
def none_swap_area_made_since(image, signature):
    image.page0(signature)


@each("3.4", {"other": b"S1SUSPEND\0", "old": b"SWAP-SPACE"})
def good_page0_of_others(image, signature):
    image.page0(signature)


@case("3.4")
def none_swap_area_retired(image):
    """A cut between RETIRED and the signature."""
    image.slot["features_incompat"] = 1
    image.slots = [{"state": RETIRED, "generation": g} for g in (6, 7)]
    image.page0(b"LINHIB0001")
