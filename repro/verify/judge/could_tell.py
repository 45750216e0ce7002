"""Compute what a verdict could have said, from the error rates of its rule.

These are how often the runs reproduce a true claim, and contradict an absent effect. Each rate is
that of the rule itself for normal seeds (noncentral t, Welch by quadrature; shares exactly), at the
level left after correction for the tests of the claim's family. Definition: docs/SCIENCE.md §13.
"""

import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from scipy import special

from repro.claims.claim import Claim
from repro.verify.judge.counts import clopper_pearson, fisher_exact
from repro.verify.judge.decide import MARGIN_SHARE, sizes
from repro.verify.judge.equality import error_parts, thin_limits
from repro.verify.judge.numbers import limits, prediction_errors
from repro.verify.judge.statements import part_error
from repro.verify.judge.zero_spread import others_among_ours
from repro.verify.spreads import FEWEST, prints_no_spread
from repro.verify.statistics import POWER, SIGNIFICANCE, equivalence_rate, rejection_rate
from repro.verify.verdict import Component, Estimate, Level, MeasuredCell

_MOST = 1024
"""Runs a side beyond which the search for a sufficient number stops."""


class Rates(NamedTuple):
    """The error rates of one claim's rule with these runs."""

    reproduced: float
    """How often a true claim would be reproduced."""
    contradicted: float
    """How often it would be contradicted if its effect were absent (for an ordering: reversed)."""


_Rule = Callable[[Claim, Estimate], Rates | None]


def could_tell(claim: Claim, estimate: Estimate) -> dict[str, Any]:
    """Return the two rates, and how many runs a side would bring both to 80 %.

    Empty where they are unknown.
    """
    if (
        estimate.state != "measured"
        or not estimate.cells
        or (rule := _rule_of(claim, estimate)) is None
    ):
        return {}
    rates = rule(claim, estimate)
    if rates is None:
        return {}
    opposite = "reversed" if estimate.levels else "absent"
    return {
        "reproduced_if_true": round(rates.reproduced, 3),
        f"contradicted_if_{opposite}": round(rates.contradicted, 3),
        "runs_a_side": _fewest_runs(claim, estimate, rule),
        "tests": claim.tests,
    }


def _rule_of(claim: Claim, estimate: Estimate) -> _Rule | None:
    """Return the function that computes the rates of the claim's rule; None where none does."""
    if claim.statistic in ("no_effect", "significant"):
        return _equality
    if estimate.counted is not None and claim.kind != "problem_count":
        return _share
    if estimate.levels and claim.tolerance.rule == "probability":
        return _statement
    numeric = isinstance(claim.value, float) and claim.low is not None and claim.high is not None
    ordered = any(cell.statistic != "mean" for cell in estimate.cells)
    if (
        numeric
        and not ordered
        and claim.kind in ("seed_mean", "derived", "single_run", "problem_count")
    ):
        return _number
    return None


def _fewest_runs(claim: Claim, estimate: Estimate, rule: _Rule) -> int | None:
    """Return the fewest runs a side that reproduce a true claim, and contradict one whose effect is
    absent, in 80 % of cases each.

    None where even _MOST would not.
    """

    def decides(count: int) -> bool:
        """Return whether this number of runs a side brings both rates to 80 %."""
        rates = rule(claim, with_runs(estimate, count))
        return rates is not None and min(rates) >= POWER

    # Double the number of runs until it suffices, then bisect.
    high = FEWEST
    while not decides(high):
        high *= 2
        if high > _MOST:
            return None
    low = max(high // 2, FEWEST - 1)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if decides(middle) else (middle, high)
    return high


def with_runs(estimate: Estimate, count: int) -> Estimate:
    """Return the estimate as if both sides had `count` runs, with the spreads that were seen."""
    cells = tuple(_resized(cell, count) for cell in estimate.cells)
    levels = tuple(
        tuple(
            part.model_copy(update={"cells": tuple(_resized(c, count) for c in part.cells)})
            for part in level
        )
        for level in estimate.levels
    )
    counts: dict[str, Any] = {}
    if estimate.counted and estimate.printed_counted:
        theirs, size = estimate.printed_counted
        counts = {"counted": (0, count), "printed_counted": (round(count * theirs / size), count)}
    return estimate.model_copy(update={"cells": cells, "levels": levels, **counts})


def _resized(cell: MeasuredCell, count: int) -> MeasuredCell:
    """Return the cell with another number of runs; a base model stays one measurement."""
    if cell.measured_once:
        return cell
    changed: dict[str, Any] = {
        "runs": count,
        "sd": cell.sd if cell.sd is not None else cell.printed_sd,
    }
    if cell.printed_seeds > 1:
        changed |= {"printed_seeds": count, "averaged": count if cell.averaged > 1 else 1}
    return cell.model_copy(update=changed)


def _number(claim: Claim, estimate: Estimate) -> Rates | None:
    """Return the rates of a printed number.

    Reproduced: TOST within the margin. Contradicted: the prediction interval, for a value that
    never moved.
    """
    agreeing = [cell for cell in estimate.varying if prints_no_spread(cell)]
    level = SIGNIFICANCE / claim.tests
    # The paper's seeds all agree: if the effect were absent, all of our runs would differ
    # from them.
    if agreeing:
        cell = agreeing[0]
        return Rates(
            0.0, float(others_among_ours(cell.runs, cell.runs, cell.printed_seeds) < level)
        )
    errors = prediction_errors(estimate.cells)
    if errors is None or estimate.effect is None:
        return None
    effect, margin = sizes(claim, estimate)
    bounds = limits(estimate)
    reproduced = 0.0 if bounds.reproduces else equivalence_rate(errors.both, margin)
    found = min(
        rejection_rate(errors.predicted, effect, level),
        rejection_rate(errors.pooled, effect, level),
    )
    return Rates(reproduced, 0.0 if bounds.contradicts else found)


def _equality(claim: Claim, estimate: Estimate) -> Rates | None:
    """Return the rates of "no effect" and of "significant".

    No effect: TOST, against a difference as large as the claimed effect. Significant: Welch,
    and a one-sided test against the margin.
    """
    parts = error_parts(estimate)
    if parts is None or estimate.effect is None:
        return None
    effect, margin = sizes(claim, estimate)
    bounds, level = thin_limits(estimate), SIGNIFICANCE / claim.tests
    if claim.statistic == "no_effect" or claim.value is False:
        rates = Rates(
            equivalence_rate(parts, margin), rejection_rate(parts, max(effect - margin, 0.0), level)
        )
    else:
        rates = Rates(rejection_rate(parts, effect), _one_sided(parts, margin, level))
    return Rates(
        0.0 if bounds.reproduces else rates.reproduced,
        0.0 if bounds.contradicts else rates.contradicted,
    )


def _one_sided(parts: Sequence[tuple[float, float]], shift: float, level: float) -> float:
    """Return how often a one-sided t test finds a difference of `shift`."""
    return rejection_rate(tuple(parts), shift, 2 * level) - (level if shift == 0 else 0.0)


def _statement(claim: Claim, estimate: Estimate) -> Rates | None:
    """Return the rates of a statement.

    Reproduced: every component is shown at 5 % over their number. Contradicted: one of them is
    shown to be reversed.
    """
    count = len(estimate.levels)
    missed, reversed_ = 0.0, 0.0
    for level in estimate.levels:
        rates = _level(claim, level, count)
        if rates is None:
            return None
        # Bonferroni: components may miss together or apart, so at worst their chances add
        # up.
        missed += 1 - rates.reproduced
        reversed_ = max(reversed_, rates.contradicted)
    return Rates(max(0.0, 1 - missed), reversed_)


def _level(claim: Claim, level: Level, count: int) -> Rates | None:
    """Return the rates of one level from those of its parts; None where one is unknown."""
    found = [_part(claim, part, count * len(level)) for part in level]
    known = [rates for rates in found if rates is not None]
    if len(known) < len(found) or not known:
        return None
    missed = math.fsum(1 - rates.reproduced for rates in known)
    return Rates(max(0.0, 1 - missed), max(rates.contradicted for rates in known))


def _part(claim: Claim, part: Component, count: int) -> Rates | None:
    """Return the rates of one component.

    None where the paper's prints do not show the size of its gap.
    """
    gap, parts = part.printed_gap, part_error(part)
    if gap is None or parts is None or part.equal:
        return None
    few = any(cell.runs < FEWEST for cell in part.cells if not cell.measured_once)
    if few:
        return Rates(0.0, 0.0)
    return Rates(
        _one_sided(parts, gap, SIGNIFICANCE / count),
        _one_sided(parts, gap, SIGNIFICANCE / count / claim.tests),
    )


def _share(claim: Claim, estimate: Estimate) -> Rates | None:
    """Return the rates of a share of runs, exactly.

    True: binomial counts of the printed share. Absent: none (or all) of the runs.
    """
    if estimate.printed_counted is None or estimate.counted is None:
        return None
    theirs, seeds = estimate.printed_counted
    runs, share = estimate.counted[1], theirs / seeds
    if runs < FEWEST:
        return Rates(0.0, 0.0)
    margin = claim.tolerance.parameters.get("margin", MARGIN_SHARE)
    reproduced = 0.0
    for hits in range(runs + 1):
        low, high = clopper_pearson(hits, runs)
        if share - margin < low and high < share + margin:
            reproduced += float(
                special.bdtr(hits, runs, share)
                - (special.bdtr(hits - 1, runs, share) if hits else 0.0)
            )
    # The opposite of a share of one half or more is that no run does it; of a smaller one,
    # that all do.
    opposite = 0 if share >= MARGIN_SHARE * 2 else runs
    return Rates(
        reproduced, float(fisher_exact(theirs, seeds, opposite, runs) < SIGNIFICANCE / claim.tests)
    )
