"""Turn trajectories into rows: collapse, recovery, divergence, order (docs/SCIENCE.md §11).

repro.geometry.trajectory computes them from the measurements of a store that is being filled. A
base model from which nothing was trained has one checkpoint and no trajectory. S checkpoints, K
concepts.
"""

import itertools
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import duckdb
import numpy as np

from repro.geometry.ridge import first_largest
from repro.geometry.trajectory import (
    cell_damage,
    collapse_order,
    collapse_steps,
    divergence_step,
    recoveries,
)
from repro.geometry.undefined import Array, Undefined

_READINGS = ("default", "anchored")
_IDENTITY = ("experiment", "model", "condition", "seed", "probe_set", "status", "run_id")
_INTENSITIES = """
SELECT r.experiment, r.model, r.condition, r.seed, coalesce(m.probe_set, r.probe_set) AS probe_set, r.status, r.run_id,
    m.step, max(value) FILTER (m.specification = 'default'), max(value) FILTER (m.specification = 'anchored')
FROM runs r JOIN measurements m USING (run_id)
WHERE r.status <> 'superseded' AND m.quantity = 'entanglement_intensity' AND m.specification IN ('default', 'anchored')
GROUP BY ALL
ORDER BY r.experiment, r.model, r.condition, r.seed, r.run_id, coalesce(m.probe_set, r.probe_set), m.step
"""
_DAMAGES = """
SELECT r.run_id, coalesce(m.probe_set, r.probe_set) AS probe_set, m.step, list(DISTINCT m.concept ORDER BY m.concept),
    list(value ORDER BY direction, m.concept) FILTER (quantity = 'loading'),
    list(value ORDER BY direction, m.concept) FILTER (quantity = 'damage')
FROM (SELECT DISTINCT run_id, probe_set FROM runs WHERE status <> 'superseded') r JOIN measurements m USING (run_id)
WHERE m.quantity IN ('loading', 'damage') AND m.specification = 'default'
GROUP BY ALL
HAVING count(*) FILTER (quantity = 'loading') = count(*) FILTER (quantity = 'damage')
"""


@dataclass(frozen=True)
class _Trajectory:
    """One run on one probe set."""

    identity: Mapping[str, Any]
    steps: Sequence[int]
    values: Array
    """2 × S: EI of each reading; NaN where it is undefined."""


def collapses(connection: duckdb.DuckDBPyConnection) -> list[dict[str, Any]]:
    """Return the rows of `collapses`: the collapse step of each run under each reading."""
    return [
        {
            **run.identity,
            "specification": reading,
            "recovered": bool(recovered),
            "last_step": run.steps[-1],
            **_found(
                float(step),
                f"EI is {'undefined' if np.isnan(last) else 'not 0'} at the last checkpoint",
            ),
        }
        for run in _trajectories(connection)
        for reading, step, recovered, last in zip(
            _READINGS,
            collapse_steps(run.steps, run.values),
            recoveries(run.values),
            run.values[:, -1],
            strict=True,
        )
    ]


def cell_collapses(connection: duckdb.DuckDBPyConnection) -> list[dict[str, Any]]:
    """Return the rows of `cell_collapses`.

    Every cell is undefined at a checkpoint without directions.
    """
    cells: dict[tuple[str, str], dict[int, Array]] = defaultdict(dict)
    concepts: dict[tuple[str, str], Sequence[str]] = {}
    for run_id, probe_set, step, names, loadings, damage in connection.execute(_DAMAGES).fetchall():
        own = [names[j] for j in first_largest(np.reshape(loadings, (-1, len(names))))]
        cells[run_id, probe_set][step] = cell_damage(
            np.reshape(damage, (-1, len(names))), own, names
        )
        concepts[run_id, probe_set] = names
    rows: list[dict[str, Any]] = []
    for run in _trajectories(connection):
        key = run.identity["run_id"], run.identity["probe_set"]
        if key in cells:
            nothing = np.full((len(concepts[key]),) * 2, np.nan)
            damages = [cells[key].get(step, nothing) for step in run.steps]
            rows += _cells(
                run, collapse_order(run.steps, damages, concepts[key]), damages[-1], concepts[key]
            )
    return rows


def _cells(
    run: _Trajectory, order: Mapping[tuple[str, str], float], last: Array, concepts: Sequence[str]
) -> Iterator[dict[str, Any]]:
    """Yield one row per (own concept, damaged concept), with its place in the order of collapse."""
    for (own, concept), step in order.items():
        absent = np.isnan(last[concepts.index(own), concepts.index(concept)])
        reason = (
            f"no direction belongs to {own}"
            if absent
            else f"the directions of {own} damage {concept}"
        )
        place = None if np.isnan(step) else 1 + sum(other < step for other in order.values())
        found = {**_found(step, f"{reason} at the last checkpoint"), "place": place}
        yield {**run.identity, "own": own, "concept": concept, "last_step": run.steps[-1], **found}


def divergences(connection: duckdb.DuckDBPyConnection) -> list[dict[str, Any]]:
    """Return the rows of `divergences`: each pair of conditions of a model on a probe set."""
    groups: dict[tuple[str, str, str], dict[str, list[_Trajectory]]] = defaultdict(
        lambda: defaultdict(list)
    )
    for run in _trajectories(connection):
        if run.identity["status"] == "done":
            key = run.identity["experiment"], run.identity["model"], run.identity["probe_set"]
            groups[key][run.identity["condition"]].append(run)
    return [
        {
            **dict(zip(("experiment", "model", "probe_set"), key, strict=True)),
            "first": first,
            "second": second,
            **found,
        }
        for key, conditions in groups.items()
        for first, second in itertools.combinations(sorted(conditions), 2)
        for found in _divergence(conditions[first], conditions[second])
    ]


def _divergence(
    first: Sequence[_Trajectory], second: Sequence[_Trajectory]
) -> Iterator[dict[str, Any]]:
    """Yield two conditions' divergence step under each reading.

    Only the steps that all their runs share count.
    """
    steps = sorted(set.intersection(*(set(run.steps) for run in (*first, *second))))
    for number, reading in enumerate(_READINGS if steps else ()):
        a, b = (
            np.array(
                [[run.values[number, run.steps.index(step)] for step in steps] for run in runs]
            )
            for runs in (first, second)
        )
        found = divergence_step(steps, a, b)
        yield {
            "specification": reading,
            "seeds_first": len(first),
            "seeds_second": len(second),
            "last_step": steps[-1],
            "step": None if isinstance(found, Undefined) else found,
            "reason": found.reason if isinstance(found, Undefined) else None,
        }


def _trajectories(connection: duckdb.DuckDBPyConnection) -> Iterator[_Trajectory]:
    """Yield the runs with more than one checkpoint."""
    rows = connection.execute(_INTENSITIES).fetchall()
    for identity, checkpoints in itertools.groupby(rows, key=lambda row: row[: len(_IDENTITY)]):
        *_, steps, default, anchored = zip(*checkpoints, strict=True)
        if len(steps) > 1:
            yield _Trajectory(
                dict(zip(_IDENTITY, identity, strict=True)),
                steps,
                np.array([default, anchored], dtype=np.float64),
            )


def _found(step: float, reason: str) -> dict[str, Any]:
    """Return the step as an integer, or the reason why there is none."""
    return (
        {"step": None, "reason": reason} if np.isnan(step) else {"step": int(step), "reason": None}
    )
