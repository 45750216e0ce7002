"""Compare two results folders, and say whether a difference is more than noise (`repro diff`).

Runs of one name have the same inputs and must have the same bits; a gap the size of rounding is
reported and counts as noise. Cells with different runs (other seeds, other inputs) are compared as
means, against the spread between seeds, by Welch's t, with Holm's correction over all of them. A
cell with one run a side has no spread, so its difference cannot be weighed.
"""

import json
import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from repro.plan.run import differences
from repro.verify.evidence.gather import Connection
from repro.verify.judge.families import holm
from repro.verify.statistics import SIGNIFICANCE, combine_errors, two_sided
from repro.verify.verdict import Verdict

ROUNDING = 1e-9
"""Largest relative gap between two runs of one name that different hardware explains."""
_Kind = Literal["apart", "noise", "differs", "no spread", "undefined"]
_Cell = tuple[Any, ...]
"""manifest, model, condition, step, quantity, specification, layer, direction, concept,
probe set.
"""
CELL = (
    "manifest",
    "model",
    "condition",
    "step",
    "quantity",
    "specification",
    "layer",
    "direction",
    "concept",
    "probe_set",
)
_SQL = """
SELECT r.experiment, r.model, r.condition, m.step, m.quantity, m.specification, m.layer, m.direction, m.concept,
       m.probe_set, r.run_id, m.value, m.reason
FROM measurements m JOIN runs r USING (run_id) WHERE r.status = 'done'
"""
_RUNS = "SELECT experiment, slot, run_id, status, key FROM runs ORDER BY ALL"


@dataclass(frozen=True)
class Change:
    """One cell that differs between the two folders."""

    cell: _Cell
    kind: _Kind
    one: float | None
    other: float | None
    """Means over the runs of each side; None where undefined."""
    runs: tuple[int, int]
    sd: float | None = None
    """Spread between seeds, both sides pooled; None for one run a side."""
    p: float | None = None
    """After Holm over all cells with different runs."""

    @property
    def spreads(self) -> float | None:
        """Return the difference in units of the spread between seeds; None without a spread."""
        if self.one is None or self.other is None or not self.sd:
            return None
        return (self.other - self.one) / self.sd


@dataclass(frozen=True)
class Difference:
    """The comparison of two results folders."""

    same_runs: int
    """Runs of one name that are finished in both folders."""
    numbers: int
    """Numbers compared in these runs."""
    same_bits: int
    worst: float
    """Largest relative gap among these."""
    only_one: tuple[str, ...]
    """manifest/slot of finished runs that the other folder does not have under any name."""
    only_other: tuple[str, ...]
    renamed: Mapping[str, tuple[str, ...]]
    """manifest/slot that both folders have under different names → the inputs that differ."""
    left_out: tuple[str, ...]
    """Why a folder could not be trusted, each with its file."""
    changes: tuple[Change, ...]
    """Cells that differ, the most important first."""
    verdicts: tuple[tuple[str, str, str], ...]
    """(claim, outcome, outcome) of claims with different outcomes."""

    @property
    def code(self) -> int:
        """Return 1 if something differs, else 3 if something is missing that would tell, else 0."""
        if (
            self.left_out
            or self.verdicts
            or any(one.kind in ("apart", "differs", "undefined") for one in self.changes)
        ):
            return 1
        unknown = any(one.kind == "no spread" for one in self.changes)
        return (
            3
            if unknown
            or self.only_one
            or self.only_other
            or (not self.numbers and not self.changes)
            else 0
        )


def difference(
    one: Connection,
    other: Connection,
    left_out: Sequence[str],
    verdicts: tuple[Sequence[Verdict], Sequence[Verdict]],
) -> Difference:
    """Compare two stores.

    `left_out`: folders of either side that were refused; `verdicts`: the verdicts of each side.
    """
    runs = [_runs(connection) for connection in (one, other)]
    values = [_values(connection) for connection in (one, other)]
    numbers = same = 0
    worst, changes = 0.0, []
    tested: list[tuple[Change, float]] = []
    for cell in sorted(values[0].keys() & values[1].keys(), key=repr):
        left, right = values[0][cell], values[1][cell]
        for run in left.keys() & right.keys():
            gap = _gap(left[run], right[run])
            numbers, same, worst = (
                numbers + 1,
                same + (gap == 0),
                max(worst, gap if math.isfinite(gap) else 0.0),
            )
            # Runs of one name must agree: at a larger gap one of the two is not what
            # it says.
            if gap > ROUNDING:
                kind: _Kind = "apart" if math.isfinite(gap) else "undefined"
                changes.append(Change(cell, kind, _number(left[run]), _number(right[run]), (1, 1)))
        own = left.keys() - right.keys(), right.keys() - left.keys()
        if all(own):
            change, p = _compared(cell, (left, right), own)
            if p is not None:
                tested.append((change, p))
            elif change.kind != "noise" or change.one != change.other:
                changes.append(change)
    for (change, _), p in zip(tested, holm([p for _, p in tested]), strict=True):
        kind = "differs" if p < SIGNIFICANCE else "noise"
        changes.append(
            Change(change.cell, kind, change.one, change.other, change.runs, change.sd, p)
        )
    slots = [{(manifest, slot): key for manifest, slot, _, key in side} for side in runs]
    names = [{run for _, _, run, _ in side} for side in runs]
    renamed = {
        "/".join(slot): tuple(differences(json.loads(slots[0][slot]), json.loads(slots[1][slot])))
        for slot in sorted(slots[0].keys() & slots[1].keys())
        if slots[0][slot] != slots[1][slot]
    }
    return Difference(
        same_runs=len(names[0] & names[1]), numbers=numbers, same_bits=same, worst=worst,
        only_one=tuple("/".join(slot) for slot in sorted(slots[0].keys() - slots[1].keys())),
        only_other=tuple("/".join(slot) for slot in sorted(slots[1].keys() - slots[0].keys())),
        renamed=renamed, left_out=tuple(left_out), changes=tuple(sorted(changes, key=_telling)),
        verdicts=_judged_otherwise(*verdicts),
    )  # fmt: skip


def _runs(connection: Connection) -> list[tuple[str, str, str, str]]:
    """Return (manifest, slot, run, key) of the finished runs."""
    found = connection.execute(_RUNS).fetchall()
    return [
        (manifest, slot, run, key) for manifest, slot, run, status, key in found if status == "done"
    ]


def _values(connection: Connection) -> dict[_Cell, dict[str, float | str]]:
    """Return cell → run → its value, or the reason why it has none."""
    found: dict[_Cell, dict[str, float | str]] = defaultdict(dict)
    for *cell, run, value, reason in connection.execute(_SQL).fetchall():
        found[tuple(cell)][run] = str(reason) if value is None else float(value)
    return found


def _gap(one: float | str, other: float | str) -> float:
    """Return the relative gap.

    Infinite where one side is undefined, or both for different reasons.
    """
    if isinstance(one, str) or isinstance(other, str):
        return 0.0 if one == other else math.inf
    return abs(one - other) / max(abs(one), abs(other), 1e-300)


def _number(value: float | str) -> float | None:
    """Return the value; None where it is a reason instead."""
    return None if isinstance(value, str) else value


def _compared(
    cell: _Cell, sides: tuple[Mapping[str, float | str], ...], own: tuple[Set[str], ...]
) -> tuple[Change, float | None]:
    """Compare a cell over the runs that only one side has. Return (change, p before Holm).

    Every run of a side adds to its estimate of the spread, also the shared ones. p is None
    where no spread is known.
    """
    means = [_mean(side[run] for run in runs) for side, runs in zip(sides, own, strict=True)]
    counts = len(own[0]), len(own[1])
    if means[0] is None or means[1] is None:
        return Change(
            cell, "noise" if means[0] is means[1] else "no spread", means[0], means[1], counts
        ), None
    gap = means[1] - means[0]
    known = [[value for value in side.values() if not isinstance(value, str)] for side in sides]
    free = [len(values) - 1 for values in known]
    if not any(free):
        return Change(cell, "noise" if gap == 0 else "no spread", means[0], means[1], counts), None
    squares = [float(np.var(values)) * len(values) for values in known]
    pooled = math.fsum(squares) / sum(free)
    # A side with one run has no degrees of freedom: it borrows the pooled variance.
    parts = [
        ((squares[k] / free[k] if free[k] else pooled) / counts[k], float(free[k] or sum(free)))
        for k in (0, 1)
    ]
    return Change(cell, "noise", means[0], means[1], counts, math.sqrt(pooled)), two_sided(
        gap, *combine_errors(parts)
    )


def _mean(values: Iterable[float | str]) -> float | None:
    """Return the mean over the runs that have a value; None where none has."""
    known = [value for value in values if not isinstance(value, str)]
    return float(np.mean(known)) if known else None


def _telling(change: Change) -> tuple[int, bool, float, str]:
    """Return a sort key that puts the most important changes first.

    Certain differences come first, then the default reading, then the largest.
    """
    order: dict[_Kind, int] = {"apart": 0, "undefined": 1, "differs": 2, "no spread": 3, "noise": 4}
    size = abs(change.spreads or 0.0)
    return order[change.kind], change.cell[5] != "default", -size, repr(change.cell)


def _judged_otherwise(
    one: Iterable[Verdict], other: Iterable[Verdict]
) -> tuple[tuple[str, str, str], ...]:
    """Return the claims whose outcome differs between the two sides."""
    before = {verdict.id: verdict.outcome for verdict in one}
    pairs = ((verdict.id, before.get(verdict.id, "not_run"), verdict.outcome) for verdict in other)
    return tuple(pair for pair in pairs if pair[1] != pair[2])
