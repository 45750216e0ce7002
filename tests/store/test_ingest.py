"""The store: built from folders, the same every time, closed to everything but its tables."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import duckdb
import pytest

from repro.errors import EvidenceError, InputError
from repro.evidence.folder import RunFolder
from repro.evidence.measurement import Measurement
from repro.evidence.request import Request, write_request
from repro.execute.folders import place_run, prepare
from repro.manifest.load import load_experiment
from repro.plan.expand import expand, local_environment
from repro.plan.run import Run
from repro.store.database import query
from repro.store.ingest import ingest


def finish(results: Path, number: int, value: float = 1.0) -> RunFolder:
    """A finished run of the smoke manifest, with evidence of one number."""
    run = expand(load_experiment("smoke"), local_environment())[number]
    folder = prepare(place_run(run, results))
    folder.append(
        0,
        [
            Measurement(
                step=0, quantity="entanglement_intensity", value=value, n=48, layer="post_norm"
            )
        ],
    )
    folder.finish("done")
    return folder


@pytest.mark.worker
def test_an_ingest_twice_gives_the_same_tables(tmp_path: Path) -> None:
    finish(tmp_path, 1, 0.5)
    finish(tmp_path, 2, 0.7)
    later = Measurement(
        step=500, quantity="entanglement_intensity", value=0.0, n=48, layer="post_norm"
    )
    trained = finish(tmp_path, 3)
    trained.append(500, [later])
    trained.finish("done")
    tables = ("runs", "measurements", "artifacts", "provenance", "trajectories", "collapses")
    first = [
        (ingest(tmp_path).runs, query(tmp_path, f"SELECT * FROM {table} ORDER BY ALL"))
        for table in tables
    ]
    second = [
        (ingest(tmp_path).runs, query(tmp_path, f"SELECT * FROM {table} ORDER BY ALL"))
        for table in tables
    ]
    assert first == second
    assert query(tmp_path, "SELECT ei FROM trajectories ORDER BY ei")[1] == [
        (0.0,),
        (0.5,),
        (0.7,),
        (1.0,),
    ]
    collapsed = "SELECT specification, step, last_step FROM collapses ORDER BY step"
    assert query(tmp_path, collapsed)[1] == [("default", 500, 500), ("anchored", None, 500)]


@pytest.mark.worker
@pytest.mark.parametrize(
    ("runs", "named"), [([1], ("1 run in", "1 row")), ([1, 2], ("2 runs in", "2 rows"))]
)
def test_one_is_said_as_one(
    repro: Callable[..., CompletedProcess[str]],
    tmp_path: Path,
    runs: list[int],
    named: tuple[str, str],
) -> None:
    for number in runs:
        finish(tmp_path / "results", number)
    assert repro("ingest").stdout.startswith(named[0])
    assert repro("sql", "SELECT slot FROM runs").stdout.splitlines()[-1] == named[1]


def test_provenance_can_be_asked_for_in_columns(tmp_path: Path) -> None:
    """A run that went through a worker, beside one that none has begun; a record of another version
    is left out.
    """
    recorded, bare = finish(tmp_path, 1), finish(tmp_path, 2)
    attempt = {
        "started": "2026-01-01T00:00:00+00:00",
        "host": {"commit": "c0ffee", "dirty": False, "runner": "docker"},
        "kernels": {"system": "Linux 6"},
        "hardware": {"processor": "P", "gpus": [{"name": "G"}, {"name": "G"}], "gpu_driver": "550"},
        "isolation": {"network": "none", "root": "read-only"},
    }
    record = {
        "environment": {"code": "c", "lock": "l"},
        "model": {"identity": {"model": {"weights": {"kind": "hub"}}}, "stored_as": ["BF16"]},
        "attempts": [{**attempt, "host": {}}, attempt],
    }
    (recorded.path / "provenance.json").write_text(json.dumps(record))
    recorded.finish("done")
    ingest(tmp_path)
    columns = "git_commit, dirty, weights, stored_as, network, root, gpus, gpu_driver, attempts"
    rows = query(tmp_path, f"SELECT {columns} FROM provenance ORDER BY attempts")[1]
    assert rows == [
        (None,) * 8 + (0,),
        ("c0ffee", "false", "hub", "BF16", "none", "read-only", "G, G", "550", 2),
    ]
    started = "SELECT runner, started::VARCHAR FROM runs WHERE started IS NOT NULL"
    assert query(tmp_path, started)[1] == [("docker", "2026-01-01 00:00:00")]
    (bare.path / "provenance.json").write_text('{"attempts": ["2026-01-01T00:00:00+00:00"]}')
    bare.finish("done")
    assert "not a record of attempts" in ingest(tmp_path).refused[0]


def test_a_broken_folder_is_named_and_the_others_are_unharmed(tmp_path: Path) -> None:
    good, bad = finish(tmp_path, 1), finish(tmp_path, 2)
    bad.measurements_file(0).write_bytes(b"PAR1")
    found = ingest(tmp_path)
    assert found.runs == 1
    assert len(found.refused) == 1
    assert str(bad.measurements_file(0)) in found.refused[0]
    assert query(tmp_path, "SELECT folder FROM runs")[1] == [(f"smoke/{good.path.name}",)]


def test_a_folder_of_another_version_is_named(tmp_path: Path) -> None:
    folder = finish(tmp_path, 1)
    text = (folder.path / "run.json").read_text()
    (folder.path / "run.json").write_text(text.replace('"format": 2', '"format": 99'))
    assert "found format 99, expected 2" in ingest(tmp_path).refused[0]


def test_an_edited_request_is_refused(tmp_path: Path) -> None:
    folder = finish(tmp_path, 1)
    text = (folder.path / "run.json").read_text()
    (folder.path / "run.json").write_text(
        text.replace('"learning_rate": 0.01', '"learning_rate": 0.02')
    )
    assert ingest(tmp_path).refused


def test_only_the_latest_run_of_a_slot_counts(tmp_path: Path) -> None:
    folder = finish(tmp_path, 1)
    run = expand(load_experiment("smoke"), local_environment())[1]
    newer = Run.model_validate({**run.model_dump(), "threads": 2})
    other = RunFolder(folder.path.parent / newer.folder)
    shutil.copytree(folder.path, other.path)
    (other.path / "done.json").unlink()
    write_request(other.path, Request(id=newer.id, slot=newer.slot, run=newer))
    other.finish("done")
    marker = (other.path / "done.json").read_text()
    (other.path / "done.json").write_text(marker.replace('"finished": "2', '"finished": "3'))
    ingest(tmp_path)
    assert query(
        tmp_path, "SELECT status, json_extract(key, '$.threads')::INTEGER FROM runs ORDER BY status"
    )[1] == [
        ("done", 2),
        ("superseded", 1),
    ]
    assert len(query(tmp_path, "SELECT * FROM trajectories")[1]) == 1


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM read_csv('/etc/passwd')",
        "SELECT * FROM '/etc/passwd'",
        "COPY runs TO 'leak.csv'",
        "ATTACH 'other.db'",
        "INSTALL httpfs",
        "SET enable_external_access = true",
        "SET lock_configuration = false",
        "DELETE FROM runs",
        "CREATE TABLE t (a INTEGER)",
        "EXPORT DATABASE 'out'",
    ],
)
def test_sql_reaches_nothing_but_the_tables(
    tmp_path: Path, sql: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    finish(tmp_path, 1)
    ingest(tmp_path)
    assert query(tmp_path, "SELECT count(*) FROM runs")[1] == [(1,)], "a positive control"
    before = sorted(path.name for path in tmp_path.iterdir())
    with pytest.raises(InputError):
        query(tmp_path, sql)
    assert sorted(path.name for path in tmp_path.iterdir()) == before


def test_a_missing_or_foreign_store_says_how_to_build_one(tmp_path: Path) -> None:
    with pytest.raises(EvidenceError, match="repro ingest"):
        query(tmp_path, "SELECT 1")
    (tmp_path / "repro.duckdb").write_bytes(b"not a database, but long enough to be one" * 100)
    with pytest.raises(EvidenceError, match="builds it again"):
        query(tmp_path, "SELECT 1")


def test_a_store_of_another_version_is_told_from_a_current_one(tmp_path: Path) -> None:
    finish(tmp_path, 1)
    ingest(tmp_path)
    assert query(tmp_path, "SELECT count(*) FROM runs")[1] == [(1,)]
    with duckdb.connect(str(tmp_path / "repro.duckdb")) as connection:
        connection.execute("COMMENT ON TABLE runs IS 'older'")
    with pytest.raises(EvidenceError, match="tables of another version; `repro ingest`"):
        query(tmp_path, "SELECT count(*) FROM runs")
    ingest(tmp_path)
    assert query(tmp_path, "SELECT count(*) FROM runs")[1] == [(1,)]
