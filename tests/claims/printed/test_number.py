"""One number: its decimal mark, power, scale and last printed place; what may be two is refused."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from repro.claims.printed.number import (
    Decimals,
    Number,
    Scanner,
    UnreadableError,
    decimal_of,
    read_number,
    with_common_unit,
)


def number(text: str, decimals: Decimals | None = None) -> Number:
    """Return the number that a whole text is."""
    scan = Scanner(text, decimals)
    found = read_number(scan)
    assert found is not None
    assert scan.rest == "", scan.rest
    return found


@given(st.decimals(-(10**7), 10**7, places=2, allow_nan=False), st.sampled_from([",", "'", ""]))
def test_thousands_and_decimals_of_a_point_paper_are_read_back(
    value: Decimal, between: str
) -> None:
    found = number(f"{value:,.2f}".replace(",", between), "point")
    assert (found.value, found.step, found.mark) == (value, Decimal("0.01"), "point")


@given(st.decimals(-(10**7), 10**7, places=2, allow_nan=False), st.sampled_from([".", "'", " "]))
def test_thousands_and_decimals_of_a_comma_paper_are_read_back(
    value: Decimal, between: str
) -> None:
    printed = f"{value:,.2f}".replace(",", "!").replace(".", ",").replace("!", between)
    found = number(printed, "comma")
    assert (found.value, found.step, found.mark) == (value, Decimal("0.01"), "comma")


@pytest.mark.parametrize(
    ("body", "declared", "digits", "mark"),
    [
        ("1,234", None, "1234", "grouped"),
        ("1,234", "comma", "1.234", "comma"),
        ("1,234", "point", "1234", ""),
        ("1.234", None, "1.234", "point"),
        ("1.234", "comma", "1234", ""),
        ("0,123", None, "0.123", "comma"),
        ("12,5", None, "12.5", "comma"),
        ("1.234.567", None, "1234567", ""),
        ("1,234.5", None, "1234.5", "point"),
        ("0·641", None, "0.641", "point"),
        (".5", None, "0.5", "point"),
        (",5", "comma", "0.5", "comma"),
        ("17", None, "17", ""),
    ],
)
def test_a_mark_is_decimal_or_groups_thousands(
    body: str, declared: Decimals | None, digits: str, mark: str
) -> None:
    assert decimal_of(body, declared) == (digits, mark)


@pytest.mark.parametrize(
    ("body", "declared", "words"),
    [
        ("1.2.3", None, "its groups of digits are not thousands"),
        ("1,23,456", None, "its groups of digits are not thousands"),
        (",5", None, "does not say its decimal mark"),
        (".5", "comma", "does not say its decimal mark"),
        ("12.5", "comma", "the decimal comma that is declared"),
        ("12,5", "point", "the decimal point that is declared"),
        ("12 588.28", None, "may be two numbers"),
    ],
)
def test_what_is_not_one_number_is_refused(
    body: str, declared: Decimals | None, words: str
) -> None:
    with pytest.raises(UnreadableError, match=words):
        decimal_of(body, declared)


@pytest.mark.parametrize(
    ("text", "value", "step", "unit"),
    [
        ("2.4 × 10^{-11}", "2.4e-11", "1e-12", ""),
        ("2.5e-4", "2.5e-4", "1e-5", ""),
        ("10^{-4}", "1e-4", "0", ""),
        ("5.81 × 10-48", "5.81e-48", "1e-50", ""),
        ("1.5k", "1500", "100", ""),
        ("7.6B", "7.6", "0.1", "billion"),
        ("7B", "7", "1", "billion"),
        ("32%", "32", "1", "percent"),
        ("60×", "60", "10", "times"),
        ("12 percentage points", "12", "0", "points"),
        ("4 orders of magnitude", "4", "1", "orders"),
        ("3\\frac(1|2)", "3.5", "0", ""),
        ("6.644 657 3450", "6.6446573450", "1e-10", ""),
        ("-0.50", "-0.50", "0.01", ""),
        ("↓0.5", "-0.5", "0.1", ""),
    ],
)
def test_a_number_knows_the_weight_of_its_last_digit_and_its_unit(
    text: str, value: str, step: str, unit: str
) -> None:
    found = number(text)
    assert (found.value, found.step, found.unit) == (Decimal(value), Decimal(step), unit)
    assert found.whole == (Decimal(step) == 0)


def test_a_fraction_with_a_zero_below_is_refused_and_no_number_consumes_nothing() -> None:
    with pytest.raises(UnreadableError, match="a zero below"):
        number("\\frac(1|0)")
    scan = Scanner("-x")
    assert read_number(scan) is None
    assert scan.rest == "-x"


def test_two_numbers_of_a_print_share_the_unit_and_the_last_scale() -> None:
    first, second = with_common_unit(number("1.5"), number("2.0M"))
    assert (first.value, first.unit, second.unit) == (Decimal("1.5"), "million", "million")
    first, second = with_common_unit(number("27"), number("39%"))
    assert (first.unit, first.step) == ("percent", Decimal(1))


@pytest.mark.parametrize(
    ("one", "other", "words"),
    [
        ("5%", "3×", "different units (percent, times) are no pair"),
        ("1.5k", "120", "'k' stands at one of two numbers"),
        ("1.55", "2.0k", "one of two numbers with other decimals"),
    ],
)
def test_units_and_scales_that_do_not_go_together_are_refused(
    one: str, other: str, words: str
) -> None:
    with pytest.raises(UnreadableError) as refused:
        with_common_unit(number(one), number(other))
    assert words in str(refused.value)
