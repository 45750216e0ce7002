"""Return what 1 is in print of a share: 1, or 100 where a table prints percentages without their
sign.

One cell says little of itself: 7.97 may be a percentage, or 0.797 with its point in the wrong
place. The other cells of the quantity in its table tell which.
"""

import re
from collections import defaultdict
from dataclasses import dataclass

from repro.audit.prints import PrintedNumbers, printed_place
from repro.claims.claim import Claim

POSITIONS = ("single", "mean", "median", "min", "max", "q25", "q75")
"""Statistics that lie where the values lie."""
_SMALL = re.compile(r"(.*_)?(share|proportion|rate)|pass_at_\d+")
"""Quantities that are often below one per cent: beside 0.8 and 0.9, 7.9 may be a percentage."""
_FEW = 0.1
"""Share of a table's cells above 1 that are errors rather than its unit; one always is."""
_FINE = 0.05
"""Percentages below 1 are rarely printed finer than tenths; fractions of one nearly always are."""


@dataclass(frozen=True)
class Scale:
    """The largest that a share can be in print; not `sure` where it may be 100 as well."""

    one: float
    sure: bool = True


def scale_of(claim: Claim, value: float) -> float:
    """Return what 1 is in print, by one cell: 100 in percent, as a bare share above 1 is."""
    return 100.0 if claim.unit == "percent" or abs(value) > 1 else 1.0


class Scales:
    """The scale of each quantity in each table or section."""

    def __init__(self, prints: PrintedNumbers) -> None:
        self._cells: dict[tuple[str, str, str], list[Claim]] = defaultdict(list)
        for claim in prints.claims:
            level = claim.is_number and claim.statistic in POSITIONS and claim.term.of is None
            if level and claim.unit == "" and claim.number:
                self._cells[_home(claim)].append(claim)
        self._known = {home: _scale(cells) for home, cells in self._cells.items()}

    def of(self, claim: Claim, value: float) -> Scale:
        """Return the scale of a claim's table; by the value alone where no table tells it."""
        known = None if claim.unit else self._known.get(_home(claim))
        return known or Scale(scale_of(claim, value))


def _home(claim: Claim) -> tuple[str, str, str]:
    return claim.source, printed_place(claim.locator), claim.quantity


def _scale(cells: list[Claim]) -> Scale | None:
    """Return the scale of a table's cells that are not 0, which is 0 in any; None where each tells
    its own.
    """
    above = sum(abs(cell.number) > 1 for cell in cells)
    below = len(cells) - above
    if not above or not below:
        return Scale(100.0 if above else 1.0)
    if below >= 2 and above <= max(1, _FEW * len(cells)):
        fine = any(0 < cell.digit < _FINE for cell in cells)
        return Scale(1.0, sure=fine and not _SMALL.fullmatch(cells[0].quantity))
    return Scale(100.0) if above >= 2 else None
