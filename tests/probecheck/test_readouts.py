"""Readouts of texts by any representation, beside scikit-learn's ridge refitted probe by probe."""

import numpy as np
import pytest

from repro.geometry.labels import Labels
from repro.geometry.undefined import Array
from repro.manifest.probes import load_probe_set
from repro.probecheck.readouts import PERMUTATIONS, length_leakage, readout_accuracies

DESIGN = Labels.of(load_probe_set("factorial_48").labels())


def separable(noise: float) -> Array:
    """Return activations that hold the labels in plain sight, under noise."""
    rng = np.random.default_rng(0)
    planted = 3 * DESIGN.onehot @ rng.normal(size=(DESIGN.onehot.shape[1], 40))
    return planted + noise * rng.normal(size=(DESIGN.n, 40))


@pytest.mark.worker
def test_a_length_readout_that_knows_the_class_has_the_smallest_p_of_all() -> None:
    rng = np.random.default_rng(3)
    known = length_leakage(DESIGN.codes[:, 1] + 0.1 * rng.normal(size=48), DESIGN)
    assert known["register"] == pytest.approx(3 / 2001)
    assert min(known["domain"], known["shape"]) > 0.05
    assert min(length_leakage(rng.normal(size=48), DESIGN).values()) > 0.05
    assert length_leakage(np.full(48, 60.0), DESIGN) == pytest.approx(
        dict.fromkeys(DESIGN.concepts, 1.0)
    )


def test_accuracies_are_those_of_refitting_without_each_probe() -> None:
    from sklearn.linear_model import Ridge

    X = separable(noise=6.0)
    hits = np.zeros(len(DESIGN.concepts))
    for left_out in range(DESIGN.n):
        rest = np.arange(DESIGN.n) != left_out
        scores = Ridge(alpha=1.0).fit(X[rest], DESIGN.onehot[rest]).predict(X[[left_out]])[0]
        hits += [
            scores[block].argmax() == DESIGN.codes[left_out, j]
            for j, block in enumerate(DESIGN.blocks)
        ]
    assert list(readout_accuracies(X, DESIGN).values()) == pytest.approx(list(hits / DESIGN.n))
    assert 0.3 < min(hits / DESIGN.n) < 1


def test_labels_in_plain_sight_are_read_and_constant_features_tell_nothing() -> None:
    assert set(readout_accuracies(separable(noise=0.01), DESIGN).values()) == {1.0}
    blind = readout_accuracies(np.ones((DESIGN.n, 3)), DESIGN)
    assert list(blind) == list(DESIGN.concepts)
    assert max(blind.values()) <= DESIGN.chance.max()


@pytest.mark.worker
def test_lengths_in_any_unit_leak_alike_and_a_seed_gives_its_permutations_again() -> None:
    lengths = np.random.default_rng(3).normal(size=48)
    found = length_leakage(lengths, DESIGN, seed=1)
    assert length_leakage(1000 * lengths + 7, DESIGN, seed=1) == found
    assert length_leakage(lengths, DESIGN, seed=2) != found
    assert min(found.values()) >= 1 / (1 + PERMUTATIONS)
