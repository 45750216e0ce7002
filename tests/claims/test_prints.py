"""What a paper prints about a cell: spread, number of seeds, its start, and how far it went."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from repro.claims.claim import Claim
from repro.claims.prints import Prints, tidy_sd

Written = Callable[..., tuple[Claim, ...]]
CELL: dict[str, Any] = {"model": "a", "condition": "B1", "step": 500}
RUN: dict[str, Any] = {"quantity": "q", **CELL}
START: dict[str, Any] = {**RUN, "step": 0}


def said(written: Written, *claims: dict[str, Any]) -> tuple[Claim, ...]:
    """Return the claims of one statement each."""
    statements = [{"says": one["printed"], "claims": [one]} for one in claims]
    block = {"locator": "§1", "measured_by": "smoke", "statements": statements}
    return written(yaml.safe_dump(block))


def test_a_printed_spread_is_the_largest_that_its_decimals_allow(written: Written) -> None:
    prints = Prints(
        said(
            written,
            {"printed": "0.64 ± 0.10", **RUN},
            {"printed": "3", "statistic": "count", **RUN},
        )
    )
    for cell in (CELL, {**CELL, "seed": 7}):
        found = prints.spread("q", cell)
        assert found is not None
        assert found == pytest.approx((0.105, 3))
    assert prints.seeds("q", CELL) == 3
    assert prints.value("q", CELL) == 0.64
    assert prints.spread("q", {**CELL, "model": "b"}) is None


def test_without_one_it_is_that_of_the_printed_seeds(written: Written) -> None:
    runs = [{"printed": f"{value}.0", "seed": value, **RUN} for value in (1, 2, 6)]
    prints = Prints(said(written, *runs))
    found = prints.spread("q", CELL)
    assert found is not None
    assert found == pytest.approx((float(np.std([1, 2, 6], ddof=1)), 3))
    assert prints.seeds("q", CELL) == 3
    assert Prints(said(written, runs[0])).spread("q", CELL) is None


def test_a_run_starts_from_its_own_seed_else_from_the_printed_value_else_from_the_mean(
    written: Written,
) -> None:
    seeds = [{"printed": "0.80", "seed": 0, **START}, {"printed": "0.90", "seed": 1, **START}]
    prints = Prints(said(written, *seeds))
    assert prints.start("q", {**CELL, "seed": 1}) == 0.90
    assert prints.start("q", CELL) == pytest.approx(0.85)
    printed = Prints(said(written, *seeds, {"printed": "0.70", **START}))
    assert printed.start("q", CELL) == 0.70
    assert printed.start("r", CELL) is None


def test_a_numbers_effect_is_its_distance_from_the_start(written: Written) -> None:
    after, before, change, ratio = said(
        written,
        {"printed": "0.50", **RUN},
        {"printed": "0.80", **START},
        {
            "printed": "-40%",
            "statistic": "relative_change",
            "of": {},
            "against": {"step": 0},
            **RUN,
        },
        {"printed": "1.5", "statistic": "ratio", "of": {}, "against": {"step": 0}, **RUN},
    )
    prints = Prints((after, before, change, ratio))
    assert prints.effect(after) == pytest.approx(0.30)
    assert prints.effect(before) == pytest.approx(0.30), "the farthest that training took it"
    assert prints.effect(change) == pytest.approx(40)
    assert prints.effect(ratio) == pytest.approx(0.5), "a ratio of 1 is no effect"
    assert Prints((after,)).effect(after) is None


def test_a_statement_of_equality_speaks_of_the_smallest_effect_printed_for_its_model(
    written: Written,
) -> None:
    claims = said(
        written,
        {"printed": "0.80", **START},
        {"printed": "0.50", **RUN},
        {"printed": "0.75", **RUN, "condition": "B2"},
        {"printed": "0.79", **RUN, "condition": "B2", "model": "b"},
        {
            "printed": "no effect",
            "statistic": "no_effect",
            "of": {"condition": "B3"},
            "against": {"condition": "B4"},
            **{k: v for k, v in RUN.items() if k != "condition"},
        },
    )
    assert Prints(claims).effect(claims[-1]) == pytest.approx(0.05)


def test_a_list_of_levels_is_known_by_its_cell(written: Written) -> None:
    claims = said(
        written,
        {
            "printed": "2, 3, 4",
            "value": [2, 3, 4],
            "statistic": "levels",
            "over": "concept",
            "quantity": "cardinalities",
            "probe_set": "x",
        },
    )
    assert Prints(claims).levels("cardinalities", {"probe_set": "x"}) == (2, 3, 4)
    assert Prints(claims).levels("cardinalities", {}) is None


@given(st.lists(st.floats(-100, 100), min_size=2, max_size=8))
def test_an_sd_is_numpys_and_exactly_zero_for_equal_numbers(values: list[float]) -> None:
    assert tidy_sd(values) == pytest.approx(float(np.std(values, ddof=1)), abs=1e-9)
    assert tidy_sd([0.1 + 0.2, 0.3, 0.3]) == 0.0
