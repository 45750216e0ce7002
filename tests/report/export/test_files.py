"""The report as files: each table in three forms with the same cells, numbers as macros."""

import csv
import io
from pathlib import Path

import pytest

from repro.claims.claim import Claim
from repro.claims.table import parse_table
from repro.errors import SetupError
from repro.report.export.files import write_files
from repro.report.page.claims import legend, tables
from repro.report.page.content import Content, coverage
from repro.report.page.costs import Price
from repro.verify.verdict import Verdict


@pytest.fixture
def content(judged: tuple[list[Claim], list[Verdict]]) -> Content:
    """A page of judged claims, without figures, runs or findings."""
    claims, verdicts = judged
    price = Price("scale_ladder", "t", 2, 1, 3, 1.25, 1234.5, False)
    return Content(
        scope="",
        first_line="",
        claimed="",
        found=[],
        more="",
        tables=tables(verdicts, {claim.id: claim for claim in claims}),
        legend=legend(verdicts),
        papers={},
        coverage=coverage(verdicts, []),
        prices=[price],
        sections=[],
        findings=[],
        runs=[],
        conditions=[],
    )


def test_a_table_has_the_same_cells_in_every_form(content: Content, tmp_path: Path) -> None:
    written = write_files(tmp_path / "files", content)
    found = [path for path in (tmp_path / "files").rglob("*") if path.is_file()]
    assert len(found) == written == 5 * 3 + 1
    for path in (tmp_path / "files" / "tables").glob("*.csv"):
        header, *rows = csv.reader(io.StringIO(path.read_text()))
        if rows:
            marked = path.with_suffix(".md").read_text().replace("&lt;", "<")
            assert parse_table(marked, "markdown") == (header, rows)
        assert path.with_suffix(".tex").read_text().count(r"\\") == len(rows) + 1


def test_every_claim_is_a_row_and_a_macro(content: Content, tmp_path: Path) -> None:
    write_files(tmp_path, content)
    lines = [line for table in content.tables for line in table.lines]
    rows = list(csv.DictReader(io.StringIO((tmp_path / "tables" / "claims.csv").read_text())))
    assert len(rows) == len(lines)
    assert (tmp_path / "numbers.tex").read_text().count("{published}") == len(lines) + 1
    (cost,) = csv.DictReader(io.StringIO((tmp_path / "tables" / "costs.csv").read_text()))
    assert (cost["GPU-hours from"], cost["GPU-hours to"]) == ("1.25", "1.23e+03")


def test_a_folder_that_is_a_file_is_refused(content: Content, tmp_path: Path) -> None:
    (tmp_path / "files").write_text("")
    with pytest.raises(SetupError, match="files"):
        write_files(tmp_path / "files", content)
