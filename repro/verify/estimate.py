"""From evidence to estimates: what was measured for a claim, with everything its rule needs (docs/SCIENCE.md §13).

The claim's term is evaluated over the measurements exactly as the audit evaluates it over prints; slopes in each cell
come from evaluating it again with one cell moved, probabilities of relations from `repro.verify.draws`.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from repro.manifest.claim import TRUTHS, Claim, Term
from repro.verify.algebra import evaluate, is_true, operand
from repro.verify.algebra_interval import Category, Interval, Levels, Missing, Value
from repro.verify.draws import Drawn, NoSpreadError, name, satisfied
from repro.verify.evidence import Absent, Column, Evidence
from repro.verify.measured import PROBLEMS, Measured, Sample
from repro.verify.prints import Prints, innermost
from repro.verify.settings import Settings
from repro.verify.statistics import LEVEL, combined, t_quantile
from repro.verify.verdict import Cell, Estimate

NO_RUN_NEEDED = ("exact", "relative", "shown")
"""Rules whose claims a manifest or an architecture decides."""
PERCENT, UNITS = 100.0, {"billion": 1e9, "million": 1e6}
COUNTED = ("count_where", "share", "all", "none")


@dataclass(frozen=True)
class Context:
    """What estimates are made from: the evidence, and each paper's prints."""

    evidence: Evidence
    prints: Mapping[str, Prints] = field(default_factory=dict)

    def printed(self, claim: Claim) -> Prints:
        return self.prints[claim.source]


def estimate(claim: Claim, context: Context, specification: str = "default") -> Estimate:
    """What the evidence says of one claim. Never raises for missing evidence: the state and the reason say so."""
    if claim.unverifiable is not None:
        return Estimate(state="not_run", reason=claim.unverifiable)
    if claim.tolerance.rule in NO_RUN_NEEDED:
        return _known(claim, context)
    if claim.measured_by is None:
        return Estimate(
            state="not_run", reason="no manifest measures it; `repro audit` recomputes it from other prints"
        )
    if claim.tolerance.rule == "probe_sets" and innermost(claim.term) is not None:
        return _base_model(claim, context)
    measured = Measured(context.evidence, claim.measured_by, specification)
    if claim.term.statistic in COUNTED and claim.term.over == "seed":
        return _counted_runs(claim, context, measured)
    if claim.term.statistic in ("no_effect", "significant"):
        return _two_operands(claim, context, measured)
    value = evaluate(claim.term, measured)
    if isinstance(value, Missing):
        return _absent(measured, value)
    return _estimated(claim, context, measured, value)


def _known(claim: Claim, context: Context) -> Estimate:
    """A setting, an architecture fact, or arithmetic over them; what is shown may use the paper's own inputs."""
    shown = claim.tolerance.rule == "shown" and claim.term.statistic != "single"
    value = evaluate(claim.term, Settings(claim.measured_by, context.printed(claim) if shown else None))
    if isinstance(value, Interval):
        number = value.low * PERCENT if claim.unit == "percent" and abs(value.low) <= 1 else value.low
        found = is_true(value) if claim.term.statistic in TRUTHS else number / UNITS.get(claim.unit, 1.0)
        return Estimate(state="measured", value=found)
    if isinstance(value, Levels):
        return Estimate(state="measured", value=value.values)
    if isinstance(value, Category):
        return Estimate(state="measured", value=value.name)
    if claim.tolerance.rule == "shown":
        if claim.note:
            return Estimate(state="measured", value=claim.value, reason=claim.note)
        return Estimate(state="undefined", reason="neither a formula nor a note shows how it follows")
    return Estimate(state="not_run", reason=value.reason)


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
    if isinstance(value, (Levels, Category)):
        found = value.values if isinstance(value, Levels) else value.name
        return Estimate(state="measured", value=found, notes=notes)
    assert isinstance(value, Interval)
    truth = claim.term.statistic in TRUTHS
    cells = _cells(claim, context, measured, slopes=not truth)
    probability, reason = _probability(claim, context, measured)
    low, high = (None, None) if truth else _interval(value.low, cells)
    return Estimate(
        state="measured",
        reason=reason,
        value=is_true(value) if truth else value.low,
        low=low,
        high=high,
        cells=cells,
        probability=probability,
        counted=_problems(claim, measured),
        printed_counted=_printed_problems(claim),
        points=len(claim.term.among or measured.levels(operand(claim.term), claim.term.over or "seed")),
        same_weights=all(_untrained(sample.term) for sample in measured.samples.values()),
        effect=_effect(claim, context),
        grid=_grid(claim, measured),
        notes=notes,
    )


def _cells(claim: Claim, context: Context, measured: Measured, *, slopes: bool) -> tuple[Cell, ...]:
    """Every base value behind the claim, with our spread, the printed one, and the claim's slope in it."""
    samples = dict(measured.samples)
    direct = len(samples) == 1 and claim.term.key in samples
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
    seeds = prints.seeds(inner.quantity, inner.selector) or (printed[1] if printed else 1)
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


def _slope(term: Term, measured: Measured, key: str) -> float:
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


def _interval(value: float, cells: tuple[Cell, ...]) -> tuple[float | None, float | None]:
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


def _probability(claim: Claim, context: Context, measured: Measured) -> tuple[float | None, str]:
    """Probability of a relation; for a single run without printed spread, of the direction it changed in."""
    term, rule = claim.term, claim.tolerance.rule
    if rule == "probability" and term.statistic not in ("identical", "proportional"):
        goal = None if term.statistic in TRUTHS else claim.value
    elif rule == "seed_spread" and (change := _change(claim, context)) is not None:
        term, goal = change, None
        if isinstance(value := evaluate(term, measured), Missing):
            return None, f"its direction cannot be judged: {value.reason}"
    else:
        return None, ""
    try:
        draws = Drawn(measured, lambda sample: _printed_spread(claim, context, sample)).evaluate(term)
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
    if effect is None or _printed_problems(claim) is None:
        return effect
    return effect / (PERCENT if claim.unit == "percent" else claim.total or 1)


def _problems(claim: Claim, measured: Measured) -> tuple[int, int] | None:
    """(solved, tried) over our runs of the one cell that is a count of problems."""
    samples = [sample for sample in measured.samples.values() if sample.problems]
    if claim.kind != "problem_count" or len(samples) != 1 or samples[0].problems is None:
        return None
    return round(float(samples[0].column.values.sum())), samples[0].runs * samples[0].problems


def _printed_problems(claim: Claim) -> tuple[int, int] | None:
    """(solved, tried) as printed: the count itself, or the one a percentage stands for."""
    size = claim.total or PROBLEMS.get(claim.quantity)
    if claim.kind != "problem_count" or size is None or not isinstance(claim.value, float):
        return None
    return (round(claim.value / PERCENT * size) if claim.unit == "percent" else round(claim.value)), size


def _counted_runs(claim: Claim, context: Context, measured: Measured) -> Estimate:
    """How many of our runs do what the paper says of its seeds, as a count out of all."""
    column = measured.over_seeds(operand(claim.term))
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


def _two_operands(claim: Claim, context: Context, measured: Measured) -> Estimate:
    """The measured difference behind "no effect" and "significant"."""
    if claim.term.of is None or claim.term.against is None:
        return Estimate(state="undefined", reason="the claim names nothing to compare with")
    difference = claim.term.model_copy(update={"statistic": "difference"})
    value = evaluate(difference, measured)
    if not isinstance(value, Interval):
        return _absent(measured, value if isinstance(value, Missing) else Missing("not a number"))
    stand_in = claim.model_copy(update={"term": difference})
    cells = _cells(stand_in, context, measured, slopes=True)
    low, high = _interval(value.low, cells)
    effect = _effect(claim, context)
    return Estimate(state="measured", value=value.low, low=low, high=high, cells=cells, effect=effect)


def _base_model(claim: Claim, context: Context) -> Estimate:
    """A base model's value on every probe set of ours that it was measured on."""
    cell = innermost(claim.term)
    assert cell is not None
    found = list(context.evidence.base_models(cell.quantity, cell.selector).values())
    if not found:
        return Estimate(state="not_run", reason="this base model has not been measured on any probe set")
    column = Column(tuple(range(len(found))), np.array(found))
    mean, sd = float(np.mean(found)), float(np.std(found, ddof=1)) if len(found) > 1 else None
    measured = Cell(name=name(cell), mean=mean, sd=sd, runs=len(column.values))
    low, high = _interval(mean, (measured,))
    return Estimate(state="measured", value=mean, low=low, high=high, cells=(measured,), effect=_effect(claim, context))


def _untrained(term: Term) -> bool:
    inner = term
    while inner.of is not None:
        inner = inner.of
    return inner.selector.get("condition") == "B0" or inner.selector.get("step") == 0


def _grid(claim: Claim, measured: Measured) -> float | None:
    """1/n for an accuracy over n probes: finer differences cannot occur."""
    observed = [sample.column.observations for sample in measured.samples.values()]
    return 1 / min(observed) if claim.quantity == "accuracy" and observed and min(observed) > 0 else None
