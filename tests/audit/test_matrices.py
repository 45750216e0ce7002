"""Correlations of one set of things: those of data are possible, and three that none has are
found.
"""

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from repro.audit import Check

Said = Callable[..., list[Check]]


def matrix(values: dict[str, str], **fields: str) -> list[dict[str, Any]]:
    """Return a claim for each pair of things, named by one letter each."""
    return [
        {
            "printed": printed,
            "quantity": "correlation",
            "first": pair[0],
            "second": pair[1],
            **fields,
        }
        for pair, printed in values.items()
    ]


@pytest.mark.parametrize(
    ("last", "verdict"), [("0.65", "consistent"), ("0.62", "consistent"), ("0.20", "inconsistent")]
)
def test_three_correlations_that_no_data_have_are_found(
    said: Said, last: str, verdict: str
) -> None:
    """Beside 0.90 and 0.90 the third is at least 2·0.81 − 1 = 0.62."""
    (check,) = said("positive_semidefinite", *matrix({"ab": "0.90", "bc": "0.90", "ac": last}))
    assert check.verdict == verdict
    assert check.severity == ("none" if verdict == "consistent" else "substantive")
    assert len(check.inputs) == 3


def test_the_smallest_eigenvalue_is_numpys(said: Said) -> None:
    (check,) = said("positive_semidefinite", *matrix({"ab": "0.5", "bc": "-0.2", "ac": "0.1"}))
    expected = np.linalg.eigvalsh([[1, 0.5, 0.1], [0.5, 1, -0.2], [0.1, -0.2, 1]])[0]
    assert check.recomputed == pytest.approx(float(expected))


def test_decimals_that_leave_room_are_given_it(said: Said) -> None:
    """Of 0.9, 0.9 and 0.6 the middles cannot be; 0.85 and 0.85 with 0.6 can."""
    (check,) = said("positive_semidefinite", *matrix({"ab": "0.9", "bc": "0.9", "ac": "0.6"}))
    assert check.verdict == "consistent"
    assert isinstance(check.recomputed, float)
    assert check.recomputed < 0


@settings(max_examples=25)
@given(st.integers(0, 10_000), st.integers(3, 6), st.integers(1, 2))
def test_correlations_of_data_are_never_called_impossible(
    said: Said, seed: int, k: int, decimals: int
) -> None:
    rng = np.random.default_rng(seed)
    data = rng.normal(size=(k + 2, k)) @ rng.normal(size=(k, k))
    r = np.asarray(np.corrcoef(data, rowvar=False))
    values = {
        "abcdef"[i] + "abcdef"[j]: f"{r[i, j]:.{decimals}f}"
        for i, j in itertools.combinations(range(k), 2)
    }
    checks = said("positive_semidefinite", *matrix(values))
    assert checks
    assert {check.verdict for check in checks} == {"consistent"}


def test_pairs_of_different_cells_make_no_matrix(said: Said) -> None:
    pairs = [
        *matrix({"ab": "0.90", "bc": "0.90"}, model="m"),
        *matrix({"ac": "0.20"}, model="n"),
    ]
    assert said("positive_semidefinite", *pairs) == []
