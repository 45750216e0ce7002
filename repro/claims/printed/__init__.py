"""Read a printed cell: every number in it, with its role and what its decimals allow.

Rules (docs/printed.md): a cell is consumed whole or refused; a decimal stands for half a unit of
its last digit either way; a bare whole number is exact; a whole percentage, a multiple ("60×") and
a parameter count ("7B") are rounded at their last digit that is not zero; "about" is within 5 %;
"<", "at least" and their kin leave one side open.
"""

import math
from decimal import Decimal
from functools import lru_cache

from repro.claims.printed.cell import Piece, read_cell
from repro.claims.printed.clean import clean
from repro.claims.printed.labels import Qualifier
from repro.claims.printed.number import Decimals, Mark, Number, Scanner, UnreadableError
from repro.errors import ManifestError
from repro.frozen import Frozen

ABOUT = 5.0
"""Percent either way that "about", "roughly" and "~" allow, unless a claim declares its own."""
_NEARLY_FROM = Decimal("0.85")
"""'Nearly twice' is read as 1.7 to 2: short of the number, by at most 15 %."""


class PrintedPart(Frozen):
    """One number of a printed form: "0.641 ± 0.099" has two, a mean and a spread."""

    role: str
    """`value`, or the statistic that the form says (mean, sd, min, max, ci_low, …); `in_brackets`,
    `in_brackets_low`, `in_brackets_high`: its meaning is not said; `percentage`: that of the count
    beside it.
    """
    value: float
    low: float | None
    """Smallest value the print allows; None: no lower limit."""
    high: float | None
    digit: float = 0.0
    """Weight of the last printed digit; 0: exact."""
    unit: str = ""
    qualifier: Qualifier = "exact"
    total: int | None = None
    """The denominator of "79/164" and of "two of eight"."""
    item: int = 0
    declared: bool = True
    """Whether the cell itself says what the number is; a bare ± is read as an SD that is not
    declared.
    """
    level: float | None = None
    """Of a confidence interval, in percent."""
    mark: Mark = ""


@lru_cache(maxsize=8192)
def read(
    printed: str, decimals: Decimals | None = None, about: float = ABOUT
) -> tuple[PrintedPart, ...]:
    """Return every number of a printed form, with its role.

    Raises ManifestError where a character is left over.
    """
    scan = Scanner(clean(printed), decimals)
    try:
        return tuple(_part(piece, about) for piece in read_cell(scan))
    except UnreadableError as error:
        raise ManifestError(f"{printed!r} is not read: {error}") from None


def _part(piece: Piece, about: float) -> PrintedPart:
    number = piece.number
    low, high = _interval(number, piece.qualifier, about)
    if not math.isfinite(number.value):
        raise UnreadableError("it is larger than any number that is printed")
    return PrintedPart(
        role="sd" if piece.role == "spread" else piece.role, value=float(number.value) + 0.0,
        low=low, high=high, digit=float(number.step), unit=number.unit,
        qualifier=piece.qualifier or "exact", total=piece.total, item=piece.item, declared=piece.declared,
        level=piece.level, mark=number.mark,
    )  # fmt: skip


def _interval(
    number: Number, qualifier: Qualifier | None, about: float
) -> tuple[float | None, float | None]:
    """Return the smallest and largest value that a number with its qualifier allows."""
    value, half = number.value, number.step / 2
    match qualifier:
        case "exact":
            return float(value), float(value)
        case "below" | "at_most":
            return None, float(value)
        case "above" | "at_least":
            return float(value), None
        case "nearly":
            ends = sorted((_NEARLY_FROM * value, value))
            return float(ends[0]), float(ends[1])
        case "about":
            last = min(number.step, Decimal(1)) if number.unit and not number.scale else number.step
            half = max(last / 2, abs(value) * Decimal(str(about)) / 100)
        case None if number.unit == "fraction":
            half = abs(value) * Decimal(str(about)) / 100
    return float(value - half), float(value + half)


__all__ = ["ABOUT", "Decimals", "PrintedPart", "read"]
