"""Rules for numbers that vary from run to run: means, single runs, what is derived from them, absence of an effect.

Definition: docs/SCIENCE.md §13. A claim may combine several cells (a relative change combines two); each carries its
printed spread, ours, and the claim's slope in it, so that one formula serves all: t(df)·√Σ slope²·s²·(1/n + 1/m).
"""

import math
from dataclasses import dataclass
from typing import NamedTuple

from repro.manifest.claim import Claim
from repro.verify.scales import STATISTICS, against_order_statistic
from repro.verify.statistics import (
    LEVEL,
    Comparison,
    Spread,
    against_constant,
    against_printed,
    combined,
    no_difference,
    t_tail,
)
from repro.verify.verdict import Cell, Estimate, Outcome

ABSOLUTE = 0.01
"""Margin where neither a spread nor an effect is printed, unless the tolerance declares one."""
MARGIN_SHARE = 0.25


@dataclass(frozen=True, slots=True)
class Judgement:
    """An outcome, why, and the numbers behind it."""

    outcome: Outcome
    reason: str
    comparison: Comparison | None = None
    p: float | None = None
    """Of contradiction, where there is no comparison."""


class Sizes(NamedTuple):
    """The claimed effect, and the margin within which two results count as the same."""

    effect: float
    margin: float


def decide(comparison: Comparison, effect: float, seen: str) -> Judgement:
    """The outcome as written in §13, from a comparison and the claimed effect on its scale."""
    if comparison.p_equivalent < LEVEL:
        return Judgement("reproduced", f"{seen}; equivalent within {comparison.margin:.3g}", comparison)
    if comparison.p < LEVEL:
        return Judgement("contradicted", f"{seen}; outside the interval, p = {comparison.p:.2g}", comparison)
    if abs(comparison.difference) <= comparison.half_width < effect:
        return Judgement("consistent", f"{seen}; inside, and narrower than the effect {effect:.3g}", comparison)
    return Judgement("inconclusive", f"{seen}; too wide to tell (claimed effect {effect:.3g})", comparison)


def sizes(claim: Claim, estimate: Estimate) -> Sizes:
    """Effect and margin: ¼ of the effect unless the tolerance says otherwise, never finer than half a grid step."""
    given = claim.tolerance.parameters
    absolute = given.get("absolute", ABSOLUTE)
    effect = max(estimate.effect or 0.0, absolute / MARGIN_SHARE)
    margin = given.get("margin", given.get("margin_share", MARGIN_SHARE) * effect)
    return Sizes(effect, max(margin, (estimate.grid or 0.0) / 2))


def number(claim: Claim, estimate: Estimate) -> Judgement:
    """A printed number against ours."""
    if not isinstance(estimate.value, (int, float)):
        return Judgement("inconclusive", estimate.reason or "no number was measured")
    if claim.low is None or claim.high is None:
        return bound(claim, estimate)
    theirs = [_their_spread(cell, claim) for cell in estimate.cells]
    if any(spread is None for spread in theirs):
        return direction_only(estimate)
    known = [spread for spread in theirs if spread is not None]
    seen = f"{estimate.value:.4g} from {runs(estimate)} against {claim.printed}"
    effect, margin = sizes(claim, estimate)
    if all(spread.sd == 0 for spread in known):
        absolute = max(claim.tolerance.parameters.get("absolute", ABSOLUTE), (estimate.grid or 0.0) / 2)
        comparison = against_constant(outside(claim, estimate.value), own_spread(estimate), absolute)
        return decide(comparison, effect, f"{seen} ± {absolute:g} (printed without spread)")
    comparison = _compared(outside(claim, estimate.value), estimate, known, margin)
    return decide(comparison, effect, f"{seen} ± {comparison.half_width:.3g}")


def _compared(difference: float, estimate: Estimate, theirs: list[Spread], margin: float) -> Comparison:
    cell = estimate.cells[0]
    ordered = len(estimate.cells) == 1 and cell.statistic in STATISTICS and cell.statistic != "mean"
    if ordered and theirs[0].df >= 1:
        n = theirs[0].n if theirs[0].n > 1 else int(theirs[0].df) + 1
        return against_order_statistic(cell.statistic, difference, theirs[0].sd, n, cell.runs, margin)
    ours = [_our_spread(cell) for cell in estimate.cells]
    return against_printed(difference, theirs, ours, [cell.runs for cell in estimate.cells], margin)


def outside(claim: Claim, value: float) -> float:
    """Signed distance of a value from what the printed decimals allow; 0 inside."""
    assert claim.low is not None
    assert claim.high is not None
    return max(value - claim.high, 0.0) + min(value - claim.low, 0.0)


def bound(claim: Claim, estimate: Estimate) -> Judgement:
    """ "Below 0.01", "at least 0.99": the probability that our value keeps the bound, given our spread."""
    value, own = estimate.value, own_spread(estimate)
    limit = claim.high if claim.low is None else claim.low
    if limit is None or not isinstance(value, (int, float)):
        return Judgement("inconclusive", "the print allows any value")
    room = limit - value if claim.low is None else value - limit
    if own is None:
        return Judgement("inconclusive", f"{value:.4g} from {runs(estimate)}: a single run shows no spread to judge by")
    error = own.sd / math.sqrt(own.n)
    chance = (1.0 if room >= 0 else 0.0) if error == 0 else 1 - t_tail(room / error, own.df)
    said = f"{value:.4g} from {runs(estimate)}: {claim.printed} with probability {chance:.3f}"
    if chance >= 1 - LEVEL:
        return Judgement("reproduced", said, p=chance)
    return Judgement("contradicted" if chance <= LEVEL else "inconclusive", said, p=chance)


def direction_only(estimate: Estimate) -> Judgement:
    """No spread is printed for a single run: only the direction of its change can be judged, never its value."""
    chance = estimate.probability
    if chance is None:
        return Judgement("inconclusive", estimate.reason or "no spread is printed, and ours shows none either")
    said = f"no spread is printed: judged by direction alone, which our runs share with probability {chance:.3f}"
    if chance >= 1 - LEVEL:
        return Judgement("consistent", said, p=chance)
    return Judgement("contradicted" if chance <= LEVEL else "inconclusive", said, p=chance)


def probe_sets(claim: Claim, estimate: Estimate) -> Judgement:
    """A base model's value on unpublished probes: the spread between our probe sets; at best consistent."""
    cell = estimate.cells[0] if estimate.cells else None
    if cell is None or claim.low is None or claim.high is None:
        return number(claim, estimate)
    if cell.sd is None:
        return Judgement(
            "inconclusive", f"{cell.mean:.4g} on one probe set: no spread between sets, and theirs is unknown"
        )
    effect, margin = sizes(claim, estimate)
    difference = outside(claim, cell.mean)
    if cell.sd == 0:
        comparison = against_constant(difference, None, margin)
    else:
        comparison = against_printed(difference, [Spread(cell.sd, cell.runs - 1, 1)], [None], [cell.runs], margin)
    seen = f"{cell.mean:.4g} over {cell.runs} probe sets against {claim.printed} ± {comparison.half_width:.3g}"
    judged = decide(comparison, effect, seen)
    if judged.outcome != "reproduced":
        return judged
    return Judgement("consistent", f"{judged.reason}; at best consistent, the probes are not the paper's", comparison)


def difference(claim: Claim, estimate: Estimate, *, absent: bool) -> Judgement:
    """Absence of an effect must be shown (TOST), and so must its presence (Welch): neither follows from a weak test."""
    parts = [_our_spread(cell) for cell in estimate.cells]
    if not isinstance(estimate.value, float) or not parts or any(part is None for part in parts):
        return Judgement("inconclusive", estimate.reason or "a single run shows no spread to test with")
    effect, margin = sizes(claim, estimate)
    comparison = no_difference(estimate.value, [part for part in parts if part is not None], margin)
    seen = f"difference {estimate.value:.4g} ± {comparison.half_width:.3g}"
    if absent:
        return decide(comparison, effect, seen)
    if comparison.p < LEVEL:
        return Judgement("reproduced", f"{seen}: significant, p = {comparison.p:.2g}", comparison)
    if comparison.p_equivalent < LEVEL:
        return Judgement("contradicted", f"{seen}: no difference beyond {margin:.3g}", comparison)
    return Judgement("inconclusive", f"{seen}: neither significant nor shown to be below {margin:.3g}", comparison)


def own_spread(estimate: Estimate) -> Spread | None:
    """Spread of our value, as that of one draw averaged once; None when some cell is a single run."""
    parts = [_our_spread(cell) for cell in estimate.cells]
    if not parts or any(part is None for part in parts):
        return None
    error, df = combined([(part.sd**2 / part.n, part.df) for part in parts if part is not None])
    return Spread(error, df, 1)


def runs(estimate: Estimate) -> str:
    return "1 run" if estimate.n == 1 else f"{estimate.n} runs"


def _our_spread(cell: Cell) -> Spread | None:
    if cell.sd is None:
        return None
    df = math.inf if cell.binomial else cell.runs - 1
    return Spread(abs(cell.slope) * cell.sd, df, cell.runs)


def _their_spread(cell: Cell, claim: Claim) -> Spread | None:
    """The printed spread; for numbers that are not a single run, ours stands in where none is printed."""
    if cell.printed_sd is not None and (cell.binomial or cell.printed_seeds >= 2):
        df = math.inf if cell.binomial else cell.printed_seeds - 1
        return Spread(abs(cell.slope) * cell.printed_sd, df, cell.averaged)
    if claim.tolerance.rule == "seed_spread" or cell.sd is None:
        return None
    return Spread(abs(cell.slope) * cell.sd, math.inf if cell.binomial else cell.runs - 1, cell.averaged)
