"""An interval holds the value that it is of, whatever runs are behind it.

Printed in one cell or in a column of its own: a mean, a median or a plain value lies between its
confidence limits and between the smallest and the largest run; a median between its quartiles.
"""

from collections.abc import Iterator

from repro.audit.check import Check, CheckVerdict, Severity, allowed_interval, gap_between
from repro.audit.prints import PrintedNumbers, describe, printed_place
from repro.audit.recompute import check_of
from repro.claims.algebra.interval import Interval
from repro.claims.claim import Claim
from repro.claims.term import Term

UPPER = {"ci_low": "ci_high", "in_brackets_low": "in_brackets_high", "min": "max", "q25": "q75"}
"""Statistic of a lower end → that of its upper end."""
_SHARES = {"", "percent", "points"}
"""Units that a value and its interval may have beside each other."""
_BOUNDS = ("below", "above", "at_most", "at_least")


def checks(prints: PrintedNumbers) -> Iterator[Check]:
    """Yield one `range` check for extremes and for quartiles that are printed as the ends of an
    interval; confidence intervals have checks of their own.
    """
    for claim in prints.claims:
        if claim.statistic not in ("min", "q25") or _has_spread(claim, prints):
            continue
        if (upper := upper_end(claim, prints)) is None or not (held := own(claim, prints)):
            continue
        yield by_own_value(claim, upper, held, prints, "range")


def by_own_value(
    low: Claim, high: Claim, held: list[Claim], prints: PrintedNumbers, name: str
) -> Check:
    """Compare both ends of an interval with the prints of the value that it is of."""
    lookup = prints.near(low)
    lookup.read |= dict.fromkeys(one.id for one in (high, *held))
    missed = first_outside(low, high, held)
    beside = missed or held[0]
    printed = ends(low, high)
    told = (
        f"{describe(low.term.operand)}: {printed} {'does not hold' if missed else 'holds'} "
        f"its own value, {beside.printed}"
    )
    outcome: tuple[CheckVerdict, Severity] = (
        ("inconsistent", "substantive") if missed else ("consistent", "none")
    )
    check = check_of(low, lookup, allowed_interval(beside), outcome, told, name)
    return check.model_copy(update={"printed": printed})


def upper_end(claim: Claim, prints: PrintedNumbers) -> Claim | None:
    """Return the other end of an interval, printed in the same place."""
    key = claim.term.model_copy(update={"statistic": UPPER[claim.statistic]}).key
    return next(
        (other for other in prints.by_key.get(key, ()) if other.locator == claim.locator), None
    )


def own(claim: Claim, prints: PrintedNumbers) -> list[Claim]:
    """Return the prints of the value that an interval is of: those of its own table or section,
    else of its paper.
    """
    found = [
        other
        for term in _centres(claim.term)
        for other in prints.by_key.get(term.key, ())
        if other.source == claim.source
        and other.is_number
        and other.qualifier not in _BOUNDS
        and (other.unit == claim.unit or {other.unit, claim.unit} <= _SHARES)
    ]
    here = [
        other for other in found if printed_place(other.locator) == printed_place(claim.locator)
    ]
    return here or found


def first_outside(low: Claim, high: Claim, held: list[Claim]) -> Claim | None:
    """Return the first of the values, where none of them lies in the interval. A share may be
    printed in percent, or in points, beside limits that are fractions.
    """
    ends_ = [*(allowed_interval(low), allowed_interval(high))]
    room = Interval(min(end.low for end in ends_), max(end.high for end in ends_))
    for claim in held:
        value, signs = allowed_interval(claim), {claim.unit, low.unit} - {""}
        scales = (1.0, 100.0, 0.01) if signs and claim.unit != low.unit else (1.0,)
        if any(gap_between(Interval(s * value.low, s * value.high), room) == 0 for s in scales):
            return None
    return held[0] if held else None


def ends(low: Claim, high: Claim) -> str:
    """Write "[-4.5, -1.3]"."""
    return f"[{low.number:g}, {high.number:g}]"


def _centres(term: Term) -> list[Term]:
    """Return the terms that an interval may be of."""
    if term.against is not None:
        return [
            term.model_copy(update={"statistic": statistic, "over": None, "confidence": None})
            for statistic in ("difference", "ratio", "relative_change")
        ]
    inner = term.operand
    of_cells = {"of": None, "quantity": inner.quantity, "selector": inner.selector}
    single = inner.statistic == "single" and inner.of is None
    plain = term.model_copy(update={"confidence": None, **(of_cells if single else {})})
    medians = [plain.model_copy(update={"statistic": "median"})]
    if term.statistic == "q25":
        return medians
    means = [plain.model_copy(update={"statistic": "mean"}), *medians]
    return means if term.among else [*means, term.operand]


def _has_spread(claim: Claim, prints: PrintedNumbers) -> bool:
    """Tell whether an SD and a number of runs are printed, with which the extremes are checked
    elsewhere.
    """
    key = claim.term.model_copy(update={"statistic": "sd"}).key
    number = prints.number_of(claim.term, claim.term.over or "seed")
    return claim.statistic == "min" and number is not None and key in prints.by_key
