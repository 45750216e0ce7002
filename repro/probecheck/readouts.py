"""Compute docs/SCIENCE.md §3's leave-one-out accuracy on any representation of the texts.

The same ridge (α = 1, intercept) reads words, n-grams, lengths and activations, so that only its
input differs. N probes, F features, K concepts, P permutations.
"""

import numpy as np

from repro.geometry.labels import Labels
from repro.geometry.ridge import accuracy, loo_scores, reduced, spectrum
from repro.geometry.undefined import Array

PERMUTATIONS = 2000
_BATCH = 100


def readout_accuracies(features: Array, labels: Labels) -> dict[str, float]:
    """Return the leave-one-out accuracy of every concept from features N × F."""
    operator = spectrum(reduced(features)).residual_operator(alpha=1.0)
    return dict(
        zip(
            labels.concepts,
            map(float, accuracy(loo_scores(operator, labels.onehot), labels)),
            strict=True,
        )
    )


def length_leakage(lengths: Array, labels: Labels, seed: int = 0) -> dict[str, float]:
    """Return per concept the p, after Holm, of a readout that sees one length per probe (N).

    Small if lengths leak. One-sided: how often randomly permuted labels (whole rows, so every
    concept keeps its design) are predicted with a leave-one-out error at least as small.
    Squared error, not accuracy: in a balanced design leaving a probe out tips every near tie
    against its class, so that one class of much longer texts leaves accuracy at chance.
    """
    standard = (lengths - lengths.mean()) / (lengths.std() or 1.0)
    operator = spectrum(standard[:, None]).residual_operator(alpha=1.0)
    observed = _errors(operator, labels.onehot, labels)
    rng, as_small = np.random.default_rng(seed), np.zeros(len(observed))
    for _ in range(PERMUTATIONS // _BATCH):
        rows = rng.permuted(np.tile(np.arange(labels.n), (_BATCH, 1)), axis=1)
        as_small += (_errors(operator, labels.onehot[rows], labels) <= observed + 1e-12).sum(axis=0)
    # A second to import, and most who come by here have no permutations to judge.
    from statsmodels.stats.multitest import multipletests

    p = (1 + as_small) / (1 + PERMUTATIONS)
    return dict(zip(labels.concepts, map(float, multipletests(p, method="holm")[1]), strict=True))


def _errors(operator: Array, Y: Array, labels: Labels) -> Array:
    """Return the mean squared leave-one-out error (…, K) of each concept's scores for one-hot
    labels Y (…, N, C).
    """
    squared = (Y - loo_scores(operator, Y)) ** 2
    return np.stack(
        [squared[..., block].sum(axis=-1).mean(axis=-1) for block in labels.blocks], axis=-1
    )
