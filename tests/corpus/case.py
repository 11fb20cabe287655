# SPDX-License-Identifier: GPL-3.0-or-later
"""The list of cases, and how one gets into it.

A case is a function that changes the sample image, or returns what to build
instead (an Image, a Disk, or bytes). Its name says what a reader must find: good-,
none- (no image), unsupported-, bad- (corrupt) or forged- (not authentic).
"""

from typing import Callable, NamedTuple

from disk import Disk
from image import Image, sample

EXIT_CODES = {"good": 0, "none": 6, "unsupported": 7, "bad": 8, "forged": 9}
CASES = {}


class Case(NamedTuple):
    """One image of the corpus."""

    name: str
    section: str  # of docs/image-format.md
    change: Callable
    arguments: tuple

    @property
    def exit_code(self):
        return EXIT_CODES[self.name.split("-")[0]]

    def build(self):
        """The bytes; at which of them the image is found, None: they are the image; and
        the secret to read them with, or None."""
        image = sample()
        made = self.change(image, *self.arguments)
        if made is None:
            made = image
        if isinstance(made, Disk):
            return made.build(), made.at, None
        return (made.build(), None, made.read_with()) if isinstance(made, Image) else (made, None, None)


def _add(name, section, change, arguments=()):
    if name in CASES:
        raise KeyError(f"two cases {name}")
    CASES[name] = Case(name, section, change, arguments)


def case(section):
    """Make a case of a function."""

    def take(change):
        _add(change.__name__.replace("_", "-"), section, change)
        return change

    return take


def each(section, variants):
    """Make a case of each variant: its name, and what the function is given."""

    def take(change):
        for name, argument in variants.items():
            name = f"{change.__name__}_{name}".replace("_", "-")
            _add(name, section, change, (argument,))
        return change

    return take
