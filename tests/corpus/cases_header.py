# SPDX-License-Identifier: GPL-3.0-or-later
"""Cases: the header's block (9), and its records one by one (5)."""

from case import case, each
from checksum import crc32c
from image import (
    BUILD_ID,
    CPUS,
    DISKS,
    FREE_FILL,
    HOSTNAME,
    JUMP_ENTRY,
    LEVELS,
    MAIN_WINDOW,
    MEMORY,
    PRINTS,
    RAM,
    RELEASE,
    REPORT,
    WATCHDOG,
    VMCOREINFO,
    WINDOWS,
    WRITER,
    one_disk,
    one_print,
    u32,
    u64,
)
from layout import block, ranges, record

REQUIRED = {
    "memory": MEMORY,
    "windows": WINDOWS,
    "main_window": MAIN_WINDOW,
    "jump_entry": JUMP_ENTRY,
    "levels": LEVELS,
    "writer": WRITER,
    "free_fill": FREE_FILL,
    "disks": DISKS,
    "prints": PRINTS,
    "release": RELEASE,
}
OPTIONAL = {
    "hostname": HOSTNAME,
    "build_id": BUILD_ID,
    "cpus": CPUS,
    "vmcoreinfo": VMCOREINFO,
    "report": REPORT,
    "watchdog": WATCHDOG,
}
KNOWN = REQUIRED | OPTIONAL


@case("9")
def bad_header_magic(image):
    """Not FORMAT: the superblock is ours, and says that here is a header."""
    image.block["magic"] = b"DORM-OFF"


@each("9", {"0": 0, "2": 2, "largest": 2**32 - 1})
def unsupported_header_version(image, version):
    image.block["version"] = version


@each("9", {"less": -8, "more": 8, "uneven": 4, "zero": None, "largest": 2**32 - 8})
def bad_header_bytes(image, change):
    image.block["bytes"] = lambda right: 0 if change is None else (right + change) % 2**32


@case("9")
def bad_header_bytes_no_multiple_of_8(image):
    image.records.append(bytes(4))


@case("9")
def bad_header_reserved(image):
    image.block["reserved"] = 1


@case("9")
def bad_header_reserved_end(image):
    image.block["reserved"] = 1 << 31


@case("9")
def bad_header_own_checksum(image):
    image.block["checksum"] = lambda c: c ^ 1


@case("9")
def bad_header_checksum_before_version(image):
    image.block |= {"version": 2, "checksum": lambda c: c ^ 1}


@each("9", {"16": 16, "8": 8, "1": 1})
def bad_header_region_too_short(image, length):
    """Too short for a block, under a right checksum of the region."""
    image.records = []
    checksum = crc32c(block(b"", {})[:length])
    image.both(header_length=length, header_checksum=checksum)


@case("9.1")
def bad_header_without_records(image):
    image.records = []


@each("9.1", {"empty": 0, "short": 7, "long": 4000})
def good_record_to_skip(image, length):
    image.records.insert(1, record(0x7FFFFFFF, b"x" * length))


@case("9.1")
def good_record_to_skip_twice(image):
    image.records += [record(23, b"new"), record(23, b"newer")]


@each("9.1", {"0": 0, "9": 9, "15": 15, "23": 23})
def good_record_with_tag(image, tag):
    image.records.append(record(tag, b"x"))


@each("9.1", KNOWN)
def good_record_but_for_the_critical_bit(image, tag):
    """Bit 31 is part of the tag; without it, another record that is skipped."""
    if tag >> 31:
        image.records.append(record(tag & 0x7FFFFFFF, b"x"))


@each("9.1", {"0": 0x80000000, "11": 0x8000000B, "release": 0x80000010, "last": 0xFFFFFFFF})
def unsupported_critical_record(image, tag):
    image.records.append(record(tag, b"x"))


@each("9.1", {"by_one_word": 9, "by_more": 4096, "overflowing": 2**32 - 1, "wrapping": 2**32 - 8})
def bad_record_does_not_fit(image, length):
    image.records.append(record(23, b"12345678", length))


@each("9.1", {"first": b"\1", "last": b"\0\0\0\0\1"})
def bad_record_padding(image, padding):
    image.records.append(record(23, b"123", padding=padding))


@case("9.1")
def bad_record_padding_of_known(image):
    image.set_record(HOSTNAME, None)
    image.records.append(record(HOSTNAME, b"12345", padding=b"\0\1"))


@each("5", REQUIRED)
def bad_without(image, tag):
    image.set_record(tag, None)


@each("5", OPTIONAL)
def good_without(image, tag):
    image.set_record(tag, None)


@each("5", KNOWN)
def bad_twice(image, tag):
    image.records.append([tag, image.payload(tag)])


@case("5")
def good_records_in_another_order(image):
    image.records.reverse()


@each("5", {name: tag for name, tag in KNOWN.items() if tag not in (RELEASE, HOSTNAME, BUILD_ID)})
def bad_length_less(image, tag):
    image.set_record(tag, image.payload(tag)[:-1])


@each("5", {name: tag for name, tag in KNOWN.items() if tag not in (RELEASE, HOSTNAME, BUILD_ID)})
def bad_length_more(image, tag):
    image.set_record(tag, image.payload(tag) + b"\0")


@each("5", {name: tag for name, tag in KNOWN.items() if tag not in (RELEASE, HOSTNAME, BUILD_ID, PRINTS)})
def bad_length_zero(image, tag):
    image.set_record(tag, b"")


@each(
    "5",
    {
        "release": (RELEASE, b"r" * 64),
        "release_empty": (RELEASE, b""),
        "hostname": (HOSTNAME, b"h" * 64),
        "hostname_empty": (HOSTNAME, b""),
        "hostname_control": (HOSTNAME, b"\x1b[2J"),
        "hostname_utf8": (HOSTNAME, "Bücher".encode()),
        "build_id": (BUILD_ID, b"0" * 40),
        "build_id_short": (BUILD_ID, b"0123abcd"),
        "build_id_empty": (BUILD_ID, b""),
        "build_id_not_hexadecimal": (BUILD_ID, b"unknown"),
        "hostname_not_utf8": (HOSTNAME, b"\xff\xfe"),
    },
)
def good_string(image, change):
    image.set_record(*change)


@each(
    "5",
    {
        "release_long": (RELEASE, b"r" * 65),
        "release_nul": (RELEASE, b"6.12\0-x"),
        "release_nul_end": (RELEASE, b"6.12\0"),
        "hostname_long": (HOSTNAME, b"h" * 65),
        "hostname_nul": (HOSTNAME, b"\0"),
        "build_id_long": (BUILD_ID, b"0" * 41),
        "build_id_nul": (BUILD_ID, b"01\0002"),
    },
)
def bad_string(image, change):
    image.set_record(*change)


@each("5", {"4": 4, "5": 5})
def good_levels(image, levels):
    image.set_record(LEVELS, u32(levels))


@each("5", {"0": 0, "3": 3, "6": 6, "260": 260})
def unsupported_levels(image, levels):
    image.set_record(LEVELS, u32(levels))


@each("5.2", {"none": 0, "zero": 1, "poison": 2, "save": 3})
def good_free_fill(image, number):
    image.set_record(FREE_FILL, u32(number))


@each("5.2", {"4": 4, "256": 256, "largest": 2**32 - 1})
def unsupported_free_fill(image, number):
    image.set_record(FREE_FILL, u32(number))


@each("5", {"0": 0, "largest": 2**32 - 1})
def good_cpus(image, number):
    image.set_record(CPUS, u32(number))


@case("5")
def good_vmcoreinfo_none(image):
    image.set_record(VMCOREINFO, bytes(16))


@case("5")
def good_vmcoreinfo_highest(image):
    image.set_record(VMCOREINFO, u64((1 << 52) - 1024) + u32(1024) + u32(0))


@each(
    "5",
    {
        "reserved": u64(0x300000) + u32(1024) + u32(1),
        "above_2_52": u64((1 << 52) - 1023) + u32(1024) + u32(0),
        "overflowing": u64(2**64 - 1) + u32(1024) + u32(0),
    },
)
def bad_vmcoreinfo(image, payload):
    image.set_record(VMCOREINFO, payload)


@each(
    "5",
    {
        "in_window": 0x2000000,
        "first_of_ram": 0x1000,
        "last_of_ram": 0x3FFF000,
    },
)
def good_report(image, address):
    image.set_record(REPORT, u64(0x300000, 0x301000, address, 0x302000) + bytes(16))


@case("5")
def good_report_none(image):
    image.set_record(REPORT, bytes(48))


@case("5")
def good_report_none_with_nonce(image):
    image.set_record(REPORT, bytes(32) + b"n" * 16)


@each(
    "5",
    {
        "not_aligned": 0x301800,
        "reserved": 0x9F000,
        "nowhere": 0x8000000,
        "zero": 0,
        "at_ram_end": 0x4000000,
        "partly_ram": 0x100200000,
        "largest": 2**64 - 4096,
    },
)
def bad_report(image, address):
    """Each of the four addresses in turn would be too much; the last one."""
    image.set_record(REPORT, u64(0x300000, 0x302000, 0x303000, address) + bytes(16))


@case("5")
def bad_report_first(image):
    image.set_record(REPORT, u64(0x9F000, 0x302000, 0x303000, 0x304000) + bytes(16))


@case("5")
def bad_report_partly_0_in_ram(image):
    """Not because of the map: 0 means that there is no report."""
    image.set_record(MEMORY, ranges((0, 0x4000000, RAM)))
    image.set_record(REPORT, u64(0x301000, 0, 0x302000, 0x303000) + bytes(16))


@case("5.4")
def good_no_disks(image):
    image.set_record(DISKS, b"")
    image.set_record(PRINTS, b"")


@case("5.4")
def good_most_prints(image):
    image.set_record(DISKS, one_disk() * 64)
    image.set_record(PRINTS, b"".join(one_print(i // 4, offset=512 * (i % 4)) for i in range(256)))


@each(
    "5.4",
    {
        "too_many": one_disk() * 65,
        "cut": one_disk()[:-1],
        "size_0": one_disk(0),
        "size_odd": one_disk((1 << 30) + 1),
        "size_2_63": one_disk(1 << 63),
        "identity_without_end": one_disk(identity=b"i" * 56),
        "behind_identity": one_disk(identity=b"i\0i"),
        "none": b"",
    },
)
def bad_disks(image, payload):
    image.set_record(DISKS, payload)
    image.set_record(PRINTS, one_print())


@each(
    "5.4",
    {
        "too_many": b"".join(one_print(offset=512 * i) for i in range(257)),
        "cut": one_print()[:-1],
        "no_such_disk": one_print(2),
        "wanted": one_print(kind=16),
        "offset_odd": one_print(offset=1000),
        "length_odd": one_print(length=1000),
        "length_0": one_print(length=0, mark_at=0xFFFFFFFF),
        "behind_end": one_print(offset=(1 << 30) - 512),
        "overflowing": one_print(offset=2**64 - 512),
        "mark_behind_end": one_print(mark_at=1024 - 15),
        "reserved": one_print(reserved=1),
        "name_without_end": one_print(name=b"n" * 80),
        "behind_name": one_print(name=b"n\0n"),
        "twice": one_print() * 2,
        "unsorted": one_print(offset=8192) + one_print(),
        "unsorted_disks": one_print(1) + one_print(0),
    },
)
def bad_prints(image, payload):
    image.set_record(PRINTS, payload)


@each("5.4", {"0": 0, "6": 6, "largest": 2**32 - 1})
def unsupported_print_kind(image, kind):
    image.set_record(PRINTS, one_print(kind=kind))
