"""Bootstrap draws equal physically repeated probes whose copies are left out together."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from repro.geometry.interval import (
    BootstrapInterval,
    bootstrap_interval,
    bootstrap_values,
    resamplings,
)
from repro.geometry.labels import Labels
from repro.geometry.ridge import centred, reduced, spectrum
from repro.geometry.undefined import Undefined


@pytest.mark.parametrize(("n", "d"), [(20, 6), (16, 40)])
def test_a_draw_equals_repeated_probes_refitted_without_all_copies(brute, design, n, d) -> None:
    X, columns = design(3, n, d, (3, 2), signal=0.7)
    labels = Labels.of(columns)
    counts, _ = resamplings(labels, 12, np.random.default_rng(1))
    ours = bootstrap_values(reduced(centred(X)), labels, counts, 1.0)
    checked = 0
    for drawn, value in zip(counts, ours, strict=True):
        who = np.repeat(np.arange(n), drawn)
        repeated = [[column[i] for i in who] for column in columns.values()]
        _, _, own, D, gap = brute.damage(X[who], repeated, groups=who)
        if gap > 1e-8:
            expected = brute.intensity(D, own)
            assert value == pytest.approx(expected) if expected is not None else np.isnan(value)
            checked += 1
    assert checked >= 8


def test_copies_left_in_would_give_another_answer(brute, design) -> None:
    """The positive control: deleting one copy of a probe leaves its twin in the fold."""
    X, columns = design(3, 16, 40, (3, 2), signal=0.3)
    counts, _ = resamplings(Labels.of(columns), 1, np.random.default_rng(1))
    who = np.repeat(np.arange(16), counts[0])
    repeated = [[column[i] for i in who] for column in columns.values()]
    together, alone = (
        brute.damage(X[who], repeated, groups=who)[0],
        brute.damage(X[who], repeated)[0],
    )
    assert (alone > together + 0.1).any()


def test_every_draw_keeps_all_classes_and_the_size_of_each_domain() -> None:
    labels = Labels.of(
        {
            "domain": ["a"] * 6 + ["b"] * 4,
            "tone": ["x", "x", "y", "y", "y", "x", "x", "y", "x", "y"],
        }
    )
    counts, refused = resamplings(labels, 300, np.random.default_rng(0))
    assert (counts[:, :6].sum(axis=1) == 6).all()
    assert (counts[:, 6:].sum(axis=1) == 4).all()
    assert (counts @ labels.onehot > 0).all()
    assert refused >= 0
    rare = Labels.of({"domain": ["a"] * 6 + ["b"] * 4, "tone": ["x", "x"] + ["y"] * 8})
    assert resamplings(rare, 300, np.random.default_rng(0))[1] > 10


def test_the_interval_is_the_percentiles_of_defined_draws_and_counts_the_others(design) -> None:
    X, columns = design(9, 16, 5, (2, 2), signal=0.1)
    rows, labels = spectrum(X), Labels.of(columns)
    found = bootstrap_interval(rows, labels, draws=200, seed=4)
    counts, redrawn = resamplings(labels, 200, np.random.default_rng(4))
    values = bootstrap_values(rows.X, labels, counts, 1.0)
    defined = values[~np.isnan(values)]
    assert found.undefined == 200 - len(defined) > 0
    assert (found.low, found.high) == pytest.approx(tuple(np.quantile(defined, [0.025, 0.975])))
    assert found.redrawn == redrawn


def test_activations_that_do_not_vary_have_no_interval() -> None:
    labels = Labels.of({"a": ["x", "x", "y", "y"]})
    assert isinstance(bootstrap_interval(spectrum(np.ones((4, 2))), labels, draws=10), Undefined)


@given(st.floats(0, 2), st.floats(0, 1), st.floats(0, 1), st.floats(0, 3))
def test_without_its_bias_the_interval_holds_the_estimate_and_is_no_wider(
    low: float, to_median: float, to_high: float, estimate: float
) -> None:
    median, high = low + to_median, low + to_median + to_high
    found = BootstrapInterval(low, median, high, 2000, 0, 0)
    bottom, top = found.around(estimate)
    assert 0 <= bottom <= estimate + 1e-12
    assert estimate - 1e-12 <= top
    assert top - bottom <= high - low + 1e-12
    assert found.around(median) == pytest.approx((low, high))
