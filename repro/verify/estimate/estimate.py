"""Turn evidence into estimates, with everything a claim's rule needs (docs/SCIENCE.md §13).

The claim's term is evaluated over the measurements exactly as the audit evaluates it over prints.
Its slope in each cell comes from evaluating it again with that cell moved; the components of a
statement come from `repro.verify.estimate.parts`.
"""

from collections import defaultdict
from collections.abc import Sequence

import numpy as np

from repro.claims.algebra.evaluate import evaluate, is_true
from repro.claims.algebra.interval import Category, Interval, Levels, Value
from repro.claims.claim import TRUTHS, Claim, Term
from repro.claims.prints import tidy_sd
from repro.claims.selector import is_untrained
from repro.geometry.undefined import NotRun, Undefined
from repro.verify.estimate.cells import PROPORTIONS, Context, cells_of, interval, is_base_model
from repro.verify.estimate.counts import PERCENT, counted_runs, printed_problems, solved_problems
from repro.verify.estimate.measured import Measured
from repro.verify.estimate.parts import Statement
from repro.verify.evidence.cell import Base
from repro.verify.evidence.grade import weakest
from repro.verify.evidence.recorded import unrecorded_quantities
from repro.verify.facts.meaning import direction
from repro.verify.verdict import Estimate, MeasuredCell

COUNTED = ("count_where", "share", "all", "none")


def estimate(claim: Claim, context: Context, specification: str = "default") -> Estimate:
    """Estimate a claim's value from measurements alone.

    Undefined evidence raises nothing: `state` and `reason` say so.
    """
    if claim.unverifiable is not None:
        return Estimate(state="not_run", reason=claim.unverifiable)
    if claim.measured_by is None:
        return Estimate(
            state="not_run",
            reason="no manifest measures it; `repro audit` recomputes it from other prints",
        )
    found = _measured(claim, context, claim.measured_by, specification)
    if found.state == "not_run" and (names := unrecorded_quantities(claim)):
        return Estimate(state="not_run", reason=f"the runs do not measure {', '.join(names)}")
    return found


def _measured(claim: Claim, context: Context, manifest: str, specification: str) -> Estimate:
    """Estimate the claim from the runs of its manifest."""
    if claim.tolerance.rule == "probe_sets" and claim.term.cell is not None:
        return _base_model(claim, context)
    measured = Measured(context.evidence, manifest, specification)
    if (
        claim.term.statistic in COUNTED and claim.term.over == "seed"
    ) or claim.term.statistic == "recovery":
        return counted_runs(claim, context, measured)
    if claim.term.statistic in ("no_effect", "significant"):
        return _two_operands(claim, context, measured)
    value = evaluate(claim.term, measured)
    if isinstance(value, Undefined):
        return _absent(measured, value)
    return _estimated(claim, context, measured, value)


def _absent(measured: Measured, value: Undefined) -> Estimate:
    """Return the estimate where there is no value: not measured, or undefined.

    What was not run comes before what is undefined: a run might still give the value.
    """
    if not measured.absent and not measured.samples:
        return Estimate(
            state="not_run",
            reason=f"nothing of {measured.experiment} has been run for this: {value.reason}",
        )
    waiting = [absent for absent in measured.absent if isinstance(absent, NotRun)]
    reason = (waiting or measured.absent or [Undefined(value.reason)])[0]
    return Estimate(
        state="not_run" if isinstance(reason, NotRun) else "undefined", reason=reason.reason
    )


def _estimated(claim: Claim, context: Context, measured: Measured, value: Value) -> Estimate:
    """Return the estimate of a value that could be computed."""
    notes = tuple(note for sample in measured.samples.values() for note in sample.column.left_out)[
        :5
    ]
    if isinstance(value, Category):
        return _category(claim, measured, value)
    if isinstance(value, Levels):
        return Estimate(state="measured", value=value.values, notes=notes, graded=measured.graded)
    if not measured.samples:
        return Estimate(
            state="undefined",
            reason="follows without any measurement: its kind is not one that is measured",
        )
    assert isinstance(value, Interval)
    truth = claim.term.statistic in TRUTHS
    # A truth has no derivative: the components of a statement carry the spread instead.
    cells = cells_of(claim, context, measured, slopes=not truth)
    low, high = (None, None) if truth else interval(value.low, cells)
    statement = Statement(_judged(claim, context, cells), context, measured)
    inner = cells[0] if cells else None
    return Estimate(
        state="measured",
        value=is_true(value) if truth else value.low,
        low=low,
        high=high,
        cells=cells,
        levels=statement.levels,
        asked=statement.asked,
        negated=statement.negated,
        counted=solved_problems(claim, measured),
        printed_counted=printed_problems(claim),
        printed_seeds=_seeds(claim, context) if inner and inner.statistic == "sd" else None,
        points=_points(claim, measured),
        same_weights=all(_untrained(sample.term) for sample in measured.samples.values()),
        effect=_effect(claim, context),
        grid=_grid(measured),
        notes=notes,
        graded=measured.graded,
    )


def _judged(claim: Claim, context: Context, cells: tuple[MeasuredCell, ...]) -> Claim:
    """Return the claim.

    For a single run without a printed spread, the claim that it moved in the printed direction.
    """
    if claim.tolerance.rule == "seed_spread" and any(cell.printed_sd is None for cell in cells):
        change = _change(claim, context)
        return claim if change is None else claim.model_copy(update={"term": change})
    return claim


def _seeds(claim: Claim, context: Context) -> int | None:
    """Return the number of seeds the paper prints for the claim's cell."""
    inner = (claim.term.cell or claim.term.operand).first_cell
    return context.printed(claim).seeds(inner.quantity, inner.selector)


def _points(claim: Claim, measured: Measured) -> int | None:
    """Return the number of points behind a correlation; None for any other claim."""
    if claim.term.statistic not in ("spearman", "pearson") or claim.term.over is None:
        return None
    return len(claim.term.among or measured.levels(claim.term.operand, claim.term.over))


def _category(claim: Claim, measured: Measured, value: Category) -> Estimate:
    """Return the category most runs name, and how many name each.

    A base model counts once, however many runs read it.
    """
    once = is_base_model(claim.term, measured.evidence, measured.experiment)
    votes = {value.name: 1} if once else measured.votes
    runs = sum(votes.values())
    cell = MeasuredCell(
        name=claim.term.label, mean=votes.get(str(claim.value), 0) / runs, sd=None, runs=runs
    )
    return Estimate(
        state="measured",
        value=value.name,
        cells=(cell,),
        votes=tuple(votes.items()),
        graded=measured.graded,
    )


def _change(claim: Claim, context: Context) -> Term | None:
    """Return the term "our value moved from its own start in the printed direction".

    None when the paper prints no start.
    """
    cell = claim.term.cell
    if cell is None or not isinstance(claim.value, float) or cell.selector.get("step") == 0:
        return None
    start = context.printed(claim).start(cell.quantity, cell.selector)
    if start is None or start == claim.value:
        return None
    before = cell.model_copy(update={"selector": {**cell.selector, "step": 0}})
    how = "above" if claim.value > start else "below"
    return Term.model_validate(
        {
            "statistic": how,
            "quantity": cell.quantity,
            "of": claim.term.model_dump(),
            "against": before.model_dump(),
        }
    )


def _effect(claim: Claim, context: Context) -> float | None:
    """Return the size of the claimed effect, in the claim's own unit.

    None where it is neither declared nor printed.
    """
    given = claim.tolerance.parameters.get("effect")
    counted = printed_problems(claim)
    if (
        given is None
        and claim.statistic == "percentage"
        and counted is not None
        and isinstance(claim.value, float)
    ):
        cell = claim.term.cell
        start = context.printed(claim).start(cell.quantity, cell.selector) if cell else None
        return None if start is None else abs(claim.value - PERCENT * start / counted[1])
    return given if given is not None else context.printed(claim).effect(claim)


def _two_operands(claim: Claim, context: Context, measured: Measured) -> Estimate:
    """Estimate the difference behind "no effect" and "significant"."""
    if claim.term.of is None or claim.term.against is None:
        return Estimate(state="undefined", reason="the claim names nothing to compare with")
    difference = claim.term.model_copy(update={"statistic": "difference"})
    value = evaluate(difference, measured)
    if not isinstance(value, Interval):
        return _absent(
            measured, value if isinstance(value, Undefined) else Undefined("not a number")
        )
    stand_in = claim.model_copy(update={"term": difference})
    cells = cells_of(stand_in, context, measured, slopes=True)
    low, high = interval(value.low, cells)
    effect = _effect(claim, context)
    return Estimate(
        state="measured", value=value.low, low=low, high=high, cells=cells, effect=effect, graded=measured.graded,
        grid=_grid(measured), sign=_sign(claim),
    )  # fmt: skip


def _sign(claim: Claim) -> int:
    """Return the claimed direction of a significant difference, from its field or words."""
    if claim.statistic != "significant":
        return 0
    if claim.term.order is not None:
        return 1 if claim.term.order == "increasing" else -1
    return direction(claim.printed, claim.quantity) or direction(claim.says, claim.quantity)


def _base_model(claim: Claim, context: Context) -> Estimate:
    """Estimate a base model's value from every probe set of ours on which it was measured."""
    cell = claim.term.cell
    assert cell is not None
    found = context.evidence.base_models(cell.quantity, cell.selector, claim.measured_by)
    if not found or found[0].experiment != claim.measured_by:
        return Estimate(
            state="not_run",
            reason=f"{claim.measured_by} has not measured this base model on any probe set",
        )
    values = list(by_probe_set(found).values())
    mean, sd = float(np.mean(values)), tidy_sd(values) if len(values) > 1 else None
    measured = MeasuredCell(name=cell.label, mean=mean, sd=sd, runs=len(values))
    low, high = interval(mean, (measured,))
    places = {(base.experiment, base.model, base.condition) for base in found}
    return Estimate(
        state="measured", value=mean, low=low, high=high, cells=(measured,), effect=_effect(claim, context),
        graded=weakest(context.evidence.graded[place] for place in sorted(places)),
    )  # fmt: skip


def by_probe_set(found: Sequence[Base]) -> dict[str, float]:
    """Return the mean of each probe set over all runs that measured it."""
    sets: dict[str, list[Base]] = defaultdict(list)
    for base in found:
        sets[base.probe_set].append(base)
    return {
        name: float(
            np.average([base.value for base in bases], weights=[base.runs for base in bases])
        )
        for name, bases in sets.items()
    }


def _untrained(term: Term) -> bool:
    """Return whether the cell below a term is of a model that nothing was trained on."""
    return is_untrained(term.first_cell.selector)


def _grid(measured: Measured) -> float | None:
    """Return the smallest possible difference: 1/n for a share of n probes, 1 for a count.

    None for any other quantity.
    """
    samples = list(measured.samples.values())
    if samples and all(sample.problems for sample in samples):
        return 1.0
    observed = [
        sample.column.observations for sample in samples if sample.term_quantity in PROPORTIONS
    ]
    return (
        1 / min(observed)
        if observed and len(observed) == len(samples) and min(observed) > 0
        else None
    )
