"""Printed intervals of one mean, and unexplained numbers in brackets: which reading gives them.

`mean_interval`: a confidence interval around a mean. `in_brackets`: tried as every spread and as
every pair of ends; named where one fits, never held against the paper, since it may be something
else.
"""

from collections.abc import Iterator, Mapping

from repro.audit.check import Check, CheckVerdict, Severity, allowed_interval, gap_between, severity
from repro.audit.confidence import of_share
from repro.audit.own_value import by_own_value, ends, first_outside, own, upper_end
from repro.audit.prints import Near, PrintedNumbers, describe
from repro.audit.readings import USUAL_LEVEL, from_runs, from_spreads
from repro.audit.recompute import check_of
from repro.claims.algebra import interval
from repro.claims.algebra.evaluate import series
from repro.claims.algebra.interval import Interval, Value
from repro.claims.claim import Claim
from repro.claims.term import Term
from repro.geometry.undefined import Undefined

_Ends = tuple[Interval, Interval]


def checks(prints: PrintedNumbers) -> Iterator[Check]:
    """Yield a check for each number in brackets and each interval of one mean, at its lower end."""
    for claim in prints.claims:
        match claim.statistic:
            case "in_brackets":
                yield in_brackets(claim, prints)
            case "in_brackets_low":
                yield interval_of(claim, prints)
            case "ci_low" if claim.term.against is None and of_share(claim, prints) is None:
                yield interval_of(claim, prints)


def in_brackets(claim: Claim, prints: PrintedNumbers) -> Check:
    """Compare a number in brackets with each spread of its runs."""
    lookup = prints.near(claim)
    _, values = series(claim.term, lookup, claim.term.over or "seed")
    what = describe(claim.term.operand)
    readings = {} if isinstance(values, Undefined) or len(values) < 2 else from_runs(values)
    readings = readings or from_spreads(claim.term, lookup)
    fitting = {
        name: value
        for name, value in readings.items()
        if gap_between(allowed_interval(claim), value) == 0
    }
    if not fitting:
        why = "the printed runs give it as no spread" if readings else "its runs are not printed"
        told = f"{what}: {claim.printed}, in brackets, its meaning not declared; {why}"
        return check_of(claim, lookup, Undefined(why), ("undecidable", "none"), told, "in_brackets")
    value = next(iter(fitting.values()))
    told = (
        f"{what}: {claim.printed}, in brackets, its meaning not declared; it equals "
        f"{' or '.join(list(fitting)[:3])}"
    )
    return check_of(claim, lookup, value, ("consistent", "none"), told, "in_brackets")


def interval_of(claim: Claim, prints: PrintedNumbers) -> Check:
    """Compare both printed ends with each reading of the runs."""
    name = "mean_interval" if claim.statistic == "ci_low" else "in_brackets"
    lookup = prints.near(claim)
    partner = upper_end(claim, prints)
    what = describe(claim.term.operand)
    if partner is None:
        missing = Undefined("its other end is not printed")
        return check_of(
            claim, lookup, missing, ("undecidable", "none"), f"{what}: {missing.reason}", name
        )
    lookup.read[partner.id] = None
    low, high = allowed_interval(claim), allowed_interval(partner)
    found = _readings(claim, lookup)
    fitting = [
        reading
        for reading, pair in found.items()
        if gap_between(low, pair[0]) == 0 and gap_between(high, pair[1]) == 0
    ]
    told = f"{what}: {ends(claim, partner)}"
    held = own(claim, prints) if claim.declared else []
    if held and not fitting and (not found or first_outside(claim, partner, held)):
        return by_own_value(claim, partner, held, prints, name)
    outcome: tuple[CheckVerdict, Severity] = ("consistent", "none")
    value: Value = found[fitting[0]][0] if fitting else Undefined("no reading gives it")
    if fitting:
        told += f" equals {' or '.join(fitting[:3])}"
    elif claim.declared and found:
        best = min(
            found.values(), key=lambda pair: gap_between(low, pair[0]) + gap_between(high, pair[1])
        )
        gaps = [severity(low, best[0], claim.digit), severity(high, best[1], partner.digit)]
        outcome, value = (
            ("inconsistent", max(gaps, key=("none", "rounding", "minor", "substantive").index)),
            best[0],
        )
        listed = ", ".join(
            f"{reading}: [{pair[0].middle:.4g}, {pair[1].middle:.4g}]"
            for reading, pair in found.items()
        )
        told += f"; {listed}"
    else:
        outcome = ("undecidable", "none")
        told += (
            "; no reading of the printed runs gives it"
            if found
            else "; the runs behind it are not printed"
        )
    return check_of(claim, lookup, value, outcome, told, name)


def _readings(claim: Claim, lookup: Near) -> Mapping[str, _Ends]:
    """Return the pairs of ends that the printed runs, or mean and spread, give."""
    level = claim.term.confidence or USUAL_LEVEL
    _, values = series(claim.term, lookup, claim.term.over or "seed")
    if isinstance(values, Undefined) or len(values) < 2:
        centre, spreads = lookup.base(_mean(claim)), from_spreads(claim.term, lookup, level)
        if not isinstance(centre, Interval):
            return {}
    else:
        centre, spreads = interval.mean(values), from_runs(values, level)
    if claim.declared:
        spreads = {
            name: value for name, value in spreads.items() if name.startswith("the half-width")
        }
    found = {
        f"the mean ± {name}": (interval.minus(centre, value), interval.plus(centre, value))
        for name, value in spreads.items()
    }
    if not claim.declared and not isinstance(values, Undefined):
        found["smallest and largest"] = interval.quantile(values, 0), interval.quantile(values, 1)
        found["the quartiles"] = interval.quantile(values, 0.25), interval.quantile(values, 0.75)
    return found


def _mean(claim: Claim) -> Term:
    """Return the term of the mean that an interval is around."""
    inner = claim.term.operand
    return Term(
        statistic="mean", over=claim.term.over, quantity=inner.quantity, selector=inner.selector
    )
