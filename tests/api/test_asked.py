"""Which claims a name means."""

from pathlib import Path

import pytest

from repro.api.asked import asked_claims
from repro.errors import ManifestError


def test_a_name_is_a_manifest_first_and_a_paper_else() -> None:
    manifest, paper = asked_claims("smoke", None), asked_claims("consolidated", None)
    assert manifest.manifest
    assert not paper.manifest
    assert {claim.measured_by for claim in manifest.claims} == {"smoke"}
    assert {claim.source for claim in paper.claims} == {"consolidated"}
    assert set(map(id, paper.claims)) < set(map(id, paper.everything))
    assert manifest.given == {}


def test_a_manifest_by_its_path_is_given_along() -> None:
    path = Path(__file__).resolve().parents[2] / "ci" / "canary.yaml"
    assert [*asked_claims(str(path), None).given] == ["canary"]
    with pytest.raises(ManifestError, match="no such manifest or paper"):
        asked_claims("nothing_of_this_name", None)
