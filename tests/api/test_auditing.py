"""The audit from Python is the audit on the command line."""

import json
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from repro.api import audit_paper
from repro.api.auditing import audit_papers

PAPERS = Path(__file__).resolve().parents[2] / "manifests" / "papers"


def test_audit_paper_says_what_audit_says(repro: Callable[..., CompletedProcess[str]]) -> None:
    done = repro("audit", "lora", "--json")
    checks = audit_paper(PAPERS / "lora")
    assert [check.model_dump(mode="json") for check in checks] == json.loads(done.stdout)["checks"]
    assert audit_papers("lora").code == done.returncode


@pytest.mark.worker
def test_only_checks_of_the_papers_that_were_asked_are_given() -> None:
    found = audit_papers("selective")
    assert {paper.id for paper in found.papers} == {"selective"}
    assert found.checks
    assert all("selective" in check.papers for check in found.checks)
    assert found.code == 1
