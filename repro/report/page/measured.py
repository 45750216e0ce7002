"""What the store holds for the figures: a few queries, each one pass over the measurements."""

from collections.abc import Sequence
from typing import Any

import duckdb

Row = dict[str, Any]
Rows = list[Row]
FINAL = (
    "damage", "loading", "singular_value", "null_median", "null_q025", "null_q975", "v_purity",
    "interval_low", "interval_high", "entanglement_intensity",
)  # fmt: skip
"""Quantities whose values at the last checkpoint are drawn, as means over seeds."""
_SHOWN = "r.status <> 'superseded' AND (? IS NULL OR list_contains(?, r.experiment))"
_LAST = """WITH last AS (
    SELECT run_id, max(step) AS step FROM measurements
    WHERE quantity = 'entanglement_intensity' AND specification = 'default' AND probe_set IS NULL GROUP BY run_id)"""

_LAST_ENTROPY = """WITH last AS (
    SELECT run_id, max(step) AS step FROM measurements WHERE quantity = 'entanglement_entropy' GROUP BY run_id)"""


class Measured:
    """The rows of one store, or of nothing where nothing was run; of some manifests where named."""

    def __init__(
        self, connection: duckdb.DuckDBPyConnection | None, manifests: Sequence[str] | None = None
    ) -> None:
        self._connection = connection
        self._manifests = None if manifests is None else [*manifests]

    def ask(self, query: str, *given: object) -> Rows:
        """Return the rows of a query with their columns' names.

        Its last two parameters are the manifests' names.
        """
        if self._connection is None:
            return []
        cursor = self._connection.execute(query, [*given, self._manifests, self._manifests])
        names = [column[0] for column in cursor.description or ()]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

    def trajectories(self) -> Rows:
        """Return EI and what goes with it, by run and step, on each run's own probes."""
        return self.ask(f"""SELECT r.experiment, r.model, r.condition, r.seed, m.step, r.status, any_value(r.run_id) AS run,
            max(value) FILTER (quantity = 'entanglement_intensity' AND specification = 'default') AS ei,
            max(value) FILTER (quantity = 'entanglement_intensity' AND specification = 'anchored') AS anchored,
            max(value) FILTER (quantity = 'singular_value' AND direction = 0) AS sigma
            FROM runs r JOIN measurements m USING (run_id)
            WHERE quantity IN ('entanglement_intensity', 'singular_value') AND m.probe_set IS NULL AND {_SHOWN}
            GROUP BY ALL HAVING ei IS NOT NULL ORDER BY ALL""")

    def final(self) -> Rows:
        """Return means over seeds at the last checkpoint of finished runs."""
        names = ", ".join(f"'{name}'" for name in FINAL)
        return self.ask(f"""{_LAST} SELECT r.experiment, r.model, r.condition, quantity, specification, direction, concept,
            avg(value) AS value, count(DISTINCT run_id) AS runs, max(step) AS step
            FROM runs r JOIN last USING (run_id) JOIN measurements m USING (run_id, step)
            WHERE quantity IN ({names}) AND (quantity <> 'entanglement_intensity' OR specification = 'default')
            AND m.probe_set IS NULL AND value IS NOT NULL AND r.status = 'done' AND {_SHOWN}
            GROUP BY ALL ORDER BY ALL""")

    def base_spectrum(self) -> Rows:
        """Return the singular values of step 0."""
        return self.ask(f"""SELECT r.experiment, r.model, direction, avg(value) AS value
            FROM runs r JOIN measurements m USING (run_id) WHERE quantity = 'singular_value' AND step = 0
            AND m.probe_set IS NULL AND value IS NOT NULL AND {_SHOWN} GROUP BY ALL ORDER BY ALL""")

    def sweeps(self) -> Rows:
        """Return σ₁ and EI of each base model's activations on each probe set, times each scale."""
        return self.ask(f"""SELECT model, probe_set, scale, avg(ei) AS ei, avg(sigma) AS sigma FROM (
            SELECT r.model, r.probe_set, run_id, specification AS scale,
                max(value) FILTER (quantity = 'sweep_entanglement_intensity') AS ei,
                max(value) FILTER (quantity = 'sweep_singular_value') AS sigma
            FROM runs r JOIN measurements m USING (run_id) WHERE step = 0 AND quantity LIKE 'sweep_%'
            AND m.probe_set IS NULL AND {_SHOWN} GROUP BY ALL)
            WHERE ei IS NOT NULL AND sigma > 0 GROUP BY ALL ORDER BY model, probe_set, sigma""")

    def readings(self) -> Rows:
        """Return EI under every reading at the last checkpoint, means over seeds."""
        return self.ask(f"""{_LAST} SELECT r.experiment, r.model, r.condition, specification, avg(value) AS ei
            FROM runs r JOIN last USING (run_id) JOIN measurements m USING (run_id, step)
            WHERE quantity = 'entanglement_intensity' AND m.probe_set IS NULL AND value IS NOT NULL AND r.status = 'done'
            AND {_SHOWN} GROUP BY ALL ORDER BY ALL""")

    def crosstalk(self) -> Rows:
        """Return the crosstalk of the primary domain with each companion in the base model."""
        return self.ask(f"""SELECT r.model, coalesce(m.probe_set, r.probe_set) AS probe_set, concept AS companion,
            avg(value) AS crosstalk FROM runs r JOIN measurements m USING (run_id)
            WHERE quantity = 'crosstalk' AND step = 0 AND value IS NOT NULL AND {_SHOWN} GROUP BY ALL ORDER BY ALL""")

    def scores(self) -> Rows:
        """Return benchmark scores after the last step with Wilson's interval."""
        return self.ask(f"""SELECT e.benchmark, r.model, r.condition, r.seed, e.step, e.passed, e.problems, e.score, e.low,
            e.high, e.reason FROM evaluations e JOIN runs r USING (run_id)
            WHERE {_SHOWN} GROUP BY ALL ORDER BY ALL""")

    def flips(self) -> Rows:
        """Return, for each trained run, the problems gained and lost against its base model."""
        return self.ask(f"""WITH solved AS (SELECT DISTINCT r.experiment, r.model, r.condition, r.seed, s.benchmark, s.task_id,
                s.sample, s.step, s.outcome FROM samples s JOIN runs r USING (run_id)
                WHERE s.outcome IN ('passed', 'failed') AND {_SHOWN}),
            base AS (SELECT model, benchmark, task_id, sample, any_value(outcome) AS outcome FROM solved
                WHERE condition = 'B0' GROUP BY ALL)
            SELECT s.benchmark, s.model, s.condition, s.seed, s.step,
                count(*) FILTER (s.outcome = 'passed' AND b.outcome = 'failed') AS gained,
                count(*) FILTER (s.outcome = 'failed' AND b.outcome = 'passed') AS lost, count(*) AS problems
            FROM solved s JOIN base b USING (model, benchmark, task_id, sample) WHERE s.condition <> 'B0'
            GROUP BY ALL ORDER BY ALL""")

    def entropy_profiles(self) -> Rows:
        """Return entropies cut by cut after the last step: of each module's updates and of
        attention, means over layers and seeds, with a key that the runs were named by.
        """
        return self.ask(f"""{_LAST_ENTROPY} SELECT r.experiment, r.model, r.condition,
            regexp_replace(m.concept, ',layer=.*', '') AS part, direction, max(step) AS step,
            count(DISTINCT run_id) AS runs, any_value(r.key) AS key, avg(value) AS value
            FROM runs r JOIN last USING (run_id) JOIN measurements m USING (run_id, step)
            WHERE quantity = 'entanglement_entropy' AND direction IS NOT NULL AND value IS NOT NULL
            AND r.status = 'done' AND {_SHOWN}
            GROUP BY r.experiment, r.model, r.condition, part, direction ORDER BY ALL""")

    def entropy_summaries(self) -> Rows:
        """Return each run's valley depths and volume-law slopes after the last step, by module."""
        return self.ask(f"""{_LAST_ENTROPY} SELECT r.experiment, r.model, r.condition, r.seed, quantity, m.concept AS part,
            max(value) FILTER (specification = 'default') AS value, max(value) FILTER (specification = 'gaussian') AS random
            FROM runs r JOIN last USING (run_id) JOIN measurements m USING (run_id, step)
            WHERE quantity IN ('valley_depth', 'volume_law_slope') AND m.concept LIKE '%module=%' AND r.status = 'done'
            AND {_SHOWN} GROUP BY ALL HAVING value IS NOT NULL ORDER BY ALL""")

    def attention_lengths(self) -> Rows:
        """Return the entropy of attention after the last step by length, means over seeds."""
        return self.ask(f"""{_LAST_ENTROPY} SELECT r.experiment, r.model, r.condition, m.concept AS part,
            count(DISTINCT run_id) AS runs, avg(value) AS value
            FROM runs r JOIN last USING (run_id) JOIN measurements m USING (run_id, step)
            WHERE quantity = 'entanglement_entropy' AND m.concept LIKE '%length=%' AND value IS NOT NULL
            AND r.status = 'done' AND {_SHOWN} GROUP BY ALL ORDER BY ALL""")

    def runs(self) -> Rows:
        """Return every run with where it came from."""
        return self.ask(f"""SELECT r.experiment, r.slot, r.run_id, r.status, r.reason, r.steps, r.finished, r.started, r.runner,
            p.git_commit, p.dirty, p.device, p.edition, p.image, p.processor, p.gpus, p.weights, f.absent
            FROM runs r LEFT JOIN provenance p USING (run_id) LEFT JOIN folders f ON f.folder = r.folder
            WHERE {_SHOWN} ORDER BY r.experiment, r.slot""")
