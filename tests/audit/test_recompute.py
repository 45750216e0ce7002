"""What other prints determine is recomputed; a claim is held against it as far as decimals go."""

from collections.abc import Callable
from typing import Any

import pytest

from repro.audit import Check
from repro.audit.recompute import write_interval
from repro.claims.algebra.interval import Interval, point

Said = Callable[..., list[Check]]


def cells(axis: str, *printed: str, quantity: str = "score", **fields: Any) -> list[dict[str, Any]]:
    """Return one print for each level of an axis."""
    return [
        {"printed": one, "quantity": quantity, axis: number, **fields}
        for number, one in enumerate(printed)
    ]


def outcome(checks: list[Check]) -> tuple[str, str]:
    """Return verdict and severity of the only check."""
    (check,) = checks
    return check.verdict, check.severity


@pytest.mark.parametrize(
    ("printed", "expected"),
    [
        ("0.75", ("consistent", "none")),
        ("0.76", ("inconsistent", "rounding")),
        ("0.85", ("inconsistent", "substantive")),
    ],
)
def test_a_mean_over_folds_is_recomputed(
    said: Said, printed: str, expected: tuple[str, str]
) -> None:
    mean = {"printed": printed, "quantity": "score", "statistic": "mean", "over": "fold"}
    assert outcome(said("mean", *cells("fold", "0.710", "0.750", "0.785"), mean)) == expected


@pytest.mark.parametrize(("third", "verdict"), [("33.3%", "consistent"), ("35.3%", "inconsistent")])
def test_parts_make_up_their_whole(said: Said, third: str, verdict: str) -> None:
    whole = {
        "printed": "all answers",
        "quantity": "answer_share",
        "statistic": "sum",
        "over": "answer",
        "value": 100.0,
    }
    shares = cells("answer", "33.3%", "33.3%", third, quantity="answer_share")
    assert outcome(said("sum", *shares, whole))[0] == verdict


@pytest.mark.parametrize(
    ("printed", "expected"),
    [("42", ("consistent", "none")), ("52", ("inconsistent", "substantive"))],
)
def test_counts_make_up_their_sum(said: Said, printed: str, expected: tuple[str, str]) -> None:
    whole = {"printed": printed, "quantity": "tally", "statistic": "sum", "over": "answer"}
    assert outcome(said("sum", *cells("answer", "12", "30", quantity="tally"), whole)) == expected


@pytest.mark.parametrize(
    ("printed", "verdict"),
    [("0.70", "consistent"), ("0.74", "consistent"), ("0.78", "inconsistent")],
)
def test_a_rate_of_the_whole_lies_among_those_of_its_parts(
    said: Said, printed: str, verdict: str
) -> None:
    whole = {"printed": printed, "quantity": "hit_rate", "statistic": "pooled", "over": "answer"}
    parts = cells("answer", "0.61", "0.74", quantity="hit_rate")
    assert outcome(said("pooled", *parts, whole))[0] == verdict


@pytest.mark.parametrize(
    ("printed", "expected"),
    [
        ("353.0", ("consistent", "none")),
        ("353.2", ("undecidable", "rounding")),
        ("355.2", ("inconsistent", "minor")),
    ],
)
def test_whole_numbers_may_be_rounded_measurements(
    said: Said, printed: str, expected: tuple[str, str]
) -> None:
    """338, 355 and 366 have the mean 353 exactly; rounded to units, 352.5 to 353.5."""
    mean = {"printed": printed, "quantity": "score", "statistic": "mean", "over": "seed"}
    assert outcome(said("mean", *cells("seed", "338", "355", "366"), mean)) == expected


def relation(printed: str, **fields: Any) -> dict[str, Any]:
    """Return a claim that compares the conditions A and B."""
    return {
        "printed": printed,
        "quantity": "score",
        "of": {"condition": "A"},
        "against": {"condition": "B"},
        **fields,
    }


@pytest.mark.parametrize(
    ("second", "verdict"), [("0.6", "consistent"), ("0.9", "inconsistent"), ("0.8", "undecidable")]
)
def test_an_ordering_holds_fails_or_is_left_open_by_the_decimals(
    said: Said, second: str, verdict: str
) -> None:
    both = [
        {"printed": one, "quantity": "score", "condition": c}
        for one, c in (("0.8", "A"), (second, "B"))
    ]
    (check,) = said("ordering", *both, relation("A is better", statistic="above"))
    assert check.verdict == verdict
    assert check.explanation.startswith("“A is better”, read as above of score (A)")
    assert ("0.75 to 0.85 against 0.85 to 0.95" in check.explanation) == (verdict == "inconsistent")


def test_a_difference_of_rounded_percentages_is_called_a_slip_of_rounding(said: Said) -> None:
    """88/150 − 74/150 is 9.33; of 58.7 and 49.3, 9.4."""
    counts = [
        {"printed": one, "quantity": "solved", "condition": c}
        for one, c in (("88/150", "A"), ("74/150", "B"))
    ]
    rates = [
        {"printed": one, "quantity": "solved", "condition": c, "statistic": "percentage"}
        for one, c in (("58.7%", "A"), ("49.3%", "B"))
    ]
    operands = {
        "of": {"condition": "A", "statistic": "percentage"},
        "against": {"condition": "B", "statistic": "percentage"},
    }
    gap = {"printed": "9.4", "quantity": "solved", "statistic": "difference", **operands}
    (check,) = said("difference", *counts, *rates, gap)
    assert (check.verdict, check.severity) == ("inconsistent", "rounding"), check.explanation
    assert "from the rounded percentages, not from the counts" in check.explanation


@pytest.mark.parametrize(
    ("printed", "expected", "words"),
    [
        ("-0.10", ("consistent", "none"), ""),
        ("0.20", ("inconsistent", "minor"), "; it agrees for seed 0 alone, which is not said"),
        ("0.70", ("inconsistent", "substantive"), ""),
    ],
)
def test_what_holds_for_one_seed_alone_is_minor(
    said: Said, printed: str, expected: tuple[str, str], words: str
) -> None:
    values = [
        {"printed": one, "quantity": "score", "model": "m", "condition": condition, "seed": seed}
        for one, condition, seed in (
            ("0.80", "A", 0),
            ("0.50", "A", 1),
            ("0.60", "B", 0),
            ("0.90", "B", 1),
            ("0.65", "A", None),
            ("0.75", "B", None),
        )
    ]
    gap = relation(printed, statistic="difference")
    gap["of"], gap["against"] = ({"model": "m", "condition": condition} for condition in "AB")
    (check,) = said("difference", *values, gap)
    assert (check.verdict, check.severity) == expected
    assert words in check.explanation


def test_without_the_cells_it_is_undecidable_and_the_missing_cell_is_named(said: Said) -> None:
    (check,) = said("ordering", relation("A is better", statistic="above"))
    assert check.verdict == "undecidable"
    assert "not printed: score (A)" in check.explanation


def test_an_interval_of_no_width_is_written_as_one_number() -> None:
    assert write_interval(point(0.25)) == "0.25"
    assert write_interval(Interval(0.25, 0.5)) == "0.25 to 0.5"
