"""The evidence of all claims out of the store, with a few set-based queries, whatever the number of claims and runs.

Diverged runs never count, nor do superseded and unfinished ones (docs/SCIENCE.md §9, §13). Of runs
that bear one name and were set up in several ways, those of the best grade count, and of these the
newest set-up: numbers of two protocols are not averaged.
"""

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from repro.verify.columns import Row
from repro.verify.evidence import Base, Evidence, Place
from repro.verify.grade import Key
from repro.verify.trained import trained_of
from repro.verify.verdict import GRADES, Graded

Wanted = tuple[str, str, int | None]
"""(manifest id, quantity, step); None: every step."""
Grading = Callable[[str, str, str, Key | None], Graded]
"""(manifest id, model, condition, key) → the grade of such runs."""
OPERATIONAL = ("tokens_per_forward", "dequantise", "checkpoint_every", "gradient_checkpointing")
"""Settings of training that change how long it takes, and no number beyond rounding."""

_SET_UPS = """
WITH newest AS (
    SELECT run_id, experiment, model, condition, finished, to_json(json_extract(key, [
        '$.model', '$.training', '$.condition', '$.diagnostics', '$.parent', '$.probe_set'])) AS told
    FROM runs WHERE status = 'done'
    QUALIFY row_number() OVER (
        PARTITION BY experiment, model, condition, seed ORDER BY finished DESC, run_id) = 1)
SELECT experiment, model, condition, any_value(told), max(finished), list(run_id)
FROM newest GROUP BY experiment, model, condition, hash(told)
ORDER BY experiment, model, condition, max(finished) NULLS FIRST, min(run_id)
"""
_CELLS = """
WITH wanted AS (
    SELECT unnest(?::VARCHAR[]) AS experiment, unnest(?::VARCHAR[]) AS quantity, unnest(?::INTEGER[][]) AS steps),
chosen AS (SELECT unnest(?::VARCHAR[]) AS run_id)
SELECT experiment, quantity, specification, model, condition, step, concept, coalesce(direction, -1) AS direction,
       list(coalesce(seed, -1)::BIGINT) AS seeds, list(coalesce(value, 'nan'::DOUBLE)) AS numbers,
       any_value(m.reason) AS reason, min(n) AS n, coalesce(m.probe_set, r.probe_set) AS probe_set
FROM chosen JOIN runs r USING (run_id) JOIN measurements m USING (run_id) JOIN wanted USING (experiment, quantity)
WHERE wanted.steps IS NULL OR list_contains(wanted.steps, step)
GROUP BY ALL
"""
_LAST = """
SELECT experiment, model, condition, max(step) FROM runs JOIN measurements USING (run_id)
WHERE run_id IN (SELECT unnest(?::VARCHAR[])) GROUP BY ALL
"""
_BASES = """
SELECT experiment, r.model, condition, quantity, concept, direction, coalesce(m.probe_set, r.probe_set), avg(value),
       count(*)
FROM runs r JOIN measurements m USING (run_id)
WHERE run_id IN (SELECT unnest(?::VARCHAR[])) AND step = 0 AND specification = 'default' AND value IS NOT NULL
      AND quantity IN (SELECT unnest(?::VARCHAR[]))
GROUP BY ALL ORDER BY ALL
"""
_SETS = "SELECT experiment, arg_max(probe_set, finished) FROM runs WHERE status = 'done' GROUP BY ALL"
_RUNS = "SELECT experiment, model, condition, status, count(*) FROM runs GROUP BY ALL"


class Connection(Protocol):
    """The part of a DuckDB connection that is used here."""

    def execute(self, query: str, parameters: object = ...) -> Any: ...


@dataclass(frozen=True)
class SetUp:
    """Runs of one model under one condition that were set up alike, and the grade they have."""

    key: Key | None
    alike: str
    """Equal for two set-ups that differ in nothing but how fast they compute."""
    graded: Graded
    runs: tuple[str, ...]


def gather(
    connection: Connection, wanted: Iterable[Wanted], bases: Iterable[str] = (), grading: Grading | None = None
) -> Evidence:
    """Fetch every wanted cell of every finished run that counts; of `bases`, the base models' values by probe set."""
    evidence = Evidence()
    evidence.sets = dict(connection.execute(_SETS).fetchall())
    runs: list[str] = []
    for place, found in _set_ups(connection, grading).items():
        chosen = _choose(found)
        left = sum(len(one.runs) for one in found) - sum(len(one.runs) for one in chosen)
        evidence.trained[place] = trained_of(chosen[-1].key)
        evidence.graded[place] = chosen[-1].graded
        evidence.set_aside[place] = left
        runs += [run for one in chosen for run in one.runs]
    for experiment, model, condition, step in connection.execute(_LAST, [runs]).fetchall():
        evidence.last[experiment, model, condition] = step
    _fill_rows(evidence, connection, set(wanted), runs)
    _fill_bases(evidence, connection, sorted(set(bases)), runs)
    for experiment, model, condition, status, count in connection.execute(_RUNS).fetchall():
        evidence.runs[experiment][model, condition, status] = count
    return evidence


def _set_ups(connection: Connection, grading: Grading | None) -> dict[Place, list[SetUp]]:
    """The set-ups of each (manifest, model, condition), the newest last."""
    found: dict[Place, list[SetUp]] = defaultdict(list)
    for experiment, model, condition, told, _, runs in connection.execute(_SET_UPS).fetchall():
        key = _key(told)
        graded = grading(experiment, model, condition, key) if grading else Graded(grade="own")
        found[experiment, model, condition].append(SetUp(key, _alike(key), graded, tuple(runs)))
    return found


def _choose(found: Sequence[SetUp]) -> list[SetUp]:
    """Those of the best grade, and of these the newest and whatever was set up alike."""
    best = max(GRADES.index(one.graded.grade) for one in found)
    good = [one for one in found if GRADES.index(one.graded.grade) == best]
    return [one for one in good if one.alike == good[-1].alike]


def _key(told: str | None) -> Key | None:
    """The parts of a run's key that were asked for; None of a run without one."""
    parts = json.loads(told) if told else []
    names = ("model", "training", "condition", "diagnostics", "parent", "probe_set")
    known = {name: part for name, part in zip(names, parts, strict=False) if part is not None}
    return known or None


def _alike(key: Key | None) -> str:
    kept = {**(key or {})}
    if "training" in kept:
        kept["training"] = {name: value for name, value in kept["training"].items() if name not in OPERATIONAL}
    if "parent" in kept:  # another seed's, so never equal
        kept["parent"] = True
    kept["diagnostics"] = {
        name: value for name, value in kept.get("diagnostics", {}).items() if name not in ("also", "every", "window")
    }
    return json.dumps(kept, sort_keys=True)


def _fill_rows(evidence: Evidence, connection: Connection, wanted: set[Wanted], runs: list[str]) -> None:
    steps: dict[tuple[str, str], set[int] | None] = {}
    for experiment, quantity, step in wanted:
        known = steps.setdefault((experiment, quantity), set())
        steps[experiment, quantity] = None if known is None or step is None else known | {step}
    columns = [[pair[0] for pair in steps], [pair[1] for pair in steps], [s and sorted(s) for s in steps.values()]]
    found = connection.execute(_CELLS, [*columns, runs]).fetchnumpy()
    for i in range(len(found["step"])):
        kind = found["experiment"][i], found["quantity"][i], found["specification"][i]
        direction, probes = int(found["direction"][i]), _text(found["probe_set"][i])
        further = None if probes == evidence.sets.get(kind[0]) else probes
        part = _text(found["concept"][i]), None if direction < 0 else direction, further
        place = kind[0], found["model"][i], found["condition"][i]
        by_step = evidence.rows[kind][part].setdefault(place[1:], {})
        order = found["seeds"][i].argsort(kind="stable")
        seeds, numbers = found["seeds"][i][order], found["numbers"][i][order]
        by_step[int(found["step"][i])] = Row(
            seeds, numbers, _text(found["reason"][i]), int(found["n"][i]), evidence.graded[place],
            evidence.set_aside[place],
        )  # fmt: skip


def _fill_bases(evidence: Evidence, connection: Connection, bases: list[str], runs: list[str]) -> None:
    """Values of base models; not those of runs that started from another run's adapter."""
    for experiment, model, condition, quantity, concept, direction, *found in (
        connection.execute(_BASES, [runs, bases]).fetchall() if bases else ()
    ):
        place = experiment, model, condition
        if not evidence.trained[place].continued:
            cell = quantity, model, concept, direction
            evidence.bases[cell].append(Base(*place, *found))


def _text(value: object) -> str | None:
    """SQL's NULL comes as a masked constant."""
    return value if isinstance(value, str) else None
