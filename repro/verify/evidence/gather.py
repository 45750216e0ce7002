"""Fetch the evidence of all claims from the store with a few set-based queries.

Diverged, superseded and unfinished runs never count (docs/SCIENCE.md §9, §13). Where runs of one
name were set up in several ways, those of the best grade count, and among these the newest set-up:
numbers of two protocols are not averaged.
"""

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from repro.verify.evidence.cell import Base, CellPlace
from repro.verify.evidence.columns import MeasuredRow
from repro.verify.evidence.evidence import Evidence
from repro.verify.evidence.grade import RunKey
from repro.verify.evidence.lending import Plans, lend
from repro.verify.evidence.trained import trained_of
from repro.verify.verdict import GRADES, Graded

WantedCells = tuple[str, str, int | None]
"""(manifest id, quantity, step); step None: every step."""
_Grading = Callable[[str, str, str, RunKey | None], Graded]
"""(manifest id, model, condition, key) → the grade of such runs."""
OPERATIONAL = (
    "tokens_per_forward",
    "packing",
    "dequantise",
    "checkpoint_every",
    "gradient_checkpointing",
)
"""Settings of training that change its speed but no number beyond rounding."""

_SET_UPS = """
WITH newest AS (
    SELECT run_id, experiment, model, condition, finished, to_json(json_extract(key, [
        '$.model', '$.training', '$.condition', '$.diagnostics', '$.parent', '$.probe_set'])) AS told
    FROM runs
    WHERE status = 'done' AND (?::VARCHAR IS NULL OR run_id IN (SELECT run_id FROM provenance WHERE code = ?))
    QUALIFY row_number() OVER (
        PARTITION BY experiment, model, condition, seed ORDER BY finished DESC, run_id) = 1)
SELECT experiment, model, condition, any_value(told), max(finished), list(run_id)
FROM newest GROUP BY experiment, model, condition, hash(told)
ORDER BY experiment, model, condition, max(finished) NULLS FIRST, min(run_id)
"""
_CELLS = """
WITH wanted AS (
    SELECT unnest(?::VARCHAR[]) AS experiment, unnest(?::VARCHAR[]) AS quantity, unnest(?::INTEGER[][]) AS steps),
chosen AS (SELECT unnest(?::VARCHAR[]) AS experiment, unnest(?::VARCHAR[]) AS run_id)
SELECT experiment, quantity, specification, model, condition, step, concept, coalesce(direction, -1) AS direction,
       list(coalesce(seed, -1)::BIGINT) AS seeds, list(coalesce(value, 'nan'::DOUBLE)) AS numbers,
       any_value(m.reason) AS reason, min(n) AS n, coalesce(m.probe_set, r.probe_set) AS probe_set
FROM chosen JOIN runs r USING (experiment, run_id) JOIN measurements m USING (run_id) JOIN wanted USING (experiment, quantity)
WHERE wanted.steps IS NULL OR list_contains(wanted.steps, step)
GROUP BY ALL
"""
_LAST = """
WITH chosen AS (SELECT unnest(?::VARCHAR[]) AS experiment, unnest(?::VARCHAR[]) AS run_id)
SELECT experiment, model, condition, max(step)
FROM chosen JOIN runs USING (experiment, run_id) JOIN measurements USING (run_id) GROUP BY ALL
"""
_BASES = """
WITH chosen AS (SELECT unnest(?::VARCHAR[]) AS experiment, unnest(?::VARCHAR[]) AS run_id)
SELECT experiment, r.model, condition, quantity, concept, direction, coalesce(m.probe_set, r.probe_set), avg(value),
       count(*), coalesce(r.base || r.surroundings, '')
FROM chosen JOIN runs r USING (experiment, run_id) JOIN measurements m USING (run_id)
WHERE step = 0 AND specification = 'default' AND value IS NOT NULL
      AND quantity IN (SELECT unnest(?::VARCHAR[]))
GROUP BY ALL ORDER BY ALL
"""
_SETS = (
    "SELECT experiment, arg_max(probe_set, finished) FROM runs WHERE status = 'done' GROUP BY ALL"
)
_RUNS = "SELECT experiment, model, condition, status, count(*) FROM runs GROUP BY ALL"


class Connection(Protocol):
    """The part of a DuckDB connection used here."""

    def execute(self, query: str, parameters: object = ...) -> Any: ...


@dataclass(frozen=True)
class SetUp:
    """Runs of one model under one condition that share a set-up, and their grade."""

    key: RunKey | None
    alike: str
    """Equal for two set-ups that differ only in how fast they compute."""
    graded: Graded
    runs: tuple[str, ...]


def gather_evidence(
    connection: Connection,
    wanted: Iterable[WantedCells],
    bases: Iterable[str] = (),
    grading: _Grading | None = None,
    code: str | None = None,
    plans: Plans | None = None,
) -> Evidence:
    """Fetch every wanted cell of the finished runs that count, and the values of `bases`.

    `bases`: quantities whose base model values are fetched by probe set. `code`: only runs by
    sources with this digest count. `plans`: the base models of a manifest, for which step 0 of
    another manifest's runs is fetched.
    """
    evidence, wanted, bases = Evidence(), set(wanted), sorted(set(bases))
    evidence.sets = dict(connection.execute(_SETS).fetchall())
    experiments: list[str] = []
    ids: list[str] = []
    for place, found in _set_ups(connection, grading, code).items():
        chosen = _choose(found)
        left = sum(len(one.runs) for one in found) - sum(len(one.runs) for one in chosen)
        evidence.trained[place] = trained_of(chosen[-1].key)
        evidence.graded[place] = chosen[-1].graded
        evidence.set_aside[place] = left
        ids += [run for one in chosen for run in one.runs]
        experiments += [place[0]] * (len(ids) - len(experiments))
    runs = [experiments, ids]
    for experiment, model, condition, step in connection.execute(_LAST, runs).fetchall():
        evidence.last[experiment, model, condition] = step
    _fill_rows(evidence, connection, wanted, runs)
    _fill_bases(evidence, connection, bases, runs)
    if plans:
        at_start: dict[str, set[str]] = defaultdict(set)
        for experiment, quantity, step in wanted:
            if step in (0, None):
                at_start[experiment].add(quantity)
        lend(evidence, connection, at_start, plans, grading or _own, code, bases)
    for experiment, model, condition, status, count in connection.execute(_RUNS).fetchall():
        evidence.runs[experiment][model, condition, status] = count
    return evidence


def _set_ups(
    connection: Connection, grading: _Grading | None, code: str | None
) -> dict[CellPlace, list[SetUp]]:
    """Return the set-ups of each (manifest, model, condition), the newest last."""
    found: dict[CellPlace, list[SetUp]] = defaultdict(list)
    for experiment, model, condition, told, _, runs in connection.execute(
        _SET_UPS, [code, code]
    ).fetchall():
        key = _key(told)
        graded = (grading or _own)(experiment, model, condition, key)
        found[experiment, model, condition].append(SetUp(key, _alike(key), graded, tuple(runs)))
    return found


def _own(_name: str, _model: str, _condition: str, _key: RunKey | None) -> Graded:
    """Return the grade "own", which every run has where no printed settings are known."""
    return Graded(grade="own")


def _choose(found: Sequence[SetUp]) -> list[SetUp]:
    """Return the set-ups of the best grade that equal the newest of these."""
    # GRADES begins with the weakest.
    best = max(GRADES.index(one.graded.grade) for one in found)
    good = [one for one in found if GRADES.index(one.graded.grade) == best]
    return [one for one in good if one.alike == good[-1].alike]


def _key(told: str | None) -> RunKey | None:
    """Return the parts of a run's key that the query fetched; None for a run without a key."""
    parts = json.loads(told) if told else []
    names = ("model", "training", "condition", "diagnostics", "parent", "probe_set")
    known = {name: part for name, part in zip(names, parts, strict=False) if part is not None}
    return known or None


def _alike(key: RunKey | None) -> str:
    """Return the set-up as text, without what changes no number: equal texts mean equal set-ups."""
    kept = {**(key or {})}
    if "training" in kept:
        kept["training"] = {
            name: value for name, value in kept["training"].items() if name not in OPERATIONAL
        }
    if "parent" in kept:  # Each seed has its own parent: only whether there is one counts.
        kept["parent"] = True
    kept["diagnostics"] = {
        name: value
        for name, value in kept.get("diagnostics", {}).items()
        if name not in ("also", "every", "window")
    }
    return json.dumps(kept, sort_keys=True)


def _fill_rows(
    evidence: Evidence, connection: Connection, wanted: set[WantedCells], runs: list[list[str]]
) -> None:
    """Fetch the wanted cells and add them to the evidence, one row per cell and step."""
    steps: dict[tuple[str, str], set[int] | None] = {}
    for experiment, quantity, step in wanted:
        known = steps.setdefault((experiment, quantity), set())
        steps[experiment, quantity] = None if known is None or step is None else known | {step}
    columns = [
        [pair[0] for pair in steps],
        [pair[1] for pair in steps],
        [s and sorted(s) for s in steps.values()],
    ]
    found = connection.execute(_CELLS, [*columns, *runs]).fetchnumpy()
    for i in range(len(found["step"])):
        kind = found["experiment"][i], found["quantity"][i], found["specification"][i]
        direction, probes = int(found["direction"][i]), _text(found["probe_set"][i])
        further = None if probes == evidence.sets.get(kind[0]) else probes
        part = _text(found["concept"][i]), None if direction < 0 else direction, further
        place = kind[0], found["model"][i], found["condition"][i]
        by_step = evidence.rows[kind][part].setdefault(place[1:], {})
        order = found["seeds"][i].argsort(kind="stable")
        seeds, numbers = found["seeds"][i][order], found["numbers"][i][order]
        by_step[int(found["step"][i])] = MeasuredRow(
            seeds, numbers, _text(found["reason"][i]), int(found["n"][i]), evidence.graded[place],
            evidence.set_aside[place],
        )  # fmt: skip


def _fill_bases(
    evidence: Evidence, connection: Connection, bases: list[str], runs: list[list[str]]
) -> None:
    """Add values of base models. Runs that started from another run's adapter have none."""
    for experiment, model, condition, quantity, concept, direction, *found in (
        connection.execute(_BASES, [*runs, bases]).fetchall() if bases else ()
    ):
        place = experiment, model, condition
        if not evidence.trained[place].continued:
            cell = quantity, model, concept, direction
            evidence.bases[cell].append(Base(*place, *found))


def _text(value: object) -> str | None:
    """Return the text; None for SQL's NULL, which arrives as a masked constant."""
    return value if isinstance(value, str) else None
