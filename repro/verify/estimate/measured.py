"""Look measurements up for the claims' algebra, and record which cells a claim rests on.

The terms that the audit evaluates over prints are evaluated here over runs. Each base value is kept
with its value in each run: these samples carry the uncertainty of the claim's result.
"""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from functools import reduce

import numpy as np

from repro.claims.algebra.evaluate import evaluate, series
from repro.claims.algebra.interval import Category, Interval, Value, point
from repro.claims.claim import Term
from repro.claims.selector import Scalar
from repro.claims.term import TRAJECTORIES
from repro.geometry.undefined import Array, NotRun, Undefined
from repro.verify.evidence.columns import NO_SEED, Column
from repro.verify.evidence.evidence import Evidence
from repro.verify.evidence.grade import weakest
from repro.verify.evidence.recorded import BENCHMARK_SIZES
from repro.verify.evidence.trained import name_condition, planned_levels
from repro.verify.facts.settings import settings_of
from repro.verify.scales import STATISTICS
from repro.verify.verdict import Graded

INTENSITY = "entanglement_intensity"
CATEGORIES = ("weakest_concept",)
"""Quantities whose value is a concept's name."""


@dataclass(frozen=True, slots=True)
class CellSample:
    """One base value of a claim: a statistic over our runs of one cell."""

    term: Term
    statistic: str
    column: Column

    @property
    def value(self) -> float:
        """Return the statistic over our runs."""
        if self.statistic == "mean":
            return self.column.mean
        return float(STATISTICS[self.statistic](self.column.values, axis=0))

    @property
    def sd(self) -> float | None:
        """Return the standard deviation over our runs; None for a single run."""
        return self.column.sd

    @property
    def runs(self) -> int:
        """Return the number of runs."""
        return len(self.column.values)

    @property
    def term_quantity(self) -> str:
        """Return the quantity of the cell below the statistic."""
        return self.term.first_cell.quantity

    @property
    def problems(self) -> int | None:
        """Return the number of problems behind a count; None for any other quantity."""
        return BENCHMARK_SIZES.get(self.term.quantity)


def _varies(sample: CellSample) -> bool:
    """Return whether a base value differs from run to run.

    The base model's, one seed's, and a statistic over all seeds do not.
    """
    each_run = sample.term.statistic == "single" or sample.term.statistic in TRAJECTORIES
    return (
        each_run
        and "seed" not in sample.term.selector
        and bool((sample.column.seeds != NO_SEED).any())
    )


def ranks(values: Array) -> Array:
    """Return ranks from 1; ties share the mean of their ranks."""
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    return np.asarray((np.cumsum(counts) - (counts - 1) / 2)[place], dtype=np.float64)


@dataclass
class Measured:
    """The evidence of one experiment, as `repro.claims.algebra.evaluate.Lookup`.

    Use one per claim: it records every base value it looks up.
    """

    evidence: Evidence
    experiment: str
    specification: str = "default"
    given: Mapping[Hashable, float] = field(default_factory=dict)
    """Base values that replace the measured ones, by `Term.base_key`."""
    samples: dict[Hashable, CellSample] = field(default_factory=dict)
    """Every base value looked up, by `Term.base_key`."""
    absent: list[Undefined] = field(default_factory=list)
    votes: dict[str, int] = field(default_factory=dict)
    """For a category: the number of runs that name each value."""
    voters: list[Graded] = field(default_factory=list)
    """Grades of these runs."""

    @property
    def graded(self) -> Graded | None:
        """Return the weakest grade among all runs that were read; None where none was read."""
        columns = [sample.column.graded for sample in self.samples.values()]
        return weakest(one for one in (*columns, *self.voters) if one)

    def base(self, term: Term) -> Value:
        """Return a base value; Undefined, with the reason, where the runs do not give it."""
        if (given := self.given.get(term.base_key)) is not None:
            return point(given)
        statistic = term.statistic
        # The manifest knows them: they belong to the probes, not to a run.
        if term.quantity == "cardinalities":
            return settings_of(self.experiment).base(term)
        if statistic in TRAJECTORIES and "seed" not in term.selector:
            return self._known(term, "mean", self._column(term.operand, statistic))
        if statistic == "single" and term.quantity in CATEGORIES:
            return self._category(term)
        if statistic == "single" and term.of is None:
            return self._known(term, "mean", self._column(term, ""))
        if statistic in STATISTICS and (term.over or "seed") == "seed":
            if statistic == "sd":
                return self._spread(term)
            return self._known(term, statistic, self.over_seeds(term.operand, term.among))
        if (
            statistic in ("spearman", "pearson")
            and term.of is not None
            and term.against is not None
            and term.over
        ):
            return self._correlation(term, term.of, term.against, term.over)
        return Undefined("follows from other cells")

    def _correlation(self, term: Term, first: Term, second: Term, axis: str) -> Value:
        """Return a correlation over the levels of an axis.

        Measured numbers are points, so neither the algebra's intervals nor scipy.stats are
        needed.
        """
        levels, xs = series(term, self, axis)
        _, ys = series(term.model_copy(update={"of": second, "among": levels}), self, axis)
        if isinstance(xs, Undefined):
            return xs
        if isinstance(ys, Undefined):
            return ys
        x, y = (np.array([value.low for value in values]) for values in (xs, ys))
        if term.statistic == "spearman":
            x, y = ranks(x), ranks(y)
        # Two points always correlate perfectly, and a constant not at all.
        if len(x) < 3 or np.ptp(x) == 0 or np.ptp(y) == 0:
            return Undefined(
                f"no correlation of {first.label} with {second.label}: too few points, or "
                "one does not vary"
            )
        return point(float(np.corrcoef(x, y)[0, 1]))

    def levels(self, term: Term, axis: str) -> tuple[Scalar, ...]:
        """Return the levels of an axis: those measured, then those planned."""
        inner = term.first_cell
        quantity = INTENSITY if inner.quantity in TRAJECTORIES else inner.quantity
        measured = self.evidence.levels(self.experiment, quantity, inner.selector, axis)
        return measured + tuple(
            level for level in self._planned(inner, axis) if level not in measured
        )

    def _planned(self, cell: Term, axis: str) -> tuple[Scalar, ...]:
        """Return the levels the manifest plans, run or not.

        "All models" means more than those measured so far.
        """
        if axis in ("model", "condition"):
            return planned_levels(
                self.experiment, name_condition(self.experiment, cell.selector), axis
            )
        return (
            settings_of(self.experiment).levels(cell, axis)
            if axis in ("lambda", "probe_set")
            else ()
        )

    def total(self, term: Term) -> int | None:
        """Return the number of problems of a benchmark; None for any other quantity."""
        return BENCHMARK_SIZES.get(term.first_cell.quantity)

    def _category(self, term: Term) -> Value:
        """Return the concept that most runs name. The store keeps it as the concept of the row."""
        for concept in self.evidence.levels(
            self.experiment, term.quantity, term.selector, "concept"
        ):
            column = self.evidence.column(
                self.experiment, term.quantity, {**term.selector, "concept": concept}
            )
            if isinstance(column, Column):
                self.votes[str(concept)] = len(column.values)
                self.voters += [column.graded] if column.graded else []
        if self.votes:
            return Category(max(self.votes, key=lambda concept: self.votes[concept]))
        absent = self.evidence.column(self.experiment, term.quantity, term.selector)
        if isinstance(absent, Undefined):
            self.absent.append(absent)
        return Undefined(f"{term.quantity} was not measured there")

    def over_seeds(self, inner: Term, among: tuple[Scalar, ...] = ()) -> Column | Undefined:
        """Return the inner term's value in each run.

        Only the seeds `among` where the claim names them.
        """
        column = self._over_seeds(inner)
        return (
            column.only([int(seed) for seed in among])
            if among and isinstance(column, Column)
            else column
        )

    def _over_seeds(self, inner: Term) -> Column | Undefined:
        """Return the inner term's value in each run that has all its cells."""
        if inner.statistic == "single" and inner.of is None:
            return self._column(inner, "")
        if inner.statistic in TRAJECTORIES:
            return self._column(inner.operand, inner.statistic)
        inside = Measured(self.evidence, self.experiment, self.specification)
        value = evaluate(inner, inside)
        if not inside.samples or (isinstance(value, Undefined) and inside.absent):
            return (
                inside.absent[0] if inside.absent else NotRun("no run has all the cells this needs")
            )
        varying = {key: sample.column for key, sample in inside.samples.items() if _varies(sample)}
        if not varying:
            return NotRun("no run has all the cells this needs")
        seeds = reduce(np.intersect1d, [column.seeds for column in varying.values()])
        if not len(seeds):
            return NotRun("no run has all the cells this needs")
        known: dict[Hashable, Array] = {}
        for key, sample in inside.samples.items():
            column = varying.get(key)
            # A value without seeds of its own (the base model) is the same in each
            # run.
            known[key] = np.full(len(seeds), sample.value) if column is None else column.at(seeds)
        found = dict(zip(seeds.tolist(), self.each(inner, known), strict=True))
        values = {seed: value.low for seed, value in found.items() if isinstance(value, Interval)}
        reasons = {
            seed: value.reason for seed, value in found.items() if isinstance(value, Undefined)
        }
        if not values:
            return Undefined(next(iter(reasons.values()), "it is not a number in any run"))
        left_out = tuple(f"seed {seed}: {reason}" for seed, reason in reasons.items())
        return Column.of(values, left_out, inside.graded)

    def each(self, term: Term, known: Mapping[Hashable, Array]) -> list[Value]:
        """Evaluate the term once for every element of the base values `known`, n numbers each."""
        return [
            evaluate(
                term,
                Measured(
                    self.evidence,
                    self.experiment,
                    self.specification,
                    given=dict(zip(known, elements, strict=True)),
                ),
            )
            for elements in np.stack(list(known.values()), axis=1).tolist()
        ]

    def _column(self, cell: Term, trajectory: str) -> Column | Undefined:
        """Return a cell's value in each run.

        That is a trajectory's step, the value at collapse, or the value at a step.
        """
        selector = cell.selector
        if trajectory:
            return self.evidence.trajectory(self.experiment, INTENSITY, selector, trajectory)
        if cell.quantity in TRAJECTORIES:
            return self.evidence.trajectory(self.experiment, INTENSITY, selector, cell.quantity)
        if selector.get("step") == "collapse":
            return self._at_collapse(cell)
        return self.evidence.column(self.experiment, cell.quantity, selector, self.specification)

    def _at_collapse(self, cell: Term) -> Column | Undefined:
        """Return the cell's value in each run at the step of that run's own collapse."""
        fixed = {
            key: value
            for key, value in cell.selector.items()
            if key not in ("step", "concept", "class")
        }
        collapsed = self.evidence.trajectory(self.experiment, INTENSITY, fixed, "collapse_step")
        if isinstance(collapsed, Undefined):
            return collapsed
        values: dict[int, float] = {}
        graded = [collapsed.graded] if collapsed.graded else []
        for seed, step in zip(collapsed.seeds.tolist(), collapsed.values.tolist(), strict=True):
            column = self.evidence.column(
                self.experiment,
                cell.quantity,
                {**cell.selector, "step": int(step)},
                self.specification,
            )
            if isinstance(column, Column) and seed in column.seeds:
                values[seed] = float(column.values[column.seeds == seed][0])
                graded += [column.graded] if column.graded else []
        if not values:
            return NotRun(f"no run measured {cell.quantity} at its collapse")
        return Column.of(values, collapsed.left_out, weakest(graded))

    def _known(self, term: Term, statistic: str, column: Column | Undefined) -> Value:
        """Record a base value and return it, or the reason why it is undefined."""
        if isinstance(column, Undefined):
            self.absent.append(column)
            return Undefined(column.reason)
        key = term.base_key
        sample = self.samples.setdefault(key, CellSample(term, statistic, column))
        return point(sample.value)

    def _spread(self, term: Term) -> Value:
        """Return the standard deviation over runs; undefined for a single run."""
        column = self.over_seeds(term.operand, term.among)
        if isinstance(column, Column) and len(column.values) < 2:
            column = Undefined("one run has no spread")
        return self._known(term, "sd", column)
