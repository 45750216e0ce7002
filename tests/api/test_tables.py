"""Tables for other programs against the same store, asked another way."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest

import repro.api
from repro.api.tables import VERDICTS
from repro.errors import EvidenceError, InputError
from repro.store.database import NAME, query
from repro.verify.verdict import Verdict


@pytest.mark.parametrize(
    ("table", "sql"),
    [
        (repro.api.runs, "SELECT * FROM runs"),
        (repro.api.trajectories, "SELECT * FROM trajectories"),
        (
            repro.api.measurements,
            "SELECT m.run_id, step, quantity, specification, layer, direction, concept, value, "
            "m.reason, n, coalesce(m.probe_set, (SELECT any_value(r.probe_set) FROM runs r "
            "WHERE r.run_id = m.run_id)) FROM measurements m",
        ),
    ],
)
def test_a_table_holds_what_sql_says(
    evidence: Path, table: Callable[..., pa.Table], sql: str
) -> None:
    found = table(evidence)
    _, rows = query(evidence, sql)
    assert len(rows) == found.num_rows > 0
    told = [tuple(row.values()) for row in found.to_pylist()]
    assert sorted(told, key=repr) == sorted(rows, key=repr)


def test_json_columns_are_text_and_probe_sets_are_named(evidence: Path) -> None:
    keys = repro.api.runs(evidence)["key"]
    assert keys.type == pa.string()
    assert all(isinstance(json.loads(key.as_py()), dict) for key in keys)
    assert repro.api.measurements(evidence)["probe_set"].null_count == 0


def test_a_store_that_was_edited_is_refused(evidence: Path, tmp_path: Path) -> None:
    copied = shutil.copytree(evidence, tmp_path / "results")
    assert repro.api.runs(copied).num_rows
    with duckdb.connect(str(copied / NAME)) as connection:
        connection.execute("UPDATE measurements SET value = 0 WHERE quantity = 'margin'")
    with pytest.raises(EvidenceError, match="was edited"):
        repro.api.runs(copied)


def test_no_folder_and_no_store_are_told_apart(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="found no such folder"):
        repro.api.runs(tmp_path / "none")
    with pytest.raises(EvidenceError, match="no such store"):
        repro.api.runs(tmp_path)


def test_verdicts_have_the_commands_keys_but_for_records(evidence: Path) -> None:
    records = {"could_tell", "artefacts"}
    assert set(VERDICTS.names) == Verdict.model_fields.keys() - records - {"cells"}
    table = repro.api.verdicts(evidence, "smoke")
    assert table.schema == VERDICTS
    judged = repro.api.judge("smoke", evidence).verdicts
    assert table["id"].to_pylist() == [verdict.id for verdict in judged]
    for row, verdict in zip(table.to_pylist(), judged, strict=True):
        number = isinstance(verdict.estimate, (bool, int, float))
        assert row["estimate"] == (float(verdict.estimate) if number else None)  # type: ignore[arg-type]
        assert row["outcome"] == verdict.outcome
