# SPDX-License-Identifier: GPL-3.0-or-later
"""Cases: the ranges of the header (5), and what is held against them."""

from case import case, each
from image import (
    ACPI_DATA,
    JUMP_ENTRY,
    MAIN_WINDOW,
    MEMORY,
    RAM,
    RESERVED,
    WINDOWS,
    u64,
)
from layout import ranges

MAIN = (0x2000000, 0x2200000, RAM)
LAST = (0x5000000, 0x5001000, RESERVED)


def _more_memory(image, *more):
    """The sample's RAM up to 64 MiB, and what a case adds above."""
    image.set_record(MEMORY, ranges((0x1000, 0x4000000, RAM), *more))


@each(
    "5",
    {
        "adjacent": [(0x5000000, 0x5001000, RAM), (0x5001000, 0x5002000, RAM)],
        "up_to_2_52": [(0x5000000, 1 << 52, RESERVED)],
        "one_byte": [(0x5000000, 0x5000001, RAM)],
        "uneven": [(0x5000123, 0x5000456, RESERVED)],
        "most": [(at, at + 1, RESERVED) for at in range(0x5000000, 0x5000000 + 2 * 127, 2)],
    },
)
def good_memory(image, more):
    _more_memory(image, *more)


@each(
    "5",
    {
        "empty_range": [(0x5000000, 0x5000000, RESERVED)],
        "backwards": [(0x5001000, 0x5000000, RESERVED)],
        "above_2_52": [(0x5000000, (1 << 52) + 1, RESERVED)],
        "far_above_2_52": [(0x5000000, 2**64 - 1, RESERVED)],
        "reserved_field": [LAST + (1,)],
        "reserved_field_end": [LAST + (1 << 31,)],
        "descending": [LAST, (0x4800000, 0x4801000, RESERVED)],
        "twice": [LAST, LAST],
        "overlapping_by_a_byte": [LAST, (0x5000FFF, 0x5002000, RESERVED)],
        "inside": [LAST, (0x5000400, 0x5000800, RAM)],
        "too_many": [(at, at + 1, RESERVED) for at in range(0x5000000, 0x5000000 + 2 * 128, 2)],
    },
)
def bad_memory(image, more):
    _more_memory(image, *more)


@each("5", {"0": 0, "6": 6, "8": 8, "largest": 2**32 - 1})
def unsupported_memory_type(image, number):
    _more_memory(image, (0x5000000, 0x5001000, number))


@each("5", {"0": 0, "6": 6})
def unsupported_window_type(image, number):
    image.set_record(WINDOWS, ranges(MAIN, (0x2800000, 0x2900000, number)))


@each(
    "5",
    {
        "one": [MAIN],
        "adjacent": [MAIN, (0x2200000, 0x2300000, RAM)],
        "to_ram_end": [MAIN, (0x3000000, 0x4000000, RAM)],
        "most": [MAIN]
        + [(at, at + 4096, RAM) for at in range(0x2200000, 0x2200000 + 127 * 8192, 8192)],
    },
)
def good_windows(image, windows):
    image.set_record(WINDOWS, ranges(*windows))


@each(
    "5",
    {
        "not_ram": [MAIN, (0x2800000, 0x2900000, RESERVED)],
        "start_not_aligned": [MAIN, (0x2800800, 0x2900000, RAM)],
        "end_not_aligned": [MAIN, (0x2800000, 0x2900800, RAM)],
        "in_reserved": [(0x9F000, 0xA0000, RAM), MAIN],
        "across_ram_end": [MAIN, (0x3FFF000, 0x4001000, RAM)],
        "nowhere": [MAIN, (0x8000000, 0x8001000, RAM)],
        "empty_range": [MAIN, (0x2800000, 0x2800000, RAM)],
        "backwards": [MAIN, (0x2900000, 0x2800000, RAM)],
        "reserved_field": [MAIN, (0x2800000, 0x2900000, RAM, 1)],
        "descending": [(0x2800000, 0x2900000, RAM), MAIN],
        "overlapping": [MAIN, (0x21FF000, 0x2300000, RAM)],
        "too_many": [MAIN]
        + [(at, at + 4096, RAM) for at in range(0x2200000, 0x2200000 + 128 * 8192, 8192)],
    },
)
def bad_windows(image, windows):
    image.set_record(WINDOWS, ranges(*windows))


@case("5")
def bad_window_across_two_ranges(image):
    """Both are RAM, but it has to lie within one."""
    image.set_record(MEMORY, ranges((0x1000, 0x2100000, RAM), (0x2100000, 0x100200000, RAM)))


@each(
    "5",
    {
        "none_of_them": [(0x2A00000, 0x2B00000, RAM)],
        "smaller": [(0x2000000, 0x2100000, RAM)],
        "larger": [(0x2000000, 0x2300000, RAM)],
        "two": [MAIN, (0x2800000, 0x2900000, RAM)],
        "not_ram": [(0x2000000, 0x2200000, ACPI_DATA)],
        "reserved_field": [(0x2000000, 0x2200000, RAM, 1)],
    },
)
def bad_main_window(image, windows):
    image.set_record(MAIN_WINDOW, ranges(*windows))


@each(
    "5",
    {
        "in_second_window": (0x2800000, 0x2900000, RAM),
        "in_first_window": MAIN,
    },
)
def good_main_window(image, window):
    image.set_record(MAIN_WINDOW, ranges(window))


@each(
    "5",
    {
        "first_of_ram": 0x1000,
        "last_of_ram": 0x3FFFFFF,
        "below_window": 0x1FFFFFF,
        "behind_window": 0x2200000,
        "high": 0x100100000,
    },
)
def good_jump_entry(image, address):
    image.set_record(JUMP_ENTRY, u64(address))


@each(
    "5",
    {
        "0": 0,
        "below_ram": 0xFFF,
        "reserved": 0x9F000,
        "at_ram_end": 0x4000000,
        "partly_ram": 0x100200010,
        "nowhere": 0x8000000,
        "in_window": 0x2000000,
        "end_of_window": 0x21FFFFF,
        "in_second_window": 0x2812345,
        "largest": 2**64 - 1,
    },
)
def bad_jump_entry(image, address):
    image.set_record(JUMP_ENTRY, u64(address))


@case("5")
def bad_jump_entry_0_in_ram(image):
    """Not because of the map: in an image the address is always known."""
    image.set_record(MEMORY, ranges((0, 0x4000000, RAM)))
    image.set_record(JUMP_ENTRY, u64(0))
