"""Statements have the layouts that in-toto gives them, over the files that are there."""

from pathlib import Path

import pytest

from repro.files import file_digest
from repro.share.attest import attest_runs
from repro.share.dsse import checked_statement, read_private, read_public
from repro.share.trust import signed_evidence
from repro.store.finished import finished_folders

pytest.importorskip("cryptography")
MANIFEST = "canary_entropies"


def test_statements_have_the_layouts_of_in_toto(carried: Path, keys: Path) -> None:
    found = finished_folders(carried, MANIFEST)
    key = read_private(keys / "mine")
    *runs, tested = attest_runs(carried, MANIFEST, found.folders, (), key)
    public = read_public(keys / "mine.pub")
    made = [checked_statement(path.read_bytes(), public) for path in (*runs, tested)]
    assert all(made)
    provenance, result = made[0], made[-1]
    assert provenance
    assert result
    assert set(provenance.predicate) == {"buildDefinition", "runDetails"}
    assert {"buildType", "externalParameters"} <= provenance.predicate["buildDefinition"].keys()
    assert provenance.predicate["runDetails"]["builder"]["id"].startswith("urn:repro-harness:")
    path = min((carried / "runs" / MANIFEST).iterdir())
    names = {one.name: one.digest["sha256"] for one in provenance.subject}
    assert names[f"runs/{MANIFEST}/{path.name}/done.json"] == file_digest(path / "done.json")
    assert names[f"runs/{MANIFEST}/{path.name}/run.json"] == file_digest(path / "run.json")
    assert result.predicate["result"] in ("PASSED", "WARNED", "FAILED")
    assert {"configuration", "passedTests", "warnedTests", "failedTests"} <= result.predicate.keys()
    assert f"asked/{MANIFEST}.json" in {one.name for one in result.subject}
    signed = signed_evidence(carried, public)
    assert (signed.statements, signed.broken, signed.others) == (1, (), 0)
