"""What is kept to save time carries its digest: edited, it is made again and judges nothing."""

import json
import shutil
from pathlib import Path

import pytest

import repro.audit
from repro.audit import audit_claims
from repro.claims.papers import load_claims
from repro.machine.structures import Wanted, structures
from repro.manifest.load import load_models
from repro.manifest.training import Training
from repro.plan.code import worker_code


@pytest.mark.worker
def test_a_structure_whose_numbers_were_doubled_is_built_again(tmp_path: Path) -> None:
    wanted = Wanted(load_models()["tiny-llama"], Training())
    (built,) = structures([wanted], tmp_path, print, known={})
    path = wanted.file(tmp_path)
    kept = json.loads(path.read_text())
    kept["structure"]["parameters"] *= 2
    path.write_text(json.dumps(kept))
    assert structures([wanted], tmp_path, print, known={}) == [built]
    assert json.loads(path.read_text())["structure"]["parameters"] == built.parameters


def test_a_remembered_audit_that_was_edited_is_made_again(tmp_path: Path) -> None:
    claims = [claim for claim in load_claims() if claim.source == "lambda_table"]
    path = tmp_path / "audit.json"
    found = audit_claims(claims, path)
    kept = json.loads(path.read_text())
    assert audit_claims(claims, path) == found, "as it was kept"
    path.write_text(json.dumps(kept | {"findings": {claims[0].id: ["invented"]}}))
    again = audit_claims(claims, path)
    assert {claim: list(checks) for claim, checks in again.findings.items()} == {
        claim: list(checks) for claim, checks in found.findings.items()
    }


def test_a_remembered_audit_is_made_again_when_code_that_it_reaches_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    claims = [claim for claim in load_claims() if claim.source == "lambda_table"]
    path, package = tmp_path / "audit.json", tmp_path / "repro"
    shutil.copytree(
        repro.audit.PACKAGE, package, ignore=shutil.ignore_patterns("__pycache__", "*.json")
    )
    monkeypatch.setattr("repro.audit.PACKAGE", package)

    def key_after(module: str) -> str:
        with (package / module).open("a") as file:
            file.write("\n# another line\n")
        audit_claims(claims, path)
        return str(json.loads(path.read_text())["key"])

    keys = [
        key_after(module)
        for module in ("store/ingest.py", "geometry/trajectory.py", "claims/term.py", "files.py")
    ]
    assert len(set(keys)) == 4
    assert key_after("report/terminal/verify.py") == keys[-1], "what the audit does not reach"


def test_all_code_that_the_audit_reaches_is_in_its_key() -> None:
    rooms = {name.split(".")[1] for name in worker_code("repro.audit") if name.count(".") > 1}
    assert "geometry" in rooms
    assert rooms <= set(repro.audit.REACHED)
