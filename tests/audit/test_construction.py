"""What is so by construction, whatever was measured: of one run, of k vectors, of one direction."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from repro.audit import Check

Said = Callable[..., list[Check]]
LOSS: dict[str, Any] = {"quantity": "loss", "model": "m", "condition": "B1"}


def count_of(word: str) -> dict[str, Any]:
    """Return the claim that there are so many runs."""
    return {"printed": word, "statistic": "count", **LOSS}


@pytest.mark.parametrize(("spread", "verdict"), [("0.02", "inconsistent"), ("0.00", "consistent")])
def test_one_run_has_no_spread(said: Said, spread: str, verdict: str) -> None:
    (check,) = said("one_run", count_of("one"), {"printed": spread, "statistic": "sd", **LOSS})
    assert check.verdict == verdict
    assert "one value has no spread" in check.explanation


def test_several_runs_have_a_spread(said: Said) -> None:
    assert said("one_run", count_of("three"), {"printed": "0.02", "statistic": "sd", **LOSS}) == []


@pytest.mark.parametrize(
    ("vectors", "printed", "verdict"),
    [("3", "-0.49", "consistent"), ("4", "-0.49", "inconsistent"), ("4", "-0.33", "consistent"),
     ("4", "1.20", "inconsistent")],
)  # fmt: skip
def test_the_mean_cosine_of_k_vectors_is_at_least_minus_one_over_k_minus_one(
    said: Said, vectors: str, printed: str, verdict: str
) -> None:
    (check,) = said(
        "mean_cosine",
        {"printed": vectors, "quantity": "centroids"},
        {"printed": printed, "quantity": "centroid_cosine"},
    )
    assert check.verdict == verdict


@given(k=st.integers(2, 8), width=st.integers(1, 4), seed=st.integers(0, 999))
@settings(max_examples=30)
def test_cosines_of_vectors_are_never_called_impossible(
    said: Said, k: int, width: int, seed: int
) -> None:
    vectors = np.random.default_rng(seed).normal(size=(k, width))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    mean = float((vectors @ vectors.T)[np.triu_indices(k, 1)].mean())
    (check,) = said(
        "mean_cosine",
        {"printed": str(k), "quantity": "centroids"},
        {"printed": f"{mean:.3f}", "quantity": "centroid_cosine"},
    )
    assert check.verdict == "consistent"


def test_without_a_number_of_vectors_a_cosine_is_not_checked(said: Said) -> None:
    cosine = {"printed": "-0.99", "quantity": "centroid_cosine"}
    two = [{"printed": k, "quantity": "centroids", "model": k} for k in ("3", "4")]
    assert said("mean_cosine", cosine) == []
    assert said("mean_cosine", cosine, *two) == [], "two numbers do not say which is meant"


@pytest.mark.parametrize(
    ("ratio", "outcome"),
    [
        ("11.9", ("inconsistent", "minor")),
        ("6.3", ("inconsistent", "minor")),  # 6.25²/(6.25² + 2) = 0.951
        ("6.2", ("consistent", "none")),  # 6.15²/(6.15² + 2) = 0.9498
        ("2.1", ("consistent", "none")),
    ],
)
def test_a_signal_with_nearly_all_energy_in_one_direction_is_not_in_three(
    said: Said, ratio: str, outcome: tuple[str, str]
) -> None:
    (check,) = said(
        "directions",
        {"printed": ratio, "quantity": "singular_value_ratio", "model": "m", "step": 500},
        {"printed": "three", "quantity": "concentrated_directions", "model": "m"},
    )
    assert (check.verdict, check.severity) == outcome


def test_the_ratio_of_the_last_step_decides(said: Said) -> None:
    ratios = [
        {"printed": printed, "quantity": "singular_value_ratio", "model": "m", "step": step}
        for printed, step in (("2.1", 500), ("11.9", 4000), ("2.0", 1000))
    ]
    three = {"printed": "three", "quantity": "concentrated_directions", "model": "m"}
    (check,) = said("directions", *ratios, three)
    assert check.verdict == "inconsistent"
    assert "11.9" in check.explanation
