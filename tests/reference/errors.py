# SPDX-License-Identifier: GPL-3.0-or-later
"""The kinds of failure that a reader has to tell apart (1.1)."""


class ImageError(Exception):
    """What is wrong with an image; only its subclasses are raised."""

    kind = None
    exit_code = None


class FormatError(ImageError):
    """Not ours: there is no image here."""

    kind = "format"
    exit_code = 6


class Unsupported(ImageError):
    """Ours, whole, and made by something newer."""

    kind = "unsupported"
    exit_code = 7


class Corrupt(ImageError):
    """Ours, and damaged, or made by no correct writer."""

    kind = "corrupt"
    exit_code = 8


class AuthError(ImageError):
    """Ours, undamaged as far as checksums tell, and not made by who has the key."""

    kind = "auth"
    exit_code = 9


def require(condition, text):
    """Most rules of the format end in "else CORRUPT"."""
    if not condition:
        raise Corrupt(text)
