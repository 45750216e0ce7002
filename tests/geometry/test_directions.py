"""Directions, loadings and rank of the readout."""

import numpy as np
import pytest
from scipy.linalg import subspace_angles

from repro.geometry.diagnosis import diagnose
from repro.geometry.directions import concentration, directions, first_ratio, v_purity
from repro.geometry.labels import Labels
from repro.geometry.ridge import readout, spectrum
from repro.geometry.undefined import Undefined


def found(X, labels, alpha=1.0):
    rows = spectrum(X)
    return directions(readout(rows.X, rows.residual_operator(alpha), labels.onehot), labels)


def test_singular_values_and_subspace_are_those_of_a_refitted_readout(brute, design) -> None:
    X, columns = design(2, 30, 12, (3, 4, 2))
    labels = Labels.of(columns)
    ours, (U, sigma, _) = found(X, labels), brute.svd(brute.fit(X, labels.onehot, 1.0)[2])
    np.testing.assert_allclose(ours.singular_values, sigma, atol=1e-12)
    assert ours.rank == labels.nominal_rank == 6
    assert np.abs(subspace_angles(ours.U, U)).max() < 1e-7


def test_a_degenerate_spectrum_spans_the_same_subspace(brute) -> None:
    corners = np.kron(np.eye(4) - 0.25, np.ones((6, 1)))
    labels = Labels.of({"a": [c for c in "wxyz" for _ in range(6)]})
    ours, (U, sigma, _) = (
        found(corners, labels),
        brute.svd(brute.fit(corners, labels.onehot, 1.0)[2]),
    )
    assert np.ptp(sigma[:3]) < 1e-12 * sigma[0]
    assert ours.rank == 3
    assert np.abs(subspace_angles(ours.U, U)).max() < 1e-7


@pytest.mark.parametrize(("strength", "rank"), [(3e-9, 2), (3e-10, 1), (0.0, 1)])
def test_rank_counts_a_weak_direction_and_not_an_empty_one(strength, rank) -> None:
    """The threshold is 1e-9; a squared spectrum has its noise floor at 1e-8 and could not tell
    these apart.
    """
    a, b = np.repeat([1.0, -1.0], 8), np.tile([1.0, -1.0], 8)
    X = np.stack([1e3 * a, strength * 1e-3 / 16 * b], axis=1)
    labels = Labels.of({"a": [str(v) for v in a], "b": [str(v) for v in b]})
    ours = found(X, labels)
    assert ours.rank == rank
    assert ours.singular_values[1] / ours.singular_values[0] == pytest.approx(
        strength, rel=1e-3, abs=1e-12
    )


def test_every_direction_shares_its_weight_among_the_concepts(design) -> None:
    X, columns = design(4, 30, 40, (3, 4, 4))
    np.testing.assert_allclose(found(X, Labels.of(columns)).loadings.sum(axis=1), 1.0)


def test_purity_is_one_for_separate_concepts_and_half_for_two_that_always_agree() -> None:
    a, b = np.repeat([1.0, -1.0], 8), np.tile([1.0, -1.0], 8)
    separate = Labels.of({"a": [str(v) for v in a], "b": [str(v) for v in b]})
    agreeing = Labels.of({"a": [str(v) for v in a], "b": [str(v) for v in a]})
    X = np.stack([a, 0.5 * b], axis=1)
    assert v_purity(found(X, separate).loadings) == pytest.approx(1.0)
    same = found(X, agreeing)
    assert v_purity(same.loadings) == pytest.approx(0.5)
    assert same.own.tolist() == [0]


def test_purity_and_ratios_of_a_readout_without_directions_carry_a_reason() -> None:
    assert v_purity(np.empty((0, 3))) == Undefined("the readout has no informative direction")
    assert isinstance(first_ratio(np.array([1.0, 0.0])), Undefined)
    assert isinstance(concentration(np.array([1.0, 1.0, 1.0])), Undefined)


def test_ratios_follow_the_papers_table() -> None:
    sigma = np.array([6.0, 3.0, 3.0, 2.0, 1.0, 0.0, 0.0])
    assert first_ratio(sigma) == 2.0
    assert concentration(sigma) == 4.0


def test_the_names_and_order_of_classes_change_nothing(design) -> None:
    X, columns = design(6, 30, 20, (3, 4))
    renamed = {
        name: [{"class0": "z", "class1": "b", "class2": "a", "class3": "q"}[c] for c in column]
        for name, column in columns.items()
    }
    one, other = diagnose(X, columns), diagnose(X, renamed)
    np.testing.assert_allclose(other.singular_values, one.singular_values, atol=1e-13)
    np.testing.assert_allclose(other.loadings, one.loadings, atol=1e-9)
    np.testing.assert_array_equal(other.damage, one.damage)
    assert other.own == one.own


def test_the_order_of_concepts_only_reorders_columns(design) -> None:
    X, columns = design(7, 30, 20, (3, 4, 2))
    one, other = diagnose(X, columns), diagnose(X, dict(reversed(columns.items())))
    assert other.own == one.own
    np.testing.assert_array_equal(other.damage, one.damage[:, ::-1])
    assert other.entanglement_intensity == pytest.approx(one.entanglement_intensity)
