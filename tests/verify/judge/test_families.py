"""Families: what is a headline, what is one cell, and that nothing is contradicted by many tests
alone.
"""

from typing import Any

import numpy as np
import pytest

from repro.claims.family import families, level_factors
from repro.verify.judge.families import adjust
from tests.verify.judge.test_promises import AFTER, BASE, EI, paper

MEAN: dict[str, Any] = {"printed": "0.500 ± 0.100", **AFTER}
CHANGE: dict[str, Any] = {
    "statistic": "relative_change",
    "of": "mean",
    "against": {"step": 0},
    **AFTER,
}


def test_claims_about_one_cell_are_one_test_whose_mean_has_half_the_level() -> None:
    claims = paper({"printed": "falls", "statistic": "below", "of": "mean", "against": {"step": 0}, **AFTER},
                   {"printed": "-40%", **CHANGE}, MEAN, {"printed": "0.51", "seed": 0, **AFTER},
                   {"printed": "8", "statistic": "count", **AFTER}, {**MEAN, "model": "other"})  # fmt: skip
    found = families(claims)
    assert found.headline == ()
    assert [len(cell) for cell in found.cells] == [5, 2]
    assert found.cells[0][0] == "paper/c2~0", "the mean, wherever it stands"
    assert level_factors(found.cells[0]) == {
        name: 2 if name == "paper/c2~0" else 8 for name in found.cells[0]
    }
    assert sorted({claim.tests for claim in claims}) == [1, 4, 16], "settings are no tests"


@pytest.mark.parametrize("declared", [True, False])
def test_headlines_are_declared_or_those_of_the_abstract(declared: bool) -> None:
    claims = paper({**MEAN, "headline": declared}, {**MEAN, "model": "b", "locator": "Abstract"})
    headline = {claim.id for claim in claims if claim.headline}
    assert headline == ({"paper/c0~0", "paper/c0~1"} if declared else {"paper/c1~0", "paper/c1~1"})
    assert families(claims).headline == tuple(sorted(headline))


def test_a_headline_is_part_of_what_is_hashed() -> None:
    plain, named = (paper({**MEAN, "headline": headline})[0] for headline in (False, True))
    assert plain.digest != named.digest


def test_true_papers_are_contradicted_in_at_most_five_percent() -> None:
    """Uniform p of every claim: the smallest of 24 is below 5 % in 71 % of papers, none of its
    family stands in 95 %.
    """
    claims = paper(*({"printed": "0.5", "quantity": EI, **AFTER, "model": f"m{k}", "statistic": how}
                     for k in range(6) for how in ("mean", "median", "max", "min")))  # fmt: skip
    rng = np.random.default_rng(0)
    alone, standing = 0, 0
    for _ in range(1000):
        p_values = {
            claim.id: float(p)
            for claim, p in zip(claims, rng.uniform(size=len(claims)), strict=True)
        }
        alone += min(p_values.values()) < 0.05
        standing += min(adjust(claims, p_values).values()) < 0.05
    assert alone / 1000 > 0.6
    assert standing / 1000 <= 0.07


def test_one_false_claim_stands_among_true_ones_about_its_cell() -> None:
    claims = paper(
        MEAN, {"printed": "-40%", **CHANGE}, {"printed": "0.900", "statistic": "mean", **BASE}
    )
    p_values = {claim.id: 1.0 for claim in claims} | {"paper/c1~0": 1e-4}
    assert adjust(claims, p_values)["paper/c1~0"] < 0.05
    assert adjust(claims, p_values)["paper/c0~0"] == 1.0
