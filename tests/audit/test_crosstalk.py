"""Crosstalk beside its ratio and its asymmetry: numbers of real damages are possible together."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from repro.audit import Check

Said = Callable[..., list[Check]]


def pair(**printed: str) -> list[dict[str, Any]]:
    """Return the claims of one pair of domains, by quantity."""
    return [
        {"printed": value, "quantity": name, "model": "m", "pair": "a-b"}
        for name, value in printed.items()
    ]


share = st.floats(0, 1)


@given(own=st.tuples(share, share), across=st.tuples(share, share))
@settings(max_examples=60)
def test_numbers_of_real_damages_are_never_called_impossible(
    said: Said, own: tuple[float, float], across: tuple[float, float]
) -> None:
    crosstalk = sum(across) / 2
    prints = {"crosstalk": f"{crosstalk:.3f}"}
    if sum(own) + sum(across) > 0.01:
        prints["block_diagonal_ratio"] = f"{sum(own) / (sum(own) + 2 * crosstalk):.3f}"
    if sum(across) > 0.01:
        prints["asymmetry"] = f"{abs(across[0] - across[1]) / sum(across):.3f}"
    checks = said("crosstalk_identity", *pair(**prints))
    assert len(checks) == len(prints) - 1
    assert [one.explanation for one in checks if one.verdict != "consistent"] == []


@pytest.mark.parametrize(
    ("prints", "words"),
    [
        ({"crosstalk": "0.40", "block_diagonal_ratio": "0.80"}, "and 2 is all there is"),
        ({"crosstalk": "0.40", "block_diagonal_ratio": "1.20"}, "a ratio lies between 0 and 1"),
        ({"crosstalk": "0.40", "block_diagonal_ratio": "1"}, "means no damage across"),
        ({"crosstalk": "0.70", "asymmetry": "0.60"}, "and 1 is all there is"),
        ({"crosstalk": "0.40", "asymmetry": "1.30"}, "an asymmetry lies between 0 and 1"),
    ],
)
def test_numbers_that_no_damages_give_are_found(
    said: Said, prints: dict[str, str], words: str
) -> None:
    (check,) = said("crosstalk_identity", *pair(**prints))
    assert (check.verdict, check.severity) == ("inconsistent", "substantive")
    assert words in check.explanation


def test_own_damage_follows_from_crosstalk_and_ratio(said: Said) -> None:
    """S = 2·CT·BDR/(1 − BDR) = 2 · 0.1 · 0.8/0.2 = 0.8."""
    (check,) = said("crosstalk_identity", *pair(crosstalk="0.1000", block_diagonal_ratio="0.8000"))
    assert check.recomputed == pytest.approx(0.8, abs=1e-3)


def test_the_larger_damage_follows_from_crosstalk_and_asymmetry(said: Said) -> None:
    """Of 0.1 and 0.3: CT 0.2, asymmetry 0.5, and the larger is 0.2 · 1.5."""
    (check,) = said("crosstalk_identity", *pair(crosstalk="0.2000", asymmetry="0.5000"))
    assert check.recomputed == pytest.approx(0.3, abs=1e-3)


def test_without_a_crosstalk_nothing_is_decided(said: Said) -> None:
    (check,) = said("crosstalk_identity", *pair(asymmetry="0.50"))
    assert check.verdict == "undecidable"
    assert check.explanation.endswith("no crosstalk of this pair is printed")
