"""What EI looks like when there is nothing to see (docs/SCIENCE.md §5, "Null").

`joint` permutes whole label rows, `within_domain` permutes them inside each domain, `planted` draws
Gaussian activations whose concepts lie in separate subspaces, each just strong enough for the
accuracy observed. The papers' base values are to be read against these.

N probes, K concepts, B draws of one batch, R nominal rank, Q dimensions of planted activations.
"""

from dataclasses import dataclass

import numpy as np

from repro.geometry.ensemble import accuracies, intensities, residual_operators, weighted_rows
from repro.geometry.labels import Labels
from repro.geometry.ridge import Spectrum, reduced
from repro.geometry.undefined import Array, Integers, Undefined

BATCH = 50
MATCHING_DRAWS = 64
"""Gaussian draws over which the planted strength is matched to an accuracy."""
LOUD = 300.0
"""Noise, in units of √α, beyond which planted activations are not scaled further.

The penalty is nothing beside them, so EI has stopped moving; with a penalty a billion times smaller
still it would be lost in rounding.
"""


@dataclass(frozen=True)
class Null:
    """Distribution of EI under one null, and where the observed value lies."""

    draws: int
    undefined: int
    q025: float | Undefined
    median: float | Undefined
    q975: float | Undefined
    p: float | Undefined
    """Two-sided rank p of the observed EI."""


def nulls(
    rows: Spectrum,
    labels: Labels,
    accuracy: Array,
    observed: float | Undefined,
    draws: int,
    alpha: float,
) -> dict[str, Null]:
    """Return the distribution of EI under each null: `joint`, `within_domain` and `planted`.

    `accuracy` is the readout's, one value a concept (K); planted activations are matched to it. The
    draws are the same every time.
    """
    rng = np.random.default_rng(0)
    values = {
        "joint": permuted_values(rows, labels, joint_permutations(labels, draws, rng), alpha),
        "within_domain": permuted_values(
            rows, labels, within_domain_permutations(labels, draws, rng), alpha
        ),
        "planted": planted_values(rows, labels, accuracy, draws, rng, alpha),
    }
    return {kind: summary(found, observed) for kind, found in values.items()}


def summary(values: Array, observed: float | Undefined) -> Null:
    """Return the quantiles of the defined draws and the rank p of the observed value.

    p is (1 + draws as extreme)/(1 + draws), doubled, and at most 1.
    """
    defined = values[~np.isnan(values)]
    missing = len(values) - len(defined)
    if not len(defined):
        none = Undefined(f"EI is undefined in all {len(values)} draws of the null")
        return Null(len(values), missing, none, none, none, none)
    low, middle, high = (float(q) for q in np.quantile(defined, [0.025, 0.5, 0.975]))
    if isinstance(observed, Undefined):
        return Null(
            len(values), missing, low, middle, high, Undefined(f"observed EI: {observed.reason}")
        )
    tail = min(int((defined <= observed).sum()), int((defined >= observed).sum()))
    return Null(
        len(values), missing, low, middle, high, min(1.0, 2 * (1 + tail) / (1 + len(defined)))
    )


def joint_permutations(labels: Labels, draws: int, rng: np.random.Generator) -> Integers:
    """Draw orders (draws × N) that move whole label rows anywhere."""
    return rng.permuted(np.broadcast_to(np.arange(labels.n), (draws, labels.n)), axis=1)


def within_domain_permutations(labels: Labels, draws: int, rng: np.random.Generator) -> Integers:
    """Draw orders (draws × N) that move label rows only inside a class of the stratum concept."""
    orders = np.empty((draws, labels.n), dtype=np.int64)
    for c in range(labels.cardinalities[labels.stratum]):
        members = np.flatnonzero(labels.codes[:, labels.stratum] == c)
        orders[:, members] = rng.permuted(np.broadcast_to(members, (draws, len(members))), axis=1)
    return orders


def permuted_values(rows: Spectrum, labels: Labels, orders: Integers, alpha: float) -> Array:
    """Return EI for each order of the label rows (draws × N), NaN where undefined.

    Labels do not enter the residual operator: one serves all orders.
    """
    X, operator = reduced(rows.X), rows.residual_operator(alpha)
    values = []
    for start in range(0, len(orders), BATCH):
        codes = labels.codes[orders[start : start + BATCH]]
        values.append(intensities(X, operator, codes, np.ones(codes.shape[:2]), labels, alpha))
    return np.concatenate(values)


def planted_values(
    rows: Spectrum,
    labels: Labels,
    observed: Array,
    draws: int,
    rng: np.random.Generator,
    alpha: float,
) -> Array:
    """Return EI of Gaussian activations with separate concepts, NaN where undefined.

    `observed`: the readout's accuracy for each concept (K); each concept is planted just strongly
    enough that its mean accuracy over draws is that.
    """
    noise, width = planted_noise(rows, labels)
    # Beside louder noise the penalty is as good as none, and EI changes no more.
    noise = min(noise, LOUD * float(np.sqrt(alpha)))
    strength = matched_strength(labels, observed, noise, width, rng, alpha)
    values = []
    for start in range(0, draws, BATCH):
        X = planted(labels, strength, noise, width, min(BATCH, draws - start), rng)
        values.append(_planted_intensities(X, labels, alpha))
    return np.concatenate(values)


def planted(
    labels: Labels, strength: Array, noise: float, width: int, draws: int, rng: np.random.Generator
) -> Array:
    """Draw activations (draws, N, Q): isotropic noise plus class means.

    The classes of concept j lie on a simplex in axes of their own, `strength[j]` times the noise.
    """
    means = np.zeros((labels.n, width))
    start = 0
    for j, m in enumerate(labels.cardinalities):
        # The rows are the corners of a regular simplex around 0, in m − 1 dimensions.
        corners = np.linalg.svd(np.eye(m) - 1 / m)[0][:, : m - 1]
        means[:, start : start + m - 1] = strength[j] * corners[labels.codes[:, j]]
        start += m - 1
    sample: Array = noise * (means + rng.standard_normal((draws, labels.n, width)))
    return sample


def planted_noise(rows: Spectrum, labels: Labels) -> tuple[float, int]:
    """Return standard deviation and dimension of the noise: what the labels leave of X.

    The dimension is the participation ratio, (Σv)²/Σv² of the variances v: as many equal directions
    would be as spread out.
    """
    design = labels.onehot - labels.onehot.mean(axis=0)
    X = reduced(rows.X)
    rest = X - design @ np.linalg.lstsq(design, X, rcond=None)[0]
    deviations = np.linalg.svd(rest, compute_uv=False)
    largest = float(deviations.max(initial=0.0))
    if largest <= 0:
        return 1.0, labels.nominal_rank + 1
    # of the largest: fourth powers of the activations need not be numbers
    variances = np.square(deviations / largest)
    total = float(variances.sum())
    width = max(labels.nominal_rank + 1, round(total**2 / float(np.square(variances).sum())))
    return largest * float(
        np.sqrt(total / max(1, labels.n - 1 - labels.nominal_rank) / width)
    ), width


def matched_strength(
    labels: Labels,
    observed: Array,
    noise: float,
    width: int,
    rng: np.random.Generator,
    alpha: float,
) -> Array:
    """Find strengths (K), in units of the noise, whose planted accuracies match the observed ones.

    Bisection on the same random numbers throughout, so that accuracy changes with strength alone.
    """
    seed = int(rng.integers(2**32))
    # No strength reaches an accuracy of 1 in the mean over draws: half a probe less can be met.
    target = np.minimum(observed, 1 - 0.5 / labels.n)
    low, high = np.zeros(len(target)), np.full(len(target), 64.0)
    for _ in range(14):
        middle = (low + high) / 2
        X = planted(labels, middle, noise, width, MATCHING_DRAWS, np.random.default_rng(seed))
        weights = np.ones(X.shape[:2])
        codes = np.broadcast_to(labels.codes, (len(X), *labels.codes.shape))
        reached = accuracies(
            residual_operators(weighted_rows(X, weights), weights, alpha), codes, labels
        ).mean(axis=0)
        low, high = (
            np.where(reached < target, middle, low),
            np.where(reached < target, high, middle),
        )
    return high


def _planted_intensities(X: Array, labels: Labels, alpha: float) -> Array:
    """Return EI of planted activations (B, N, Q), NaN where undefined."""
    weights = np.ones(X.shape[:2])
    rows = weighted_rows(X, weights)
    codes = np.broadcast_to(labels.codes, (len(X), *labels.codes.shape))
    return intensities(
        rows, residual_operators(rows, weights, alpha), codes, weights, labels, alpha
    )
