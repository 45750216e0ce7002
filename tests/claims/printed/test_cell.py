"""Every number of a cell has its role and its item, and every character is consumed or refused."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from repro.claims.printed import read
from repro.claims.printed.cell import Piece, label_pieces, read_cell
from repro.claims.printed.labels import Label
from repro.claims.printed.number import Number, Scanner, UnreadableError

NUMBER = st.decimals(0, 999, places=1, allow_nan=False).map(str)


def pieces(text: str) -> list[tuple[str, float, int]]:
    """Return role, value and item of each number of a cell."""
    return [(one.role, float(one.number.value), one.item) for one in read_cell(Scanner(text))]


@pytest.mark.parametrize(
    ("printed", "roles", "values"),
    [
        ("12.3 (4.5–6.7)", ["value", "in_brackets_low", "in_brackets_high"], [12.3, 4.5, 6.7]),
        ("12.3 [95% CI: 4.5, 13.7]", ["value", "ci_low", "ci_high"], [12.3, 4.5, 13.7]),
        ("5.6 (IQR 4.5–6.7)", ["value", "q25", "q75"], [5.6, 4.5, 6.7]),
        ("median 5.6 (IQR 1.2)", ["median", "iqr"], [5.6, 1.2]),
        ("3.1 (SD 0.4)", ["mean", "sd"], [3.1, 0.4]),
        ("3.1 ± 0.4 (SE)", ["mean", "se"], [3.1, 0.4]),
        ("0.641 (0.099)", ["value", "in_brackets"], [0.641, 0.099]),
        ("41.0 ± 1.0 (+2.2%)", ["mean", "sd", "in_brackets"], [41.0, 1.0, 2.2]),
        ("79/164 (48.2%)", ["value", "percentage"], [79, 48.2]),
        ("52.0/28.0/44.5", ["value"] * 3, [52.0, 28.0, 44.5]),
        ("(1.2 ± 0.1) × 10⁻³", ["mean", "sd"], [0.0012, 0.0001]),
        ("5–10%", ["min", "max"], [5, 10]),
    ],
)
def test_each_number_of_a_cell_has_its_role(
    printed: str, roles: list[str], values: list[float]
) -> None:
    parts = read(printed)
    assert [part.role for part in parts] == roles
    assert [part.value for part in parts] == pytest.approx(values)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("41.0 ± 1.0 (+2.2%)", [("mean", 41.0, 0), ("spread", 1.0, 0), ("in_brackets", 2.2, 1)]),
        ("0.6 (± 0.1)", [("mean", 0.6, 0), ("spread", 0.1, 0)]),
        ("52.0/28.0 ± 1.0", [("value", 52.0, 0), ("mean", 28.0, 1), ("spread", 1.0, 1)]),
        ("between 3 and 5", [("min", 3.0, 0), ("max", 5.0, 0)]),
        ("from 3 to 5", [("min", 3.0, 0), ("max", 5.0, 0)]),
        ("[1.2, 3.4]", [("ci_low", 1.2, 0), ("ci_high", 3.4, 0)]),
        ("48.2% (79/164)", [("percentage", 48.2, 0), ("value", 79.0, 1)]),
        ("3 and 4", [("value", 3.0, 0), ("value", 4.0, 1)]),
        ("0.6 (ours)", [("value", 0.6, 0)]),
    ],
)
def test_a_spread_belongs_to_its_centre_and_a_bracket_is_an_item_of_its_own(
    text: str, expected: list[tuple[str, float, int]]
) -> None:
    assert pieces(text) == expected


@given(st.lists(NUMBER, min_size=1, max_size=4), st.sampled_from(["/", "; ", " | ", " → ", ", "]))
def test_items_are_numbered_in_their_order(numbers: list[str], between: str) -> None:
    expected = [("value", float(number), i) for i, number in enumerate(numbers)]
    assert pieces(between.join(numbers)) == expected


@given(NUMBER, NUMBER)
def test_a_range_rises_or_is_refused(first: str, second: str) -> None:
    if float(first) <= float(second):
        assert [role for role, _, _ in pieces(f"{first}–{second}")] == ["min", "max"]
    else:
        with pytest.raises(UnreadableError, match="falls, so it is no range; make each a claim"):
            pieces(f"{first}–{second}")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("3 5", "'5' is left over behind '3'"),
        ("1.2 ± 0.1 × 10^-3", "one of two numbers has a power of ten: write both in brackets"),
        ("1 to 2 × 10^3", "one of two ends has a power of ten: write it at both"),
        ("(1.2, 3.4", "is not closed behind its numbers"),
        ("some", "no number can be read at 'some'"),
        ("", "a number is missing"),
        ("0.6 ±", "a number is missing"),
    ],
)
def test_what_is_left_over_is_told(text: str, words: str) -> None:
    with pytest.raises(UnreadableError) as refused:
        pieces(text)
    assert words in str(refused.value)


def test_a_label_names_undeclared_numbers_and_leaves_the_others_as_they_are() -> None:
    one = Number(Decimal(1))
    centre, spread = Piece("mean", one, declared=False), Piece("spread", one, declared=False)
    labelled = label_pieces([centre, spread], Label("se"))
    assert [(piece.role, piece.declared) for piece in labelled] == [("mean", False), ("se", True)]
    certain = Piece("sd", one)
    assert label_pieces([certain], Label("se")) == [certain]


def test_a_qualifier_and_a_level_go_to_the_numbers_they_are_said_of() -> None:
    low, high = read_cell(Scanner("90% CI [1.2, 3.4]"))
    assert (low.role, low.level, high.level, low.declared) == ("ci_low", 90.0, 90.0, True)
    (most,) = read_cell(Scanner("at most 3"))
    (least,) = read_cell(Scanner("3 or more"))
    assert (most.qualifier, least.qualifier) == ("at_most", "at_least")
    (count,) = read_cell(Scanner("two of eight models"))
    assert (count.total, count.number.unit) == (8, "count")
