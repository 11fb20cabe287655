# SPDX-License-Identifier: GPL-3.0-or-later
"""Cases: extent map and locator of located targets (3.5), and what slots count there."""

from case import case, each
from disk import AT, HEAD, Disk, locator
from image import WRITING
from layout import PAGE

OTHER = bytes(16)


def tiny(image):
    """A map of two blocks: an extent for each page."""
    image.extend(300 * PAGE)
    return Disk(image, pieces=(1,))


@case("3.5")
def good_slots(image):
    return Disk(image)


@case("3.5")
def good_file(image):
    return Disk(image, file=True)


@case("3.5.1")
def good_map_of_two_blocks(image):
    return tiny(image)


@case("3.5")
def good_slots_page0_is_memory(image):
    image.page0(b"SWAPSPACE2")
    return Disk(image)


@case("3.5")
def none_file_page0_is_swap(image):
    image.page0(b"SWAPSPACE2")
    return Disk(image, file=True)


# The slots


@case("3.5")
def none_slots_of_another_image(image):
    image.slot["nonce"] = OTHER
    return Disk(image)


@case("3.5")
def none_file_of_another_image(image):
    image.slot["nonce"] = OTHER
    return Disk(image, file=True)


@case("3.5")
def good_twin_of_another_image(image):
    image.slots[0]["nonce"] = OTHER
    image.slots[0]["generation"] = 99
    return Disk(image, file=True)


@each("3.5", {"slots": False, "file": True})
def good_twin_of_a_newer_versions_image(image, file):
    image.slots[0].update(nonce=OTHER, version=2, generation=99)
    return Disk(image, file=file)


@case("3.5")
def unsupported_twin_of_a_newer_version(image):
    image.slots[0]["version"] = 2
    return Disk(image)


@each("3.5", {"nothing": 0, "idle_swap": 1})
def none_slots_of_another_kind(image, bits):
    disk = Disk(image)
    image.slot["features_incompat"] = bits
    return disk


@case("3.5")
def none_file_with_slots_of_swap(image):
    disk = Disk(image, file=True)
    image.slot["features_incompat"] = 4
    return disk


@case("3.5")
def none_whole_device_with_slots_of_swap(image):
    image.slot["features_incompat"] = 4


@case("3.5")
def bad_two_kinds_of_targets(image):
    image.both(features_incompat=5)


@each("3.4", {"sound": b"", "idle_swap_too": b"\1"})
def none_whole_device_with_a_locator(image, bits):
    image.slot["features_incompat"] = len(bits)

    def touch(raw, parts):
        raw[3584:4096] = locator(16384)

    image.touches.append(touch)


# The locator


@each("3.5.2", {"magic": {"magic": b"DORM-LOD"}, "turned_on": {"signature": b"SWAPSPACE2"}})
def none_locator(image, changes):
    disk = Disk(image)
    disk.locator = changes
    return disk


@case("3.5.2")
def none_locator_before_checksum(image):
    disk = Disk(image)
    disk.locator = {"signature": b"SWAPSPACE2", "checksum": lambda c: c ^ 1}
    return disk


@each("3.5.2", {"version": 8, "nonce": 31, "map": 34, "spare": 400, "own": 499})
def bad_locator_checksum(image, at):
    disk = Disk(image)
    disk.damage(AT + at)
    return disk


@each("3.5.2", {"0": 0, "2": 2})
def unsupported_locator_version(image, version):
    disk = Disk(image)
    disk.locator = {"version": version, "spare": b"new"}
    return disk


@each(
    "3.5.2",
    {
        "reserved": {"reserved": 1},
        "spare": {"spare": bytes(457) + b"x"},
        "map_0": {"map": 0},
        "map_not_aligned": {"map": lambda place: place + 512},
        "map_too_large": {"map": lambda place: place | 1 << 63},
        "map_behind_the_disk": {"map": 1 << 40},
        "map_elsewhere": {"map": lambda place: place + PAGE},
        "nonce": {"nonce": OTHER},
    },
)
def bad_locator(image, changes):
    disk = Disk(image)
    disk.locator = changes
    return disk


# The map


@each("3.5.1", {"version": 8, "nonce": 31, "saved": 99, "list": 600, "rest": 4000, "own": 4095})
def bad_map_checksum(image, at):
    disk = Disk(image)
    disk.damage(lambda places: places[0] + at)
    return disk


@each("3.5.1", {"0": 0, "2": 2})
def unsupported_map_version(image, version):
    disk = Disk(image)
    disk.block[0] = {"version": version, "blocks": 0}
    return disk


@case("3.5.1")
def unsupported_map_version_of_a_file(image):
    disk = Disk(image, file=True)
    disk.block[0] = {"version": 2}
    return disk


@each(
    "3.5.1",
    {
        "magic": {"magic": b"DORM-MAQ"},
        "number": {"number": 1},
        "blocks_0": {"blocks": 0},
        "nonce": {"nonce": OTHER},
        "entries_0": {"entries": 0},
        "entries_221": {"entries": 221},
        "entries_short": {"entries": lambda n: n - 1},
        "next": {"next": 8 * PAGE},
        "no_locator": {"locator": 0},
        "locator_of_another": {"locator": AT + PAGE},
        "locator_not_aligned": {"locator": AT + 512},
        "locator_too_large": {"locator": AT | 1 << 63},
        "reserved": {"reserved": 1},
    },
)
def bad_map(image, changes):
    disk = Disk(image)
    disk.block[0] = changes
    return disk


@case("3.5.1")
def bad_map_rest(image):
    disk = Disk(image)
    disk.block[0] = {"list": lambda raw: raw.ljust(3519, b"\0") + b"x"}
    return disk


@each(
    "3.5.1",
    {
        "blocks": {"blocks": 3},
        "blocks_299": {"blocks": 299},
        "not_full": {"entries": 219, "list": lambda raw: raw[: 219 * 16]},
        "next_0": {"next": 0},
        "next_not_aligned": {"next": lambda place: place + 512},
        "next_too_large": {"next": lambda place: place | 1 << 63},
        "next_behind_the_disk": {"next": 1 << 40},
        "next_within": {"next": lambda place: 16 * PAGE},
        "next_is_the_first": {"next": lambda place: AT - 3584},
    },
)
def bad_map_first_of_two(image, changes):
    disk = tiny(image)
    disk.block[0] = changes
    return disk


@each(
    "3.5.1",
    {
        "magic": {"magic": b"DORM-MAQ"},
        "number": {"number": 0},
        "number_2": {"number": 2},
        "blocks": {"blocks": 3},
        "nonce": {"nonce": OTHER},
        "entries_0": {"entries": 0, "list": b""},
        "locator": {"locator": AT},
        "saved": {"saved": b"x"},
        "next": {"next": 8 * PAGE},
        "reserved": {"reserved": 1},
    },
)
def bad_map_second_of_two(image, changes):
    disk = tiny(image)
    disk.block[1] = changes
    return disk


@case("3.5.1")
def unsupported_map_second_of_two(image):
    disk = tiny(image)
    disk.block[1] = {"version": 2}
    return disk


@case("3.5.1")
def bad_map_second_of_two_checksum(image):
    disk = tiny(image)
    disk.damage(lambda places: places[1] + 700)
    return disk


# The extents: the one that is changed is the last, whose content nobody needs.


@each(
    "3.5.1",
    {
        "start": lambda start, length: (start + 512, length),
        "length": lambda start, length: (start, length - 512),
        "empty": lambda start, length: (start, 0),
        "behind_the_disk": lambda start, length: (1 << 40, length),
        "too_long": lambda start, length: (start, 1 << 63),
        "largest": lambda start, length: (start, (1 << 64) - PAGE),
        "overlap": lambda start, length: (18 * PAGE, length),
        "page0_of_swap": lambda start, length: (AT - 3584, PAGE),
    },
)
def bad_map_extent(image, wrong):
    image.extend(32 * PAGE)
    disk = Disk(image)
    disk.extents = lambda extents: extents[:-1] + [wrong(*extents[-1])]
    return disk


@case("3.5.1")
def bad_map_elsewhere(image):
    disk = Disk(image)
    disk.extents = lambda extents: [extents[-1]] + extents[:-1]
    return disk


def four_pages(extents):
    """As many extents as have the superblocks and the map."""
    told, left = [], 4 * PAGE
    for start, length in extents:
        if left:
            told.append((start, min(left, length)))
            left -= min(left, length)
    return told


@case("3.5.1")
def bad_map_too_small(image):
    disk = Disk(image)
    disk.extents = four_pages
    return disk


# A file without a map has superblocks, and no image.


@each(
    "3.5",
    {
        "no_map": {"magic": b"nothing"},
        "checksum": {"checksum": lambda c: c ^ 1},
        "next": {"next": PAGE},
        "of_slots": {"locator": AT, "saved": b"x"},
        "saved": {"saved": b"x"},
    },
)
def bad_file(image, changes):
    disk = Disk(image, file=True)
    disk.block[0] = changes
    return disk


@case("3.5.1")
def bad_file_head_in_pieces(image):
    disk = Disk(image, file=True)
    disk.extents = lambda extents: [(HEAD, 3 * PAGE), (HEAD + 3 * PAGE, PAGE)] + extents[1:]
    return disk


@case("3.5")
def none_file_no_map_no_image(image):
    image.slots = [{"state": WRITING, "generation": 6}, {"state": WRITING, "generation": 7}]
    disk = Disk(image, file=True)
    disk.block[0] = {"magic": b"nothing"}
    return disk


@case("3.5")
def none_file_empty(image):
    image.slots = [None, None]
    disk = Disk(image, file=True)
    disk.block[0] = {"magic": b"nothing"}
    return disk
