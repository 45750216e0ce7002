"""Measurements as a lookup for the claims' algebra: what a cell was measured to be, and which cells a claim rests on.

The same terms that the audit evaluates over prints are evaluated here over runs. Every base value asked for is kept,
with its value in each run: these samples carry the uncertainty of whatever the claim makes of them.
"""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from functools import reduce

import numpy as np

from repro.manifest.claim import Scalar, Term
from repro.verify.algebra import evaluate, operand, series
from repro.verify.algebra_interval import Category, Missing, Value, point
from repro.verify.arrays import Arrays, NoSpreadError, key_of, name
from repro.verify.benchmarks import PROBLEMS
from repro.verify.columns import NO_SEED, Absent, Array, Column
from repro.verify.evidence import Evidence, resolved
from repro.verify.grade import weakest
from repro.verify.prints import TRAJECTORIES
from repro.verify.scales import STATISTICS
from repro.verify.settings import settings_of
from repro.verify.trained import planned_levels
from repro.verify.verdict import Graded

INTENSITY = "entanglement_intensity"
CATEGORIES = ("weakest_concept",)
"""Quantities whose value is a concept."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One base value of a claim: a statistic over our runs of one cell."""

    term: Term
    statistic: str
    column: Column

    @property
    def value(self) -> float:
        if self.statistic == "mean":
            return self.column.mean
        return float(STATISTICS[self.statistic](self.column.values, axis=0))

    @property
    def sd(self) -> float | None:
        return self.column.sd

    @property
    def runs(self) -> int:
        return len(self.column.values)

    @property
    def problems(self) -> int | None:
        """Problems behind a count; None for what is not one."""
        return PROBLEMS.get(self.term.quantity)


def _varies(sample: Sample) -> bool:
    """Whether a base value differs from run to run: not the base model's, not one seed's, not a statistic over all."""
    each_run = sample.term.statistic == "single" or sample.term.statistic in TRAJECTORIES
    return each_run and "seed" not in sample.term.selector and bool((sample.column.seeds != NO_SEED).any())


def ranks(values: Array) -> Array:
    """Ranks from 1, ties sharing the mean of theirs."""
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    return np.asarray((np.cumsum(counts) - (counts - 1) / 2)[place], dtype=np.float64)


@dataclass
class Measured:
    """The evidence of one experiment, as `repro.verify.algebra.Lookup`. One per claim: it remembers what was asked."""

    evidence: Evidence
    experiment: str
    specification: str = "default"
    given: Mapping[Hashable, float] = field(default_factory=dict)
    """Base values to use instead of the measured ones, by `key_of`."""
    samples: dict[Hashable, Sample] = field(default_factory=dict)
    """Every base value asked for, by `key_of`."""
    absent: list[Absent] = field(default_factory=list)
    votes: dict[str, int] = field(default_factory=dict)
    """Of a category: how many runs name each."""
    voters: list[Graded] = field(default_factory=list)
    """Whose runs these are."""

    @property
    def graded(self) -> Graded | None:
        """Whose runs everything that was asked for rests on: the weakest; None where no run was read."""
        columns = [sample.column.graded for sample in self.samples.values()]
        return weakest(one for one in (*columns, *self.voters) if one)

    def base(self, term: Term) -> Value:
        statistic = term.statistic
        if term.quantity == "cardinalities":  # of the probes the runs read: the manifest knows them
            return settings_of(self.experiment).base(term)
        if statistic in TRAJECTORIES and "seed" not in term.selector:
            return self._known(term, "mean", self._column(operand(term), statistic))
        if statistic == "single" and term.quantity in CATEGORIES:
            return self._category(term)
        if statistic == "single" and term.of is None:
            return self._known(term, "mean", self._column(term, ""))
        if statistic in STATISTICS and (term.over or "seed") == "seed":
            if statistic == "sd":
                return self._spread(term)
            return self._known(term, statistic, self.over_seeds(operand(term), term.among))
        if statistic in ("spearman", "pearson") and term.of is not None and term.against is not None and term.over:
            return self._correlation(term, term.of, term.against, term.over)
        return Missing("follows from other cells")

    def _correlation(self, term: Term, first: Term, second: Term, axis: str) -> Value:
        """Over the levels of an axis. Measured numbers are points: no need for the algebra's intervals, nor scipy.stats."""
        levels, xs = series(term, self, axis)
        _, ys = series(term.model_copy(update={"of": second, "among": levels}), self, axis)
        if isinstance(xs, Missing):
            return xs
        if isinstance(ys, Missing):
            return ys
        x, y = (np.array([value.low for value in values]) for values in (xs, ys))
        if term.statistic == "spearman":
            x, y = ranks(x), ranks(y)
        if len(x) < 3 or np.ptp(x) == 0 or np.ptp(y) == 0:
            return Missing(f"no correlation of {name(first)} with {name(second)}: too few points, or one does not vary")
        return point(float(np.corrcoef(x, y)[0, 1]))

    def levels(self, term: Term, axis: str) -> tuple[Scalar, ...]:
        inner = term
        while inner.of is not None:
            inner = inner.of
        quantity = INTENSITY if inner.quantity in TRAJECTORIES else inner.quantity
        measured = self.evidence.levels(self.experiment, quantity, inner.selector, axis)
        return measured + tuple(level for level in self._planned(inner, axis) if level not in measured)

    def _planned(self, cell: Term, axis: str) -> tuple[Scalar, ...]:
        """Levels that the claim speaks of as well, run or not: "all models" are not those that happen to be there."""
        if axis in ("model", "condition"):
            return planned_levels(self.experiment, resolved(cell.selector), axis)
        return settings_of(self.experiment).levels(cell, axis) if axis in ("lambda", "probe_set") else ()

    def total(self, term: Term) -> int | None:
        inner = term
        while inner.of is not None:
            inner = inner.of
        return PROBLEMS.get(inner.quantity)

    def _category(self, term: Term) -> Value:
        """The concept that most runs name; the store keeps it as the concept of the row."""
        for concept in self.evidence.levels(self.experiment, term.quantity, term.selector, "concept"):
            column = self.evidence.column(self.experiment, term.quantity, {**term.selector, "concept": concept})
            if isinstance(column, Column):
                self.votes[str(concept)] = len(column.values)
                self.voters += [column.graded] if column.graded else []
        if self.votes:
            return Category(max(self.votes, key=lambda concept: self.votes[concept]))
        absent = self.evidence.column(self.experiment, term.quantity, term.selector)
        if isinstance(absent, Absent):
            self.absent.append(absent)
        return Missing(f"{term.quantity} was not measured there")

    def over_seeds(self, inner: Term, among: tuple[Scalar, ...] = ()) -> Column | Absent:
        """The inner term's value in each run, of the seeds `among` where the claim names them."""
        column = self._over_seeds(inner)
        return column.only([int(seed) for seed in among]) if among and isinstance(column, Column) else column

    def _over_seeds(self, inner: Term) -> Column | Absent:
        if inner.statistic == "single" and inner.of is None:
            return self._column(inner, "")
        if inner.statistic in TRAJECTORIES:
            return self._column(operand(inner), inner.statistic)
        inside = Measured(self.evidence, self.experiment, self.specification)
        if isinstance(evaluate(inner, inside), Missing) or not inside.samples:
            return inside.absent[0] if inside.absent else Absent("not_run", "no run has all the cells this needs")
        varying = {key: sample.column for key, sample in inside.samples.items() if _varies(sample)}
        if not varying:
            return Absent("not_run", "no run has all the cells this needs")
        seeds = reduce(np.intersect1d, [column.seeds for column in varying.values()])
        if not len(seeds):
            return Absent("not_run", "no run has all the cells this needs")
        known: dict[Hashable, Array] = {}
        for key, sample in inside.samples.items():
            column = varying.get(key)
            known[key] = np.full(len(seeds), sample.value) if column is None else column.at(seeds)
        try:
            return Column(seeds, Arrays(known, inside).evaluate(inner), graded=inside.graded)
        except NoSpreadError as error:
            return Absent("undefined", str(error))

    def _column(self, cell: Term, trajectory: str) -> Column | Absent:
        selector = cell.selector
        if trajectory:
            return self.evidence.trajectory(self.experiment, INTENSITY, selector, trajectory)
        if cell.quantity in TRAJECTORIES:
            return self.evidence.trajectory(self.experiment, INTENSITY, selector, cell.quantity)
        if selector.get("step") == "collapse":
            return self._at_collapse(cell)
        return self.evidence.column(self.experiment, cell.quantity, selector, self.specification)

    def _at_collapse(self, cell: Term) -> Column | Absent:
        """The cell's value in each run at the step of that run's own collapse."""
        fixed = {key: value for key, value in cell.selector.items() if key not in ("step", "concept", "class")}
        collapsed = self.evidence.trajectory(self.experiment, INTENSITY, fixed, "collapse_step")
        if isinstance(collapsed, Absent):
            return collapsed
        values: dict[int, float] = {}
        graded = [collapsed.graded] if collapsed.graded else []
        for seed, step in zip(collapsed.seeds.tolist(), collapsed.values.tolist(), strict=True):
            column = self.evidence.column(
                self.experiment, cell.quantity, {**cell.selector, "step": int(step)}, self.specification
            )
            if isinstance(column, Column) and seed in column.seeds:
                values[seed] = float(column.values[column.seeds == seed][0])
                graded += [column.graded] if column.graded else []
        if not values:
            return Absent("not_run", f"no run measured {cell.quantity} at its collapse")
        return Column.of(values, collapsed.left_out, weakest(graded))

    def _known(self, term: Term, statistic: str, column: Column | Absent) -> Value:
        if isinstance(column, Absent):
            self.absent.append(column)
            return Missing(column.reason)
        key = key_of(term)
        sample = self.samples.setdefault(key, Sample(term, statistic, column))
        return point(self.given.get(key, sample.value))

    def _spread(self, term: Term) -> Value:
        column = self.over_seeds(operand(term), term.among)
        if isinstance(column, Column) and len(column.values) < 2:
            column = Absent("undefined", "one run has no spread")
        return self._known(term, "sd", column)
