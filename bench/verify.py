"""Time verdicts: all claims against stores of several sizes, and shares of the claims.

The stores have 100, 1,000 and 10,000 runs. The stores are filled with random numbers for every
manifest, model and condition that some claim names, so all of the evidence is used; each run has
the rows of a real run.
"""

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import duckdb

from bench.table import Row, row
from repro.claims.claim import Claim, Term
from repro.claims.papers import load_claims
from repro.manifest.load import load_experiment, load_models
from repro.plan.expand import expand, local_environment
from repro.store.check import compare_with_folders
from repro.store.database import NAME, connect, create
from repro.store.seal import seal_store
from repro.store.tables import insert, schemas, table_of
from repro.verify.assess import assess

RUNS = (100, 1_000, 10_000)
SHARES = (0.01, 0.1, 1.0)
ROUNDS = 3
BAR_SECONDS = 2.0
BAR_COMPARED = 0.6
_FILES = (
    "done.json", "run.json", "probes.json", "provenance.json", "usage.json", "adapter/adapter_config.json",
    "adapter/adapter_model.safetensors", *(f"steps/{step:06d}.parquet" for step in (0, 500, 1000, 1500, 2000)),
    *(f"activations/{step:06d}.safetensors" for step in (0, 500, 1000, 2000)),
)  # fmt: skip
"""Sixteen files, as in a real run."""
_RUNS = """
INSERT INTO runs (run_id, experiment, slot, model, condition, seed, status, steps, finished, probe_set, folder, claims, key)
SELECT 'run' || lpad(n::VARCHAR, 6, '0'), p.experiment, n::VARCHAR, p.model, p.condition, n // ?, 'done', 5000,
       TIMESTAMP '2026-01-01' + to_seconds(n), 'factorial_48', '', p.claims, p.key
FROM range(?) t(n) JOIN places p ON p.place = n % ?
"""
_ROWS = """
INSERT INTO measurements
SELECT run_id, step, quantity, specification, 'post_norm', direction, concept,
       0.5 + 0.1 * ((hash(run_id || step || quantity || coalesce(concept, '') || coalesce(direction, 0)) % 1000) / 1000.0),
       NULL, 48, NULL
FROM runs, range(0, 5001, 500) s(step), columns_of_a_run
ORDER BY run_id, step, quantity
"""
_COLUMNS = """
CREATE TABLE columns_of_a_run AS
SELECT unnest(['entanglement_intensity', 'v_purity', 'rank', 'margin', 'activation_rms', 'singular_value_ratio',
               'singular_value_concentration', 'singular_value_energy', 'humaneval', 'humaneval_plus']) AS quantity,
       'default' AS specification, NULL::INTEGER AS direction, NULL::VARCHAR AS concept
UNION ALL SELECT 'entanglement_intensity', 'anchored', NULL, NULL
UNION ALL SELECT 'accuracy', 'default', NULL, unnest(['domain', 'register', 'shape'])
UNION ALL SELECT 'singular_value', 'default', unnest(range(8)), NULL
UNION ALL SELECT 'damage', 'default', d, c FROM range(8) t(d), (SELECT unnest(['domain', 'register', 'shape']) AS c)
"""


def rows() -> list[Row]:
    """Return the rows of the speed table about verdicts."""
    claims = load_claims()
    with tempfile.TemporaryDirectory() as folder:
        seconds = {}
        for count in RUNS:
            results = Path(folder) / str(count)
            fill(results, claims, count)
            seconds[count] = best(lambda results=results: judged(results, claims))
        taken = compared(Path(folder) / str(RUNS[-1]))
        whole, processor = command(Path(folder) / str(RUNS[-1]))
        by_claims = [
            best(lambda share=share: judged(results, claims[:: round(1 / share)]))
            for share in SHARES
        ]
    grown = seconds[RUNS[-1]] / seconds[RUNS[0]] / (RUNS[-1] / RUNS[0])
    claimed = by_claims[-1] / by_claims[0] / (SHARES[-1] / SHARES[0])
    each = ", ".join(f"{count}: {took:.2f} s" for count, took in seconds.items())
    took = f"processor {processor:.2f} s"
    shares = ", ".join(
        f"{share:.0%}: {took:.2f} s" for share, took in zip(SHARES, by_claims, strict=True)
    )
    return [
        row(f"verify, {len(claims)} claims, {RUNS[-1]} runs, whole command", whole, "s", BAR_SECONDS, True, took),
        row(f"verify, {len(claims)} claims, {RUNS[-1]} runs, judging alone", seconds[RUNS[-1]], "s", BAR_SECONDS, True, each),
        row(f"verify, store against {RUNS[-1]} run folders", taken, "s", BAR_COMPARED, True, f"{len(_FILES)} files each"),
        row("verify, growth with 100 × the runs, over linear", grown, "×", 1.0, True, each),
        row("verify, growth with 100 × the claims, over linear", claimed, "×", 1.0, True, shares),
    ]  # fmt: skip


def best(work: Any) -> float:
    """Return the least seconds of a few rounds: the time without disturbance."""
    took = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        work()
        took.append(time.perf_counter() - start)
    return min(took)


def judged(results: Path, claims: tuple[Claim, ...]) -> None:
    """Judge all claims from a closed store, as the plain command does."""
    with connect(results) as connection:
        assess(claims, connection, tests=False)


def command(results: Path) -> tuple[float, float]:
    """Return (seconds, CPU seconds) of `repro verify` in a process of its own, warm."""
    code = (
        "import sys, time; start = time.perf_counter(); from repro.cli import main; "
        f"code = main(['verify', '--results', {str(results)!r}]); "
        "print(time.perf_counter() - start, time.process_time(), file=sys.stderr); "
        "sys.exit(code == 2)"
    )
    took = []
    for _ in range(ROUNDS + 1):
        done = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True
        )
        took.append(tuple(float(part) for part in done.stderr.split()[-2:]))
    whole, processor = min(took[1:])
    return whole, processor


def fill(results: Path, claims: tuple[Claim, ...], count: int) -> None:
    """Make a store of `count` runs, spread evenly over everything the claims name."""
    results.mkdir()
    places = sorted({place for claim in claims for place in _places(claim)})
    sealed: dict[str, dict[str, str]] = {}
    for claim in claims:
        if claim.measured_by:
            sealed.setdefault(claim.measured_by, {})[claim.id] = claim.digest
    with duckdb.connect(str(results / NAME)) as connection:
        create(connection)
        connection.execute(
            "CREATE TABLE places (place INTEGER, experiment VARCHAR, model VARCHAR, "
            "condition VARCHAR, claims VARCHAR, "
            "key VARCHAR)"
        )
        connection.executemany(
            "INSERT INTO places VALUES (?, ?, ?, ?, ?, ?)",
            [
                (number, *place, json.dumps(sealed[place[0]]), _key(place[1]))
                for number, place in enumerate(places)
            ],
        )
        connection.execute(_RUNS, [len(places), count, len(places)])
        connection.execute(_COLUMNS)
        connection.execute(_ROWS)
        connection.execute("DROP TABLE places; DROP TABLE columns_of_a_run")
        _lay_evidence(results, connection)
    seal_store(results)


def _lay_evidence(results: Path, connection: duckdb.DuckDBPyConnection) -> None:
    """Make run folders with a real run's files, all empty, and their states in the store."""
    rows = []
    for (run,) in connection.execute("SELECT run_id FROM runs").fetchall():
        folder = results / "runs" / "filled" / run
        for name in _FILES:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).touch()
        found = [(folder / name).lstat() for name in _FILES]
        states = [number for state in found for number in (state.st_size, state.st_mtime_ns)]
        rows.append(
            {
                "folder": f"filled/{run}",
                "marker": "0",
                "names": "\n".join(_FILES),
                "states": states,
                "absent": 0,
            }
        )
    insert(connection, "folders", table_of(rows, schemas(connection)["folders"]))


def compared(results: Path) -> float:
    """Return the least seconds of comparing the store with its seal and evidence, as plain
    `repro verify` does.
    """
    with connect(results) as connection:
        return best(lambda: compare_with_folders(results, connection))


def _key(model: str) -> str:
    """Return a key as long as a real one, of that model under the papers' protocol."""
    run = expand(load_experiment("scale_ladder"), local_environment())[0]
    known = load_models().get(model)
    found = {**run.key(), "model": known.model_dump(mode="json")} if known else run.key()
    return json.dumps(found)


def _places(claim: Claim) -> set[tuple[str, str, str]]:
    """Return (manifest, model, condition) of every cell the claim names."""
    found: set[tuple[str, str, str]] = set()
    waiting: list[Term | None] = [claim.term]
    while waiting:
        term = waiting.pop()
        if term is not None:
            model, condition = term.selector.get("model"), term.selector.get("condition")
            if claim.measured_by and model and condition:
                found.add((claim.measured_by, str(model), str(condition)))
            waiting += [term.of, term.against]
    return found


if __name__ == "__main__":
    for line in rows():
        print(
            f"{line['name']}: {line['value']:.3g} {line['unit']} (bar {line['bar']}) {line['note']}"
        )
