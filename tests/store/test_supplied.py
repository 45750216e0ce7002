"""Supplied files in the store: the newest of a paper counts, a broken one is left out and named."""

from pathlib import Path

import pytest

from repro.errors import EvidenceError
from repro.evidence.supplied import SuppliedRow, keep_supplied
from repro.store.check import compare_with_folders, refuse_without_store
from repro.store.database import connect, query
from repro.store.ingest import ingest

ROW = SuppliedRow(model="m", condition="c", seed=None, step=0, quantity="q", measured=0.5, n=48)


def keep(results: Path, paper: str, by: str) -> Path:
    record = {"paper": paper, "by": by, "seal": "s", "files": {}, "told": ()}
    return keep_supplied(results, results, record, [ROW])[0]


def test_the_newest_of_a_paper_counts_and_all_values_are_there(tmp_path: Path) -> None:
    for paper, by in (("p", "first"), ("q", "other"), ("p", "second")):
        keep(tmp_path, paper, by)
    assert ingest(tmp_path).supplied == 3
    rows = query(tmp_path, "SELECT paper, supplied_by, counts FROM supplied ORDER BY ALL")[1]
    assert rows == [("p", "first", False), ("p", "second", True), ("q", "other", True)]
    values = query(tmp_path, "SELECT count(*), min(measured), max(seed) FROM supplied_values")[1]
    assert values == [(3, 0.5, None)]


def test_a_broken_folder_is_left_out_and_named(tmp_path: Path) -> None:
    folder = keep(tmp_path, "p", "first")
    keep(tmp_path, "p", "second")
    (folder / "rows.parquet").write_bytes(b"")
    found = ingest(tmp_path)
    assert found.supplied == 1
    assert str(folder) in found.refused[0]


def test_a_folder_that_came_since_the_store_was_made_is_noticed(tmp_path: Path) -> None:
    keep(tmp_path, "p", "first")
    with pytest.raises(EvidenceError, match="was supplied; run `repro ingest` first"):
        refuse_without_store(tmp_path)
    ingest(tmp_path)
    refuse_without_store(tmp_path)
    with connect(tmp_path) as connection:
        compare_with_folders(tmp_path, connection)
        folder = keep(tmp_path, "p", "second")
        with pytest.raises(EvidenceError, match=f"{folder.name}/supplied.json: changed"):
            compare_with_folders(tmp_path, connection)
