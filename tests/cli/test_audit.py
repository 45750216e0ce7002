"""`repro audit` as a user meets it: a code that says whether prints agree, in every form."""

import csv
import io
import json
from pathlib import Path

import pytest

from repro.api.auditing import audit_papers
from repro.cli import main

Said = pytest.CaptureFixture[str]


def made(folder: Path, total: str) -> str:
    """A paper with a table whose difference is right or wrong."""
    home = folder / "mine"
    home.mkdir(exist_ok=True)
    (home / "paper.yaml").write_text("id: mine\ntitle: A case\naxes: [country, set]\n")
    (home / "claims.yaml").write_text(
        "locator: Table 1\nquantity: cases\nunverifiable: made up\nkeys: {Country: country}\n"
        "columns:\n  A: {set: a}\n  B: {set: b}\n"
        "  Gap: {statistic: difference, of: {set: a}, against: {set: b}}\n"
        f"table: |\n  | Country | A | B | Gap |\n  | Japan | 12.5 | 10.0 | {total} |\n"
    )
    return str(home)


@pytest.mark.worker
@pytest.mark.parametrize(("gap", "code"), [("2.5", 0), ("25.0", 1)])
def test_the_code_says_whether_the_prints_agree(
    tmp_path: Path, capsys: Said, gap: str, code: int
) -> None:
    assert main(["audit", made(tmp_path, gap)]) == code
    out = capsys.readouterr().out
    assert ("1 inconsistent (1 substantive)" in out) == bool(code)
    assert ("0 inconsistent" in out) != bool(code)


@pytest.mark.worker
def test_json_has_every_check_and_how_often_its_kind_errs(capsys: Said) -> None:
    code = main(["audit", "lora", "--json"])
    found = json.loads(capsys.readouterr().out)
    audited = audit_papers("lora")
    assert code == audited.code
    assert [check["id"] for check in found["checks"]] == [check.id for check in audited.checks]
    assert set(found["accuracy"]) <= {check.check for check in audited.checks}
    assert found["accuracy"]


@pytest.mark.worker
def test_rows_are_what_the_print_is_against_unless_all_are_asked_for(
    tmp_path: Path, capsys: Said
) -> None:
    right = made(tmp_path, "2.5")
    assert main(["audit", right, "--format", "csv"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 1, "the header alone"
    assert main(["audit", right, "--format", "csv", "--all"]) == 0
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert {row["verdict"] for row in rows} == {"consistent"}
    assert main(["audit", right, "--format", "latex", "--all"]) == 0
    assert capsys.readouterr().out.count(r"\\") == len(rows) + 1


def test_a_paper_that_is_not_known_is_one_line_with_the_nearest(capsys: Said) -> None:
    assert main(["audit", "lroa"]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("repro audit: lroa: ")
    assert "nearest is lora" in line
