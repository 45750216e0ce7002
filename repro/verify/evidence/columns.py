"""Hold one cell's value in every run as arrays: read, merged, followed over steps."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt

from repro.claims.prints import tidy_sd
from repro.geometry.undefined import Array, NotRun, Undefined
from repro.verify.evidence.grade import weakest
from repro.verify.verdict import Graded

_Seeds = npt.NDArray[np.int64]
NO_SEED = -1
"""The seed of a run that trains nothing."""


@dataclass(frozen=True)
class Column:
    """One cell's value in every run that counts, sorted by seed."""

    seeds: _Seeds
    values: Array
    left_out: tuple[str, ...] = ()
    """Values that do not count, with the reason."""
    observations: int = 0
    """Probes, problems or tokens behind each value."""
    graded: Graded | None = None
    """The weakest grade among these runs."""

    @cached_property
    def mean(self) -> float:
        """Return the mean over runs."""
        return float(self.values.mean())

    @cached_property
    def sd(self) -> float | None:
        """Return the standard deviation (n − 1); None for a single run.

        Rounding errors between equal numbers count as 0.
        """
        return tidy_sd(self.values) if len(self.values) > 1 else None

    def at(self, seeds: _Seeds) -> Array:
        """Return the values of some of its seeds, in the order given."""
        values: Array = self.values[np.searchsorted(self.seeds, seeds)]
        return values

    @staticmethod
    def of(
        values: Mapping[int, float], left_out: tuple[str, ...] = (), graded: Graded | None = None
    ) -> "Column":
        """Make a column from a mapping of seeds to values."""
        seeds = sorted(values)
        numbers = np.array([values[seed] for seed in seeds], dtype=np.float64)
        return Column(np.array(seeds, dtype=np.int64), numbers, left_out, graded=graded)

    def only(self, seeds: Sequence[int]) -> "Column | Undefined":
        """Return the column of the named seeds; NotRun where none of them has a value."""
        kept = np.isin(self.seeds, np.array(seeds, dtype=np.int64))
        if not kept.any():
            return NotRun(f"no finished run with one of the seeds {', '.join(map(str, seeds))}")
        return replace(self, seeds=self.seeds[kept], values=self.values[kept])


@dataclass(frozen=True, slots=True)
class MeasuredRow:
    """Measurements of one cell that differ in their run only, sorted by seed.

    NaN where a value is undefined.
    """

    seeds: _Seeds
    values: Array
    reason: str | None
    observations: int
    graded: Graded | None = None
    set_aside: int = 0
    """Runs of these names that were set up differently and do not count."""
    lent_by: str | None = None
    """The run of another manifest whose step 0 this is; None for the manifest's own runs."""

    def measured_seeds(self) -> list[int]:
        """Return the seeds with a value, sorted."""
        return sorted(int(seed) for seed in self.seeds[~np.isnan(self.values)] if seed != NO_SEED)


def merge_rows(rows: Sequence[MeasuredRow], seed: int | None) -> Column | Undefined:
    """Return one value per seed.

    The base model's several measurements (one per condition) are averaged.
    """
    graded = weakest(row.graded for row in rows if row.graded)
    aside = sum(row.set_aside for row in rows)
    words = (f"{aside} runs set up otherwise",) if aside else ()
    # The usual case, without copying arrays.
    if len(rows) == 1 and (seed is None or (rows[0].seeds == seed).any()):
        chosen = slice(None) if seed is None else rows[0].seeds == seed
        if not np.isnan(rows[0].values[chosen]).any():
            return Column(
                rows[0].seeds[chosen], rows[0].values[chosen], words, rows[0].observations, graded
            )
    seeds = np.concatenate([row.seeds for row in rows])
    values = np.concatenate([row.values for row in rows])
    if seed is not None:
        values, seeds = values[seeds == seed], seeds[seeds == seed]
    undefined = np.isnan(values)
    reasons = _reasons(rows, seeds[undefined]) if undefined.any() else ()
    values, seeds = values[~undefined], seeds[~undefined]
    if not len(values):
        return Undefined(reasons[0]) if reasons else NotRun(f"no finished run with seed {seed}")
    distinct, place = np.unique(seeds, return_inverse=True)
    if len(distinct) < len(seeds):
        # The mean per seed: a base model has one seed, and a value for each condition.
        values, seeds = np.bincount(place, values) / np.bincount(place), distinct
    order = np.argsort(seeds, kind="stable")
    observations = min(row.observations for row in rows)
    return Column(seeds[order], values[order], (*reasons, *words), observations, graded)


def _reasons(rows: Sequence[MeasuredRow], seeds: _Seeds) -> tuple[str, ...]:
    """Return a line for each seed without a value."""
    reason = next((row.reason for row in rows if row.reason), "undefined")
    return tuple(
        f"seed {seed}: {reason}" if seed != NO_SEED else reason
        for seed in sorted(set(seeds.tolist()))
    )


def follow_steps(columns: Mapping[int, Column]) -> tuple[_Seeds, Sequence[int], Array]:
    """Return (seeds S, steps T, values S × T) of a cell's columns by step.

    NaN where a run has no value at a step.
    """
    steps = sorted(columns)
    seeds = np.unique(np.concatenate([column.seeds for column in columns.values()]))
    table = np.full((len(seeds), len(steps)), np.nan)
    for place, step in enumerate(steps):
        table[np.searchsorted(seeds, columns[step].seeds), place] = columns[step].values
    return seeds, steps, table
