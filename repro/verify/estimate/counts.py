"""Estimate counts: problems solved out of 164, and runs that do what a paper says of its seeds."""

from repro.claims.algebra.interval import point
from repro.claims.algebra.relations import satisfies
from repro.claims.claim import Claim
from repro.geometry.undefined import NotRun, Undefined
from repro.verify.estimate.cells import Context
from repro.verify.estimate.measured import Measured
from repro.verify.evidence.recorded import BENCHMARK_SIZES
from repro.verify.verdict import Estimate, MeasuredCell

PERCENT = 100.0


def solved_problems(claim: Claim, measured: Measured) -> tuple[int, int] | None:
    """Return (solved, tried) over our runs of the one cell that counts problems.

    None for any other claim.
    """
    samples = [sample for sample in measured.samples.values() if sample.problems]
    if claim.kind != "problem_count" or len(samples) != 1 or samples[0].problems is None:
        return None
    return round(float(samples[0].column.values.sum())), samples[0].runs * samples[0].problems


def printed_problems(claim: Claim) -> tuple[int, int] | None:
    """Return (solved, tried) as printed: the count itself, or the count behind a percentage."""
    size = claim.total or BENCHMARK_SIZES.get(claim.quantity)
    if claim.kind != "problem_count" or size is None or not isinstance(claim.value, float):
        return None
    return (
        round(claim.value / PERCENT * size) if claim.unit == "percent" else round(claim.value)
    ), size


def counted_runs(claim: Claim, context: Context, measured: Measured) -> Estimate:
    """Estimate how many of our runs do what the paper says of its seeds."""
    recovery = claim.term.statistic == "recovery"
    column = measured.over_seeds(claim.term if recovery else claim.term.operand, claim.term.among)
    if isinstance(column, Undefined):
        return Estimate(
            state="not_run" if isinstance(column, NotRun) else "undefined", reason=column.reason
        )
    where = claim.term.where
    values = column.values.tolist()
    hits = round(
        sum(satisfies(point(value), where).low for value in values) if where else sum(values)
    )
    trials = len(column.values)
    cell = MeasuredCell(name=claim.term.label, mean=hits / trials, sd=None, runs=trials)
    everywhere = hits == trials
    shown = {
        "all": everywhere,
        "recovery": everywhere,
        "none": hits == 0,
        "share": PERCENT * hits / trials,
    }
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
    """Return the paper's count: "two of eight", "25 %" of the seeds it names, "all" of them."""
    inner = (claim.term.cell or claim.term.operand).first_cell
    size = (
        claim.total
        or len(claim.term.among)
        or context.printed(claim).seeds(inner.quantity, inner.selector)
    )
    if not size:
        return None
    if isinstance(claim.value, bool):
        everywhere = (claim.term.statistic != "none") == claim.value
        return (size if everywhere else 0), size
    if not isinstance(claim.value, float):
        return None
    return round(
        claim.value * size / PERCENT if claim.term.statistic == "share" else claim.value
    ), size
