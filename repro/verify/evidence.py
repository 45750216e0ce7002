"""What the store holds for the cells of the claims, fetched with a few set-based queries.

A cell is a quantity with a selector; its column has one value per finished run, the newest of each slot (model,
condition, seed). Diverged runs never count (docs/SCIENCE.md §9, §13), nor do undefined values; both leave their reason.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from repro.manifest.claim import Scalar
from repro.verify.algebra_interval import Interval, point
from repro.verify.algebra_trajectory import collapse_step, recovery

Array = npt.NDArray[np.float64]
Wanted = tuple[str, str]
"""(manifest id, quantity)."""
CONCEPT_KEYS = ("concept", "class", "companion", "pair", "dataset")
"""Selector keys that the store keeps in its column `concept`."""
UNKNOWN_KEYS = ("lambda", "layer", "adapter", "matrix", "scope", "module")
"""Selector keys the store cannot tell apart yet."""

_CELLS = """
WITH wanted AS (SELECT unnest(?::VARCHAR[]) AS experiment, unnest(?::VARCHAR[]) AS quantity),
newest AS (
    SELECT run_id, experiment, model, condition, seed, probe_set FROM runs WHERE status = 'done'
    QUALIFY row_number() OVER (PARTITION BY experiment, model, condition, seed ORDER BY finished DESC, run_id) = 1)
SELECT experiment, quantity, specification, model, condition, step, concept, direction,
       list(seed ORDER BY seed), list(value ORDER BY seed), any_value(reason), min(n), any_value(probe_set)
FROM newest JOIN measurements USING (run_id) JOIN wanted USING (experiment, quantity)
GROUP BY ALL
"""
_BASES = """
SELECT quantity, model, concept, direction, probe_set, avg(value)
FROM runs JOIN measurements USING (run_id)
WHERE status = 'done' AND step = 0 AND specification = 'default' AND value IS NOT NULL
      AND quantity IN (SELECT unnest(?::VARCHAR[]))
GROUP BY ALL ORDER BY ALL
"""
_RUNS = "SELECT experiment, model, condition, status, count(*) FROM runs GROUP BY ALL"


class Connection(Protocol):
    """The part of a DuckDB connection that is used here."""

    def execute(self, query: str, parameters: object = ...) -> Any: ...


@dataclass(frozen=True, slots=True)
class Column:
    """One cell's value in every run that counts."""

    seeds: tuple[int | None, ...]
    values: Array
    left_out: tuple[str, ...] = ()
    """Values that do not count, and why."""
    observations: int = 0
    """Probes, problems or tokens behind each value."""


@dataclass(frozen=True, slots=True)
class Absent:
    """No value: nothing was run (`not_run`), or what was run gave none (`undefined`)."""

    state: str
    reason: str


@dataclass(slots=True)
class _Row:
    seeds: list[int | None]
    values: list[float | None]
    reason: str | None
    observations: int
    probe_set: str

    def measured_seeds(self) -> list[int]:
        return [s for s, value in zip(self.seeds, self.values, strict=True) if value is not None and s is not None]


Family = dict[tuple[str, str], dict[int, _Row]]
"""(model, condition) → step → row."""
Kind = tuple[str, str, str]
"""(experiment, quantity, specification)."""
Part = tuple[str | None, int | None]
"""(concept, direction)."""


@dataclass
class Evidence:
    """Every measured cell that some claim asks for."""

    rows: dict[Kind, dict[Part, Family]] = field(default_factory=lambda: defaultdict(lambda: defaultdict(dict)))
    bases: dict[tuple[str, str, str | None, int | None], dict[str, float]] = field(
        default_factory=lambda: defaultdict(dict)
    )
    """(quantity, model, concept, direction) → probe set → value of the base model."""
    runs: dict[str, dict[tuple[str, str, str], int]] = field(default_factory=lambda: defaultdict(dict))
    """experiment → (model, condition, status) → runs."""
    _columns: dict[tuple[Kind, frozenset[tuple[str, Scalar]]], Column | Absent] = field(default_factory=dict)

    def column(
        self, experiment: str, quantity: str, selector: Mapping[str, Scalar], specification: str = "default"
    ) -> Column | Absent:
        """The cell's values by run, or why there are none."""
        key = (experiment, quantity, specification), frozenset(selector.items())
        if key not in self._columns:
            self._columns[key] = self._read(key[0], selector)
        return self._columns[key]

    def _read(self, kind: Kind, selector: Mapping[str, Scalar]) -> Column | Absent:
        if blind := [key for key in UNKNOWN_KEYS if key in selector]:
            return Absent("not_run", f"the store does not yet tell cells apart by {blind[0]}")
        found = self._matching(kind, selector)
        if not found:
            return self._absent(kind[0], kind[1], selector)
        return found if isinstance(found, Absent) else _column(found, selector.get("seed"))

    def trajectory(self, experiment: str, quantity: str, selector: Mapping[str, Scalar], what: str) -> Column | Absent:
        """Per run: the step of permanent collapse, or whether there was a recovery (docs/SCIENCE.md §11)."""
        steps = [step for step in self.levels(experiment, quantity, selector, "step") if isinstance(step, int)]
        by_seed: dict[int | None, list[tuple[int, Interval]]] = defaultdict(list)
        for step in steps:
            column = self.column(experiment, quantity, {**selector, "step": step})
            if isinstance(column, Column):
                for seed, value in zip(column.seeds, column.values, strict=True):
                    by_seed[seed].append((step, point(float(value))))
        if not by_seed:
            return self._absent(experiment, quantity, selector)
        values: dict[int | None, float] = {}
        for seed, path in by_seed.items():
            result = (collapse_step if what == "collapse_step" else recovery)(*zip(*path, strict=True))
            if isinstance(result, Interval):
                values[seed] = result.low
        left = tuple(f"seed {seed}: does not collapse by step {steps[-1]}" for seed in by_seed if seed not in values)
        if not values:
            return Absent("undefined", f"no run's EI collapses by step {steps[-1]}")
        return Column(tuple(values), np.array(list(values.values())), left)

    def levels(self, experiment: str, quantity: str, selector: Mapping[str, Scalar], axis: str) -> tuple[Scalar, ...]:
        """Levels of an axis for which the cell was measured."""
        rest = {key: value for key, value in selector.items() if key != axis}
        found: set[Scalar | None] = set()
        for (concept, direction), family in self.rows.get((experiment, quantity, "default"), {}).items():
            if axis not in CONCEPT_KEYS and concept != _concept(rest):
                continue
            if axis != "direction" and direction != rest.get("direction"):
                continue
            if axis in CONCEPT_KEYS or axis == "direction":
                found |= {direction if axis == "direction" else concept} if self._fitting(family, rest) else set()
                continue
            for model, condition, step, row in self._fitting(family, rest):
                of_axis: dict[str, Scalar] = {"model": model, "condition": condition, "step": step}
                found |= set(row.measured_seeds()) if axis == "seed" else {of_axis.get(axis)}
        return tuple(sorted((v for v in found if v is not None), key=lambda level: (isinstance(level, str), level)))

    def base_models(self, quantity: str, selector: Mapping[str, Scalar]) -> dict[str, float]:
        """The base model's value by probe set."""
        direction = selector.get("direction")
        key = (quantity, str(selector.get("model")), _concept(selector), None if direction is None else int(direction))
        return self.bases.get(key, {})

    def _matching(self, kind: Kind, selector: Mapping[str, Scalar]) -> list[_Row] | Absent:
        direction = selector.get("direction")
        part = (_concept(selector), None if direction is None else int(direction))
        family = self.rows.get(kind, {}).get(part)
        if not family:
            return []
        wanted = dict(selector)
        if wanted.get("condition") == "B0":  # nothing is trained: the base model is what it is at any step
            wanted["step"] = 0
        if wanted.get("step", "last") == "last":
            wanted["step"] = max(
                (step for _, _, step, _ in self._fitting(family, {**wanted, "step": "any"})), default=0
            )
        exact = family.get((str(wanted.get("model")), str(wanted.get("condition"))), {}).get(int(wanted["step"]))
        if exact is not None:
            return [exact]
        fitting = self._fitting(family, wanted)
        if len({model for model, _, _, _ in fitting}) > 1:
            return Absent("undefined", "the claim names no model, and several were measured")
        if wanted["step"] != 0 and len({condition for _, condition, _, _ in fitting}) > 1:
            return Absent("undefined", "the claim names no condition, and several were measured")
        return [row for _, _, _, row in fitting]

    @staticmethod
    def _fitting(family: Family, selector: Mapping[str, Scalar]) -> list[tuple[str, str, int, _Row]]:
        """Rows that agree with the selected model, condition and step; at step 0 any condition is the base model."""
        step = selector.get("step", "any")
        conditions = None if step == 0 else selector.get("condition")
        found = []
        for (model, condition), by_step in family.items():
            if selector.get("model", model) != model or (conditions is not None and conditions != condition):
                continue
            if isinstance(step, int):
                found += [(model, condition, step, by_step[step])] if step in by_step else []
            else:
                found += [(model, condition, at, row) for at, row in by_step.items()]
        return found

    def _absent(self, experiment: str, quantity: str, selector: Mapping[str, Scalar]) -> Absent:
        statuses: dict[str, int] = defaultdict(int)
        for (model, condition, status), count in self.runs.get(experiment, {}).items():
            if selector.get("model", model) == model and selector.get("condition", condition) == condition:
                statuses[status] += count
        if not statuses:
            return Absent("not_run", f"nothing of {experiment} has been run for this cell")
        if statuses.get("diverged") and not statuses.get("done"):
            return Absent(
                "undefined", f"all {statuses['diverged']} runs diverged; numbers of a diverged run never count"
            )
        if statuses.get("done"):
            return Absent("not_run", f"the finished runs of {experiment} did not measure {quantity} there")
        return Absent("not_run", f"{sum(statuses.values())} runs are under way, none is finished")


def gather(connection: Connection, wanted: Iterable[Wanted]) -> Evidence:
    """All cells of these quantities and experiments: three queries, whatever the number of claims and runs."""
    pairs = sorted(set(wanted))
    evidence = Evidence()
    experiments, quantities = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
    for row in connection.execute(_CELLS, [experiments, quantities]).fetchall():
        experiment, quantity, specification, model, condition, step, concept, direction, *rest = row
        family = evidence.rows[experiment, quantity, specification][concept, direction]
        family.setdefault((model, condition), {})[step] = _Row(*rest)
    for quantity, model, concept, direction, probe_set, value in connection.execute(
        _BASES, [sorted(set(quantities))]
    ).fetchall():
        evidence.bases[quantity, model, concept, direction][probe_set] = value
    for experiment, model, condition, status, count in connection.execute(_RUNS).fetchall():
        evidence.runs[experiment][model, condition, status] = count
    return evidence


def _column(rows: Sequence[_Row], seed: Scalar | None) -> Column | Absent:
    """One value per seed; the base model's several measurements (one per condition) are averaged."""
    by_seed: dict[int | None, list[float]] = defaultdict(list)
    reasons: list[str] = []
    for row in rows:
        for key, value in zip(row.seeds, row.values, strict=True):
            if seed is None or key == seed:
                if value is None:
                    reasons.append(f"seed {key}: {row.reason}")
                else:
                    by_seed[key].append(value)
    if not by_seed:
        if reasons:
            return Absent("undefined", "; ".join(sorted(set(reasons))[:3]))
        return Absent("not_run", f"no finished run with seed {seed}")
    if len(rows) == 1:
        values = np.array([found[0] for found in by_seed.values()])
    else:
        values = np.array([float(np.mean(found)) for found in by_seed.values()])
    return Column(tuple(by_seed), values, tuple(reasons), min(row.observations for row in rows))


def _concept(selector: Mapping[str, Scalar]) -> str | None:
    return next((str(selector[key]) for key in CONCEPT_KEYS if key in selector), None)
