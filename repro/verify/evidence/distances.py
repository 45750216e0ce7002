"""Distances of entanglement profiles between runs, and conditions that are named by their rank
(docs/SCIENCE.md §12).

A distance is the root mean square difference over layers, modules and cuts of two runs' profiles at
one step. It belongs to no single run: that of LoRA to full fine-tuning pairs runs of one seed; that
of seed to seed pairs each seed with the next, the last one with the first. Distances of one set
share runs, so they are not independent: what a test makes of them is a little surer than it should
be (DECISIONS.md).
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from repro.claims.selector import Scalar
from repro.evidence.part import part_keys
from repro.geometry.entropy import profile_distance
from repro.geometry.undefined import Array, NotRun, Undefined
from repro.verify.evidence.columns import Column
from repro.verify.evidence.grade import weakest
from repro.verify.evidence.trained import Trained

if TYPE_CHECKING:
    from repro.verify.evidence.evidence import Evidence

DISTANCE, OF_PROFILES = "profile_distance", "entanglement_entropy"
TO_FULL, SEED_TO_SEED = "lora to full", "seed to seed"
RANKS = {"lowest rank": min, "highest rank": max}
Conditions = Mapping[str, Trained]


def by_rank(
    selector: Mapping[str, Scalar], conditions: Conditions
) -> Mapping[str, Scalar] | Undefined:
    """Return the selector with `scope: lowest rank` (or highest) as the condition that it means,
    where it says so.
    """
    pick = RANKS.get(str(selector.get("scope")))
    if pick is None:
        return selector
    adapter = str(selector.get("adapter", "lora"))
    ranks = {
        name: one.rank
        for name, one in conditions.items()
        if one.adapter == adapter and one.rank is not None
    }
    if len(set(ranks.values())) < 2:
        return NotRun(f"conditions with {adapter} adapters of two ranks or more are needed")
    chosen = [name for name, rank in ranks.items() if rank == pick(ranks.values())]
    if len(chosen) > 1:
        return Undefined(
            f"{selector['scope']} is that of several conditions: {', '.join(sorted(chosen))}"
        )
    return {key: value for key, value in selector.items() if key not in ("scope", "adapter")} | {
        "condition": chosen[0]
    }


def profile_distances(
    evidence: "Evidence", experiment: str, selector: Mapping[str, Scalar], conditions: Conditions
) -> Column | Undefined:
    """Return a distance for every seed. The selector names `matrix`, `scope` and the condition that
    is compared.
    """
    rest = {key: value for key, value in selector.items() if key not in ("matrix", "scope")}
    matrix, scope = str(selector.get("matrix")), selector.get("scope")
    one = _profiles(evidence, experiment, rest, matrix)
    if isinstance(one, Undefined):
        return one
    if scope == SEED_TO_SEED:
        return _between_seeds(one)
    if scope != TO_FULL:
        return Undefined(
            f"a distance of profiles is one of {TO_FULL} and {SEED_TO_SEED}, not of {scope}"
        )
    data = conditions[str(rest["condition"])].data if rest.get("condition") in conditions else None
    full = [
        name
        for name, own in conditions.items()
        if own.adapter == "full" and data in (None, own.data)
    ]
    if len(full) != 1:
        return NotRun(f"{len(full)} conditions train every weight on the same texts; one is needed")
    other = _profiles(evidence, experiment, {**rest, "condition": full[0]}, matrix)
    return other if isinstance(other, Undefined) else _between(one, other)


class _Profiles:
    """The profiles of a condition's runs: seeds S, values S × cells, and whose runs they are."""

    def __init__(self, cells: Mapping[tuple[str, int], Column]) -> None:
        self.cells = cells
        self.seeds = sorted(
            set.intersection(*(set(column.seeds.tolist()) for column in cells.values()))
        )
        self.graded = weakest(column.graded for column in cells.values() if column.graded)

    def table(self, names: list[tuple[str, int]], seeds: list[int]) -> Array:
        """Values S × cells of some cells and seeds."""
        return np.array([self.cells[name].at(np.array(seeds, dtype=np.int64)) for name in names]).T


def _profiles(
    evidence: "Evidence", experiment: str, selector: Mapping[str, Scalar], matrix: str
) -> _Profiles | Undefined:
    cells: dict[tuple[str, int], Column] = {}
    reason: Undefined = NotRun(f"no profiles of {matrix} matrices have been measured for this cell")
    for concept, direction in evidence.parts(experiment, OF_PROFILES):
        keys = part_keys(concept)
        if keys.get("matrix") != matrix or "layer" not in keys or "head" in keys:
            continue
        chosen = {**selector, "concept": concept, "direction": direction}
        column = evidence.column(experiment, OF_PROFILES, chosen)
        if isinstance(column, Column):
            cells[concept, direction] = column
        else:
            reason = column
    return _Profiles(cells) if cells else reason


def _between_seeds(one: _Profiles) -> Column | Undefined:
    seeds = one.seeds
    if len(seeds) < 2:
        return NotRun("two seeds or more are needed")
    values = one.table(list(one.cells), seeds)
    pairs = range(len(seeds) if len(seeds) > 2 else 1)  # of two seeds there is one pair
    found = {seeds[at]: profile_distance(values[at], values[(at + 1) % len(seeds)]) for at in pairs}
    return Column.of(found, graded=one.graded)


def _between(one: _Profiles, other: _Profiles) -> Column | Undefined:
    names = [name for name in one.cells if name in other.cells]
    seeds = [seed for seed in one.seeds if seed in other.seeds]
    if not names or not seeds:
        return NotRun("no seed has profiles under both conditions")
    ours, theirs = one.table(names, seeds), other.table(names, seeds)
    found = {seed: profile_distance(ours[at], theirs[at]) for at, seed in enumerate(seeds)}
    return Column.of(found, graded=weakest(side.graded for side in (one, other) if side.graded))
