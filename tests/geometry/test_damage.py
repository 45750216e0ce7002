"""Damage and what follows from it, entanglement intensity; that its scores equal a refit is in
test_refit.py.
"""

from types import ModuleType
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from repro.geometry.damage import (
    entanglement_intensity,
    frozen_scores,
    intensity,
    removal_scores,
    theory,
)
from repro.geometry.diagnosis import diagnose
from repro.geometry.labels import Labels
from repro.geometry.ridge import loo_scores, spectrum
from repro.geometry.undefined import Undefined

SEEDS = st.integers(0, 2**32 - 1)


@settings(max_examples=100, deadline=None)
@given(
    seed=SEEDS,
    n=st.integers(10, 20),
    d=st.integers(2, 30),
    cardinalities=st.lists(st.integers(2, 4), min_size=2, max_size=4),
)
# the last concept is the first with its classes swapped
@example(seed=332912, n=10, d=21, cardinalities=[2, 2, 2, 2])
def test_intensity_equals_a_brute_force_script(
    brute: ModuleType, design: Any, seed: int, n: int, d: int, cardinalities: list[int]
) -> None:
    X, columns = design(seed, n, d, cardinalities)
    listed = list(columns.values())
    accuracy, _, _, D, gap = brute.damage(X, listed)
    assume(gap > 1e-8)
    V = brute.svd(brute.fit(X, brute.onehot(listed), 1.0)[2])[2]
    own = brute.first_of_equals(brute.loadings(V, listed))
    g = diagnose(X, columns)
    assert list(g.accuracy.values()) == pytest.approx(accuracy)
    assert g.own == tuple(list(columns)[j] for j in own)
    np.testing.assert_allclose(g.damage, D, atol=1e-12)
    assert brute.same_intensity(g.entanglement_intensity, D, own)


@settings(max_examples=100, deadline=None)
@given(seed=SEEDS, d=st.integers(2, 30), centre=st.booleans())
def test_frozen_removal_equals_the_old_readout_on_a_projected_probe(
    brute: ModuleType, design: Any, seed: int, d: int, centre: bool
) -> None:
    X, columns = design(seed, 16, d, (3, 2), offset=2.0)
    Y = Labels.of(columns).onehot
    rows = spectrum(X, intercept=centre)
    u = np.random.default_rng(seed).normal(size=(d, 2))
    u /= np.linalg.norm(u, axis=0)
    ours = frozen_scores(rows.X, rows.residual_operator(1.0), Y, u, centre)
    for i in range(2):
        theirs = brute.frozen(X, Y, 1.0, u[:, i], centre)
        assert np.abs(ours[i] - theirs).max() <= 1e-9 * np.abs(theirs).max()


def test_any_unit_direction_may_be_removed_even_one_outside_the_activations(
    brute: ModuleType, design: Any
) -> None:
    X, columns = design(8, 14, 40, (3, 2))
    Y, rows = Labels.of(columns).onehot, spectrum(X)
    U = np.linalg.qr(np.random.default_rng(0).normal(size=(40, 3)))[0]
    ours = removal_scores(rows.X, rows.residual_operator(1.0), Y, U, 1.0)
    for i in range(3):
        np.testing.assert_allclose(ours[i], brute.scores(X, Y, 1.0, U[:, i]), atol=1e-10)


def test_removing_an_unused_direction_does_no_damage_and_a_used_one_does() -> None:
    """A direction orthogonal to every activation carries nothing; beside it, the one that carries
    the label.
    """
    a = np.tile([1.0, -1.0], 10)
    X = np.stack([a, 0.01 * np.random.default_rng(0).normal(size=20), np.zeros(20)], axis=1)
    labels = Labels.of({"a": [str(v) for v in a], "b": ["p", "p", "q", "q"] * 5})
    rows = spectrum(X)
    operator = rows.residual_operator(1.0)
    before = loo_scores(operator, labels.onehot)
    after = removal_scores(rows.X, operator, labels.onehot, np.eye(3)[:, [2, 0]], 1.0)
    np.testing.assert_allclose(after[0], before, atol=1e-12)
    assert np.abs(after[1] - before).max() > 0.5


def factorial(k: int = 3, m: int = 2, copies: int = 4) -> np.ndarray:
    """Codes of a full factorial design, probes × concepts."""
    grid = np.array(np.meshgrid(*[range(m)] * k, indexing="ij")).reshape(k, -1).T
    return np.tile(grid, (copies, 1))


def named(codes: np.ndarray) -> dict[str, list[str]]:
    return {f"c{j}": [str(v) for v in codes[:, j]] for j in range(codes.shape[1])}


def test_separate_concepts_of_distinct_strength_have_intensity_zero() -> None:
    codes = factorial()
    X = (2 * codes - 1) * [9.0, 6.0, 4.0]
    g = diagnose(X, named(codes))
    assert g.entanglement_intensity == 0.0
    assert set(g.own) == {"c0", "c1", "c2"}
    own = [g.damage[i, g.concepts.index(name)] for i, name in enumerate(g.own)]
    assert min(own) >= 0.5  # what is left of the own concept is no better than chance
    assert g.v_purity == pytest.approx(1.0)


def test_coupled_concepts_damage_each_other() -> None:
    """Two concepts read from the sum and the difference of two axes, one stronger: each direction
    serves both.
    """
    codes = factorial(2, 2, 6)
    a, b = (2 * codes - 1).T
    X = np.stack([5 * (a + b), 3 * (a - b)], axis=1) + 0.01 * np.random.default_rng(0).normal(
        size=(len(a), 2)
    )
    g = diagnose(X, named(codes))
    assert g.rank == 2
    assert g.entanglement_intensity == pytest.approx(1.0, abs=0.35)
    assert g.v_purity == pytest.approx(0.5, abs=0.05)


def test_one_strong_concept_keeps_its_directions_to_itself() -> None:
    codes = factorial(2, 2, 8)
    rng = np.random.default_rng(1)
    X = np.hstack([20.0 * (2 * codes[:, :1] - 1), rng.normal(size=(len(codes), 6))])
    g = diagnose(X, named(codes))
    strongest = int(np.argmax(g.damage[:, 0]))
    assert g.own[strongest] == "c0"
    assert g.damage[strongest, 0] >= 0.5
    assert abs(g.damage[strongest, 1]) <= 0.25


def test_intensity_follows_the_matrix() -> None:
    D = np.array([[0.4, 0.1, -0.2], [0.2, 0.6, 0.1]])
    own = np.array([0, 1])
    assert entanglement_intensity(D, own) == pytest.approx(0.4)
    assert entanglement_intensity(D, own, clip=False) == pytest.approx(0.2)


def test_intensity_is_undefined_with_a_reason_when_no_direction_damages_its_own_concept() -> None:
    D = np.array([[0.0, 0.3], [0.2, -0.1]])
    assert entanglement_intensity(D, np.array([0, 1])) == Undefined(
        "no direction damages its own concept"
    )
    assert entanglement_intensity(np.empty((0, 2)), np.empty(0, int)) == Undefined(
        "the readout has no informative direction"
    )


def test_the_papers_bounds_come_out() -> None:
    assert theory(8, 3) == pytest.approx(5 / 3)
    assert theory(7, 3) == pytest.approx(4 / 3)
    assert theory(5, 3) == pytest.approx(2 / 3)
    assert isinstance(theory(0, 3), Undefined)


def test_own_damage_that_cancels_is_nothing_to_divide_by() -> None:
    """Unclipped losses and gains of 1/48 cancel to 1e-17, not to 0: EI is undefined, not 1e15."""
    own = np.array([[0.1 + 0.2 - 0.3, 0.0]])
    assert own.sum() != 0, "a positive control: rounding left something"
    assert isinstance(intensity(own, np.array([[0.0, 0.5]]), clip=False), Undefined)
    assert intensity(np.array([[0.5, 0.0]]), np.array([[0.0, 0.1 + 0.2 - 0.3]]), clip=False) == 0.0
