"""The rule of severity, and the command that prints the audit."""

import argparse
import json
import shutil
from pathlib import Path

import pytest

from repro.cli import audit as command
from repro.errors import ManifestError
from repro.manifest.papers import PAPERS, load_claims, load_paper
from repro.verify.algebra_interval import Interval, point
from repro.verify.audit import audit, findings
from repro.verify.audit.check import severity


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
    assert severity(printed, recomputed, unit=printed.high - printed.low if printed.high < 0.5 else 0.001) == expected


def run(*arguments: str) -> int:
    parsed = command_line().parse_args(["audit", *arguments])
    code: int = parsed.run(parsed)
    return code


def command_line() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser()
    command.add(top.add_subparsers())
    return top


def test_the_command_says_what_is_inconsistent_and_exits_1(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("consolidated", "--json") == 1
    checks = json.loads(capsys.readouterr().out)["checks"]
    assert set(checks[0]) == {"id", "inputs", "check", "recomputed", "printed", "verdict", "severity", "explanation"}
    assert {check["verdict"] for check in checks} == {"consistent", "inconsistent", "undecidable"}


def test_a_paper_in_agreement_with_itself_exits_0(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("example") == 0
    assert "0 inconsistent" in capsys.readouterr().out


def test_a_folder_with_a_paper_of_ones_own_is_audited_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    mine = tmp_path / "example"
    shutil.copytree(PAPERS / "example", mine)
    cooling = mine / "cooling.yaml"
    cooling.write_text(cooling.read_text().replace('printed: "21.0"', 'printed: "23.0"'))
    assert run(str(mine)) == 1
    assert "difference" in capsys.readouterr().out


def test_an_unknown_paper_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ManifestError, match="consolidated"):
        run("nosuch")


def test_findings_name_the_claims_that_are_wrong_and_are_remembered(tmp_path: Path) -> None:
    claims = load_claims()
    file = tmp_path / "audit.json"
    fresh = findings(claims, file)
    assert fresh == findings(claims, file) == findings(claims)
    wrong = {check.inputs[0] for check in audit(claims) if check.verdict == "inconsistent"}
    assert wrong <= set(fresh)
    file.write_text("{broken")
    assert findings(claims, file) == fresh


def test_findings_are_not_remembered_for_other_claims(tmp_path: Path) -> None:
    file = tmp_path / "audit.json"
    findings(load_claims(), file)
    assert findings(load_paper(PAPERS / "example").claims, file) == {}
