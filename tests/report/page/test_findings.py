"""Inconsistencies among prints, each with both of its places, and the memory of them."""

import json
from collections.abc import Callable
from pathlib import Path

from repro.claims.claim import Claim
from repro.claims.papers import load_claims
from repro.report.page.content import Content
from repro.report.page.findings import ORDER, findings


def test_findings_have_both_places(measured: Content) -> None:
    severe = [finding for finding in measured.findings if finding.severity == "substantive"]
    claims = {claim.id: claim for claim in load_claims()}
    assert severe
    for finding in severe:
        assert claims[finding.here.claim].printed == finding.here.printed
        assert all(claims[place.claim].locator == place.locator for place in finding.there)


def disagreeing(claims_of: Callable[..., list[Claim]]) -> list[Claim]:
    """Two prints of one cell, far apart, and two that differ by their last digit."""
    cell = {"model": "m", "condition": "B3", "step": 5000, "statistic": "mean"}
    near = {**cell, "model": "other"}
    values = [("0.641", near), ("0.643", near), ("0.641", cell), ("0.941", cell)]
    return claims_of(*({"printed": printed, **place} for printed, place in values))


def test_the_gravest_comes_first_and_says_both_prints(
    claims_of: Callable[..., list[Claim]], tmp_path: Path
) -> None:
    claims = disagreeing(claims_of)
    found = findings(claims, tmp_path / "findings.json")
    assert [finding.severity for finding in found] == ["substantive", "rounding"]
    assert [ORDER.index(finding.severity) for finding in found] == [0, 2]
    gravest = found[0]
    places = [gravest.here, *gravest.there]
    assert {place.claim: place.printed for place in places} == {
        claim.id: claim.printed for claim in claims[2:]
    }
    assert {gravest.printed, gravest.recomputed} == {"0.641", "0.941"}


def test_what_is_remembered_is_used_for_these_very_claims_alone(
    claims_of: Callable[..., list[Claim]], tmp_path: Path
) -> None:
    """A memory of other claims, or one that somebody changed, is made anew."""
    memory, claims = tmp_path / "findings.json", disagreeing(claims_of)
    found = findings(claims, memory)
    kept = memory.read_bytes()
    assert findings(claims, memory) == found
    assert memory.read_bytes() == kept
    assert findings(claims[:2], memory) == found[1:]
    changed = json.loads(kept)
    changed["checks"] = changed["checks"][:1]
    for text in (json.dumps(changed), "[]", "{", ""):
        memory.write_text(text)
        assert findings(claims, memory) == found
        assert memory.read_bytes() == kept
