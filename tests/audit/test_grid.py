"""Shares of n things are multiples of 1/n: those that occur are possible, others are found."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from repro.audit import Check
from repro.audit.grid import on_grid, smallest
from repro.audit.prints import PrintedNumbers

Read = Callable[..., PrintedNumbers]
Said = Callable[..., list[Check]]


def share(printed: str) -> dict[str, Any]:
    """Return the claim of a percentage of things that were counted."""
    return {"printed": printed, "quantity": "solved", "statistic": "percentage", "condition": "A"}


def accuracies(*printed: str, **fields: str) -> list[dict[str, Any]]:
    """Return a column of accuracies on probes."""
    return [
        {"printed": one, "quantity": "accuracy", "concept": f"c{number}", **fields}
        for number, one in enumerate(printed)
    ]


def probes(printed: str, **fields: str) -> dict[str, Any]:
    """Return the claim that there are so many probes."""
    return {"printed": printed, "quantity": "probes", **fields}


@given(total=st.integers(1, 300), data=st.data(), decimals=st.integers(0, 2))
def test_a_percentage_is_possible_just_where_some_whole_number_prints_so(
    read: Read, total: int, data: st.DataObject, decimals: int
) -> None:
    value = data.draw(st.integers(0, 100 * 10**decimals)) / 10**decimals
    printed = f"{value:.{decimals}f}%"
    (claim,) = read(share(printed)).claims
    assert claim.low is not None
    assert claim.high is not None
    shares = (100 * k / total for k in range(total + 1))
    occurs = any(claim.low - 1e-9 <= one <= claim.high + 1e-9 for one in shares)
    assert (on_grid(claim, total).verdict == "consistent") == occurs


def test_an_impossible_percentage_is_told_the_nearest(said: Said) -> None:
    count = {"printed": "79/164", "quantity": "solved", "condition": "A"}
    (right,) = said("grid", count, share("48.2%"))
    (wrong,) = said("grid", count, share("48.5%"))
    assert right.verdict == "consistent"
    assert (wrong.verdict, wrong.severity) == ("inconsistent", "substantive")
    assert "the nearest is 48.78 %" in wrong.explanation


def test_a_column_of_accuracies_is_held_to_the_number_of_probes(said: Said) -> None:
    (right,) = said("probe_grid", probes("24"), *accuracies("0.917", "0.042", "1.000"))
    assert right.verdict == "consistent"
    (wrong,) = said("probe_grid", probes("24"), *accuracies("0.917", "0.050"))
    assert (wrong.verdict, wrong.severity) == ("inconsistent", "substantive")
    assert "not multiples of 1/24" in wrong.explanation
    assert "0.050" in wrong.explanation


def test_another_printed_number_that_would_do_is_named_and_so_is_the_fewest(said: Said) -> None:
    sizes = [probes("24", model="m"), probes("60", model="n")]
    (check,) = said("probe_grid", *sizes, *accuracies("0.917", "0.050"))
    assert "the printed 60 would do" in check.explanation
    assert check.recomputed == "60 probes"


def test_the_probe_set_that_a_column_names_is_its_own(said: Said) -> None:
    sizes = [probes("24", probe_set="a"), probes("60", probe_set="b")]
    (check,) = said("probe_grid", *sizes, *accuracies("0.917", "0.050", probe_set="b"))
    assert check.verdict == "consistent"


@pytest.mark.parametrize("key", ["dataset", "benchmark"])
def test_accuracies_elsewhere_than_on_probes_are_left_alone(said: Said, key: str) -> None:
    assert said("probe_grid", probes("24"), *accuracies("0.050", **{key: "humaneval"})) == []


def test_the_fewest_probes_are_those_of_a_search_by_hand(read: Read) -> None:
    claims = read(*accuracies("0.333", "0.250")).claims
    assert smallest(claims) == 12
    assert smallest(read(*accuracies("0.3333333", "0.1234567")).claims) is None
