"""The plan of a manifest: every run with its state and cost, the same in each form."""

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from repro.cost.profiles import H100, told_by
from repro.execute.folders import RunPlace, place_runs
from repro.manifest.load import load_experiment
from repro.plan.expand import expand, local_environment
from repro.report.terminal.plan import TOO_LARGE, plan_json, plan_table, print_plan
from repro.report.terminal.plan_notes import Machine

Said = pytest.CaptureFixture[str]


def machine(folder: Path, price: float | None = None, gpu: float | None = None) -> Machine:
    return Machine(16.0, told_by(1e11), H100, gpu, folder, folder, price=price)


def places(name: str, folder: Path) -> list[RunPlace]:
    return place_runs(expand(load_experiment(name), local_environment()), folder)


def nothing_built(found: Sequence[RunPlace]) -> list[None]:
    return [None] * len(found)


def test_json_and_rows_hold_the_same_runs(tmp_path: Path) -> None:
    found = places("smoke", tmp_path)
    records = json.loads(plan_json(found, nothing_built(found), machine(tmp_path)))
    table = plan_table(found, machine(tmp_path))
    rows = [dict(zip(table.columns, row, strict=True)) for row in table.rows]
    assert [record["run"] for record in records] == [row["run"] for row in rows]
    assert [record["id"][:12] for record in records] == [row["id"] for row in rows]
    assert {row["state"] for row in rows} == {"to do"}
    assert [record["id"] for record in records] == [place.run.id for place in found]
    for record in records:
        low, high = record["gpu_hours"]
        assert 0 < low <= high


def test_a_price_is_paid_by_the_hour_and_said_only_where_there_is_one(tmp_path: Path) -> None:
    found = places("scale_ladder", tmp_path)
    free, paid = (
        json.loads(plan_json(found, nothing_built(found), machine(tmp_path, price)))
        for price in (None, 3.0)
    )
    assert not any("cost" in record for record in free)
    for record in paid:
        assert record["cost"] == pytest.approx([3 * end for end in record["gpu_hours"]], rel=0.1)


def test_a_run_that_no_memory_here_holds_is_too_large_on_a_small_card(
    tmp_path: Path, capsys: Said
) -> None:
    found = places("scale_ladder", tmp_path)
    small = machine(tmp_path, gpu=1.0)
    states = {
        record["state"] for record in json.loads(plan_json(found, nothing_built(found), small))
    }
    assert states == {TOO_LARGE}
    large = machine(tmp_path, gpu=500.0)
    records = json.loads(plan_json(found, nothing_built(found), large))
    assert {record["state"] for record in records} == {"new"}
    assert {record["cpu_hours"] for record in records} == {None}, "16 GiB hold none of them"
    print_plan(found, nothing_built(found), small)
    out = capsys.readouterr().out
    assert out.count(TOO_LARGE) >= len(found)
    assert "cost" not in out.splitlines()[1]


def test_a_narrow_terminal_names_the_columns_it_has_no_room_for(
    tmp_path: Path, capsys: Said, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = places("smoke", tmp_path)
    monkeypatch.setenv("COLUMNS", "60")
    print_plan(found, nothing_built(found), machine(tmp_path))
    narrow = capsys.readouterr().out
    assert all(place.run.slot in narrow for place in found)
    monkeypatch.setenv("COLUMNS", "200")
    print_plan(found, nothing_built(found), machine(tmp_path))
    wide = capsys.readouterr().out
    assert "disk GiB" in wide.splitlines()[1]
    assert "disk GiB" not in narrow.splitlines()[1]
