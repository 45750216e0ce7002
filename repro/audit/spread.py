"""Printed standard deviations against their own runs: which denominator, and can they exist at all?

A paper rarely says whether it divides by n or by n − 1; both are tried and the one that fits is
named. Where one table fits only n − 1 and another only n, that is itself an inconsistency
(`sd_denominator`).
"""

import math
from collections import defaultdict
from collections.abc import Iterator, Mapping

from repro.audit.check import (
    Check,
    CheckVerdict,
    Severity,
    allowed_interval,
    as_rounded,
    gap_between,
    severity,
)
from repro.audit.prints import Near, PrintedNumbers, describe, printed_place
from repro.audit.readings import (
    USUAL_LEVEL,
    Readings,
    from_runs,
    from_spreads,
    of_kind,
    quantiles,
    scale_interval,
)
from repro.audit.recompute import check_of, write_interval
from repro.claims.algebra import interval
from repro.claims.algebra.evaluate import series
from repro.claims.algebra.interval import Interval, Value
from repro.claims.claim import Claim
from repro.geometry.undefined import Undefined

NONNEGATIVE = ("entanglement_intensity",)
"""Clipped at zero by definition, which limits the spread a mean allows (docs/SCIENCE.md §5)."""


def checks(prints: PrintedNumbers) -> Iterator[Check]:
    """Yield `sd` or `spread` for every printed spread, and what else there is to say of an SD.

    `sd_possible` where not all runs are printed, `range` where the extremes are, `sd_denominator`
    once per paper.
    """
    denominators: dict[str, dict[int, list[Claim]]] = defaultdict(lambda: {0: [], 1: []})
    for claim in prints.claims:
        if claim.statistic in ("se", "ci_half_width", "half_range"):
            yield _recomputed(claim, prints)[0]
        if claim.statistic != "sd" or claim.term.over is None or claim.term.of is not None:
            continue
        found, fitting = _recomputed(claim, prints)
        yield found
        if len(fitting) == 1:
            denominators[claim.source][fitting[0]].append(claim)
        if limit := _within_range(claim, prints):
            yield limit
        possible = _possible(claim, prints)
        if possible:
            check, ddofs = possible
            yield check
            if len(fitting) != 1 and len(ddofs) == 1:
                denominators[claim.source][ddofs[0]].append(claim)
    yield from (check for source, found in denominators.items() for check in _mixed(source, found))


def _recomputed(claim: Claim, prints: PrintedNumbers) -> tuple[Check, list[int]]:
    """Return (the check, the denominators whose SD of the printed runs fits the print)."""
    name = "sd" if claim.statistic == "sd" else "spread"
    lookup = prints.near(claim)
    _, values = series(claim.term, lookup, claim.term.over or "seed")
    what, level = describe(claim.term), claim.term.confidence or USUAL_LEVEL
    if isinstance(values, Undefined):
        readings, missing = from_spreads(claim.term, lookup, level), values
    else:
        readings, missing = from_runs(values, level), Undefined("one run")
    known = of_kind(claim, readings)
    if not known or (isinstance(values, list) and len(values) < 2):
        return check_of(
            claim, lookup, missing, ("undecidable", "none"), f"{what}: {missing.reason}", name
        ), []
    printed = allowed_interval(claim)
    fitting = [reading for reading, value in known.items() if gap_between(printed, value) == 0]
    if not fitting and _if_whole_are_rounded(claim, prints, level):
        told = (
            f"{what}: printed {claim.value:g}; no spread of whole numbers, unless they are "
            "rounded ones"
        )
        return check_of(claim, lookup, missing, ("undecidable", "rounding"), told, name), []
    best = (
        fitting[0]
        if fitting
        else min(known, key=lambda reading: gap_between(printed, known[reading]))
    )
    outcome: tuple[CheckVerdict, Severity] = ("consistent", "none")
    told = f"equals {' or '.join(fitting[:3])}" if fitting else _listed(known)
    if not fitting:
        outcome = "inconsistent", severity(printed, known[best], claim.digit)
        if values_fit := [
            r for r, v in readings.items() if r not in known and gap_between(printed, v) == 0
        ]:
            told += f"; it equals {values_fit[0]}, which is not what it is declared to be"
    explanation = f"{what}: printed {claim.value:g}; {told}"
    ddofs = [
        ddof
        for ddof, reading in enumerate(("the SD dividing by n", "the SD dividing by n − 1"))
        if reading in fitting
    ]
    return check_of(claim, lookup, known[best], outcome, explanation, name), ddofs


def _if_whole_are_rounded(claim: Claim, prints: PrintedNumbers, level: float) -> bool:
    """Tell whether the print is a spread of the runs once bare whole numbers are rounded ones.

    Its own number counts among them.
    """
    _, values = series(claim.term, prints.near(claim, whole=True), claim.term.over or "seed")
    if isinstance(values, Undefined) or len(values) < 2:
        return False
    return any(
        gap_between(as_rounded(claim), value) == 0
        for value in of_kind(claim, from_runs(values, level)).values()
    )


def _listed(readings: Readings) -> str:
    """Write readings with their values, eight at most."""
    return ", ".join(
        f"{name}: {write_interval(value)}" for name, value in list(readings.items())[:8]
    )


def _possible(claim: Claim, prints: PrintedNumbers) -> tuple[Check, list[int]] | None:
    """Check that a mean of n non-negative runs, some of them known, leaves room for this SD.

    Return the check with the denominators that fit; None where too little is printed to say.
    """
    lookup = prints.near(claim)
    mean = lookup.base(claim.term.model_copy(update={"statistic": "mean"}))
    number = prints.number_of(claim.term, claim.term.over or "seed")
    if not isinstance(mean, Interval) or number is None or claim.quantity not in NONNEGATIVE:
        return None
    known, inferred = known_runs(claim, prints, lookup)
    if number < 2 or not (inferred or 0 < len(known) < number) or len(known) > number:
        return None
    ranges = {ddof: _range(mean, list(known.values()), number, ddof) for ddof in (1, 0)}
    fitting = [
        ddof
        for ddof, room in ranges.items()
        if room and gap_between(allowed_interval(claim), room) == 0
    ]
    if not fitting and (other := _otherwise(claim, number, ranges)):
        told = (
            f"{describe(claim.term)}: printed {claim.value:g}; too {other} an SD of {number} "
            f"runs with mean {write_interval(mean)}"
        )
        return check_of(
            claim, lookup, Undefined(told), ("undecidable", "none"), told, "sd_possible"
        ), []
    best = ranges[fitting[0]] if fitting else ranges[1] or ranges[0]
    value: Value = best or Undefined("no runs have this mean")
    outcome: tuple[CheckVerdict, Severity] = ("consistent", "none")
    if not fitting:
        outcome = (
            "inconsistent",
            severity(allowed_interval(claim), best, claim.digit) if best else "substantive",
        )
    explanation = (
        f"{describe(claim.term)}: printed {claim.value}; with mean {write_interval(mean)} over "
        f"{number} runs, of which "
        f"{len(known)} are known ({_list(known)}), an SD can lie between "
        f"{write_interval(best) if best else 'no bounds'}"
    )
    return check_of(claim, lookup, value, outcome, explanation, "sd_possible"), fitting


def _otherwise(claim: Claim, number: int, rooms: Mapping[int, Interval | None]) -> str:
    """Name what an undeclared ± may be where it is no SD: a standard error or a half-width."""
    if claim.declared:
        return ""
    factors = {"small for": math.sqrt(number)}
    factors |= {
        f"large for ({name})": math.sqrt(number) / q
        for name, q in quantiles(USUAL_LEVEL, number).items()
    }
    for words, factor in factors.items():
        deviation = scale_interval(allowed_interval(claim), factor)
        if any(room and gap_between(deviation, room) == 0 for room in rooms.values()):
            return f"{words}"
    return ""


def _within_range(claim: Claim, prints: PrintedNumbers) -> Check | None:
    """Check an SD and its mean against the printed extremes, where they are printed.

    No SD exceeds half the range times √(n/(n − 1)), and no mean leaves the range.
    """
    lookup = prints.near(claim)
    least, most = (
        lookup.base(claim.term.model_copy(update={"statistic": end})) for end in ("min", "max")
    )
    mean = lookup.base(claim.term.model_copy(update={"statistic": "mean"}))
    number = prints.number_of(claim.term, claim.term.over or "seed")
    if (
        not isinstance(least, Interval)
        or not isinstance(most, Interval)
        or number is None
        or number < 2
    ):
        return None
    largest = Interval(0.0, (most.high - least.low) / 2 * math.sqrt(number / (number - 1)))
    outside = isinstance(mean, Interval) and gap_between(mean, Interval(least.low, most.high)) > 0
    gap = "substantive" if outside else severity(allowed_interval(claim), largest, claim.digit)
    if gap != "none" and not outside and not claim.declared:
        least_factor = min(math.sqrt(number) / q for q in quantiles(USUAL_LEVEL, number).values())
        if gap_between(scale_interval(allowed_interval(claim), least_factor), largest) == 0:
            # too large for an SD, not for the half-width of an interval; nobody says which it is
            return None
    outcome: tuple[CheckVerdict, Severity] = (
        ("consistent", "none") if gap == "none" else ("inconsistent", gap)
    )
    told = (
        f"{describe(claim.term)}: printed {claim.value}; runs between {write_interval(least)} and "
        f"{write_interval(most)}"
    )
    more = (
        f", so the mean {write_interval(mean)} is impossible"
        if outside and isinstance(mean, Interval)
        else ""
    )
    return check_of(
        claim,
        lookup,
        Interval(largest.high, largest.high),
        outcome,
        f"{told} allow at most {largest.high:.4g}{more}",
        "range",
    )


def _list(known: dict[object, Interval]) -> str:
    return ", ".join(f"{seed}: {write_interval(value)}" for seed, value in known.items()) or "none"


def known_runs(
    claim: Claim, prints: PrintedNumbers, lookup: Near
) -> tuple[dict[object, Interval], int]:
    """Return the runs of this cell that are known, and how many of them are inferred.

    Known are those printed; inferred are zeros of seeds that have collapsed for good by this step.
    """
    known: dict[object, Interval] = {}
    axis = claim.term.over or "seed"
    for seed in prints.seen(
        claim.term.model_copy(update={"statistic": "single", "over": None}), axis
    ):
        _, values = series(claim.term.model_copy(update={"among": (seed,)}), lookup, axis)
        if not isinstance(values, Undefined):
            known[seed] = values[0]
    step = claim.selector.get("step")
    inferred = 0
    if not isinstance(step, (int, float)) or step == 0:
        return known, inferred
    collapse = claim.term.model_copy(
        update={"statistic": "single", "over": None, "quantity": "collapse_step"}
    )
    collapse = collapse.model_copy(
        update={"selector": {k: v for k, v in claim.selector.items() if k != "step"}}
    )
    for seed in prints.seen(collapse, "seed"):
        at = lookup.base(
            collapse.model_copy(update={"selector": {**collapse.selector, "seed": seed}})
        )
        if seed not in known and isinstance(at, Interval) and step >= at.high:
            known[seed] = Interval(0.0, 0.0)
            inferred += 1
    return known, inferred


def _range(mean: Interval, known: list[Interval], number: int, ddof: int) -> Interval | None:
    """Return the least and largest SD of `number` non-negative runs with this mean.

    The known runs are among them; None where that is impossible. The others lie closest when equal,
    widest when one of them has everything; the width of the prints is allowed on top.
    """
    rest = number - len(known)
    if rest == 0:
        possible = interval.mean(known)
        whole = interval.sd(known, ddof)
        return whole if isinstance(whole, Interval) and gap_between(mean, possible) == 0 else None
    ends, lows, highs = [value.middle for value in known], [], []
    slack = max([mean.high - mean.low, *(value.high - value.low for value in known)])
    for m in (mean.low, mean.middle, mean.high):
        left = number * m - math.fsum(ends)
        # The known runs alone exceed what the mean allows.
        if left < -number * slack:
            continue
        left = max(left, 0.0)
        centre = (math.fsum(ends) + left) / number
        fixed = math.fsum((x - centre) ** 2 for x in ends)
        equal = rest * (left / rest - centre) ** 2
        alone = (left - centre) ** 2 + (rest - 1) * centre**2
        lows.append(math.sqrt((fixed + equal) / (number - ddof)))
        highs.append(math.sqrt((fixed + alone) / (number - ddof)))
    return Interval(max(0.0, min(lows) - slack), max(highs) + slack) if lows else None


def _mixed(source: str, found: dict[int, list[Claim]]) -> Iterator[Check]:
    """Yield one check where a paper uses both denominators: a fact about its tables."""
    sample, population = found[1], found[0]
    if not sample or not population:
        return
    where = {
        ddof: ", ".join(sorted({printed_place(claim.locator) for claim in claims}))
        for ddof, claims in found.items()
    }
    yield Check(
        id=f"sd_denominator:{source}", check="sd_denominator", papers=(source,), locator=printed_place(population[0].locator),
        inputs=tuple(claim.id for claim in (*sample, *population)), printed="± SD", recomputed=None,
        verdict="inconsistent", severity="minor",
        explanation=f"SDs divide by n − 1 in {where[1]}, but by n in {where[0]}; the paper names one SD",
    )  # fmt: skip
