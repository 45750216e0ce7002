"""Judge numbers that vary between runs: means, single runs, derived numbers, base models.

Definition: docs/SCIENCE.md §13. A claim may combine several cells (a relative change combines two).
Each carries its printed spread, ours, and the claim's slope in it, so that one formula serves all:
t(df)·√Σ slope²·s²·(1/n + 1/m).
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

from repro.claims.claim import Claim
from repro.verify.judge.decide import Judgement, Reservations, decide, outside, runs, sizes
from repro.verify.judge.statements import judge_levels, part_test
from repro.verify.judge.zero_spread import agreeing_base, agreeing_seeds, no_spread
from repro.verify.scales import STATISTICS, against_order_statistic, rank_p
from repro.verify.spreads import (
    FEWEST,
    cluster_chance,
    may_be_clusters,
    our_spread,
    prints_no_spread,
    their_spread,
)
from repro.verify.statistics import (
    Comparison,
    ErrorParts,
    Spread,
    against_printed,
    combine_errors,
    compare_parts,
    two_sided,
)
from repro.verify.verdict import Component, Estimate, MeasuredCell

WORTH_SAYING = 0.01
"""Smallest chance of two clusters looking like a contradiction that the verdict mentions."""
SKEWED = (
    "judged by one side's spread as if seeds were normal: of skewed ones 7 % of true values "
    "would end so"
)
"""The error rate docs/calibration.md measures for means printed without a spread, and for single
runs.
"""
NOT_THEIR_PROBES = "at best consistent, the probes are not the paper's"


class Errors(NamedTuple):
    """The variance of ours minus theirs, part by part."""

    predicted: ErrorParts
    """By the printed spread: s²(1/n + 1/m)."""
    pooled: ErrorParts
    """By both spreads pooled, in case ours is wider."""
    both: ErrorParts
    """Each side with its own spread, as a TOST uses them."""


def number(claim: Claim, estimate: Estimate) -> Judgement:
    """Judge a printed number against ours."""
    if not isinstance(estimate.value, (int, float)):
        return Judgement("inconclusive", estimate.reason or "no number was measured")
    if claim.low is None or claim.high is None:
        return judge_bound(claim, estimate, estimate.value)
    if any(prints_no_spread(cell) for cell in estimate.varying):
        return agreeing_seeds(claim, estimate)
    if claim.tolerance.rule == "seed_spread" and any(
        their_spread(cell) is None for cell in estimate.varying
    ):
        return direction_only(estimate)
    effect, margin = sizes(claim, estimate)
    difference, seen = (
        outside(claim, estimate.value),
        f"{estimate.value:.4g} from {runs(estimate)} against {claim.printed}",
    )
    found = prediction_errors(estimate.cells)
    if found is None:
        return no_spread(estimate.varying, seen)
    # No variance at all: every cell is one measurement of a base model.
    if not any(variance for variance, _ in found.predicted):
        return agreeing_base(difference, margin, seen)
    comparison = _compare(claim, difference, estimate, found, margin)
    judged = decide(
        comparison,
        effect,
        f"{seen}, repetitions within ± {comparison.half_width:.3g}",
        limits(estimate),
    )
    # Report how likely two clusters of seeds explain the difference, so that a reader can
    # weigh it.
    chance = max(
        (cluster_chance(cell) for cell in estimate.varying if not cell.binomial), default=0.0
    )
    if judged.outcome == "contradicted" and chance >= WORTH_SAYING:
        judged = replace(
            judged, reason=f"{judged.reason}; seeds in two clusters would part so in {chance:.0%}"
        )
    if judged.outcome == "contradicted" and _by_one_spread(estimate):
        judged = replace(judged, reason=f"{judged.reason}; {SKEWED}")
    return judged


def _by_one_spread(estimate: Estimate) -> bool:
    """Return whether one side's spread alone decides.

    It does where no other is printed, or one side is a single run.
    """
    varying = [cell for cell in estimate.varying if not cell.binomial]
    return any(
        their_spread(cell) is None or cell.averaged == 1 or cell.runs == 1 for cell in varying
    )


def _is_ordered(estimate: Estimate) -> bool:
    """Return whether the claim is a median, an extreme, a quartile or a range of one cell."""
    cell = estimate.cells[0]
    return len(estimate.cells) == 1 and cell.statistic in STATISTICS and cell.statistic != "mean"


def _compare(
    claim: Claim, difference: float, estimate: Estimate, found: Errors, margin: float
) -> Comparison:
    """Compare by the printed spread. A difference must also stand with our own spread pooled in."""
    cell = estimate.cells[0]
    if _is_ordered(estimate):
        return _ordered(claim, difference, cell, margin)
    comparison = compare_parts(difference, found.predicted, found.both, margin)
    pooled = two_sided(difference, *combine_errors(found.pooled))
    least = 0.0 if limits(estimate).contradicts else _least_p(estimate)
    # The largest p counts: a difference must stand against each of the three.
    return replace(comparison, p=max(comparison.p, pooled, least))


def _least_p(estimate: Estimate) -> float:
    """Return the least p that one or two runs can give.

    Seeds in two clusters could part like this. Without it a single outlier could have any p,
    and would stand among any number of tests.
    """
    thin = [cell for cell in estimate.varying if cell.runs < FEWEST and not cell.binomial]
    return max((cluster_chance(cell) for cell in thin), default=0.0)


def _ordered(claim: Claim, difference: float, cell: MeasuredCell, margin: float) -> Comparison:
    """Compare an order statistic.

    Equivalence is by the wider of the two spreads, a difference by ranks alone. Normal theory
    says little about the extremes of other distributions; the number of our runs beyond the
    printed one is exact.
    """
    n, theirs, ours = max(cell.averaged, 1), cell.printed_sd or 0.0, cell.sd or 0.0
    if theirs and cell.printed_seeds >= 2:
        pooled = (
            ((n - 1) * theirs**2 + (cell.runs - 1) * ours**2) / max(n + cell.runs - 2, 1)
        ) ** 0.5
        wider = max(pooled, theirs)
        compared = against_order_statistic(
            cell.statistic, difference, wider, max(n, 2), cell.runs, margin
        )
    else:
        # No spread is printed: the sides change places, with ours as the known spread.
        compared = against_order_statistic(cell.statistic, -difference, ours, cell.runs, n, margin)
    assert claim.low is not None
    assert claim.high is not None
    above = sum(value > claim.high for value in cell.values)
    below = sum(value < claim.low for value in cell.values)
    return replace(
        compared, difference=difference, p=rank_p(cell.statistic, n, cell.runs, above, below)
    )


def prediction_errors(cells: Sequence[MeasuredCell]) -> Errors | None:
    """Return the variance of ours minus theirs.

    None where some cell shows no spread on either side. Where no spread is printed, ours serves
    for both, counted once: s²(1/n + 1/m) with m − 1 degrees of freedom.
    """
    predicted: list[tuple[float, float]] = []
    pooled: list[tuple[float, float]] = []
    both: list[tuple[float, float]] = []
    for cell in cells:
        theirs, ours, m = their_spread(cell), our_spread(cell), cell.readings
        if theirs is None and ours is None:
            return None
        if theirs is None or ours is None or (cell.measured_once and theirs is not None):
            # Only one spread is known, or the cell is one measurement of a base
            # model: it serves for all three.
            one = theirs or ours
            assert one is not None
            alone = one.sd**2 * (1 / cell.averaged + 1 / m), one.df
            for parts in (predicted, pooled, both):
                parts.append(alone)
            continue
        predicted.append((theirs.sd**2 * (1 / theirs.n + 1 / m), theirs.df))
        both += [(theirs.sd**2 / theirs.n, theirs.df), (ours.sd**2 / m, ours.df)]
        df = theirs.df + ours.df
        variance = (theirs.df * theirs.sd**2 + ours.df * ours.sd**2) / df
        pooled.append((variance * (1 / theirs.n + 1 / m), df))
    return Errors(tuple(predicted), tuple(pooled), tuple(both))


def limits(estimate: Estimate) -> Reservations:
    """Return what the runs behind a number cannot show."""
    if not estimate.varying:
        return Reservations(reproduces=NOT_THEIR_PROBES)
    counted = [cell for cell in estimate.varying if cell.binomial]
    if any(cell.runs < FEWEST for cell in counted):
        why = (
            f"fewer than {FEWEST} trainings show no spread between them, only that of the count "
            "itself"
        )
        return Reservations(reproduces=f"at best consistent: {why}", contradicts=why)
    for cell in estimate.varying:
        if their_spread(cell) is None and not cell.binomial and cell.runs <= FEWEST:
            return Reservations(
                contradicts=f"no spread is printed, and ours is that of {cell.runs} runs"
            )
        if not cell.binomial and may_be_clusters(cell):
            seeds = cell.printed_seeds if their_spread(cell) else cell.averaged
            return Reservations(
                contradicts=f"{seeds} printed and {cell.runs} measured could be seeds in two clusters: "
                "more runs would tell"
            )
    return Reservations()


def judge_bound(claim: Claim, estimate: Estimate, value: float) -> Judgement:
    """Judge "below 0.01", "at least 0.99": whether our mean keeps the bound, given our spread."""
    limit = claim.high if claim.low is None else claim.low
    if limit is None:
        return Judgement("inconclusive", "the print allows any value")
    room = limit - value if claim.low is None else value - limit
    part = Component(name=f"{claim.quantity} against {limit:g}", gap=room, cells=estimate.cells)
    if part_test(part, 0.0) is None:
        return Judgement(
            "inconclusive",
            f"{value:.4g} from {runs(estimate)}: a single run shows no spread to judge by",
        )
    return judge_levels(((part,),), 0.0)


def direction_only(estimate: Estimate) -> Judgement:
    """Judge a single run without a printed spread by the direction of its change alone."""
    if not estimate.levels:
        return Judgement(
            "inconclusive",
            estimate.reason or "no spread is printed, nor the value that it started from",
        )
    judged = judge_levels(estimate.levels, 0.0)
    said = f"no spread is printed: judged by the direction of its change alone; {judged.reason}"
    return Judgement(
        "consistent" if judged.outcome == "reproduced" else judged.outcome, said, p=judged.p
    )


def probe_sets(claim: Claim, estimate: Estimate) -> Judgement:
    """Judge a base model's value on unpublished probes by the spread between our probe sets.

    At best consistent.
    """
    cell = estimate.cells[0] if estimate.cells else None
    if cell is None or claim.low is None or claim.high is None:
        return number(claim, estimate)
    if cell.sd is None:
        return Judgement(
            "inconclusive",
            f"{cell.mean:.4g} on one probe set: no spread between sets, and theirs is unknown",
        )
    effect, margin = sizes(claim, estimate)
    difference = outside(claim, cell.mean)
    if cell.sd == 0:
        return agreeing_base(
            difference, margin, f"{cell.mean:.4g} on {cell.runs} probe sets that all agree"
        )
    spread = Spread(cell.sd, cell.runs - 1, 1)
    comparison = against_printed(difference, [spread], [None], [cell.runs], margin)
    seen = (
        f"{cell.mean:.4g} over {cell.runs} probe sets against {claim.printed} ± "
        f"{comparison.half_width:.3g}"
    )
    few = f"{cell.runs} probe sets are few" if cell.runs < FEWEST else ""
    return decide(comparison, effect, seen, Reservations(NOT_THEIR_PROBES, few))
