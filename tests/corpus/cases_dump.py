# SPDX-License-Identifier: GPL-3.0-or-later
"""Cases: images of memory dumps (5.3)."""

from case import case, each
from image import (
    ACPI_NVS,
    CPUS,
    DUMP,
    FREE_FILL,
    HOSTNAME,
    JUMP_ENTRY,
    LEVELS,
    MAIN_WINDOW,
    MEMORY,
    RAM,
    RELEASE,
    REPORT,
    RESERVED,
    VMCOREINFO,
    WINDOWS,
    WRITER,
    Entry,
    sample_dump,
    u64,
)
from layout import ranges


@case("5.3")
def good_dump(_):
    return sample_dump()


@case("5.3")
def good_dump_without_notes(_):
    return sample_dump(b"")


@case("5.3")
def good_dump_with_release(_):
    image = sample_dump()
    image.set_record(RELEASE, b"6.12.0-test")
    image.set_record(HOSTNAME, b"dumped")
    image.set_record(VMCOREINFO, u64(0x300000, 1024))
    return image


@case("5.3")
def good_dump_without_cpus(_):
    image = sample_dump()
    image.set_record(CPUS, None)
    return image


@case("5.3")
def good_dump_of_no_pages(_):
    image = sample_dump()
    image.segments = []
    return image


@each("5.3", {"one_byte": 1, "one_page": 4096, "most": 1 << 20})
def good_notes(_, length):
    return sample_dump(bytes(length))


@case("5.3")
def good_litter_in_padding_of_notes(_):
    image = sample_dump()
    image.litter_padding("notes")
    return image


@case("5.3")
def bad_notes_too_long(_):
    return sample_dump(bytes((1 << 20) + 1))


@each(
    "5.3",
    {
        "windows": WINDOWS,
        "main_window": MAIN_WINDOW,
        "jump_entry": JUMP_ENTRY,
        "writer": WRITER,
        "report": REPORT,
    },
)
def bad_dump_with(host, tag):
    image = sample_dump()
    image.set_record(tag, host.payload(tag))
    return image


@each("5.3", {"jump_entry": (JUMP_ENTRY, bytes(8)), "report": (REPORT, bytes(48))})
def bad_dump_with_empty(_, item):
    """The record MUST NOT be there at all, whatever it says."""
    image = sample_dump()
    image.set_record(*item)
    return image


@each("5", {"memory": MEMORY, "levels": LEVELS, "free_fill": FREE_FILL, "release": RELEASE})
def bad_dump_without(_, tag):
    image = sample_dump()
    image.set_record(tag, None)
    return image


@case("5")
def bad_dump_twice(_):
    image = sample_dump()
    image.records.append([DUMP, bytes(16)])
    return image


@each("5", {"empty": b"", "short": bytes(15), "long": bytes(17), "two": bytes(32)})
def bad_dump_length(_, payload):
    image = sample_dump()
    image.set_record(DUMP, payload)
    return image


@case("5.3")
def bad_dump_of_host(image):
    """A host's header becomes no dump's by the record alone."""
    image.set_record(DUMP, bytes(16))


@each(
    "5.3",
    {
        "reserved": (0x5000000, 0x5001000, RESERVED),
        "acpi_nvs": (0x5000000, 0x5001000, ACPI_NVS),
        "start_not_aligned": (0x5000800, 0x5002000, RAM),
        "end_not_aligned": (0x5000000, 0x5001800, RAM),
    },
)
def bad_dump_memory(_, item):
    image = sample_dump()
    image.set_record(MEMORY, ranges((0x1000, 0x4000000, RAM), item))
    return image


@case("7")
def bad_dump_page_outside_memory(_):
    image = sample_dump()
    image.segments[0].append(Entry(0x10000, [("zero", 1)]))
    return image


@case("5.3")
def good_dump_page_where_host_has_windows(_):
    image = sample_dump()
    image.segments[0].append(Entry(0x2000, [("zero", 1)]))
    return image


@each(
    "5.3",
    {
        "empty_at_a_place": {"length": 0, "checksum": 0},
        "checksum": {"checksum": lambda c: c ^ 1},
        "without_offset": {"offset": 0},
        "behind_the_image": {"offset": 1 << 40},
        "overflowing": {"offset": 2**64 - 4096},
        "largest": {"length": 2**32 - 1},
    },
)
def bad_notes_region(_, changes):
    image = sample_dump()
    image.dump = changes
    return image


@case("5.3")
def bad_no_notes_with_checksum(_):
    image = sample_dump(b"")
    image.dump = {"checksum": 1}
    return image


@each("5.3", {"first": 0, "last": -1})
def bad_notes_damaged(_, at):
    image = sample_dump()
    image.damage("notes", at)
    return image


@case("5.3")
def bad_notes_not_aligned(_):
    image = sample_dump()
    image.at["notes"] = 65536 + 512
    image.extend(4096)
    return image


@case("5.3")
def bad_notes_before_data(_):
    image = sample_dump()
    image.at["notes"] = 12288
    return image


@case("5.3")
def bad_notes_behind_image_end(_):
    image = sample_dump()
    image.at["notes"] = 65536
    image.slot["image_end"] = 65536
    return image
