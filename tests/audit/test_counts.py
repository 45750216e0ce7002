"""Numbers of things against the things: "two of eight", lists, ranks and class counts."""

from collections.abc import Callable
from typing import Any

import pytest

from repro.audit import Check

Said = Callable[..., list[Check]]
LOSS: dict[str, Any] = {"quantity": "loss", "model": "m", "condition": "B1"}


def design(printed: str, **fields: str) -> dict[str, Any]:
    """Return the class counts of a probe design."""
    return {
        "printed": printed,
        "quantity": "cardinalities",
        "statistic": "levels",
        "over": "concept",
        **fields,
    }


@pytest.mark.parametrize(
    ("there_are", "printed", "verdict"),
    [
        ("eight", "two of eight", "consistent"),
        ("eight", "two of nine", "inconsistent"),
        (None, "two of eight", "undecidable"),
    ],
)
def test_a_denominator_is_the_number_of_runs_printed_elsewhere(
    said: Said, there_are: str | None, printed: str, verdict: str
) -> None:
    number = [{"printed": there_are, "statistic": "count", **LOSS}] if there_are else []
    counted = {
        "printed": printed,
        "statistic": "count_where",
        "over": "seed",
        "where": {"above": 0.0},
    }
    (check,) = said("total", *number, {**counted, **LOSS})
    assert check.verdict == verdict, check.explanation
    assert check.severity == ("substantive" if verdict == "inconsistent" else "none")


@pytest.mark.parametrize(
    ("seeds", "verdict"),
    [((0, 1), "consistent"), ((0, 1, 42), "consistent"), ((0, 7), "inconsistent")],
)
def test_a_value_of_a_seed_that_is_not_listed_is_found(
    said: Said, seeds: tuple[int, ...], verdict: str
) -> None:
    listed = {
        "printed": "seeds 0, 1, 42",
        "value": [0, 1, 42],
        "statistic": "levels",
        "over": "seed",
        **LOSS,
    }
    values = [{"printed": f"0.{seed + 10}", "seed": seed, **LOSS} for seed in seeds]
    (check,) = said("listed", listed, *values)
    assert check.verdict == verdict
    assert check.explanation.endswith(f"values are printed for {', '.join(map(str, seeds))}")


def test_a_list_without_values_is_not_checked(said: Said) -> None:
    listed = {
        "printed": "seeds 0, 1",
        "value": [0, 1],
        "statistic": "levels",
        "over": "seed",
        **LOSS,
    }
    assert said("listed", listed) == []


@pytest.mark.parametrize(("rank", "verdict"), [("9", "consistent"), ("10", "inconsistent")])
def test_no_design_has_more_informative_directions_than_its_class_counts_allow(
    said: Said, rank: str, verdict: str
) -> None:
    """Of 3, 4, 2 and 4 classes: 2 + 3 + 1 + 3 = 9."""
    listed = design("3, 4, 2, 4", value=[3, 4, 2, 4])  # type: ignore[arg-type]
    (check,) = said("rank_limit", listed, {"printed": rank, "quantity": "rank", "model": "m"})
    assert (check.verdict, check.recomputed) == (verdict, 9.0)


@pytest.mark.parametrize(
    ("counts", "verdict"), [([4, 2, 4, 3], "consistent"), ([3, 4, 2, 5], "inconsistent")]
)
def test_class_counts_without_a_probe_set_are_those_of_one_in_any_order(
    said: Said, counts: list[int], verdict: str
) -> None:
    named = {**design("3, 4, 2, 4", probe_set="a"), "value": [3, 4, 2, 4]}
    bare = {**design(", ".join(map(str, counts))), "value": counts}
    (check,) = said("class_counts", named, bare)
    assert check.verdict == verdict
    assert "names no probe set" in check.explanation
