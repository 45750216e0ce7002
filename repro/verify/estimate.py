"""From evidence to estimates: what was measured for a claim, with everything its rule needs (docs/SCIENCE.md §13).

The claim's term is evaluated over the measurements exactly as the audit evaluates it over prints; slopes in each cell
come from evaluating it again with one cell moved, probabilities of relations from `repro.verify.draws`.
"""

from collections import defaultdict
from collections.abc import Sequence

import numpy as np
from scipy import special

from repro.manifest.claim import TRUTHS, Claim, Term
from repro.verify.algebra import evaluate, is_true, operand
from repro.verify.algebra_interval import Category, Interval, Levels, Missing, Value
from repro.verify.arrays import NoSpreadError, name
from repro.verify.cells import Context, cells_of, interval
from repro.verify.columns import Absent, tidy_sd
from repro.verify.counted import PERCENT, counted_runs, printed_problems, problems
from repro.verify.draws import drawn
from repro.verify.evidence import Base
from repro.verify.grade import weakest
from repro.verify.measured import Measured, Sample
from repro.verify.prints import innermost
from repro.verify.recorded import unrecorded
from repro.verify.verdict import Cell, Estimate

COUNTED = ("count_where", "share", "all", "none")


def estimate(claim: Claim, context: Context, specification: str = "default") -> Estimate:
    """Estimate what a claim says from measurements alone. Missing evidence raises nothing: state and reason say so."""
    if claim.unverifiable is not None:
        return Estimate(state="not_run", reason=claim.unverifiable)
    if claim.measured_by is None:
        return Estimate(
            state="not_run", reason="no manifest measures it; `repro audit` recomputes it from other prints"
        )
    found = _measured(claim, context, claim.measured_by, specification)
    if found.state == "not_run" and (names := unrecorded(claim)):
        return Estimate(state="not_run", reason=f"the runs do not measure {', '.join(names)}")
    return found


def _measured(claim: Claim, context: Context, manifest: str, specification: str) -> Estimate:
    """What the runs of the claim's manifest say of it."""
    if claim.tolerance.rule == "probe_sets" and innermost(claim.term) is not None:
        return _base_model(claim, context)
    measured = Measured(context.evidence, manifest, specification)
    if claim.term.statistic in COUNTED and claim.term.over == "seed":
        return counted_runs(claim, context, measured)
    if claim.term.statistic in ("no_effect", "significant"):
        return _two_operands(claim, context, measured)
    value = evaluate(claim.term, measured)
    if isinstance(value, Missing):
        return _absent(measured, value)
    return _estimated(claim, context, measured, value)


def _absent(measured: Measured, value: Missing) -> Estimate:
    """Nothing to evaluate: nothing was measured, or what was measured gives no value."""
    if not measured.absent and not measured.samples:
        return Estimate(
            state="not_run", reason=f"nothing of {measured.experiment} has been run for this: {value.reason}"
        )
    waiting = [absent for absent in measured.absent if absent.state == "not_run"]
    reason = (waiting or measured.absent or [Absent("undefined", value.reason)])[0]
    return Estimate(state="not_run" if reason.state == "not_run" else "undefined", reason=reason.reason)


def _estimated(claim: Claim, context: Context, measured: Measured, value: Value) -> Estimate:
    """The estimate of a value that could be computed."""
    notes = tuple(note for sample in measured.samples.values() for note in sample.column.left_out)[:5]
    if isinstance(value, Category):
        return _category(claim, measured, value)
    if isinstance(value, Levels):
        return Estimate(state="measured", value=value.values, notes=notes, graded=measured.graded)
    if not measured.samples:
        return Estimate(
            state="undefined", reason="follows without any measurement: its kind is not one that is measured"
        )
    assert isinstance(value, Interval)
    truth = claim.term.statistic in TRUTHS
    cells = cells_of(claim, context, measured, slopes=not truth)
    probability, reason = _probability(claim, context, measured, cells)
    low, high = (None, None) if truth else interval(value.low, cells)
    return Estimate(
        state="measured",
        reason=reason,
        value=is_true(value) if truth else value.low,
        low=low,
        high=high,
        cells=cells,
        probability=probability,
        counted=problems(claim, measured),
        printed_counted=printed_problems(claim),
        points=_points(claim, measured),
        same_weights=all(_untrained(sample.term) for sample in measured.samples.values()),
        effect=_effect(claim, context),
        grid=_grid(claim, measured),
        notes=notes,
        graded=measured.graded,
    )


def _points(claim: Claim, measured: Measured) -> int | None:
    """Points behind a correlation."""
    if claim.term.statistic not in ("spearman", "pearson") or claim.term.over is None:
        return None
    return len(claim.term.among or measured.levels(operand(claim.term), claim.term.over))


def _category(claim: Claim, measured: Measured, value: Category) -> Estimate:
    """The category most runs name, and the posterior probability (Jeffreys) that most runs name the printed one."""
    votes = measured.votes
    agreeing, runs = votes.get(str(claim.value), 0), sum(votes.values())
    chance = 1 - float(special.betainc(agreeing + 0.5, runs - agreeing + 0.5, 0.5))
    cell = Cell(name=name(claim.term), mean=agreeing / runs, sd=None, runs=runs)
    return Estimate(state="measured", value=value.name, cells=(cell,), probability=chance, graded=measured.graded)


def _probability(
    claim: Claim, context: Context, measured: Measured, cells: tuple[Cell, ...]
) -> tuple[float | None, str]:
    """Probability of a relation; for a single run without printed spread, of the direction it changed in."""
    term, rule = claim.term, claim.tolerance.rule
    if rule == "probability" and term.statistic not in ("identical", "proportional"):
        goal = None if term.statistic in TRUTHS else claim.value
    elif (
        rule == "seed_spread"
        and any(cell.printed_sd is None for cell in cells)
        and (change := _change(claim, context)) is not None
    ):
        term, goal = change, None
        if isinstance(value := evaluate(term, measured), Missing):
            return None, f"its direction cannot be judged: {value.reason}"
    else:
        return None, ""
    try:
        draws = drawn(measured, lambda sample: _printed_spread(claim, context, sample)).evaluate(term)
    except NoSpreadError as error:
        return None, str(error)
    holds = draws if goal is None else np.abs(draws - float(goal)) < 0.5 if isinstance(goal, float) else draws
    return float(np.mean(holds)), ""


def _printed_spread(claim: Claim, context: Context, sample: Sample) -> tuple[float, int] | None:
    inner = innermost(sample.term)
    return context.printed(claim).spread(inner.quantity, inner.selector) if inner else None


def _change(claim: Claim, context: Context) -> Term | None:
    """That our value moved from its own start the way the printed one did; None when the paper prints no start."""
    cell = innermost(claim.term)
    if cell is None or not isinstance(claim.value, float) or cell.selector.get("step") == 0:
        return None
    start = context.printed(claim).start(cell.quantity, cell.selector)
    if start is None or start == claim.value:
        return None
    before = cell.model_copy(update={"selector": {**cell.selector, "step": 0}})
    how = "above" if claim.value > start else "below"
    return Term.model_validate(
        {"statistic": how, "quantity": cell.quantity, "of": claim.term.model_dump(), "against": before.model_dump()}
    )


def _effect(claim: Claim, context: Context) -> float | None:
    given = claim.tolerance.parameters.get("effect")
    effect = given if given is not None else context.printed(claim).effect(claim)
    if effect is None or printed_problems(claim) is None:
        return effect
    return effect / (PERCENT if claim.unit == "percent" else claim.total or 1)


def _two_operands(claim: Claim, context: Context, measured: Measured) -> Estimate:
    """The measured difference behind "no effect" and "significant"."""
    if claim.term.of is None or claim.term.against is None:
        return Estimate(state="undefined", reason="the claim names nothing to compare with")
    difference = claim.term.model_copy(update={"statistic": "difference"})
    value = evaluate(difference, measured)
    if not isinstance(value, Interval):
        return _absent(measured, value if isinstance(value, Missing) else Missing("not a number"))
    stand_in = claim.model_copy(update={"term": difference})
    cells = cells_of(stand_in, context, measured, slopes=True)
    low, high = interval(value.low, cells)
    effect = _effect(claim, context)
    return Estimate(
        state="measured", value=value.low, low=low, high=high, cells=cells, effect=effect, graded=measured.graded
    )


def _base_model(claim: Claim, context: Context) -> Estimate:
    """A base model's value on every probe set of ours that it was measured on."""
    cell = innermost(claim.term)
    assert cell is not None
    found = context.evidence.base_models(cell.quantity, cell.selector, claim.measured_by)
    if not found or found[0].experiment != claim.measured_by:
        return Estimate(
            state="not_run", reason=f"{claim.measured_by} has not measured this base model on any probe set"
        )
    values = list(by_probe_set(found).values())
    mean, sd = float(np.mean(values)), tidy_sd(values) if len(values) > 1 else None
    measured = Cell(name=name(cell), mean=mean, sd=sd, runs=len(values))
    low, high = interval(mean, (measured,))
    places = {(base.experiment, base.model, base.condition) for base in found}
    return Estimate(
        state="measured", value=mean, low=low, high=high, cells=(measured,), effect=_effect(claim, context),
        graded=weakest(context.evidence.graded[place] for place in sorted(places)),
    )  # fmt: skip


def by_probe_set(found: Sequence[Base]) -> dict[str, float]:
    """The mean of each probe set over all runs that measured it."""
    sets: dict[str, list[Base]] = defaultdict(list)
    for base in found:
        sets[base.probe_set].append(base)
    return {
        name: float(np.average([base.value for base in bases], weights=[base.runs for base in bases]))
        for name, bases in sets.items()
    }


def _untrained(term: Term) -> bool:
    inner = term
    while inner.of is not None:
        inner = inner.of
    return inner.selector.get("condition") == "B0" or inner.selector.get("step") == 0


def _grid(claim: Claim, measured: Measured) -> float | None:
    """1/n for an accuracy over n probes: finer differences cannot occur."""
    observed = [sample.column.observations for sample in measured.samples.values()]
    return 1 / min(observed) if claim.quantity == "accuracy" and observed and min(observed) > 0 else None
