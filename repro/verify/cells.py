"""The cells behind an estimate: our spread, the printed one, and the claim's slope in each (docs/SCIENCE.md §13)."""

import math
from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field

import numpy as np

from repro.manifest.claim import Claim, Term
from repro.verify.algebra import evaluate
from repro.verify.algebra_interval import Interval
from repro.verify.arrays import key_of, name
from repro.verify.evidence import Evidence
from repro.verify.measured import Measured, Sample
from repro.verify.prints import Prints, innermost
from repro.verify.statistics import LEVEL, combined, t_quantile
from repro.verify.verdict import Cell


@dataclass(frozen=True)
class Context:
    """What estimates are made from: the evidence, and each paper's prints."""

    evidence: Evidence
    prints: Mapping[str, Prints] = field(default_factory=dict)

    def printed(self, claim: Claim) -> Prints:
        return self.prints[claim.source]


def cells_of(claim: Claim, context: Context, measured: Measured, *, slopes: bool) -> tuple[Cell, ...]:
    """Every base value behind the claim, with our spread, the printed one, and the claim's slope in it."""
    samples = dict(measured.samples)
    direct = len(samples) == 1 and key_of(claim.term) in samples
    found = [
        _cell(claim, context, sample, 1.0 if direct or not slopes else _slope(claim.term, measured, key))
        for key, sample in samples.items()
    ]
    return (_declared(claim, found[0]),) if direct else tuple(found)


def _declared(claim: Claim, cell: Cell) -> Cell:
    """The spread that the claim's tolerance declares, where it does: the digest covers it."""
    given = claim.tolerance.parameters
    if cell.binomial:
        return cell
    seeds = int(given.get("n", cell.printed_seeds))
    averaged = cell.averaged if cell.averaged == 1 else seeds
    return cell.model_copy(
        update={"printed_sd": given.get("sd", cell.printed_sd), "printed_seeds": seeds, "averaged": averaged}
    )


def _cell(claim: Claim, context: Context, sample: Sample, slope: float) -> Cell:
    prints = context.printed(claim)
    inner = innermost(sample.term) or sample.term
    printed = prints.spread(inner.quantity, inner.selector)
    seeds = printed[1] if printed else prints.seeds(inner.quantity, inner.selector) or 1
    single = "seed" in inner.selector or claim.kind == "single_run"
    if sample.problems and sample.statistic == "mean":
        share = float(np.clip(sample.value / sample.problems, 0.5 / sample.problems, 1 - 0.5 / sample.problems))
        sd = math.sqrt(sample.problems * share * (1 - share))
        return Cell(
            name=name(sample.term), mean=sample.value, sd=sd, runs=sample.runs, slope=slope,
            printed_sd=sd, printed_seeds=sample.problems, binomial=True,
        )  # fmt: skip
    return Cell(
        name=name(sample.term),
        statistic=sample.statistic,
        mean=sample.value,
        sd=sample.sd,
        runs=sample.runs,
        slope=slope,
        printed_sd=printed[0] if printed else None,
        printed_seeds=printed[1] if printed else seeds,
        averaged=1 if single else seeds,
    )


def _slope(term: Term, measured: Measured, key: Hashable) -> float:
    """Derivative of the term in one base value, by a central difference small against the value and its spread."""
    sample = measured.samples[key]
    step = 1e-4 * max(abs(sample.value), sample.sd or 0.0, 1e-3)
    ends = []
    for moved in (sample.value + step, sample.value - step):
        inside = Measured(measured.evidence, measured.experiment, measured.specification, given={key: moved})
        value = evaluate(term, inside)
        if not isinstance(value, Interval):
            return 0.0
        ends.append(value.low)
    return (ends[0] - ends[1]) / (2 * step)


def interval(value: float, cells: tuple[Cell, ...]) -> tuple[float | None, float | None]:
    """95 % interval of our own value; none when a cell is a single run."""
    parts = []
    for cell in cells:
        if cell.sd is None:
            return None, None
        df = math.inf if cell.binomial else cell.runs - 1
        parts.append(((cell.slope * cell.sd) ** 2 / cell.runs, df))
    if not parts:
        return None, None
    error, df = combined(parts)
    half = t_quantile(1 - LEVEL / 2, df) * error
    return value - half, value + half
