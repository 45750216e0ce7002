"""A run's folder becomes rows, checked to the byte, or is refused with what is wrong in it."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from repro.errors import EvidenceError
from repro.evidence.folder import RunFolder
from repro.evidence.measurement import Measurement
from repro.evidence.scores import Sample, Scores, Verdict, write_scores
from repro.manifest.benchmark import Benchmark
from repro.manifest.evaluation import Generation
from repro.store.database import create, query
from repro.store.folders import FolderRows, read_rows, unlisted_beside
from repro.store.ingest import ingest
from repro.store.tables import schemas

Finish = Callable[..., RunFolder]
Read = Callable[[RunFolder], FolderRows]


@pytest.fixture
def read(tmp_path: Path) -> Read:
    """Read a run's folder as ingest does."""
    with duckdb.connect() as connection:
        create(connection)
        columns = schemas(connection)
    return lambda folder: read_rows(folder.path, tmp_path, columns)


def test_a_broken_folder_is_named_and_the_others_are_unharmed(
    tmp_path: Path, finish: Finish
) -> None:
    good, bad = finish(tmp_path, 1), finish(tmp_path, 2)
    bad.measurements_file(0).write_bytes(b"PAR1")
    found = ingest(tmp_path)
    assert found.runs == 1
    assert len(found.refused) == 1
    assert str(bad.measurements_file(0)) in found.refused[0]
    assert query(tmp_path, "SELECT folder FROM runs")[1] == [(f"smoke/{good.path.name}",)]


def test_a_folder_of_another_version_is_named(tmp_path: Path, finish: Finish) -> None:
    folder = finish(tmp_path, 1)
    text = (folder.path / "run.json").read_text()
    (folder.path / "run.json").write_text(text.replace('"format": 2', '"format": 99'))
    assert "found format 99, expected 2" in ingest(tmp_path).refused[0]


def test_an_edited_request_is_refused(tmp_path: Path, finish: Finish) -> None:
    folder = finish(tmp_path, 1)
    text = (folder.path / "run.json").read_text()
    (folder.path / "run.json").write_text(
        text.replace('"learning_rate": 0.01', '"learning_rate": 0.02')
    )
    assert ingest(tmp_path).refused


def test_a_finished_folder_gives_every_row_and_file_of_it(
    tmp_path: Path, finish: Finish, read: Read
) -> None:
    folder = finish(tmp_path, 1, 0.5)
    rows, marker = read(folder), folder.done()
    assert marker is not None
    assert (rows.run["status"], rows.run["runner"], rows.absent) == ("done", "local", 0)
    assert rows.run["folder"] == f"smoke/{folder.path.name}"
    assert rows.unlisted == ()
    written = [row.model_dump() for step in (0, 3) for row in folder.measurements(step)]
    given = rows.tables["measurements"].to_pylist()
    assert [{**row, "run_id": None} for row in given] == [
        {**row, "run_id": None} for row in written
    ]
    assert {row["run_id"] for row in given} == {rows.run["run_id"]}
    artifacts = rows.tables["artifacts"].to_pylist()
    assert {row["path"]: row["sha256"] for row in artifacts} == marker.files
    (state,) = rows.tables["folders"].to_pylist()
    assert state["names"].split("\n") == ["done.json", *marker.files]
    assert state["states"][::2] == [
        (folder.path / name).stat().st_size for name in state["names"].split("\n")
    ]
    assert json.loads(state["run"])["slot"] == rows.run["slot"]


def test_of_a_run_that_is_under_way_complete_checkpoints_count_and_nothing_else(
    tmp_path: Path, finish: Finish, read: Read
) -> None:
    folder = finish(tmp_path, 1)
    (folder.path / "done.json").unlink()
    (folder.path / "steps" / ".000006.parquet.x.tmp").write_bytes(b"half")
    (folder.path / "steps" / "7.parquet").write_bytes(b"no checkpoint's name")
    rows = read(folder)
    assert (rows.run["status"], rows.run["finished"]) == ("partial", None)
    assert {row["step"] for row in rows.tables["measurements"].to_pylist()} == {0, 3}
    assert rows.tables["artifacts"].num_rows == 0


def test_absent_weights_are_counted_and_a_file_beside_the_evidence_is_named(
    tmp_path: Path, finish: Finish, read: Read
) -> None:
    folder = finish(tmp_path, 1)
    (folder.path / "adapter" / "adapter_model.safetensors").unlink()
    for name in ("notes.txt", "steps/000009.parquet", "progress.json"):
        (folder.path / name).write_text("{}")
    rows, marker = read(folder), folder.done()
    assert marker is not None
    assert rows.absent == 1
    beside = (folder.path / "notes.txt", folder.path / "steps" / "000009.parquet")
    assert rows.unlisted == beside
    listed = {*marker.files, *marker.digests}
    assert sorted(unlisted_beside(folder.path, listed)) == [*beside]


def rewritten(folder: RunFolder, change: Callable[[pa.Table], pa.Table]) -> None:
    """Change the first checkpoint and mark the run as finished anew."""
    path = folder.measurements_file(0)
    pq.write_table(change(pq.read_table(path)), path)
    folder.finish("done")


def filled(table: pa.Table, name: str, values: list[Any]) -> pa.Table:
    """The table with a column of these values."""
    place = table.column_names.index(name)
    return table.set_column(place, table.field(name), pa.array(values, table.field(name).type))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda table: table.drop_columns(["n"]), "found columns step int32, quantity string, "),
        (
            lambda table: filled(table, "n", [48, None, 48]),
            "found rows without n, expected one in each",
        ),
        (
            lambda table: filled(table, "reason", ["none"] * 3),
            "found a row with neither a value nor a reason, or with both",
        ),
        (lambda table: filled(table, "reason", [None] * 3), "found a row with neither a value"),
        (
            lambda table: filled(table, "value", [float("nan"), 1.0, None]),
            "found a row with neither a value",
        ),
    ],
)
def test_a_checkpoint_of_odd_rows_is_refused(
    tmp_path: Path,
    finish: Finish,
    read: Read,
    change: Callable[[pa.Table], pa.Table],
    words: str,
) -> None:
    folder = finish(tmp_path, 1)
    rewritten(folder, lambda table: table)
    assert read(folder), "the control: written again as it was"
    rewritten(folder, change)
    with pytest.raises(
        EvidenceError, match=rf"000000\.parquet: {words}.*; remove the run's folder"
    ):
        read(folder)


def test_a_run_lies_in_the_folder_of_its_own_name(
    tmp_path: Path, finish: Finish, read: Read
) -> None:
    folder = finish(tmp_path, 1)
    copy, link = (RunFolder(folder.path.with_name(name)) for name in ("copy", "link"))
    shutil.copytree(folder.path, copy.path)
    link.path.symlink_to(folder.path)
    with pytest.raises(EvidenceError, match=rf"copy: holds the run of smoke/{folder.path.name}; "):
        read(copy)
    with pytest.raises(EvidenceError, match="link: is a link, expected the folder of a run"):
        read(link)


def test_a_marker_is_that_of_the_run_and_lists_its_request(
    tmp_path: Path, finish: Finish, read: Read
) -> None:
    folder = finish(tmp_path, 1)
    content = json.loads((folder.path / "done.json").read_text())
    (folder.path / "done.json").write_text(json.dumps({**content, "run": "a" * 64}))
    with pytest.raises(EvidenceError, match=r"done\.json: is the marker of run aaaaaaaaaaaa, run"):
        read(folder)
    del content["files"]["run.json"]
    (folder.path / "done.json").write_text(json.dumps(content))
    with pytest.raises(EvidenceError, match=r"done\.json: does not list run\.json"):
        read(folder)


def scored(folder: RunFolder, run: str, *outcomes: str) -> None:
    """Seal scores of two problems to a finished run."""
    benchmark = Benchmark(
        id="two_plus", base="two", title="Two", file="two.jsonl", sha256="a" * 64, problems=2
    )
    samples = [
        Sample(
            task_id=f"t{number}",
            sample=0,
            tokens=1,
            ended="stop",
            decided_alone=0,
            base=Verdict(outcome="passed"),
            plus=Verdict.model_validate({"outcome": outcome}),
        )
        for number, outcome in enumerate(outcomes)
    ]
    scores = Scores(
        run=run,
        step=3,
        benchmark=benchmark,
        generation=Generation(),
        isolation={},
        samples=tuple(samples),
    )
    folder.finish_second([write_scores(folder.path, scores)])


def test_problems_solved_are_measurements_and_an_uncertain_count_has_a_reason(
    tmp_path: Path, finish: Finish, read: Read
) -> None:
    folder = finish(tmp_path, 1)
    run = read(folder).run["run_id"]
    scored(folder, run, "passed", "flaky")
    rows = read(folder)
    solved = {
        row["quantity"]: (row["value"], row["reason"], row["n"], row["step"])
        for row in rows.tables["measurements"].to_pylist()
        if row["quantity"].startswith("two")
    }
    assert solved == {
        "two": (2.0, None, 2, 3),
        "two_plus": (None, "1 of 2 completions are flaky", 2, 3),
    }
    assert rows.tables["samples"].num_rows == 4
    assert rows.tables["evaluations"].num_rows == 2


def test_scores_of_another_run_are_refused(tmp_path: Path, finish: Finish, read: Read) -> None:
    folder = finish(tmp_path, 1)
    scored(folder, "b" * 64, "passed", "failed")
    with pytest.raises(EvidenceError, match="holds scores of run bbbbbbbbbbbb, expected"):
        read(folder)


def test_a_run_that_diverged_says_why(tmp_path: Path, finish: Finish, read: Read) -> None:
    folder = finish(tmp_path, 1)
    folder.append(4, [Measurement(step=4, quantity="loss", value=9.0, n=1)])
    folder.finish("diverged", "the loss is not finite")
    run = read(folder).run
    assert (run["status"], run["reason"]) == ("diverged", "the loss is not finite")
