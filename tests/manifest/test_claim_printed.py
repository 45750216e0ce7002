"""A printed number is read as what it may have been before rounding."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from repro.errors import ManifestError
from repro.manifest.printed import Part, read


def one(printed: str) -> Part:
    (part,) = read(printed)
    return part


@given(st.floats(-1000, 1000), st.integers(1, 6))
def test_the_number_that_was_rounded_lies_inside_the_interval_of_its_print(number: float, decimals: int) -> None:
    part = one(f"{number:.{decimals}f}")
    assert part.low is not None
    assert part.high is not None
    assert part.low - 1e-9 <= number <= part.high + 1e-9
    assert part.high - part.low == pytest.approx(10**-decimals)
    assert part.digit == pytest.approx(10**-decimals)


@given(st.integers(0, 100000))
def test_a_bare_whole_number_is_exact(number: int) -> None:
    part = one(str(number))
    assert (part.value, part.low, part.high, part.digit) == (number, number, number, 0)


@pytest.mark.parametrize(
    ("printed", "value", "low", "high", "unit"),
    [
        ("32%", 32, 31.5, 32.5, "percent"),
        ("−9.1", -9.1, -9.15, -9.05, ""),
        ("–14%", -14, -14.5, -13.5, "percent"),
        ("+0.4%", 0.4, 0.35, 0.45, "percent"),
        ("1×10^{-4}", 1e-4, 1e-4, 1e-4, ""),
        (r"2.4 \times 10^{-11}", 2.4e-11, 2.35e-11, 2.45e-11, ""),
        ("10^{-4}", 1e-4, 1e-4, 1e-4, ""),
        (r"$10\times$", 10, 5, 15, "times"),
        ("7.6B", 7.6, 7.55, 7.65, "billion"),
        ("~7B", 7, 6, 8, "billion"),
        ("~ 0.95", 0.95, 0.94, 0.96, ""),
        ("11.6 percentage points", 11.6, 11.55, 11.65, "points"),
        ("four orders of magnitude", 4, 3.5, 4.5, "orders"),
        ("nearly twice", 2, 1.7, 2, ""),
        ("seven", 7, 7, 7, ""),
        ("exactly 0.000", 0, 0, 0, ""),
        ("5,000", 5000, 5000, 5000, ""),
    ],
)
def test_forms_that_papers_use(printed: str, value: float, low: float, high: float, unit: str) -> None:
    part = one(printed)
    assert [part.value, part.low, part.high] == pytest.approx([value, low, high])
    assert part.unit == unit


@pytest.mark.parametrize(
    ("printed", "low", "high"), [("< 0.0002", None, 0.0002), ("at least 3", 3, None), ("<0.01", None, 0.01)]
)
def test_a_bound_leaves_one_side_open(printed: str, low: float | None, high: float | None) -> None:
    assert (one(printed).low, one(printed).high) == (low, high)


@pytest.mark.parametrize(
    ("printed", "roles", "values"),
    [
        ("0.641 ± 0.099", ["mean", "sd"], [0.641, 0.099]),
        ("0.529–0.712", ["min", "max"], [0.529, 0.712]),
        ("+27–39%", ["min", "max"], [27, 39]),
        ("[−16.7, −1.5]", ["ci_low", "ci_high"], [-16.7, -1.5]),
    ],
)
def test_two_numbers_in_one_print_are_two_parts(printed: str, roles: list[str], values: list[float]) -> None:
    parts = read(printed)
    assert [part.role for part in parts] == roles
    assert [part.value for part in parts] == values


@pytest.mark.parametrize(
    ("printed", "value", "total"), [("79/164", 79, 164), ("two of eight", 2, 8), ("Two of three", 2, 3)]
)
def test_a_count_keeps_its_denominator(printed: str, value: float, total: int) -> None:
    assert (one(printed).value, one(printed).total, one(printed).unit) == (value, total, "count")


@pytest.mark.parametrize("printed", ["monotonically", "", "all of them"])
def test_words_without_a_number_are_refused_by_name(printed: str) -> None:
    with pytest.raises(ManifestError, match=r"number|count"):
        read(printed)
