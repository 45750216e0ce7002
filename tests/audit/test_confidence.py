"""Printed intervals of a share or a difference: the formula behind them is named, and no other."""

from collections.abc import Callable
from typing import Any

import pytest
from statsmodels.stats.proportion import proportion_confint

from repro.audit import Check

Said = Callable[..., list[Check]]
COUNTS = (96, 164, 79, 164)


def of_difference(printed: str, counts: tuple[int, int, int, int] = COUNTS) -> list[dict[str, Any]]:
    """Return two counts, and what is printed as the interval of their difference."""
    a, n, b, m = counts
    return [
        {"printed": f"{a}/{n}", "quantity": "solved", "condition": "A"},
        {"printed": f"{b}/{m}", "quantity": "solved", "condition": "B"},
        {
            "printed": printed,
            "quantity": "solved",
            "of": {"condition": "A"},
            "against": {"condition": "B"},
        },
    ]


def of_share(printed: str, count: str = "81/263") -> list[dict[str, Any]]:
    """Return one count, and what is printed as the interval of its share."""
    return [
        {"printed": count, "quantity": "solved", "condition": "A"},
        {"printed": printed, "quantity": "solved", "condition": "A", "statistic": "ci_low"},
    ]


@pytest.mark.parametrize(
    ("printed", "name"),
    [
        ("[-1.0, 21.7]", "the Wald with continuity correction interval"),
        ("[1.4, 19.4]", "the Wald interval at 90 %"),
        ("[-0.4, 21.0]", "the Miettinen–Nurminen interval"),
    ],
)
def test_the_formula_and_its_level_are_named(said: Said, printed: str, name: str) -> None:
    (check,) = said("confidence_interval", *of_difference(printed))
    assert check.verdict == "consistent"
    assert check.explanation.endswith(f"it is {name}")


def test_a_declared_level_is_held_to(said: Said) -> None:
    (right,) = said("confidence_interval", *of_difference("[1.4, 19.4] (90% CI)"))
    (wrong,) = said("confidence_interval", *of_difference("[-0.4, 21.1] (90% CI)"))
    assert right.verdict == "consistent"
    assert wrong.verdict == "inconsistent"
    assert "at 95 %, not at the 90 %" in wrong.explanation


@pytest.mark.parametrize(
    ("printed", "severity", "words"),
    [
        ("[-0.5, 21.0]", "rounding", "rounded on the way"),
        ("[0.3, 20.5]", "substantive", "excludes zero"),
        ("[-9.9, 40.0]", "substantive", "no formula tried gives it"),
    ],
)
def test_an_interval_of_no_formula_is_graver_where_it_decides_otherwise(
    said: Said, printed: str, severity: str, words: str
) -> None:
    (check,) = said("confidence_interval", *of_difference(printed))
    assert (check.verdict, check.severity) == ("inconsistent", severity), check.explanation
    assert words in check.explanation


@pytest.mark.parametrize("method", ["normal", "wilson", "beta", "agresti_coull", "jeffreys"])
def test_the_interval_of_a_share_is_recomputed_from_its_count(said: Said, method: str) -> None:
    low, high = (100 * float(end) for end in proportion_confint(81, 263, method=method))
    (right,) = said("confidence_interval", *of_share(f"[{low:.2f}%, {high:.2f}%]"))
    assert right.verdict == "consistent", right.explanation
    (wrong,) = said("confidence_interval", *of_share(f"[{low - 3:.2f}%, {high + 3:.2f}%]"))
    assert (wrong.verdict, wrong.severity) == ("inconsistent", "substantive")


def test_without_counts_nothing_is_decided(said: Said) -> None:
    (check,) = said("confidence_interval", of_difference("[1.4, 19.4]")[2])
    assert check.verdict == "undecidable"
    assert check.explanation.endswith("the counts, or the other end, are not printed")
