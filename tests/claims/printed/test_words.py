"""Numbers in words: cardinals against a grammar of their own, and the words that are none."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from repro.claims.printed.number import Number, Scanner
from repro.claims.printed.words import read_words

ONES = [
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
]
TIES = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]


def spelt(number: int) -> str:
    """Write a number below ten thousand in words."""
    if number < 20:
        return ONES[number]
    if number < 100:
        return TIES[number // 10 - 2] + (f"-{ONES[number % 10]}" if number % 10 else "")
    name, size = ("thousand", 1000) if number >= 1000 else ("hundred", 100)
    rest = number % size
    joint = " and " if 0 < rest < 100 else " "
    return f"{spelt(number // size)} {name}" + (f"{joint}{spelt(rest)}" if rest else "")


def words(text: str) -> tuple[Number | None, str]:
    """Return the number at the beginning of a text, and what is left of the text."""
    scan = Scanner(text)
    return read_words(scan), scan.rest


@given(st.integers(0, 9999), st.booleans())
def test_every_cardinal_is_read_as_the_number_it_spells(number: int, capital: bool) -> None:
    text = spelt(number)
    found, rest = words((text.capitalize() if capital else text) + " models")
    assert found is not None
    assert (int(found.value), found.word, rest) == (number, True, " models")


@pytest.mark.parametrize(
    ("text", "value", "unit", "rest"),
    [
        ("2nd", 2, "", ""),
        ("third of all", 3, "", " of all"),
        ("a third", 1 / 3, "fraction", ""),
        ("two thirds of it", 2 / 3, "fraction", " of it"),
        ("half", 0.5, "fraction", ""),
        ("a dozen", 12, "", ""),
        ("twice", 2, "", ""),
        ("threefold", 3, "times", ""),
        ("three times", 3, "times", ""),
        ("four orders of magnitude", 4, "orders", ""),
        ("an order of magnitude", 1, "orders", ""),
        ("both", 2, "", ""),
        ("none of them", 0, "", " of them"),
        ("two and three", 2, "", " and three"),
    ],
)
def test_words_that_are_numbers_have_their_unit(
    text: str, value: float, unit: str, rest: str
) -> None:
    found, left = words(text)
    assert found is not None
    assert float(found.value) == pytest.approx(value)
    assert (found.unit, left) == (unit, rest)


@pytest.mark.parametrize("text", ["models", "a model", "hundredfold", "tent", "", "7", "-one"])
def test_what_is_no_number_consumes_nothing(text: str) -> None:
    assert words(text) == (None, text)
