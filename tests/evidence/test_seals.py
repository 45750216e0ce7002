"""Claims are sealed before runs start, in a chain that an edit breaks; which came first is told by
it and by no clock.
"""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from repro.claims.claim import Claim
from repro.claims.papers import load_claims
from repro.evidence.seals import SEALS_FOLDER, read_seals, seal_claims


@pytest.fixture
def claims() -> list[Claim]:
    """Two claims that the smoke manifest measures."""
    return [claim for claim in load_claims() if claim.measured_by == "smoke"][:2]


@pytest.fixture
def changed(claims: list[Claim]) -> Claim:
    """The first of them with a wider tolerance."""
    return claims[0].model_copy(update={"value": 0.123, "low": 0.0, "high": 9.0})


def test_claims_that_stay_the_same_are_sealed_once(tmp_path: Path, claims: list[Claim]) -> None:
    first = seal_claims(tmp_path, claims)
    assert seal_claims(tmp_path, claims) == first
    (only,) = read_seals(tmp_path).values()
    assert only.claims == {"smoke": {claim.id: claim.digest for claim in claims}}
    assert only.before is None


def test_a_changed_claim_makes_a_new_seal_that_names_the_one_before(
    tmp_path: Path, claims: list[Claim], changed: Claim
) -> None:
    first = seal_claims(tmp_path, claims)
    second = seal_claims(tmp_path, [changed, claims[1]])
    back = seal_claims(tmp_path, claims)
    assert [*read_seals(tmp_path)] == [first, second, back]
    assert [seal.before for seal in read_seals(tmp_path).values()] == [None, first, second]


@pytest.mark.parametrize(
    "spoil",
    [
        lambda text: text.replace("smoke", "smock"),
        lambda text: json.dumps(json.loads(text) | {"sealed": "2020-01-01T00:00:00+00:00"}),
        lambda text: text[:-5],
        lambda _: "",
    ],
    ids=["a claim", "its time", "cut", "empty"],
)
def test_an_edited_seal_is_none_and_neither_is_what_follows_it(
    tmp_path: Path, claims: list[Claim], changed: Claim, spoil: Callable[[str], str]
) -> None:
    """The time of a seal cannot be put back: the file's name holds its digest, and so does the seal
    after it.
    """
    first = seal_claims(tmp_path, claims)
    seal_claims(tmp_path, [changed])
    path = next(
        path for path in (tmp_path / SEALS_FOLDER).iterdir() if path.stem.endswith(first[:12])
    )
    path.write_text(spoil(path.read_text()))
    assert read_seals(tmp_path) == {}
