"""Judge seeds that all agree: 0.000 ± 0.000, "deterministic" (docs/SCIENCE.md §13).

Agreeing seeds are not certainty. n agreeing seeds bound the share of others (seeds that differ) by
1 − 0.05^(1/n). Runs of ours that differ are judged by that share: if all n + m draws came from one
process, the k others would all be among our m in C(m, k) / C(n + m, k) of cases (Fisher's exact
test; 1/(n + 1) for one run, as Laplace has it).
"""

from collections import Counter
from dataclasses import replace

from scipy import special

from repro.claims.claim import Claim
from repro.verify.judge.decide import HALF, Judgement, absolute_margin, outside, sizes
from repro.verify.spreads import prints_no_spread
from repro.verify.statistics import SIGNIFICANCE, Comparison
from repro.verify.verdict import Estimate, MeasuredCell


def share_bound(runs: int) -> float:
    """Return the largest share of differing runs that this many agreeing ones allow, at 95 %."""
    return 1.0 - float(SIGNIFICANCE ** (1 / runs))


def others_among_ours(others: int, ours: int, theirs: int) -> float:
    """Return how often all the differing draws would be among our runs."""
    return float(special.comb(ours, others) / special.comb(ours + theirs, others))


def agreeing_seeds(claim: Claim, estimate: Estimate) -> Judgement:
    """Judge a number whose seeds all agree in print."""
    cell = next(cell for cell in estimate.varying if prints_no_spread(cell))
    direct = len(estimate.cells) == 1
    effect, margin = sizes(claim, estimate)
    room = min(
        absolute_margin(claim),
        margin if direct else margin / abs(cell.slope),
    )
    # Values on a grid cannot agree more closely than half a step.
    room = max(room, (estimate.grid or 0.0) / 2)
    target = cell.printed_mean
    if direct:
        others = sum(abs(outside(claim, value)) > room for value in cell.values)
    elif target is None:
        return Judgement(
            "inconclusive",
            "its seeds all agree in print, but the value that they agree on is not printed",
        )
    else:
        others = sum(abs(value - target) > room for value in cell.values)
    difference = outside(claim, estimate.value) if isinstance(estimate.value, float) else 0.0
    judged = _judge_others(
        others,
        cell.runs,
        cell.printed_seeds,
        f"{claim.printed!r} of {cell.printed_seeds} seeds",
        effect,
    )
    compared = Comparison(difference, room, judged.p if judged.p is not None else 1.0, 1.0, room)
    return replace(judged, comparison=compared)


def deterministic(claim: Claim, estimate: Estimate) -> Judgement:
    """Judge "deterministic": that all seeds give one value."""
    cell = estimate.cells[0]
    # The most frequent value; the smaller one in a tie, so that the result is unambiguous.
    often = Counter(cell.values)
    usual = max(often, key=lambda value: (often[value], -value))
    others = sum(abs(value - usual) > 1e-9 * max(1.0, abs(usual)) for value in cell.values)
    seeds = estimate.printed_seeds or 1
    return _judge_others(
        others, cell.runs, seeds, f"{claim.printed!r} ({seeds} seeds printed)", 0.0
    )


def _judge_others(others: int, runs: int, seeds: int, printed: str, effect: float) -> Judgement:
    """Judge how many of our runs differ from the value of all the paper's seeds."""
    if others == 0:
        bound = share_bound(runs)
        said = (
            f"all {runs} of our runs agree with {printed}, which leaves open a share of others "
            f"up to {bound:.2f}"
        )
        return Judgement("consistent" if bound < HALF else "inconclusive", said, p=1.0)
    p = others_among_ours(others, runs, seeds)
    said = (
        f"{others} of our {runs} runs differ from {printed}; so many others, all of them "
        f"ours, has probability {p:.2g}"
    )
    if effect:
        said += f" (claimed effect {effect:.3g})"
    return Judgement("contradicted" if p < SIGNIFICANCE else "inconclusive", said, p=p)


def agreeing_base(difference: float, margin: float, seen: str) -> Judgement:
    """Judge a base model's value that is one measurement, where nothing shows how far it varies."""
    said = f"{seen}: one measurement of the base model, and nothing shows how far it varies"
    return Judgement("consistent" if abs(difference) <= margin else "inconclusive", said)


def no_spread(cells: tuple[MeasuredCell, ...], seen: str) -> Judgement:
    """Judge a number where neither the paper nor our runs show a spread."""
    agreeing = [cell for cell in cells if cell.runs > 1]
    why = (
        "our runs all agree, and no spread is printed"
        if agreeing
        else "no spread is printed, and one run shows none"
    )
    return Judgement("inconclusive", f"{seen}: {why}")
