"""One cell's value in every run, as arrays: read from rows of the store, merged, followed over steps."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt

from repro.verify.grade import weakest
from repro.verify.verdict import Graded

Array = npt.NDArray[np.float64]
Seeds = npt.NDArray[np.int64]
NO_SEED = -1
"""Stands for the seed of a run that trains nothing."""


@dataclass(frozen=True)
class Column:
    """One cell's value in every run that counts, by rising seed."""

    seeds: Seeds
    values: Array
    left_out: tuple[str, ...] = ()
    """Values that do not count, and why."""
    observations: int = 0
    """Probes, problems or tokens behind each value."""
    graded: Graded | None = None
    """Whose runs these are, the weakest of them."""

    @cached_property
    def mean(self) -> float:
        return float(self.values.mean())

    @cached_property
    def sd(self) -> float | None:
        """Standard deviation (n − 1); None of a single run. What only arithmetic makes of equal numbers is 0."""
        return tidy_sd(self.values) if len(self.values) > 1 else None

    def at(self, seeds: Seeds) -> Array:
        """The values of some of its seeds, in their order."""
        values: Array = self.values[np.searchsorted(self.seeds, seeds)]
        return values

    @staticmethod
    def of(values: Mapping[int, float], left_out: tuple[str, ...] = (), graded: Graded | None = None) -> "Column":
        """From a mapping of seeds to values."""
        seeds = sorted(values)
        numbers = np.array([values[seed] for seed in seeds], dtype=np.float64)
        return Column(np.array(seeds, dtype=np.int64), numbers, left_out, graded=graded)

    def only(self, seeds: Sequence[int]) -> "Column | Absent":
        """The values of the seeds that are named."""
        kept = np.isin(self.seeds, np.array(seeds, dtype=np.int64))
        if not kept.any():
            return Absent("not_run", f"no finished run with one of the seeds {', '.join(map(str, seeds))}")
        return replace(self, seeds=self.seeds[kept], values=self.values[kept])


@dataclass(frozen=True, slots=True)
class Absent:
    """No value: nothing was run (`not_run`), or what was run gave none (`undefined`)."""

    state: str
    reason: str


@dataclass(frozen=True, slots=True)
class Row:
    """A group of measurements that differ in their run only, by rising seed; NaN where a value is undefined."""

    seeds: Seeds
    values: Array
    reason: str | None
    observations: int
    graded: Graded | None = None
    set_aside: int = 0
    """Runs of these names that were set up otherwise and do not count."""

    def measured_seeds(self) -> list[int]:
        """Seeds with a value, in order."""
        return sorted(int(seed) for seed in self.seeds[~np.isnan(self.values)] if seed != NO_SEED)


def tidy_sd(values: Sequence[float] | Array) -> float:
    """Standard deviation (n − 1); what only binary arithmetic makes of equal numbers is 0."""
    sd = float(np.std(values, ddof=1))
    return sd if sd > 1e-12 * float(np.max(np.abs(values))) else 0.0


def merged(rows: Sequence[Row], seed: int | None) -> Column | Absent:
    """One value per seed; the base model's several measurements (one per condition) are averaged."""
    graded = weakest(row.graded for row in rows if row.graded)
    aside = sum(row.set_aside for row in rows)
    words = (f"{aside} runs set up otherwise",) if aside else ()
    if len(rows) == 1 and (seed is None or (rows[0].seeds == seed).any()):  # the usual case, without copies
        chosen = slice(None) if seed is None else rows[0].seeds == seed
        if not np.isnan(rows[0].values[chosen]).any():
            return Column(rows[0].seeds[chosen], rows[0].values[chosen], words, rows[0].observations, graded)
    seeds = np.concatenate([row.seeds for row in rows])
    values = np.concatenate([row.values for row in rows])
    if seed is not None:
        values, seeds = values[seeds == seed], seeds[seeds == seed]
    undefined = np.isnan(values)
    reasons = _reasons(rows, seeds[undefined]) if undefined.any() else ()
    values, seeds = values[~undefined], seeds[~undefined]
    if not len(values):
        return Absent("undefined", reasons[0]) if reasons else Absent("not_run", f"no finished run with seed {seed}")
    distinct, place = np.unique(seeds, return_inverse=True)
    if len(distinct) < len(seeds):
        values, seeds = np.bincount(place, values) / np.bincount(place), distinct
    order = np.argsort(seeds, kind="stable")
    observations = min(row.observations for row in rows)
    return Column(seeds[order], values[order], (*reasons, *words), observations, graded)


def _reasons(rows: Sequence[Row], seeds: Seeds) -> tuple[str, ...]:
    reason = next((row.reason for row in rows if row.reason), "undefined")
    return tuple(f"seed {seed}: {reason}" if seed != NO_SEED else reason for seed in sorted(set(seeds.tolist())))


def followed(columns: Mapping[int, Column]) -> tuple[Seeds, Sequence[int], Array]:
    """(seeds S, steps T, values S × T) of a cell's columns by step; NaN where a run has no value at a step."""
    steps = sorted(columns)
    seeds = np.unique(np.concatenate([column.seeds for column in columns.values()]))
    table = np.full((len(seeds), len(steps)), np.nan)
    for place, step in enumerate(steps):
        table[np.searchsorted(seeds, columns[step].seeds), place] = columns[step].values
    return seeds, steps, table
