"""The rule of severity, and the command that prints the audit."""

import argparse
import csv
import io
import json
import re
import shutil
from pathlib import Path

import pytest

from repro.audit import audit, findings_by_claim
from repro.audit.accuracy import measured_accuracy
from repro.audit.check import severity
from repro.claims.algebra.interval import Interval, point
from repro.claims.papers import PAPERS, load_claims, load_paper
from repro.cli import audit as command
from repro.errors import ManifestError


@pytest.mark.parametrize(
    ("printed", "recomputed", "expected"),
    [
        (Interval(0.6405, 0.6415), point(0.6414), "none"),
        (Interval(-10.35, -10.25), point(-10.366), "rounding"),
        (Interval(0.6405, 0.6415), point(0.6500), "minor"),
        (Interval(0.6405, 0.6415), point(0.7200), "substantive"),
        (Interval(-0.0505, -0.0495), point(0.0500), "substantive"),
        (Interval(-0.0005, 0.0005), point(0.2790), "substantive"),
    ],
)
def test_severity_follows_its_rule(printed: Interval, recomputed: Interval, expected: str) -> None:
    assert (
        severity(
            printed, recomputed, unit=printed.high - printed.low if printed.high < 0.5 else 0.001
        )
        == expected
    )


def run(*arguments: str) -> int:
    parsed = command_line().parse_args(["audit", *arguments])
    code: int = parsed.run(parsed)
    return code


def command_line() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser()
    command.add(top.add_subparsers())
    return top


def test_the_command_says_what_is_inconsistent_and_exits_1(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run("consolidated", "--json") == 1
    checks = json.loads(capsys.readouterr().out)["checks"]
    assert set(checks[0]) == {
        "id",
        "inputs",
        "check",
        "recomputed",
        "printed",
        "verdict",
        "severity",
        "explanation",
    }
    assert {check["verdict"] for check in checks} == {"consistent", "inconsistent", "undecidable"}


@pytest.mark.worker
def test_a_paper_in_agreement_with_itself_exits_0(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("example") == 0
    assert "0 inconsistent" in capsys.readouterr().out


def test_a_folder_with_a_paper_of_ones_own_is_audited_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mine = tmp_path / "example"
    shutil.copytree(PAPERS / "example", mine)
    cooling = mine / "cooling.yaml"
    for file in (cooling, mine / "example.txt"):
        file.write_text(
            file.read_text()
            .replace('printed: "21.0"', 'printed: "23.0"')
            .replace("by 21.0", "by 23.0")
        )
    assert run(str(mine)) == 1
    assert "difference" in capsys.readouterr().out


def test_an_unknown_paper_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ManifestError, match="consolidated"):
        run("nosuch")


@pytest.mark.worker
def test_findings_name_the_claims_that_are_wrong_and_are_remembered(tmp_path: Path) -> None:
    claims = load_claims()
    file = tmp_path / "audit.json"
    fresh = findings_by_claim(claims, file)
    assert fresh == findings_by_claim(claims, file) == findings_by_claim(claims)
    wrong = {check.inputs[0] for check in audit(claims) if check.verdict == "inconsistent"}
    assert wrong <= set(fresh)
    file.write_text("{broken")
    assert findings_by_claim(claims, file) == fresh


def test_findings_are_not_remembered_for_other_claims(tmp_path: Path) -> None:
    file = tmp_path / "audit.json"
    findings_by_claim(load_claims(), file)
    assert findings_by_claim(load_paper(PAPERS / "example").claims, file) == {}


@pytest.mark.worker
def test_it_begins_with_what_was_read_and_ends_with_counts_the_worst_first(
    capsys: pytest.CaptureFixture[str],
) -> None:
    run("consolidated")
    lines = capsys.readouterr().out.splitlines()
    assert re.match(
        r"[\d,]+ claims read, of [\d,]+ numbers and [\d,]+ statements or lists; [\d,]+ compared",
        lines[0],
    )
    assert re.match(r"consolidated: \d+ checks: \d+ consistent, \d+ inconsistent \(", lines[-2])
    assert "`--all`" in lines[-1]
    words = [
        line[2:].split()[0]
        for line in lines
        if re.match(r"│ (substantive|minor|rounding|undecided)", line)
    ]
    order = ["substantive", "minor", "rounding"]
    ranked = [order.index(word) for word in words if word in order]
    assert ranked == sorted(ranked)
    assert {"substantive", "minor"} <= set(words)
    assert "consistent" not in words


@pytest.mark.worker
def test_all_shows_consistent_and_undecidable_checks(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("example", "--all") == 0
    out = capsys.readouterr().out
    assert "│ consistent" in out
    assert " = " in out


@pytest.mark.worker
def test_csv_has_a_row_for_every_check_shown_and_no_other_line(
    capsys: pytest.CaptureFixture[str],
) -> None:
    run("consolidated", "--format", "csv", "--all")
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    run("consolidated", "--json")
    content = json.loads(capsys.readouterr().out)
    assert sorted(row["check"] for row in rows) == sorted(
        check["check"] for check in content["checks"]
    )
    assert rows[0]["severity"] == "substantive"
    assert {row["paper"] for row in rows} <= {
        "consolidated",
        "selective",
        "summary",
        "lambda_table",
        "artificial",
    }
    assert set(content["accuracy"]) == {row["check"] for row in rows} & set(measured_accuracy())
    assert set(content["accuracy"]["mean"]) == {
        "clean_papers",
        "alarmed_papers",
        "clean_checks",
        "found",
    }


def test_markdown_is_one_table_between_two_lines(capsys: pytest.CaptureFixture[str]) -> None:
    run("consolidated", "--format", "markdown")
    lines = capsys.readouterr().out.splitlines()
    assert " claims read, of " in lines[0]
    assert " checks: " in lines[-1]
    table = [line for line in lines if line.startswith("|")]
    assert len({len(re.findall(r"(?<!\\)\|", line)) for line in table}) == 1
    assert table[2].startswith("| substantive |")
