# SPDX-License-Identifier: GPL-3.0-or-later
"""Cases: which slot counts (3.2)."""

from case import case, each
from image import EMPTY, RESUMING, RETIRED, VALID, WRITING

OTHER_NONCE = bytes(range(16))


def _slots(image, first, second, **more):
    """State and generation of slot A and of slot B."""
    image.slots = [
        {"state": state, "generation": generation, **more} for state, generation in (first, second)
    ]


@each(
    "3.2",
    {
        "a_after_commit": ((VALID, 7), (WRITING, 6)),
        "b_after_commit": ((WRITING, 6), (VALID, 7)),
        "resuming_twin_valid": ((RESUMING, 8), (VALID, 7)),
        "both_valid": ((VALID, 7), (VALID, 8)),
        "far_apart": ((WRITING, 0), (VALID, 2**64 - 1)),
        "retired_before": ((RETIRED, 4), (VALID, 7)),
        "empty_before": ((EMPTY, 0), (VALID, 1)),
        "above_2_32": ((VALID, 2**32), (WRITING, 5)),
        "above_2_63": ((VALID, 2**63), (WRITING, 2**63 - 1)),
        "same_generation": ((VALID, 7), (VALID, 7)),
        "same_generation_writing": ((VALID, 7), (WRITING, 7)),
        "same_generation_resuming": ((RESUMING, 7), (VALID, 7)),
    },
)
def good_pair(image, slots):
    _slots(image, *slots)


@each(
    "3.2",
    {
        "retired_after": ((VALID, 7), (RETIRED, 8)),
        "retired_after_in_a": ((RETIRED, 8), (RESUMING, 7)),
        "writing_after": ((WRITING, 8), (VALID, 7)),
        "empty_after": ((VALID, 7), (EMPTY, 8)),
        "same_generation_retired": ((VALID, 7), (RETIRED, 7)),
        "same_generation_retired_in_a": ((RETIRED, 7), (RESUMING, 7)),
        "far_apart": ((VALID, 0), (RETIRED, 2**64 - 1)),
        "above_2_32": ((VALID, 5), (RETIRED, 2**32)),
        "above_2_63": ((VALID, 2**63 - 1), (RETIRED, 2**63)),
    },
)
def none_pair(image, slots):
    _slots(image, *slots)


@each("3.2", {"a": 0, "b": 1})
def good_twin_foreign(image, twin):
    _slots(image, (VALID, 7), (VALID, 8))
    image.slots[twin] = None


@each("3.2", {"a": 0, "b": 1})
def good_twin_damaged(image, twin):
    _slots(image, (VALID, 7), (VALID, 8))
    image.damage("slot b" if twin else "slot a", 300)


@each("3.2", {"writing": WRITING, "retired": RETIRED, "valid": VALID})
def good_twin_with_other_nonce(image, state):
    _slots(image, (state, 6), (VALID, 7))
    image.slots[0]["nonce"] = OTHER_NONCE


@case("3.2")
def none_other_nonce_retired_after(image):
    _slots(image, (RETIRED, 8), (VALID, 7))
    image.slots[0]["nonce"] = OTHER_NONCE


@each("3.2", {"writing": WRITING, "retired": RETIRED, "empty": EMPTY})
def none_image_damaged_twin(image, state):
    """The other slot is good and therefore counts."""
    _slots(image, (state, 6), (VALID, 7))
    image.damage("slot b", 300)


@each("3.2", {"reserved": {"reserved": 1}, "state": {"state": 5}, "place": {"image_end": 1}})
def good_twin_that_breaks_a_rule(image, changes):
    """No good slot, though its checksum holds: the other one counts."""
    _slots(image, (VALID, 7), (VALID, 8))
    image.slots[1] |= changes


@case("3.2")
def none_image_breaks_a_rule(image):
    _slots(image, (WRITING, 6), (VALID, 7))
    image.slots[1]["image_end"] = 1


@each("3.2", {"a": 0, "b": 1})
def bad_both_slots_one_foreign(image, foreign):
    _slots(image, (VALID, 6), (VALID, 7))
    image.slots[foreign] = None
    image.damage("slot a" if foreign else "slot b", 300)


@each("3.2", {"a": 0, "b": 1})
def unsupported_one_slot(image, newer):
    _slots(image, (VALID, 6), (VALID, 6))
    image.slots[newer] |= {"version": 2, "generation": 1}


@each("3.2", {"a": 0, "b": 1})
def unsupported_one_slot_by_feature(image, newer):
    _slots(image, (WRITING, 6), (WRITING, 6))
    image.slots[newer] |= {"features_incompat": 8, "generation": 7, "state": VALID}


@each("3.2", {"a": 0, "b": 1})
def unsupported_twin_damaged(image, newer):
    _slots(image, (VALID, 6), (VALID, 7))
    image.slots[newer]["version"] = 2
    image.damage("slot a" if newer else "slot b", 300)


@each("3.2", {"a": 0, "b": 1})
def unsupported_twin_foreign(image, newer):
    _slots(image, (VALID, 6), (VALID, 7))
    image.slots[newer]["version"] = 2
    image.slots[1 - newer] = None
