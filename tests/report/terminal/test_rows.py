"""A query's rows on a console: side by side while they can be read so, else one below the other."""

import pytest

from repro.report.terminal.rows import print_rows

NAMES = ("id", "printed", "digest")
ROWS = [
    ("paper/table-1/first", "0.64 ± 0.10", "ab" * 32),
    ("paper/table-1/second", None, "cd" * 32),
]


def shown(capsys: pytest.CaptureFixture[str], columns: tuple[str, ...], rows: list) -> list[str]:
    print_rows(columns, rows, "table")
    return capsys.readouterr().out.splitlines()


def test_rows_stand_side_by_side_where_there_is_room(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "120")
    lines = shown(capsys, NAMES, ROWS)
    assert all(name in lines[1] for name in NAMES)
    assert all(cell in lines[3] for cell in ROWS[0])
    assert lines[-1] == "2 rows"


def test_one_long_column_is_folded_and_stays_in_its_table(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    lines = shown(capsys, ("id", "reason"), [("first", "so many words " * 20)])
    assert "id" in lines[1]
    assert "reason" in lines[1]


def test_many_columns_become_blocks_that_break_no_value(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    lines = shown(capsys, (*NAMES, "outcome"), [(*row, "not_run") for row in ROWS])
    assert " id       paper/table-1/first" in lines
    assert f" digest   {'ab' * 32}" in lines
    assert " printed  –" in lines
    assert any("name fewer columns" in line for line in lines)
    assert lines[-1] == "2 rows"


def test_no_rows_show_their_columns(capsys: pytest.CaptureFixture[str]) -> None:
    lines = shown(capsys, tuple(f"a_long_name_of_a_column_{number}" for number in range(20)), [])
    assert lines[-1] == "0 rows"
    assert lines[0].startswith("columns: a_long_name_of_a_column_0, ")
