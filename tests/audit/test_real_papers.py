"""Real papers, shipped as examples: no alarm, and a wrong number is found."""

import re
from collections import Counter

import pytest

from repro.audit import audit
from repro.claims.claim import Claim
from repro.claims.papers import find_paper

DETERMINED = {"lora": 4, "domainbed": 42, "codata": 79}
"""Numbers of each that its other numbers determine (docs/results/papers.md)."""
MISSED = {"codata": 10}
"""Ratios with more digits than the masses they are of: the masses' decimals allow the wrong ratio
too.
"""


def spoilt(claim: Claim, by: float) -> Claim:
    """The claim, printed as another number: so many units of its last digit away."""
    moved = {
        name: value + by * claim.digit
        for name in ("value", "low", "high")
        if (value := getattr(claim, name)) is not None
    }
    return claim.model_copy(update=moved)


def found(claims: tuple[Claim, ...], name: str) -> Counter[str]:
    return Counter(
        check.verdict for check in audit(claims) if name in check.papers and check.check != "bounds"
    )


@pytest.mark.worker
@pytest.mark.parametrize("name", DETERMINED)
def test_a_real_paper_raises_no_alarm_and_its_wrong_numbers_do(name: str) -> None:
    claims = find_paper(name).claims
    checks = [
        check
        for check in audit(claims)
        if check.verdict == "consistent" and check.check != "bounds"
    ]
    assert found(claims, name)["inconsistent"] == 0
    assert len(checks) == DETERMINED[name]
    missed = []
    for check in checks:
        wrong = tuple(
            spoilt(claim, 12) if claim.id == check.inputs[0] else claim for claim in claims
        )
        if not found(wrong, name)["inconsistent"]:
            missed.append(check.id)
    assert len(missed) <= MISSED.get(name, 0), missed


@pytest.mark.parametrize("name", DETERMINED)
def test_no_sentence_of_a_paper_is_shipped(name: str) -> None:
    says = {claim.says for claim in find_paper(name).claims}
    assert all(re.search(r"\|", words) for words in says), "rows of tables alone"
