"""One unit for one quantity: what a header left out is put right, and what agrees is left alone."""

from collections.abc import Callable

import pytest

from calibration.audit.load import load
from repro.audit import Check
from repro.audit.units import in_one_unit

Said = Callable[..., list[Check]]


def numbers(*printed: str, quantity: str = "accuracy") -> list[tuple[float, str]]:
    """Return the numbers and units that these prints of one quantity come to."""
    fields = [
        {"printed": one, "says": one, "quantity": quantity, "model": f"m{n}", "unverifiable": "x"}
        for n, one in enumerate(printed)
    ]
    return [(claim.number, claim.unit) for claim in in_one_unit(load(fields))]


@pytest.mark.parametrize(
    ("printed", "expected"),
    [
        (("83.3%", "0.833"), [(0.833, ""), (0.833, "")]),
        (("83.3%", "79.1"), [(83.3, "percent"), (79.1, "")]),
        (("83.3%", "79.1%"), [(83.3, "percent"), (79.1, "percent")]),
        (("0.8%", "0.833"), [(0.8, "percent"), (0.833, "")]),
    ],
)
def test_percentages_beside_fractions_become_fractions(
    printed: tuple[str, ...], expected: list[tuple[float, str]]
) -> None:
    assert numbers(*printed) == expected


@pytest.mark.parametrize(
    ("printed", "expected"),
    [
        (("1.5 million", "1,500,000"), [(1.5, "million"), (1.5, "million")]),
        (("1.5 million", "2 billion"), [(0.0015, "billion"), (2.0, "billion")]),
        (("1.5 million", "12"), [(1.5, "million"), (12.0, "")]),
    ],
)
def test_millions_and_billions_become_one_unit_unless_a_bare_number_is_small(
    printed: tuple[str, ...], expected: list[tuple[float, str]]
) -> None:
    assert numbers(*printed, quantity="parameters") == expected


def test_the_room_of_the_decimals_is_scaled_with_the_number() -> None:
    fields = [
        {"printed": one, "says": one, "quantity": "accuracy", "model": one, "unverifiable": "x"}
        for one in ("83.3%", "0.833")
    ]
    claim = in_one_unit(load(fields))[0]
    assert claim.low == pytest.approx(0.8325)
    assert claim.high == pytest.approx(0.8335)
    assert claim.digit == pytest.approx(0.001)


@pytest.mark.parametrize(
    ("printed", "verdict"),
    [
        ("30.0%", "consistent"),
        ("0.300", "consistent"),
        ("35.0%", "inconsistent"),
        ("0.350", "inconsistent"),
    ],
)
def test_a_ratio_in_percent_is_the_ratio(said: Said, printed: str, verdict: str) -> None:
    hours = {"quantity": "hours"}
    (check,) = said(
        "ratio",
        {"printed": "30.0", "model": "a", **hours},
        {"printed": "100.0", "model": "all", **hours},
        {
            "printed": printed,
            "statistic": "ratio",
            "of": {"model": "a"},
            "against": {"model": "all"},
            **hours,
        },
    )
    assert check.verdict == verdict
