"""`ingest --new` reads what is new or changed; the store is that of reading everything."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from repro.evidence.folder import RunFolder
from repro.shipped import PACKAGE
from repro.store import folders
from repro.store.database import NAME, TABLES, query
from repro.store.ingest import Ingested, ingest

Finish = Callable[..., RunFolder]
ALL = [name for name in TABLES if name not in ("claims", "verdicts")]


def tables(results: Path) -> dict[str, list[tuple[object, ...]]]:
    """Every row of the store."""
    return {name: query(results, f"SELECT * FROM {name} ORDER BY ALL")[1] for name in ALL}


def counts(found: Ingested) -> tuple[int, int, int]:
    """Runs in the store, those not read again, those left out."""
    return found.runs, found.kept, len(found.refused)


@pytest.fixture
def results(finish: Finish, tmp_path: Path) -> Path:
    """Three finished runs and their store."""
    for number in (1, 2, 3):
        finish(tmp_path, number, number / 10)
    assert counts(ingest(tmp_path)) == (3, 0, 0)
    return tmp_path


@pytest.mark.worker
def test_new_and_changed_folders_alone_are_read(results: Path, finish: Finish) -> None:
    assert counts(ingest(results, only_new=True)) == (3, 3, 0)
    finish(results, 4, 0.4)
    assert counts(ingest(results, only_new=True)) == (4, 3, 0)
    first = next(iter(sorted(results.glob("runs/*/*"))))
    for file in first.rglob("*.parquet"):
        os.utime(file)
    assert counts(ingest(results, only_new=True)) == (4, 3, 0)
    assert counts(ingest(results)) == (4, 0, 0)


@pytest.mark.worker
def test_the_store_is_that_of_reading_everything(results: Path, finish: Finish) -> None:
    finish(results, 4, 0.4)
    (results / "runs" / "smoke" / "stray.txt").write_text("no run")
    ingest(results, only_new=True)
    partly = tables(results)
    ingest(results)
    assert partly == tables(results)
    assert partly["measurements"]
    assert partly["folders"]


def test_what_went_or_was_edited_is_not_kept(results: Path) -> None:
    made = sorted(results.glob("runs/*/*"))
    for file in (made[0] / "done.json", made[0] / "run.json"):
        file.unlink()
    parquet = next(made[1].rglob("*.parquet"))
    parquet.write_bytes(parquet.read_bytes() + b"x")
    found = ingest(results, only_new=True)
    assert counts(found) == (1, 1, 1)
    assert str(parquet) in found.refused[0]
    runs = query(results, "SELECT DISTINCT run_id FROM measurements")[1]
    assert len(runs) == 1


def test_a_file_beside_the_evidence_is_told_each_time(results: Path) -> None:
    stray = next(iter(sorted(results.glob("runs/*/*")))) / "notes.txt"
    stray.write_text("mine")
    for whole in (True, False, False):
        assert ingest(results, only_new=not whole).unlisted == (stray,)


def test_an_edited_store_or_other_sources_give_nothing(
    results: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("repro.store.kept._reader", lambda: "other sources")
    assert counts(ingest(results, only_new=True)) == (3, 0, 0)
    assert counts(ingest(results, only_new=True)) == (3, 3, 0), "the control"
    monkeypatch.undo()
    ingest(results, only_new=True)
    with (results / NAME).open("r+b") as file:
        file.seek(-1, os.SEEK_END)
        last = file.read(1)[0]
        file.seek(-1, os.SEEK_END)
        file.write(bytes([last ^ 1]))
    assert counts(ingest(results, only_new=True)) == (3, 0, 0)


def test_a_new_column_of_times_is_kept_as_a_time(
    finish: Finish, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As docs/how_to_add.md has it: in schema.sql and in the row, and nowhere else."""
    schema = tmp_path / "schema.sql"
    text = (PACKAGE / "store" / "schema.sql").read_text()
    schema.write_text(text.replace("started TIMESTAMP,", "started TIMESTAMP, noticed TIMESTAMP,"))
    monkeypatch.setattr("repro.store.database._SCHEMA", schema)
    row = folders._run_row

    def noticed(*given: Any) -> dict[str, Any]:
        return {**(found := row(*given)), "noticed": found["started"]}

    monkeypatch.setattr(folders, "_run_row", noticed)
    results = tmp_path / "results"
    finish(results, 1, 0.1)
    ingest(results)
    before = query(results, "SELECT started, noticed FROM runs")[1]
    assert before[0][0] is not None
    assert before[0][0] == before[0][1]
    assert counts(ingest(results, only_new=True)) == (1, 1, 0)
    assert query(results, "SELECT started, noticed FROM runs")[1] == before


def test_a_copy_of_a_kept_run_is_left_out_as_ever(results: Path) -> None:
    """A folder that an earlier store took as a run counts once, whichever is read first."""
    folder = next(iter(sorted(results.glob("runs/*/*"))))
    copy = folder.with_name("0" + folder.name)
    copy.mkdir()
    for file in folder.rglob("*"):
        target = copy / file.relative_to(folder)
        if file.is_dir():
            target.mkdir(exist_ok=True)
        else:
            target.write_bytes(file.read_bytes())
    assert counts(ingest(results, only_new=True)) == (3, 3, 1)
