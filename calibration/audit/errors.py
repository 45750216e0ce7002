"""Errors of three sizes in a print: what a slip, a wrong digit and a wrong number look like.

Size is the distance from what is right: two units of the last digit, 5 % (three units at least),
half the value (twenty units at least). Where a check tells only what cannot be, it is the distance
from the nearest number that can.
"""

import math
import re
from collections.abc import Callable
from typing import Literal

from calibration.audit.paper import LAST, STEP, Fields, RandomPaper

Size = Literal["small", "middle", "large"]
SIZES: tuple[Size, ...] = ("small", "middle", "large")
UNITS: dict[Size, int] = {"small": 2, "middle": 3, "large": 20}
SHARES: dict[Size, float] = {"small": 0.0, "middle": 0.05, "large": 0.5}
Spoil = Callable[[Fields, Size, RandomPaper], Fields | None]
"""The claim with an error of this size; None where it cannot have one."""
NUMBER = re.compile(r"[+-]?\d+(?:\.(\d+))?")
WINDOW = 120
"""Units of the last digit within which a number that cannot be is looked for."""


def says(fields: Fields, printed: str, **changes: object) -> Fields:
    """Return the claim with other characters."""
    return {**fields, "printed": printed, "says": printed, **changes}


def put(fields: Fields, value: float, decimals: int | None = None) -> Fields:
    """Return the claim with another first number, with as many decimals."""
    found = NUMBER.search(fields["printed"])
    assert found is not None
    number = f"{value:.{len(found[1] or '') if decimals is None else decimals}f}"
    sign = "+" if found[0].startswith("+") and value >= 0 else ""
    return says(
        fields,
        fields["printed"][: found.start()] + sign + number + fields["printed"][found.end() :],
    )


def first(fields: Fields) -> tuple[float, float]:
    """Return the first number of a print and the weight of its last digit."""
    found = NUMBER.search(fields["printed"])
    assert found is not None
    return float(found[0]), 10.0 ** -len(found[1] or "")


def distance(value: float, unit: float, size: Size) -> float:
    """Return how far off an error of this size is, in whole units of the last digit."""
    return max(UNITS[size], math.ceil(SHARES[size] * abs(value) / unit - 1e-9)) * unit


def moved(most: float = math.inf, down: bool = False) -> Spoil:
    """Return the first number, up or down; without a sign it stays above zero, and none exceeds
    `most` in size.
    """

    def spoil(fields: Fields, size: Size, paper: RandomPaper) -> Fields:
        value, unit = first(fields)
        by = distance(value, unit, size) * (-1 if down else paper.random.choice((-1, 1)))
        least = -most if NUMBER.search(fields["printed"])[0][0] in "+-" else 0.0  # type: ignore[index]
        if not least <= value + by <= most:
            by = -by
        return put(fields, value + by)

    return spoil


def beyond(side: int = 1) -> Spoil:
    """Plant a number past the edge of what the claim's number can be."""

    def spoil(fields: Fields, size: Size, paper: RandomPaper) -> Fields:
        edge, (_, unit) = paper.edges[fields["note"]], first(fields)
        return put(fields, edge + side * distance(edge, unit, size))

    return spoil


def off_grid(fields: Fields, size: Size, paper: RandomPaper) -> Fields | None:
    """Plant a number between two that can be: as near to one of them as shows, halfway to the
    middle, in the middle.
    """
    possible, decimals = paper.possible[fields["note"]]
    value, unit = first(fields)[0], 10.0**-decimals
    tried = [round(value + k * unit, decimals) for k in range(-WINDOW, WINDOW + 1)]
    gaps = {number: min(abs(number - one) for one in possible) for number in tried if number > 0}
    wrong = sorted(
        (number for number, gap in gaps.items() if gap > unit / 2 + 1e-9),
        key=lambda n: (gaps[n], n),
    )
    at = {"small": 0, "middle": len(wrong) // 2, "large": -1}[size]
    return put(fields, wrong[at], decimals) if wrong else None


def stepped(fields: Fields, size: Size, paper: RandomPaper) -> Fields:
    """Return a checkpoint that is one, two or three steps off, among those that values are printed
    for.
    """
    by = {"small": 1, "middle": 2, "large": 3}[size] * STEP
    value = first(fields)[0]
    return put(
        fields, paper.random.choice([at for at in (value - by, value + by) if 0 < at < LAST])
    )


def counted(least: int = 1) -> Spoil:
    """Return a whole number that is one, two or many too large, or too small where it would be a
    number of things printed.
    """

    def spoil(fields: Fields, size: Size, paper: RandomPaper) -> Fields:
        by = {"small": 1, "middle": 2, "large": 4}[size]
        return put(fields, max(first(fields)[0] + by * paper.random.choice((-1, 1)), least))

    return spoil


def outright(change: Callable[[Fields, RandomPaper], Fields]) -> Spoil:
    """Plant a statement that is wrong: it has no sizes, and counts as a large error."""
    return lambda fields, size, paper: change(fields, paper) if size == "large" else None
