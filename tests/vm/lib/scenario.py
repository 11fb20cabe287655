# SPDX-License-Identifier: GPL-3.0-or-later
"""The table of scenarios, and the errors by which they fail."""

from dataclasses import dataclass
from pathlib import Path
from typing import Callable


class Failure(Exception):
    """The scenario failed; the text says why, in one line."""


@dataclass
class Scenario:
    name: str
    about: str
    run: Callable[[Path], None]  # gets the folder for all it makes
    check: bool  # part of `make check`
    limit: int  # seconds for the whole scenario under TCG
    product: bool  # needs the built programs


SCENARIOS: dict[str, Scenario] = {}


def add(name, about, run, *, check=False, limit=300, product=True):
    assert name not in SCENARIOS, name
    SCENARIOS[name] = Scenario(name, about, run, check, limit, product)


def scenario(name, **options):
    """Registers the decorated function; its docstring is the description."""

    def register(function):
        add(name, function.__doc__.strip(), function, **options)
        return function

    return register


def expect(condition, message):
    if not condition:
        raise Failure(message)
