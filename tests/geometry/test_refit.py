"""Fast leave-one-out scores are those of refitting every fold: whole, after a removal, and on wide
activations.

One source of random designs for all three, so that none is tried on easier ones than another.
"""

from types import ModuleType
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from repro.geometry.damage import removal_scores, span_scores
from repro.geometry.diagnosis import diagnose
from repro.geometry.labels import Labels
from repro.geometry.ridge import centred, loo_scores, single_operator, spectrum

DTYPES = st.sampled_from([np.float32, np.float64])


def designs(**shape: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Arguments of `design`: two to six concepts, three scales, about the origin or a million away
    from it.
    """
    return st.fixed_dictionaries({
        "seed": st.integers(0, 2**32 - 1),
        "cardinalities": st.lists(st.integers(2, 4), min_size=2, max_size=6),
        "scale": st.sampled_from([0.03, 1.0, 30.0]),
        "offset": st.sampled_from([0.0, 1e6]),
        **shape,
    })  # fmt: skip


def shifted(X: np.ndarray) -> np.ndarray:
    """Activations about their first probe. A readout with an intercept is the same, and no digits
    go to an offset.
    """
    moved: np.ndarray = X.astype(float) - X[0].astype(float)
    return moved


@pytest.mark.worker
@settings(max_examples=200, deadline=None)
@given(at=designs(n=st.integers(10, 26), d=st.integers(1, 40), dtype=DTYPES))
def test_leave_one_out_scores_equal_a_refit_of_every_fold(
    brute: ModuleType, design: Any, at: dict[str, Any]
) -> None:
    X, columns = design(**at)
    labels = Labels.of(columns)
    ours = loo_scores(spectrum(X).residual_operator(1.0), labels.onehot)
    theirs = brute.scores(shifted(X), labels.onehot, 1.0)
    assert np.abs(ours - theirs).max() <= 1e-9 * np.abs(theirs).max()


@pytest.mark.worker
@settings(max_examples=200, deadline=None)
@given(at=designs(n=st.integers(10, 24), d=st.integers(2, 36), dtype=DTYPES))
def test_scores_after_removal_equal_a_refit_of_every_fold(
    brute: ModuleType, design: Any, at: dict[str, Any]
) -> None:
    X, columns = design(**at)
    labels = Labels.of(columns)
    g = diagnose(X, labels)
    rows = spectrum(X)
    ours = removal_scores(rows.X, rows.residual_operator(1.0), labels.onehot, g.directions, 1.0)
    columns_, gaps = list(columns.values()), []
    for i, u in enumerate(g.directions.T):
        theirs = brute.scores(shifted(X), labels.onehot, 1.0, u)
        assert np.abs(ours[i] - theirs).max() <= 1e-9 * np.abs(theirs).max()
        gaps.append(brute.gap(theirs, columns_))
        if gaps[-1] > 1e-8:
            np.testing.assert_array_equal(
                brute.hits(theirs, columns_).mean(axis=0), g.accuracy_after[i]
            )


@settings(max_examples=100, deadline=None)
@given(at=designs(n=st.integers(10, 24)), more=st.integers(1, 30))
def test_wide_activations_need_neither_their_width_nor_eigenvectors(
    brute: ModuleType, design: Any, at: dict[str, Any], more: int
) -> None:
    X, columns = design(d=at["n"] + more, **at)
    rows, Y = centred(X), Labels.of(columns).onehot
    gram = rows @ rows.T
    operator = single_operator(gram, 1.0)
    G = np.random.default_rng(at["seed"]).normal(size=(at["n"], 3))
    G /= np.linalg.norm(rows.T @ G, axis=0)
    theirs = np.stack([brute.scores(shifted(X), Y, 1.0, u) for u in (rows.T @ G).T])
    ours = span_scores(gram, operator, Y, G, 1.0)
    assert np.abs(ours - theirs).max() <= 1e-9 * np.abs(theirs).max()
    whole = brute.scores(shifted(X), Y, 1.0)
    assert np.abs(loo_scores(operator, Y) - whole).max() <= 1e-9 * np.abs(whole).max()


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), d=st.integers(4, 14), scale=st.sampled_from([1.0, 1e5, 1e7]))
def test_far_above_the_penalty_narrow_activations_lose_what_a_refit_says(
    brute: ModuleType, design: Any, seed: int, d: int, scale: float
) -> None:
    X, columns = design(seed, 16, d, (3, 2), scale=scale)
    *_, own, D, gap = brute.damage(X, list(columns.values()))
    assume(gap > 1e-6)
    g = diagnose(X, columns)
    np.testing.assert_allclose(g.damage, D, atol=1e-12)
    assert brute.same_intensity(g.entanglement_intensity, D, own)
