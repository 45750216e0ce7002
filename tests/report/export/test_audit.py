"""The audit for other programs: every check a row, the worst first, and no cell ends its column."""

import csv
import io
import re
from collections.abc import Callable

import pytest

from repro.audit import Check, audit
from repro.claims.claim import Claim
from repro.claims.papers import Paper, find_paper
from repro.claims.table import parse_table
from repro.report.export.audit import audit_markdown, checks_table, print_csv

SEVERITIES = ["substantive", "minor", "rounding", "none"]


@pytest.fixture(scope="module")
def paper() -> Paper:
    return find_paper("lora")


@pytest.fixture(scope="module")
def checks(paper: Paper) -> tuple[Check, ...]:
    return audit(paper.claims)


def test_every_check_is_a_row_of_csv_and_the_worst_come_first(
    checks: tuple[Check, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    print_csv(checks)
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert len(rows) == len(checks) > 3
    told = {(row["check"], row["inputs"], row["verdict"]) for row in rows}
    assert told == {(one.check, " ".join(one.inputs), one.verdict) for one in checks}
    places = [SEVERITIES.index(row["severity"]) for row in rows]
    assert places == sorted(places)


def test_the_table_holds_what_csv_holds_but_the_ids(checks: tuple[Check, ...]) -> None:
    table = checks_table(checks)
    assert "inputs" not in table.columns
    assert len(table.rows) == len(checks)
    assert all(len(row) == len(table.columns) for row in table.rows)


def test_markdown_says_what_was_read_then_the_rows_then_the_counts(
    checks: tuple[Check, ...], paper: Paper
) -> None:
    """The counts are of all checks, whichever are shown."""
    few = [check for check in checks if check.verdict == "consistent"][:2]
    lines = list(audit_markdown(few, checks, [paper]))
    assert lines[0].startswith(f"{len(paper.claims):,} claims read")
    assert lines[-1].startswith(f"{len(checks)} checks: ")
    _, rows = parse_table("\n".join(line for line in lines if line.startswith("|")), "markdown")
    assert len(rows) == 2
    assert all(len(row) == 6 for row in rows)


def test_somebody_s_words_end_no_column_and_begin_no_tag(
    claims_of: Callable[..., list[Claim]], paper: Paper
) -> None:
    cell = {"model": "m", "condition": "B3", "step": 5, "statistic": "mean"}
    claims = claims_of(*({"printed": text, **cell} for text in ("0.641", "0.941")))
    check = next(one for one in audit(claims) if one.severity == "substantive")
    odd = check.model_copy(update={"explanation": "a|b \\ <script>\nc", "locator": "Table | 1"})
    (row,) = [line for line in audit_markdown([odd], [odd], [paper]) if f"`{odd.check}`" in line]
    assert len(re.findall(r"(?<!\\)\|", row)) == 7
    assert "<script" not in row
    assert row.startswith("| substantive | ")
    assert "a\\|b \\\\ &lt;script> c" in row
