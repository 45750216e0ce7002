"""The evidence of all claims out of the store, with a few set-based queries, whatever the number of claims and runs.

Diverged runs never count, nor do superseded and unfinished ones (docs/SCIENCE.md §9, §13).
"""

from collections.abc import Iterable
from typing import Any, Protocol

from repro.verify.columns import Row
from repro.verify.evidence import Evidence, Trained

Wanted = tuple[str, str, int | None]
"""(manifest id, quantity, step); None: every step."""

_CELLS = """
WITH wanted AS (
    SELECT unnest(?::VARCHAR[]) AS experiment, unnest(?::VARCHAR[]) AS quantity, unnest(?::INTEGER[][]) AS steps),
newest AS (
    SELECT run_id, experiment, model, condition, seed FROM runs WHERE status = 'done'
    QUALIFY row_number() OVER (PARTITION BY experiment, model, condition, seed ORDER BY finished DESC, run_id) = 1)
SELECT experiment, quantity, specification, model, condition, step, concept, coalesce(direction, -1) AS direction,
       list(coalesce(seed, -1)::BIGINT) AS seeds, list(coalesce(value, 'nan'::DOUBLE)) AS numbers,
       any_value(reason) AS reason, min(n) AS n, probe_set
FROM newest JOIN measurements USING (run_id) JOIN wanted USING (experiment, quantity)
WHERE steps IS NULL OR list_contains(steps, step)
GROUP BY ALL
"""
_BASES = """
SELECT quantity, model, concept, direction, coalesce(m.probe_set, r.probe_set), avg(value)
FROM runs r JOIN measurements m USING (run_id)
WHERE status = 'done' AND step = 0 AND specification = 'default' AND value IS NOT NULL
      AND quantity IN (SELECT unnest(?::VARCHAR[])) AND NOT list_contains(?::VARCHAR[], experiment || '/' || condition)
GROUP BY ALL ORDER BY ALL
"""
_TRAINED = """
SELECT experiment, condition, coalesce(key->>'$.training.adapter.grouping', key->>'$.training.adapter.kind', 'lora'),
       coalesce(key->>'$.condition.csr.gradient', 'attached'), key->>'$.parent' IS NOT NULL,
       coalesce(key->>'$.diagnostics.layer', 'post_norm')
FROM (SELECT experiment, condition, any_value(key) AS key FROM runs WHERE status <> 'superseded' GROUP BY ALL)
"""
_SETS = "SELECT experiment, arg_max(probe_set, finished) FROM runs WHERE status = 'done' GROUP BY ALL"
_RUNS = "SELECT experiment, model, condition, status, count(*) FROM runs GROUP BY ALL"


class Connection(Protocol):
    """The part of a DuckDB connection that is used here."""

    def execute(self, query: str, parameters: object = ...) -> Any: ...


def gather(connection: Connection, wanted: Iterable[Wanted], bases: Iterable[str] = ()) -> Evidence:
    """Every wanted cell in every finished run, the newest of each slot; of `bases`, the base models' values by set."""
    evidence = Evidence()
    for experiment, condition, *facts in connection.execute(_TRAINED).fetchall():
        evidence.trained[experiment, condition] = Trained(*facts)
    _fill_rows(evidence, connection, set(wanted))
    continued = ["/".join(pair) for pair, trained in evidence.trained.items() if trained.continued]
    for quantity, model, concept, direction, probe_set, value in connection.execute(
        _BASES, [sorted(set(bases)), continued]
    ).fetchall():
        evidence.bases[quantity, model, concept, direction][probe_set] = value
    evidence.sets = dict(connection.execute(_SETS).fetchall())
    for experiment, model, condition, status, count in connection.execute(_RUNS).fetchall():
        evidence.runs[experiment][model, condition, status] = count
    return evidence


def _fill_rows(evidence: Evidence, connection: Connection, wanted: set[Wanted]) -> None:
    steps: dict[tuple[str, str], set[int] | None] = {}
    for experiment, quantity, step in wanted:
        known = steps.setdefault((experiment, quantity), set())
        steps[experiment, quantity] = None if known is None or step is None else known | {step}
    columns = [[pair[0] for pair in steps], [pair[1] for pair in steps], [s and sorted(s) for s in steps.values()]]
    found = connection.execute(_CELLS, columns).fetchnumpy()
    for i in range(len(found["step"])):
        kind = found["experiment"][i], found["quantity"][i], found["specification"][i]
        direction = int(found["direction"][i])
        part = _text(found["concept"][i]), None if direction < 0 else direction, _text(found["probe_set"][i])
        by_step = evidence.rows[kind][part].setdefault((found["model"][i], found["condition"][i]), {})
        order = found["seeds"][i].argsort(kind="stable")
        seeds, numbers = found["seeds"][i][order], found["numbers"][i][order]
        by_step[int(found["step"][i])] = Row(seeds, numbers, _text(found["reason"][i]), int(found["n"][i]))


def _text(value: object) -> str | None:
    """SQL's NULL comes as a masked constant."""
    return value if isinstance(value, str) else None
