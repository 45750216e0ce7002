"""Nulls: what is permuted, what is planted, and where the observed value ranks."""

import numpy as np
import pytest

from repro.geometry.diagnosis import diagnose
from repro.geometry.ensemble import accuracies, residual_operators, weighted_rows
from repro.geometry.labels import Labels
from repro.geometry.null import (
    joint_permutations,
    matched_strength,
    permuted_values,
    planted,
    planted_noise,
    planted_values,
    summary,
    within_domain_permutations,
)
from repro.geometry.ridge import spectrum
from repro.geometry.undefined import Undefined


def permuted(columns, order):
    return {name: [column[i] for i in order] for name, column in columns.items()}


@pytest.mark.parametrize("permute", [joint_permutations, within_domain_permutations])
def test_a_permuted_value_is_the_diagnosis_under_permuted_labels(design, permute) -> None:
    X, columns = design(1, 24, 30, (3, 4))
    labels = Labels.of(columns)
    orders = permute(labels, 8, np.random.default_rng(0))
    ours = permuted_values(spectrum(X), labels, orders, 1.0)
    for value, order in zip(ours, orders, strict=True):
        expected = diagnose(X, permuted(columns, order)).entanglement_intensity
        assert (
            np.isnan(value) if isinstance(expected, Undefined) else value == pytest.approx(expected)
        )


def test_within_domain_keeps_every_domain_label_and_joint_does_not(design) -> None:
    _, columns = design(2, 24, 3, (3, 4))
    labels = Labels.of({"domain": columns["concept0"], "tone": columns["concept1"]})
    within = within_domain_permutations(labels, 50, np.random.default_rng(0))
    assert (labels.codes[within][:, :, 0] == labels.codes[:, 0]).all()
    assert (labels.codes[within][:, :, 1] != labels.codes[:, 1]).any()
    joint = joint_permutations(labels, 50, np.random.default_rng(0))
    assert (labels.codes[joint][:, :, 0] != labels.codes[:, 0]).any()
    assert (np.sort(joint, axis=1) == np.arange(24)).all()


def test_the_rank_p_is_two_sided_and_never_zero() -> None:
    values = np.arange(1.0, 100.0)
    assert summary(values, 50.0).p == 1.0
    assert summary(values, 1000.0).p == pytest.approx(2 / 100)
    assert summary(values, 0.0).p == pytest.approx(2 / 100)
    assert summary(values, 2.0).p == pytest.approx(6 / 100)
    assert summary(values, 50.0).median == 50.0


def test_undefined_draws_are_counted_and_an_undefined_observation_has_no_p() -> None:
    found = summary(np.array([np.nan, 1.0, 2.0, np.nan]), Undefined("none"))
    assert (found.draws, found.undefined, found.median) == (4, 2, 1.5)
    assert isinstance(found.p, Undefined)
    assert isinstance(summary(np.array([np.nan]), 1.0).median, Undefined)


def test_p_is_uniform_when_the_labels_mean_nothing() -> None:
    """Labels drawn at random are exchangeable, so the joint null must reject about one time in ten
    at 10 %.
    """
    rejected = 0
    for seed in range(60):
        rng = np.random.default_rng(seed)
        columns = {
            "a": [str(v) for v in rng.permutation(np.arange(24) % 3)],
            "b": [str(v) for v in rng.permutation(np.arange(24) % 2)],
        }
        X, labels = rng.normal(size=(24, 12)), Labels.of(columns)
        null = permuted_values(spectrum(X), labels, joint_permutations(labels, 99, rng), 1.0)
        p = summary(null, diagnose(X, labels).entanglement_intensity).p
        rejected += not isinstance(p, Undefined) and p <= 0.1
    assert rejected <= 13  # binomial(60, 0.1): more than 13 has probability 0.3 %


def test_planted_activations_reach_the_accuracies_asked_for() -> None:
    rng = np.random.default_rng(0)
    labels = Labels.of(
        {"a": [str(v) for v in np.arange(48) % 3], "b": [str(v) for v in np.arange(48) // 3 % 4]}
    )
    target = np.array([0.9, 0.6])
    strength = matched_strength(labels, target, 1.0, 12, rng, 1.0)
    X = planted(labels, strength, 1.0, 12, 300, rng)
    weights = np.ones((300, 48))
    codes = np.broadcast_to(labels.codes, (300, 48, 2))
    reached = accuracies(
        residual_operators(weighted_rows(X, weights), weights, 1.0), codes, labels
    ).mean(axis=0)
    np.testing.assert_allclose(reached, target, atol=0.02)


@pytest.mark.parametrize("scale", [1e-140, 1e-100, 1e77, 1e100, 1e150])
def test_planted_noise_follows_the_scale_of_the_activations_and_its_dimension_does_not(
    design, scale
) -> None:
    X, columns = design(5, 24, 30, (3, 2))
    labels = Labels.of(columns)
    noise, width = planted_noise(spectrum(X), labels)
    assert noise > 0
    assert width > labels.nominal_rank + 1
    scaled, same = planted_noise(spectrum(scale * X), labels)
    assert scaled == pytest.approx(scale * noise, rel=1e-9)
    assert same == width


@pytest.mark.parametrize("d", [8, 30])
def test_planted_values_stop_moving_when_the_penalty_is_nothing_beside_the_activations(
    design, d
) -> None:
    X, columns = design(6, 24, d, (3, 2), signal=0.7)
    labels, rows = Labels.of(columns), spectrum(X)
    noise, _ = planted_noise(rows, labels)

    def at(scale):
        found = planted_values(
            spectrum(scale * X), labels, np.array([0.9, 0.8]), 40, np.random.default_rng(0), 1.0
        )
        assert np.isfinite(found).mean() > 0.9
        return found

    quiet = at(100 / noise)
    for scale in (1e6, 1e12, 1e77, 1e150):
        np.testing.assert_allclose(at(scale), quiet, rtol=1e-6)
    assert (at(1.0) != quiet).any(), "the control: at the scale of the penalty EI moves"


def test_planted_concepts_lie_in_separate_subspaces() -> None:
    labels = Labels.of(
        {"a": [str(v) for v in np.arange(12) % 3], "b": [str(v) for v in np.arange(12) // 3 % 2]}
    )
    X = planted(labels, np.array([1e9, 1e9]), 1.0, 5, 1, np.random.default_rng(0))[0]
    means = [
        np.stack([X[labels.codes[:, j] == c].mean(axis=0) for c in range(m)])
        for j, m in enumerate((3, 2))
    ]
    spans = [mean - mean.mean(axis=0) for mean in means]
    assert np.abs(spans[0] @ spans[1].T).max() < 1e-6 * np.linalg.norm(spans[0]) * np.linalg.norm(
        spans[1]
    )


def test_planted_values_are_as_many_as_asked_for_and_never_negative(design) -> None:
    X, columns = design(4, 24, 30, (3, 2))
    g, labels = diagnose(X, columns), Labels.of(columns)
    values = planted_values(
        spectrum(X), labels, np.array(list(g.accuracy.values())), 70, np.random.default_rng(0), 1.0
    )
    assert len(values) == 70
    assert np.nanmin(values) >= 0
