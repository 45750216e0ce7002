"""Counts: problems solved out of 164, runs that do what a paper says of its seeds."""

from repro.manifest.claim import Claim
from repro.verify.algebra import operand
from repro.verify.arrays import name, satisfied
from repro.verify.benchmarks import PROBLEMS
from repro.verify.cells import Context
from repro.verify.columns import Absent
from repro.verify.measured import Measured
from repro.verify.prints import innermost
from repro.verify.verdict import Cell, Estimate

PERCENT = 100.0


def problems(claim: Claim, measured: Measured) -> tuple[int, int] | None:
    """(solved, tried) over our runs of the one cell that is a count of problems."""
    samples = [sample for sample in measured.samples.values() if sample.problems]
    if claim.kind != "problem_count" or len(samples) != 1 or samples[0].problems is None:
        return None
    return round(float(samples[0].column.values.sum())), samples[0].runs * samples[0].problems


def printed_problems(claim: Claim) -> tuple[int, int] | None:
    """(solved, tried) as printed: the count itself, or the one a percentage stands for."""
    size = claim.total or PROBLEMS.get(claim.quantity)
    if claim.kind != "problem_count" or size is None or not isinstance(claim.value, float):
        return None
    return (round(claim.value / PERCENT * size) if claim.unit == "percent" else round(claim.value)), size


def counted_runs(claim: Claim, context: Context, measured: Measured) -> Estimate:
    """How many of our runs do what the paper says of its seeds, as a count out of all."""
    column = measured.over_seeds(operand(claim.term), claim.term.among)
    if isinstance(column, Absent):
        return Estimate(state="not_run" if column.state == "not_run" else "undefined", reason=column.reason)
    where = claim.term.where
    hits = round(float(satisfied(column.values, where).sum() if where else column.values.sum()))
    trials = len(column.values)
    cell = Cell(name=name(claim.term), mean=hits / trials, sd=None, runs=trials)
    shown = {"all": hits == trials, "none": hits == 0, "share": PERCENT * hits / trials}
    return Estimate(
        state="measured",
        value=shown.get(claim.term.statistic, float(hits)),
        cells=(cell,),
        counted=(hits, trials),
        printed_counted=_printed_runs(claim, context),
        notes=column.left_out,
        graded=column.graded,
    )


def _printed_runs(claim: Claim, context: Context) -> tuple[int, int] | None:
    """The same count in the paper: "two of eight", "25 %" of the seeds it names, "all" of them."""
    inner = innermost(claim.term) or operand(claim.term)
    while inner.of is not None:
        inner = inner.of
    size = claim.total or len(claim.term.among) or context.printed(claim).seeds(inner.quantity, inner.selector)
    if not size:
        return None
    if isinstance(claim.value, bool):
        everywhere = (claim.term.statistic == "all") == claim.value
        return (size if everywhere else 0), size
    if not isinstance(claim.value, float):
        return None
    return round(claim.value * size / PERCENT if claim.term.statistic == "share" else claim.value), size
