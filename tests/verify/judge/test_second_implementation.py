"""Three rules written a second time with scipy and statsmodels alone, from docs/SCIENCE.md §13: the
same p to 1e-9.
"""

import math

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.weightstats import CompareMeans, DescrStatsW, ttost_ind

from repro.claims.family import families
from repro.verify.assess import assess
from repro.verify.judge.families import adjust
from tests.verify.judge.test_promises import AFTER, BASE, EI, judged, measured, paper

SEEDS = range(12)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_mean_with_its_spread(seed: int) -> None:
    """PI = t(n−1)·s·√(1/n + 1/m), standing with the pooled spread; TOST by both spreads, Welch."""
    rng = np.random.default_rng(seed)
    n, m = int(rng.integers(4, 9)), int(rng.integers(3, 9))
    theirs, ours = (
        np.round(rng.normal(0.5, 0.1, n), 3),
        rng.normal(rng.choice([0.5, 0.7, 0.9]), 0.1, m),
    )
    mean, sd = f"{theirs.mean():.3f}", f"{theirs.std(ddof=1):.3f}"
    claims = paper({"printed": f"{mean} ± {sd}", **AFTER}, {"printed": "0.900", "statistic": "mean", **BASE},
                   {"printed": str(n), "statistic": "count", **AFTER})  # fmt: skip
    found = judged(claims, measured({(EI, "m", "B3", 5000): ours.tolist()}))[0].comparison
    assert found is not None
    s = float(sd) + 0.0005  # the largest that the print allows
    off = max(abs(ours.mean() - float(mean)) - 0.0005, 0.0)  # from the nearest end of the print
    printed = 2 * stats.t.sf(off / (s * math.sqrt(1 / n + 1 / m)), n - 1)
    pooled = math.sqrt(((n - 1) * s**2 + (m - 1) * ours.var(ddof=1)) / (n + m - 2))
    both = 2 * stats.t.sf(off / (pooled * math.sqrt(1 / n + 1 / m)), n + m - 2)
    assert found.p == pytest.approx(max(printed, both), abs=1e-9)
    scaled = (theirs - theirs.mean()) / theirs.std(ddof=1) * s  # a sample with exactly this spread
    moved = ours - ours.mean() + off
    margin = (0.9 - float(mean)) / 4
    expected = ttost_ind(moved, scaled, -abs(margin), abs(margin), usevar="unequal")[0]
    assert found.p_equivalent == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("seed", SEEDS)
def test_an_order_of_two_means(seed: int) -> None:
    """One-sided Welch, by statsmodels."""
    rng = np.random.default_rng(seed)
    a, b = (
        rng.normal(0.5, 0.1, int(rng.integers(3, 9))),
        rng.normal(0.55, 0.2, int(rng.integers(3, 9))),
    )
    claims = paper(
        {
            "printed": "below",
            "statistic": "below",
            "of": "mean",
            "against": {"condition": "B2"},
            **AFTER,
        }
    )
    found = judged(
        claims, measured({(EI, "m", "B3", 5000): a.tolist(), (EI, "m", "B2", 5000): b.tolist()})
    )[0]
    compared = CompareMeans(DescrStatsW(a), DescrStatsW(b))
    against = compared.ttest_ind(alternative="larger", usevar="unequal")[1]
    assert found.p == pytest.approx(against, abs=1e-9)
    for_it = compared.ttest_ind(alternative="smaller", usevar="unequal")[1]
    expected = (
        "reproduced" if for_it < 0.05 else "contradicted" if against < 0.05 else "inconclusive"
    )
    assert found.outcome == expected


@pytest.mark.parametrize("seed", SEEDS)
def test_a_share_of_seeds(seed: int) -> None:
    """Fisher's exact test of our runs against the paper's seeds, and Clopper and Pearson's interval
    for both ends.
    """
    rng = np.random.default_rng(seed)
    n, m = int(rng.integers(3, 10)), int(rng.integers(3, 12))
    hits, ours = int(rng.integers(0, n + 1)), int(rng.integers(0, m + 1))
    where = {"statistic": "count_where", "over": "seed", "where": {"equals": 0}}
    claims = paper(
        {"printed": f"{hits} of {n}", **where, **AFTER},
        {"printed": str(n), "statistic": "count", **AFTER},
    )
    found = judged(claims, measured({(EI, "m", "B3", 5000): [0.0] * ours + [0.3] * (m - ours)}))[0]
    assert found.p == pytest.approx(
        stats.fisher_exact([[hits, n - hits], [ours, m - ours]])[1], abs=1e-9
    )
    # two one-sided bounds of 95 %
    interval = stats.binomtest(ours, m).proportion_ci(0.9, method="exact")
    within = hits / n - 0.25 < interval.low and interval.high < hits / n + 0.25
    assert (found.outcome == "reproduced") == (within and found.p >= 0.05)


@pytest.mark.worker
def test_families_are_holms_procedure_by_statsmodels() -> None:
    headline = [
        {"printed": "0.500 ± 0.100", **AFTER, "model": f"h{k}", "headline": True} for k in range(4)
    ]
    rest = [{"printed": "0.500 ± 0.100", **AFTER, "model": f"m{k}"} for k in range(5)]
    counts = [
        {"printed": "8", "statistic": "count", **AFTER, "model": f"{c}{k}"}
        for c in "hm"
        for k in range(5)
    ]
    claims = [claim for claim in paper(*headline, *rest, *counts) if claim.kind == "seed_mean"]
    rng = np.random.default_rng(0)
    p_values = {
        claim.id: float(p)
        for claim, p in zip(claims, rng.uniform(0, 0.1, len(claims)), strict=True)
    }
    found = adjust(claims, p_values)
    known = families(claims)
    for names in (known.headline, [cell[0] for cell in known.cells]):
        expected = multipletests([p_values[name] for name in names], method="holm")[1]
        assert [found[name] for name in names] == pytest.approx(list(expected), abs=1e-9)
    assert len(known.headline) == 4
    assert len(known.cells) == 5
    assert assess(claims, None)[0].outcome == "not_run"
