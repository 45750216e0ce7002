"""Formulas of claims are refused where they are written, each with what it may hold instead."""

import ast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from repro.claims.formula import check_formula, decimals_of, parse_formula
from repro.errors import ManifestError


@pytest.mark.parametrize(
    ("formula", "words"),
    [
        ("2 * * 3", "not arithmetic"),
        ("", "not arithmetic"),
        ("open(1)", "only numbers, rounded(number)"),
        ("rounded(a)", "only numbers, rounded(number)"),
        ("rounded(1, 2)", "only numbers, rounded(number)"),
        ("a.b", "only numbers"),
        ("True + 1", "only numbers"),
        ("5 // 2", "only numbers"),
        ("9**9**9", "cannot be computed"),
        ("1 / 0", "cannot be computed"),
        ("(-8) ** 0.5", "cannot be computed"),
        ("1e300 * 10", "larger than any number"),
        ("(" * 500 + "1" + ")" * 500, "not arithmetic"),
    ],
)
def test_what_is_no_arithmetic_of_readable_size_is_refused(formula: str, words: str) -> None:
    with pytest.raises(ManifestError) as refused:
        check_formula(formula, "claims.yaml, §1")
    assert str(refused.value).startswith("claims.yaml, §1: formula ")
    assert words in str(refused.value)


def test_a_formula_without_quotes_is_told_what_is_expected() -> None:
    with pytest.raises(ManifestError) as refused:
        check_formula(12, "claims.yaml, §1")
    assert str(refused.value) == (
        "claims.yaml, §1: field formula: found 12, expected arithmetic in quotes"
    )


@pytest.mark.parametrize("formula", ["hidden_size - 9", "-a / b ** 2", " 3 * (4 + rounded(1.20))"])
def test_arithmetic_over_numbers_and_names_is_taken(formula: str) -> None:
    check_formula(formula, "here")
    assert isinstance(parse_formula(formula), ast.BinOp)


@given(st.integers(-(10**6), 10**6), st.integers(0, 6))
def test_a_rounded_number_has_the_decimals_of_its_own_characters(units: int, places: int) -> None:
    written = f"{units / 10**places:.{places}f}"
    formula = f"rounded({written})"
    node = parse_formula(formula)
    assert isinstance(node, ast.Call)
    assert decimals_of(node, formula) == pytest.approx((float(written), 10.0**-places))
