"""Words around numbers: what a spread is, how exact a number is, and mere words."""

import pytest

from repro.claims.printed.labels import (
    SPREAD_LABELS,
    Label,
    Qualifier,
    read_label,
    read_qualifier,
    words_after,
)
from repro.claims.printed.number import Scanner, UnreadableError


@pytest.mark.parametrize(
    ("text", "label", "rest"),
    [
        ("95% CI [1, 2]", Label("ci", 95.0), "[1, 2]"),
        ("90 % confidence interval: 1", Label("ci", 90.0), "1"),
        ("CI 95%: 1", Label("ci", 95.0), "1"),
        ("CI = 1", Label("ci"), "1"),
        ("SD 0.4", Label("sd"), "0.4"),
        ("std. dev. = 0.4", Label("sd"), "0.4"),
        ("σ = 0.4", Label("sd"), "0.4"),
        ("standard error of the mean 0.4", Label("se"), "0.4"),
        ("SEM: 0.4", Label("se"), "0.4"),
        ("IQR 1–2", Label("iqr"), "1–2"),
        ("range 1–2", Label("range"), "1–2"),
        ("median 5", Label("median"), "5"),
        ("p = .06", Label("symbol"), ".06"),
        ("F(2, x) = 4", Label("symbol"), "4"),
        ("0.4", None, "0.4"),
        ("seeds 4", None, "seeds 4"),
    ],
)
def test_a_label_before_a_number_is_taken(text: str, label: Label | None, rest: str) -> None:
    scan = Scanner(text)
    assert (read_label(scan), scan.rest) == (label, rest)


@pytest.mark.parametrize(
    ("text", "qualifier"),
    [
        ("at most 3", "at_most"),
        ("up to 3", "at_most"),
        ("≤ 3", "at_most"),
        ("no more than 3", "at_most"),
        ("at least 3", "at_least"),
        (">= 3", "at_least"),
        ("< 3", "below"),
        ("fewer than 3", "below"),
        ("> 3", "above"),
        ("more than 3", "above"),
        ("about 3", "about"),
        ("~3", "about"),
        ("ca. 3", "about"),
        ("nearly 3", "nearly"),
        ("exactly 3", "exact"),
        ("overall 3", None),
        ("3", None),
    ],
)
def test_a_qualifier_before_a_number_is_taken(text: str, qualifier: Qualifier | None) -> None:
    scan = Scanner(text)
    assert read_qualifier(scan) == qualifier
    assert scan.rest == ("3" if qualifier else text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (" seeds for B3 (code+NL) and Qwen2.5-7B", (None, None)),
        (" at step 5000", (None, None)),
        (" (SD)", (None, None)),  # a bracket of words is an aside; a cell reads it as a label
        (" or more", (None, "at_least")),
        ("+", (None, "at_least")),
        (" at most", (None, "at_most")),
        (" or so", (None, "about")),
        (" m/s^2", (None, None)),
    ],
)
def test_words_behind_a_number_are_consumed_to_the_end(
    text: str, expected: tuple[Label | None, Qualifier | None]
) -> None:
    scan = Scanner(f"8{text}")
    scan.at = 1
    assert words_after(scan) == expected
    assert scan.rest == ""


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (" or 9 seeds", "'9 seeds' is left over behind '8 or'"),
        (" seeds, twelve of them", "is left over"),
        (" of 5k", "is left over"),
        ("b", "'b' behind a number is not read; write the number out"),
        ("‰", "behind a number is not read"),
        ("x9", "behind a number is not read"),
    ],
)
def test_a_number_among_the_words_is_refused(text: str, words: str) -> None:
    scan = Scanner(f"8{text}")
    scan.at = 1
    with pytest.raises(UnreadableError) as refused:
        words_after(scan)
    assert words in str(refused.value)


def test_a_label_gives_one_number_its_spread_and_two_their_ends() -> None:
    for kind, (scalar, low, high) in SPREAD_LABELS.items():
        label = Label(kind)  # type: ignore[arg-type]  # the keys are the kinds
        assert (label.role_of("min"), label.role_of("max")) == (low, high)
        assert label.role_of("value") == scalar
        assert label.role_of("spread") == ("half_range" if kind == "range" else scalar)
        assert label.role_of("percentage") is None
    assert (Label("mean").role_of("value"), Label("mean").role_of("sd")) == ("mean", None)
    assert Label("symbol").role_of("value") is None
