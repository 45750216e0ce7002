"""Describe the cells behind an estimate: both spreads and the slope (docs/SCIENCE.md §13)."""

import math
from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field

import numpy as np

from repro.claims.algebra.evaluate import evaluate
from repro.claims.algebra.interval import Interval
from repro.claims.claim import Claim, Term
from repro.claims.prints import Prints
from repro.claims.selector import BASE
from repro.verify.estimate.measured import CellSample, Measured
from repro.verify.evidence.evidence import Evidence
from repro.verify.spreads import our_spread
from repro.verify.statistics import SIGNIFICANCE, combine_errors, t_quantile
from repro.verify.verdict import MeasuredCell

PROPORTIONS = frozenset(("accuracy", "accuracy_after", "binary_accuracy"))
"""Quantities that are a share of probes: multiples of 1/N, with at least the variance
of a share.
"""


@dataclass(frozen=True)
class Context:
    """The inputs of estimates: the evidence, and each paper's prints."""

    evidence: Evidence
    prints: Mapping[str, Prints] = field(default_factory=dict)
    growth: dict[Hashable, tuple[float, ...]] = field(default_factory=dict)
    """How far the activations of a cell have grown since step 0, where that was asked before."""

    def printed(self, claim: Claim) -> Prints:
        """Return the printed numbers of the claim's paper."""
        return self.prints[claim.source]


def cells_of(
    claim: Claim, context: Context, measured: Measured, *, slopes: bool
) -> tuple[MeasuredCell, ...]:
    """Return each base value behind the claim, with both spreads and the claim's slope in it.

    `slopes` False gives each a slope of 1: a truth has no derivative.
    """
    samples = dict(measured.samples)
    # The claim is the cell itself: its slope is 1, and its tolerance may declare the spread.
    direct = len(samples) == 1 and claim.term.base_key in samples
    found = [
        _cell(
            claim,
            context,
            sample,
            1.0 if direct or not slopes else _slope(claim.term, measured, key),
        )
        for key, sample in samples.items()
    ]
    return (_declared(claim, found[0]),) if direct else tuple(found)


def _declared(claim: Claim, cell: MeasuredCell) -> MeasuredCell:
    """Return the cell with the spread that the claim's tolerance declares, if it does.

    The claim's digest covers it.
    """
    given = claim.tolerance.parameters
    seeds = int(given.get("n", cell.printed_seeds))
    averaged = cell.averaged if cell.averaged == 1 else seeds
    sd = given.get("sd", cell.printed_sd)
    if sd and cell.printed_sd:  # The print is rounded: take the largest SD it may stand for.
        sd = max(sd, cell.printed_sd)
    return cell.model_copy(update={"printed_sd": sd, "printed_seeds": seeds, "averaged": averaged})


def _cell(claim: Claim, context: Context, sample: CellSample, slope: float) -> MeasuredCell:
    """Return one base value as a cell, with what the paper prints of it."""
    prints = context.printed(claim)
    inner = sample.term.cell or sample.term
    printed = prints.spread(inner.quantity, inner.selector)
    seeds = printed[1] if printed else prints.seeds(inner.quantity, inner.selector) or 1
    single = "seed" in inner.selector or claim.kind == "single_run"
    counted = sample.problems is not None and sample.statistic == "mean"
    return MeasuredCell(
        name=sample.term.label,
        statistic=sample.statistic,
        mean=sample.value,
        sd=sample.sd,
        runs=sample.runs,
        slope=slope,
        printed_sd=printed[0] if printed else None,
        printed_seeds=seeds,
        averaged=1 if single else seeds,
        printed_mean=prints.value(inner.quantity, inner.selector),
        binomial=counted,
        least_sd=least_sd(sample),
        measured_once=is_base_model(sample.term, context.evidence, claim.measured_by or ""),
        values=tuple(sample.column.values.tolist()),
        term=sample.term,
    )


def least_sd(sample: CellSample) -> float:
    """Return the least standard deviation of a count of problems, or a share of probes.

    0 for any other quantity. A share of 0 or 1 counts as half a probe away from it, so that
    none is certain.
    """
    if sample.statistic != "mean":
        return 0.0
    size = sample.problems or (
        sample.column.observations if sample.term_quantity in PROPORTIONS else 0
    )
    if not size:
        return 0.0
    scale = size if sample.problems else 1
    share = float(np.clip(sample.value / scale, 0.5 / size, 1 - 0.5 / size))
    return scale * math.sqrt(share * (1 - share) / size)


def is_base_model(term: Term, evidence: Evidence, experiment: str) -> bool:
    """Return whether nothing was trained for a cell.

    That is step 0 of runs that do not start from another run's adapter.
    """
    selector = term.first_cell.selector
    if selector.get("condition") == BASE:
        return True
    if selector.get("step") != 0:
        return False
    own = evidence.trained.get(
        (experiment, str(selector.get("model")), str(selector.get("condition")))
    )
    return not (own and own.continued)


def _slope(term: Term, measured: Measured, key: Hashable) -> float:
    """Return the term's derivative in one base value, by a central difference.

    The step is small against the value and its spread.
    """
    sample = measured.samples[key]
    step = 1e-4 * max(abs(sample.value), sample.sd or 0.0, 1e-3)
    ends = []
    for moved in (sample.value + step, sample.value - step):
        inside = Measured(
            measured.evidence, measured.experiment, measured.specification, given={key: moved}
        )
        value = evaluate(term, inside)
        if not isinstance(value, Interval):
            return 0.0
        ends.append(value.low)
    return (ends[0] - ends[1]) / (2 * step)


def interval(value: float, cells: tuple[MeasuredCell, ...]) -> tuple[float | None, float | None]:
    """Return the 95 % interval of our own value; (None, None) when a cell is a single run."""
    parts = []
    for cell in cells:
        own = our_spread(cell)
        # The error of a mean says nothing about the error of a spread.
        if own is None or cell.statistic in ("sd", "iqr", "span"):
            return None, None
        parts.append((own.sd**2 / own.n, own.df))
    if not parts:
        return None, None
    error, df = combine_errors(parts)
    if error == 0:
        return None, None
    half = t_quantile(1 - SIGNIFICANCE / 2, df) * error
    return value - half, value + half
