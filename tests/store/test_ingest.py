"""The store: built from folders, the same every time, closed to everything but its tables."""

import shutil
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest

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
