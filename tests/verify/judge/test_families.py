"""Families: what is a headline, what is one cell, and that nothing is contradicted by many tests
alone.
"""

from typing import Any

import numpy as np

from repro.verify.judge.families import adjust
from tests.verify.judge.test_promises import AFTER, BASE, EI, paper

MEAN: dict[str, Any] = {"printed": "0.500 ± 0.100", **AFTER}
CHANGE: dict[str, Any] = {
    "statistic": "relative_change",
    "of": "mean",
    "against": {"step": 0},
    **AFTER,
}


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
