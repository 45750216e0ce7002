"""Numbers copied: rows equal to their last digits, and last digits unlike those of measurements.

`duplicated_rows`: two cells of one table whose measured values agree in every digit. `last_digits`:
over a paper's many measurements each last digit is about as frequent as another (Mosimann et al.
1995); χ² over all ten. Both may have an innocent cause, one run under two names or a habit of
rounding, and are *minor*.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise

from repro.audit.check import Check
from repro.audit.prints import PrintedNumbers, describe, printed_place
from repro.audit.recompute import check_of
from repro.claims.algebra.interval import point
from repro.claims.claim import Claim
from repro.claims.selector import Scalar, is_untrained
from repro.geometry.undefined import Undefined

CHANCE = 1e-6
"""Largest chance, over all pairs of rows together, of two rows being equal by accident.

It follows from the number of values that each quantity takes in the paper.
"""
_MANY = 150
"""Measurements of a paper below which its last digits tell nothing."""
_LEVEL = 1e-6
"""Level of the test of last digits: one paper in a million."""
WITHIN = frozenset(("step", "concept", "class", "direction", "layer"))
"""Keys that run along a row: what is measured of one run."""
_Row = dict[tuple[str, str], Claim]
"""(quantity, what else of the cell) → its claim."""


def checks(prints: PrintedNumbers) -> Iterator[Check]:
    """Yield `duplicated_rows` for each level that repeats another's values.

    `last_digits` once a paper.
    """
    tables: dict[tuple[str, str], list[Claim]] = defaultdict(list)
    papers: dict[str, list[Claim]] = defaultdict(list)
    for claim in prints.claims:
        if is_measurement(claim):
            tables[claim.source, printed_place(claim.locator)].append(claim)
            papers[claim.source].append(claim)
    said = _said(prints.claims)
    for (source, _), claims in tables.items():
        rooms = _rooms(papers[source])
        for axis in sorted({axis for claim in claims for axis in claim.selector} - WITHIN):
            for alike in _alike(axis, claims):
                yield from duplicated_rows(axis, alike, said, rooms, prints)
    for claims in papers.values():
        if len(claims := list({claim.term.key: claim for claim in claims}.values())) >= _MANY:
            yield last_digits(claims, prints)


def _alike(axis: str, claims: Sequence[Claim]) -> Iterator[list[Claim]]:
    """Yield the claims whose rows differ in one key alone."""
    groups: dict[str, list[Claim]] = defaultdict(list)
    for claim in claims:
        rest = sorted(
            (key, str(value))
            for key, value in claim.selector.items()
            if key != axis and key not in WITHIN
        )
        if axis in claim.selector:
            groups[str(rest)].append(claim)
    yield from groups.values()


def is_measurement(claim: Claim) -> bool:
    """Tell whether a print is a trained cell's own value, with two significant digits or more.

    It is rounded, not whole, and not zero.
    """
    own = (
        claim.statistic == "single"
        and claim.term.of is None
        and claim.basis == "measured"
        and claim.is_number
    )
    return (
        own
        and claim.qualifier == "exact"
        and 0 < claim.digit < 1
        and digits_of(claim) > 1
        and not is_untrained(claim.selector)
    )


def digits_of(claim: Claim) -> int:
    """Count the significant digits of a print: 0.0215 has three."""
    return len(str(round(abs(claim.number) / claim.digit))) if claim.digit and claim.number else 0


def _said(claims: Sequence[Claim]) -> set[tuple[str, str]]:
    """Return (paper, quantity) of what a paper itself calls identical."""
    return {(claim.source, claim.quantity) for claim in claims if claim.statistic == "identical"}


def _rooms(claims: Sequence[Claim]) -> dict[str, float]:
    """Count the values each quantity could take between its smallest and largest.

    They lie as close as the two nearest that are printed.
    """
    rooms = {}
    for quantity in {claim.quantity for claim in claims}:
        values = sorted({claim.number for claim in claims if claim.quantity == quantity})
        gaps = [b - a for a, b in pairwise(values)]
        rooms[quantity] = 1 + (values[-1] - values[0]) / min(gaps) if gaps else 1.0
    return rooms


def duplicated_rows(
    axis: str,
    claims: list[Claim],
    said: set[tuple[str, str]],
    rooms: Mapping[str, float],
    prints: PrintedNumbers,
) -> Iterator[Check]:
    """Yield a check for each level of one axis whose values are another's, digit for digit."""
    rows: dict[Scalar, _Row] = defaultdict(dict)
    for claim in claims:
        if (claim.source, claim.quantity) not in said:
            rest = sorted((key, str(value)) for key, value in claim.selector.items() if key != axis)
            rows[claim.selector[axis]].setdefault((claim.quantity, str(rest)), claim)
    seen: dict[tuple[object, ...], Scalar] = {}
    for level, row in rows.items():
        told = tuple(sorted((key, claim.number, claim.digit) for key, claim in row.items()))
        first = seen.setdefault(told, level)
        mine = list(row.values())
        pairs, chance = (
            len(rows) * (len(rows) - 1) / 2,
            math.prod(_chance(claim, rooms) for claim in mine),
        )
        if first == level or len(mine) < 2 or pairs * chance > CHANCE:
            continue
        lookup = prints.near(None)
        lookup.read |= dict.fromkeys(claim.id for claim in (*mine, *rows[first].values()))
        words = (
            f"{describe(mine[0].term)} and {len(mine) - 1} more of {axis} {level} are those of "
            f"{axis} {first}, digit for digit"
        )
        yield check_of(
            mine[0],
            lookup,
            point(mine[0].number),
            ("inconsistent", "minor"),
            words,
            "duplicated_rows",
        )


def _chance(claim: Claim, rooms: Mapping[str, float]) -> float:
    """Return how likely another number of the quantity has the same digits.

    Values over many orders of magnitude, printed to two digits, repeat more often than their range
    suggests: the number of digits bounds it too.
    """
    return max(1 / rooms[claim.quantity], 10.0 ** -digits_of(claim))


def last_digits(claims: list[Claim], prints: PrintedNumbers) -> Check:
    """Test the ten last digits against equal shares by χ²."""
    from scipy.stats import chisquare

    found = Counter(round(abs(claim.number) / claim.digit) % 10 for claim in claims)
    p = float(chisquare([found[digit] for digit in range(10)]).pvalue)
    lookup = prints.near(None)
    lookup.read |= dict.fromkeys(claim.id for claim in claims)
    often = ", ".join(f"{digit}: {number}" for digit, number in sorted(found.items()))
    told = (
        f"last digits of {len(claims)} measurements ({often}): p = {p:.2g} if all were as frequent"
    )
    odd = p < _LEVEL
    value = point(p) if odd else Undefined("as frequent as chance has them")
    check = check_of(
        claims[0],
        lookup,
        value,
        ("inconsistent", "minor") if odd else ("consistent", "none"),
        told,
        "last_digits",
    )
    return check.model_copy(
        update={"id": f"last_digits:{claims[0].source}", "printed": f"{len(claims)} numbers"}
    )
