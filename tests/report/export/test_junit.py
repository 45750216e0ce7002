"""Verdicts as JUnit XML: a case a claim, whatever it says; devices are written to, not replaced."""

import os
import stat
import subprocess
import threading
import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path

import pytest

from repro.claims.claim import Claim
from repro.errors import SetupError
from repro.report.export.junit import junit, write_junit
from repro.verify.verdict import Verdict

Command = Callable[..., subprocess.CompletedProcess[str]]
Judged = tuple[list[Claim], list[Verdict]]


def test_junit_has_one_case_a_claim_with_its_outcome(judged: Judged, tmp_path: Path) -> None:
    write_junit(tmp_path / "verify.xml", judged[1])
    root = ET.parse(tmp_path / "verify.xml").getroot()
    cases = {case.get("name"): case for case in root.iter("testcase")}
    assert set(cases) == {verdict.id for verdict in judged[1]}
    for verdict in judged[1]:
        case = cases[verdict.id]
        assert (case.find("failure") is not None) == (verdict.outcome in ("contradicted", "fails"))
        skipped = ("inconclusive", "not_run", "unverifiable", "differs", "not_set")
        assert (case.find("skipped") is not None) == (verdict.outcome in skipped)
        told = {item.get("name"): item.get("value") for item in case.iter("property")}
        assert told.get("basis") == verdict.basis
        assert told.get("grade") == verdict.grade
    suite = junit(judged[1]).find("testsuite")
    assert suite is not None
    assert suite.get("failures") == str(sum(v.outcome == "contradicted" for v in judged[1]))


def verdict(**fields: object) -> Verdict:
    """A verdict as far as JUnit reads it."""
    made = {
        "id": "p/t/1",
        "source": "p",
        "locator": "Table 1",
        "printed": "1",
        "estimate": 2.0,
        "reason": "r",
        "basis": "measured",
        "grade": "own",
    }
    return Verdict.model_construct(None, **{**made, "outcome": "contradicted", **fields})


def test_junit_is_xml_whatever_a_claim_says(tmp_path: Path) -> None:
    odd = "a\x00\x1b[31m\ufffe\ud800 é <&>"
    write_junit(tmp_path / "j.xml", [verdict(printed=odd, reason=odd, locator=odd)])
    (failure,) = ET.parse(tmp_path / "j.xml").iter("failure")
    assert failure.attrib["message"] == "contradicted: a\\x00\\x1b[31m\\ufffe\\ud800 é <&>"


def test_junit_replaces_a_plain_file_and_writes_into_everything_else(tmp_path: Path) -> None:
    target, link, pipe = tmp_path / "j.xml", tmp_path / "link.xml", tmp_path / "pipe"
    target.write_text("old")
    link.symlink_to(target)
    os.mkfifo(pipe)
    write_junit(link, [verdict()])
    assert link.is_symlink()
    assert "testsuites" in target.read_text()
    read: list[str] = []
    reader = threading.Thread(target=lambda: read.append(pipe.read_text()))
    reader.start()
    write_junit(pipe, [verdict()])
    reader.join(10)
    assert "testsuites" in read[0]
    assert stat.S_ISFIFO(pipe.stat().st_mode)
    write_junit(Path("/dev/null"), [verdict()])
    assert stat.S_ISCHR(os.stat("/dev/null").st_mode)


def test_a_full_device_is_refused_and_no_file_takes_its_place() -> None:
    if not Path("/dev/full").exists():
        pytest.skip("needs /dev/full, which only Linux has")
    with pytest.raises(SetupError, match="could not be written"):
        write_junit(Path("/dev/full"), [verdict()])
    assert stat.S_ISCHR(os.stat("/dev/full").st_mode)


@pytest.mark.worker
def test_junit_to_standard_output_is_printed(repro: Command, tmp_path: Path) -> None:
    done = repro("verify", "smoke", "--junit", "/dev/stdout", "--json")
    assert "<testsuites" in done.stdout
    assert Path("/dev/stdout").is_symlink()
    assert repro("verify", "smoke", "--junit", str(tmp_path / "no" / "j.xml")).returncode == 3
    refused = repro("verify", "smoke", "--junit", "/proc/j.xml")
    assert refused.returncode == 2
    assert "free disk space" not in refused.stderr


def test_totals_of_suites_add_up_to_those_of_the_whole(judged: Judged) -> None:
    """Each place of a paper is a suite; a place that comes again later is another one."""
    verdicts = judged[1]
    moved = [v.model_copy(update={"locator": f"Table {n // 2}"}) for n, v in enumerate(verdicts)]
    root = junit(moved)
    suites = root.findall("testsuite")
    assert [suite.get("name") for suite in suites] == [
        f"paper, Table {n}" for n in range((len(verdicts) + 1) // 2)
    ]
    for name in ("tests", "failures", "skipped", "errors"):
        assert sum(int(suite.attrib[name]) for suite in suites) == int(root.attrib[name])
    assert int(root.attrib["tests"]) == len(verdicts)
    assert int(root.attrib["failures"]) == len(root.findall(".//failure"))
    assert int(root.attrib["skipped"]) == len(root.findall(".//skipped"))
