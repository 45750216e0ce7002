"""Crosstalk between domains."""

import numpy as np
import pytest

from repro.geometry.crosstalk import Crosstalk, companions, crosstalk, pair
from repro.geometry.labels import Labels
from repro.geometry.undefined import Undefined

DOMAINS = ("code", "creative", "legal", "logic", "math", "medical")


def planted_domains(shared=0.0, seed=0):
    """Six domains, each on an axis of its own strength; `shared` moves legal texts along code's
    axis as well.
    """
    rng = np.random.default_rng(seed)
    codes = np.repeat(np.arange(6), 8)
    X = 0.3 * rng.normal(size=(48, 30))
    X[np.arange(48), codes] += np.array([9.0, 8.0, 7.0, 6.0, 5.0, 4.0])[codes]
    X[codes == 2, 0] += shared
    tone = [["formal", "informal"][v] for v in np.arange(48) % 2]
    return X, {"domain": [DOMAINS[c] for c in codes], "tone": tone}


def test_the_damage_matrix_is_that_of_refitted_recalls(brute) -> None:
    X, columns = planted_domains(3.0)
    labels = Labels.of(columns)
    W = brute.fit(X, labels.onehot, 1.0)[2]
    U, _, V = brute.svd(W)
    lists = list(columns.values())
    loads = brute.loadings(V, lists)
    domains = sorted(set(columns["domain"]))
    before = brute.hits(brute.scores(X, labels.onehot, 1.0), lists)[:, 0]
    expected = np.zeros((6, 6))
    for a in range(6):
        mine = [
            u
            for u, v, load in zip(U.T, V.T, loads, strict=True)
            if load.argmax() == 0 and (v[:6] ** 2).argmax() == a
        ]
        mine = mine or [W[:, a] / np.linalg.norm(W[:, a])]
        for u in mine:
            lost = before - brute.hits(brute.scores(X, labels.onehot, 1.0, u), lists)[:, 0]
            for b, name in enumerate(domains):
                members = [d == name for d in columns["domain"]]
                expected[a, b] += max(lost[members].mean(), 0) / len(mine)
    found = crosstalk(X, labels)
    assert found.domains == tuple(domains)
    np.testing.assert_allclose(found.damage, expected, atol=1e-12)
    # six classes share five directions: at least one domain falls back on its own column
    assert 0 in found.counts


def test_the_three_measures_follow_the_papers_definitions() -> None:
    found = Crosstalk(("a", "b"), np.array([[0.6, 0.1], [0.3, 0.2]]), (1, 1))
    measured = pair(found, "a", "b")
    assert measured.crosstalk == pytest.approx(0.2)
    assert measured.block_diagonal_ratio == pytest.approx(0.8 / 1.2)
    assert measured.asymmetry == pytest.approx(0.2 / 0.4)


def test_no_damage_gives_reasons_and_not_zeros() -> None:
    measured = pair(Crosstalk(("a", "b"), np.zeros((2, 2)), (1, 1)), "a", "b")
    assert measured.crosstalk == 0.0
    assert isinstance(measured.block_diagonal_ratio, Undefined)
    assert isinstance(measured.asymmetry, Undefined)


def test_companions_are_ranked_by_rising_crosstalk() -> None:
    D = np.diag([0.5, 0.5, 0.5])
    D[0, 1], D[2, 0] = 0.3, 0.1
    ranked = companions(Crosstalk(("code", "legal", "math"), D, (1, 1, 1)), "code")
    assert [p.companion for p in ranked] == ["math", "legal"]
