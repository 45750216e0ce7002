"""Printed confidence intervals of a proportion or a difference: which formula, if any, gives them.

Tried are the common formulas and wrong ones that papers use (repro/audit/formulas.py), at the level
that is printed, or, where none is, at 95, 90 and 99 %; the report names the formula behind the
print.
"""

from collections.abc import Callable, Iterator, Mapping

from repro.audit.check import Check, CheckVerdict, Severity, allowed_interval
from repro.audit.formulas import (
    Counts,
    Ends,
    difference_intervals,
    mistaken_intervals,
    share_intervals,
)
from repro.audit.own_value import by_own_value, own, upper_end
from repro.audit.prints import Near, PrintedNumbers, describe
from repro.audit.recompute import check_of
from repro.claims.algebra.evaluate import proportion
from repro.claims.algebra.interval import Interval
from repro.claims.algebra.proportions import is_share
from repro.claims.claim import Claim
from repro.claims.term import Term
from repro.geometry.undefined import Undefined

_LEVELS = (95.0, 90.0, 99.0)
"""In percent, of an interval that does not say its own."""
CLOSE = 0.05
"""Share of its width by which an interval may be off and still be a slip."""
Formulas = Callable[[float], Mapping[str, Ends]]
"""Level in percent → intervals by name."""


def checks(prints: PrintedNumbers) -> Iterator[Check]:
    """Yield one check for every printed interval, at its lower end."""
    for claim in prints.claims:
        if claim.statistic == "ci_low" and (
            claim.term.against is not None or of_share(claim, prints)
        ):
            yield confidence_interval(claim, prints)


def of_share(claim: Claim, prints: PrintedNumbers) -> tuple[int, int] | None:
    """Return (count, total) of the one cell that an interval is of, where it is printed as a count.

    None for other intervals.
    """
    if claim.statistic != "ci_low" or claim.term.against is not None:
        return None
    cell = claim.term.of or Term(quantity=claim.quantity, selector=claim.term.selector)
    counted = [
        other
        for other in prints.by_key.get(cell.key, ())
        if other.total is not None and other.is_number
    ]
    exact = [other for other in counted if other.low == other.high == round(other.number)]
    exact = [other for other in exact if 0 <= other.number <= (other.total or 0)]
    return (round(exact[0].number), int(exact[0].total or 0)) if exact else None


def counts_of(claim: Claim, lookup: Near) -> Counts | None:
    """Return the two counts behind a difference, when both are printed exactly."""
    if claim.term.of is None or claim.term.against is None:
        return None
    first, second = proportion(claim.term.of, lookup), proportion(claim.term.against, lookup)
    if isinstance(first, Undefined) or isinstance(second, Undefined):
        return None
    (one, n_one), (two, n_two) = first, second
    if not all(is_share(share, total) for share, total in (first, second)):
        return None
    return one.middle * n_one, n_one, two.middle * n_two, n_two


def confidence_interval(claim: Claim, prints: PrintedNumbers) -> Check:
    """Compare both printed ends with each formula; say what the print is if it is none of them."""
    lookup = prints.near(claim)
    partner = upper_end(claim, prints)
    right, wrong = _formulas(claim, lookup)
    what = describe(claim.term).removeprefix("ci_low of ").removeprefix("ci_low over seed of ")
    if right is None and partner is not None and (held := own(claim, prints)):
        return by_own_value(claim, partner, held, prints, "confidence_interval")
    if right is None or partner is None:
        missing = Undefined("the counts, or the other end, are not printed")
        told = f"{what}: {missing.reason}"
        return check_of(
            claim, lookup, missing, ("undecidable", "none"), told, "confidence_interval"
        )
    lookup.read[partner.id] = None
    said = claim.term.confidence
    main = said or _LEVELS[0]
    ends = {level: right(level) for level in dict.fromkeys((main, *_LEVELS))}
    name, usual = _reference(ends[main])
    scales = _scales(claim, partner)
    scale = min(
        scales, key=lambda s: abs(s * usual[0] - claim.number) + abs(s * usual[1] - partner.number)
    )
    printed, given = f"[{claim.value}, {partner.value}]", _shown(usual, scale)
    outcome: tuple[CheckVerdict, Severity] = ("consistent", "none")
    # In reverse, so that of several formulas that fit a level the first is kept.
    fitting = {
        level: label
        for level, found in reversed(list(ends.items()))
        for label, one in reversed(list(found.items()))
        if any(_gives(one, claim, partner, s) for s in scales)
    }
    level = (
        main
        if main in fitting or said
        else next((other for other in _LEVELS if other in fitting), main)
    )
    if level in fitting:
        why = f"it is the {fitting[level]} interval{'' if level == main else f' at {level:g} %'}"
    else:
        gravity, why = _otherwise(claim, partner, ends[main], wrong(main), scale)
        if fitting:
            level, label = next(iter(fitting.items()))
            gravity, why = (
                "substantive",
                f"it is the {label} interval at {level:g} %, not at the {main:g} % that is printed",
            )
        outcome = "inconsistent", gravity
    reference = Interval(scale * usual[0], scale * usual[1])
    check = check_of(claim, lookup, reference, outcome, f"{what}: printed {printed}; {name} gives {given}; {why}",
                     "confidence_interval")  # fmt: skip
    return check.model_copy(update={"printed": printed, "recomputed": given})


def _formulas(claim: Claim, lookup: Near) -> tuple[Formulas | None, Formulas]:
    """Return the right and the wrong formulas of this interval; None without its counts."""
    share = of_share(claim, lookup.prints)
    if share is not None:
        cell = claim.term.of or Term(quantity=claim.quantity, selector=claim.term.selector)
        lookup.read |= dict.fromkeys(
            other.id for other in lookup.prints.by_key[cell.key] if other.total is not None
        )
        return lambda level: share_intervals(*share, level), lambda _: {}
    counts = counts_of(claim, lookup)
    if counts is None:
        return None, lambda _: {}
    return lambda level: difference_intervals(counts, level), lambda level: mistaken_intervals(
        counts, level
    )


def _reference(ends: Mapping[str, Ends]) -> tuple[str, Ends]:
    """Return the interval to show beside the print: Wald's, as in most papers, if there is one."""
    degenerate = "Wald" not in ends
    name = (
        "Wald"
        if not degenerate
        else next(name for name in ("Newcombe", "Wilson", *ends) if name in ends)
    )
    return name, ends[name]


def _scales(low: Claim, high: Claim) -> tuple[float, ...]:
    """Return what a share is multiplied by in print: points, unless both ends could be shares."""
    could = max(abs(low.number), abs(high.number)) <= 1 and low.unit != "percent"
    return (100.0, 1.0) if could else (100.0,)


def _shown(ends: Ends, scale: float) -> str:
    """Write an interval with the digits of its scale."""
    digits = 1 if scale == 100 else 3
    return f"[{scale * ends[0]:.{digits}f}, {scale * ends[1]:.{digits}f}]"


def _otherwise(
    low: Claim, high: Claim, found: Mapping[str, Ends], wrong: Mapping[str, Ends], scale: float
) -> tuple[Severity, str]:
    """Tell how grave it is that no formula gives the print, and which mistake would give it."""
    rough = [label for label, ends in found.items() if _gives(ends, low, high, scale, slack=True)]
    if rough:
        return "rounding", f"it is the {rough[0]} interval, rounded on the way"
    mistakes = [
        label for label, ends in wrong.items() if _gives(ends, low, high, scale, slack=True)
    ]
    why = f"it is {mistakes[0]}" if mistakes else f"no formula tried gives it ({', '.join(found)})"
    name, usual = _reference(found)
    # A print that excludes zero where the formula includes it, or the reverse, changes what it
    # says.
    excludes = not low.number < 0 < high.number
    if excludes == (usual[0] < 0 < usual[1]):
        return (
            "substantive",
            f"{why}; unlike {name}'s, it {'excludes' if excludes else 'includes'} zero",
        )
    close = abs((high.number - low.number) / (scale * (usual[1] - usual[0])) - 1) <= CLOSE
    return ("minor" if close else "substantive"), why


def _gives(found: Ends, low: Claim, high: Claim, scale: float, slack: bool = False) -> bool:
    """Tell whether these ends round to the print.

    With slack: whether half-width and centre are right within one printed unit.
    """
    ends = scale * found[0], scale * found[1]
    below, above = allowed_interval(low), allowed_interval(high)
    if not slack:
        return all(
            i.low - 1e-9 <= end <= i.high + 1e-9
            for i, end in zip((below, above), ends, strict=True)
        )
    unit = below.high - below.low
    half = Interval((above.low - below.high - unit) / 2, (above.high - below.low + unit) / 2)
    centre_gap = abs((ends[0] + ends[1]) / 2 - (low.number + high.number) / 2)
    return half.low <= (ends[1] - ends[0]) / 2 <= half.high and centre_gap <= unit * (1 + 1e-9)
