"""Printed standard deviations against their own runs: which denominator, and can such a spread exist at all.

A paper rarely says whether it divides by n or by n − 1; both are tried and the one that fits is named. Where one table
fits only n − 1 and another only n, that is itself an inconsistency (`sd_denominator`).
"""

import math
from collections import defaultdict
from collections.abc import Iterator

from repro.manifest.claim import Claim
from repro.verify import algebra_interval as interval
from repro.verify.algebra import series
from repro.verify.algebra_interval import Interval, Missing, Value
from repro.verify.audit.check import Check, Outcome, Severity, allowed, apart, severity
from repro.verify.audit.prints import Near, Prints, describe, place
from repro.verify.audit.recompute import check_of, shown

NONNEGATIVE = ("entanglement_intensity",)
"""Clipped at zero by definition, which limits the spread a mean allows (docs/SCIENCE.md §5)."""


def checks(prints: Prints) -> Iterator[Check]:
    """`sd` for every printed SD, `sd_possible` where single runs are not all printed, `sd_denominator` per paper."""
    denominators: dict[str, dict[int, list[Claim]]] = defaultdict(lambda: {0: [], 1: []})
    for claim in prints.claims:
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


def _recomputed(claim: Claim, prints: Prints) -> tuple[Check, list[int]]:
    """(the check, the denominators whose SD of the printed runs fits the print)."""
    lookup = prints.near(claim)
    _, values = series(claim.term, lookup, claim.term.over or "seed")
    what = describe(claim.term)
    if isinstance(values, Missing):
        return check_of(claim, lookup, values, ("undecidable", "none"), f"{what}: {values.reason}", "sd"), []
    by_ddof = {ddof: interval.sd(values, ddof) for ddof in (1, 0)}
    known = {ddof: value for ddof, value in by_ddof.items() if isinstance(value, Interval)}
    if not known:
        return check_of(claim, lookup, by_ddof[1], ("undecidable", "none"), f"{what}: one run", "sd"), []
    fitting = [ddof for ddof, value in known.items() if apart(allowed(claim), value) == 0]
    best = fitting[0] if fitting else min(known, key=lambda ddof: apart(allowed(claim), known[ddof]))
    outcome: tuple[Outcome, Severity] = ("consistent", "none")
    if not fitting:
        outcome = "inconsistent", severity(allowed(claim), known[best], claim.digit)
    values_text = ", ".join(f"dividing by n{' − 1' if ddof else ''}: {shown(value)}" for ddof, value in known.items())
    explanation = f"{what}: printed {claim.value}; {values_text}"
    return check_of(claim, lookup, known[best], outcome, explanation, "sd"), fitting if len(known) == 2 else []


def _possible(claim: Claim, prints: Prints) -> tuple[Check, list[int]] | None:
    """Does a mean m of n non-negative runs, some of them known, leave room for this SD?"""
    lookup = prints.near(claim)
    mean = lookup.base(claim.term.model_copy(update={"statistic": "mean"}))
    number = prints.number_of(claim.term, claim.term.over or "seed")
    if not isinstance(mean, Interval) or number is None or claim.quantity not in NONNEGATIVE:
        return None
    known, inferred = known_runs(claim, prints, lookup)
    if number < 2 or not (inferred or 0 < len(known) < number) or len(known) > number:
        return None
    ranges = {ddof: _range(mean, list(known.values()), number, ddof) for ddof in (1, 0)}
    fitting = [ddof for ddof, room in ranges.items() if room and apart(allowed(claim), room) == 0]
    best = ranges[fitting[0]] if fitting else ranges[1] or ranges[0]
    value: Value = best or Missing("no runs have this mean")
    outcome: tuple[Outcome, Severity] = ("consistent", "none")
    if not fitting:
        outcome = "inconsistent", severity(allowed(claim), best, claim.digit) if best else "substantive"
    explanation = (
        f"{describe(claim.term)}: printed {claim.value}; with mean {shown(mean)} over {number} runs, of which "
        f"{len(known)} are known ({_list(known)}), an SD can lie between {shown(best) if best else 'no bounds'}"
    )
    return check_of(claim, lookup, value, outcome, explanation, "sd_possible"), fitting


def _within_range(claim: Claim, prints: Prints) -> Check | None:
    """No SD exceeds half the range times √(n/(n − 1)), and no mean leaves the range: where the extremes are printed."""
    lookup = prints.near(claim)
    least, most = (lookup.base(claim.term.model_copy(update={"statistic": end})) for end in ("min", "max"))
    mean = lookup.base(claim.term.model_copy(update={"statistic": "mean"}))
    number = prints.number_of(claim.term, claim.term.over or "seed")
    if not isinstance(least, Interval) or not isinstance(most, Interval) or number is None or number < 2:
        return None
    largest = Interval(0.0, (most.high - least.low) / 2 * math.sqrt(number / (number - 1)))
    outside = isinstance(mean, Interval) and apart(mean, Interval(least.low, most.high)) > 0
    gap = "substantive" if outside else severity(allowed(claim), largest, claim.digit)
    outcome: tuple[Outcome, Severity] = ("consistent", "none") if gap == "none" else ("inconsistent", gap)
    told = f"{describe(claim.term)}: printed {claim.value}; runs between {shown(least)} and {shown(most)}"
    more = f", so the mean {shown(mean)} is impossible" if outside and isinstance(mean, Interval) else ""
    return check_of(
        claim,
        lookup,
        Interval(largest.high, largest.high),
        outcome,
        f"{told} allow at most {largest.high:.4g}{more}",
        "range",
    )


def _list(known: dict[object, Interval]) -> str:
    return ", ".join(f"{seed}: {shown(value)}" for seed, value in known.items()) or "none"


def known_runs(claim: Claim, prints: Prints, lookup: Near) -> tuple[dict[object, Interval], int]:
    """Runs of this cell that are printed, or are zero because the seed collapsed for good by then; how many are such."""
    known: dict[object, Interval] = {}
    axis = claim.term.over or "seed"
    for seed in prints.seen(claim.term.model_copy(update={"statistic": "single", "over": None}), axis):
        _, values = series(claim.term.model_copy(update={"among": (seed,)}), lookup, axis)
        if not isinstance(values, Missing):
            known[seed] = values[0]
    step = claim.selector.get("step")
    inferred = 0
    if not isinstance(step, (int, float)) or step == 0:
        return known, inferred
    collapse = claim.term.model_copy(update={"statistic": "single", "over": None, "quantity": "collapse_step"})
    collapse = collapse.model_copy(update={"selector": {k: v for k, v in claim.selector.items() if k != "step"}})
    for seed in prints.seen(collapse, "seed"):
        at = lookup.base(collapse.model_copy(update={"selector": {**collapse.selector, "seed": seed}}))
        if seed not in known and isinstance(at, Interval) and step >= at.high:
            known[seed] = Interval(0.0, 0.0)
            inferred += 1
    return known, inferred


def _range(mean: Interval, known: list[Interval], number: int, ddof: int) -> Interval | None:
    """Least and largest SD of `number` non-negative runs with this mean, the known ones among them; None: impossible.

    The others lie closest when equal, widest when one of them has everything; the width of the prints is allowed on top.
    """
    rest = number - len(known)
    if rest == 0:
        possible = interval.mean(known)
        whole = interval.sd(known, ddof)
        return whole if isinstance(whole, Interval) and apart(mean, possible) == 0 else None
    ends, lows, highs = [value.middle for value in known], [], []
    slack = max([mean.high - mean.low, *(value.high - value.low for value in known)])
    for m in (mean.low, mean.middle, mean.high):
        left = number * m - math.fsum(ends)
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
    """Both denominators in one paper: a fact about its tables, reported once."""
    sample, population = found[1], found[0]
    if not sample or not population:
        return
    where = {ddof: ", ".join(sorted({place(claim.locator) for claim in claims})) for ddof, claims in found.items()}
    yield Check(
        id=f"sd_denominator:{source}", check="sd_denominator", papers=(source,), locator=place(population[0].locator),
        inputs=tuple(claim.id for claim in (*sample, *population)), printed="± SD", recomputed=None,
        verdict="inconsistent", severity="minor",
        explanation=f"SDs divide by n − 1 in {where[1]}, but by n in {where[0]}; the paper names one SD",
    )  # fmt: skip
