"""One evaluator of the claims' algebra: over the mean of the runs, and over each run alone."""

from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from repro.claims.algebra.interval import Interval
from repro.claims.term import Term
from repro.geometry.undefined import Undefined
from repro.verify.estimate.measured import Measured
from repro.verify.evidence.columns import Column
from repro.verify.evidence.evidence import Evidence
from repro.verify.evidence.gather import gather_evidence

EI = "entanglement_intensity"
WANTED = [("scale_ladder", EI, None)]
AFTER, BEFORE = ({"model": "m", "condition": "B3", "step": step} for step in (5000, 0))
NUMBERS = st.lists(st.floats(0.01, 10), min_size=1, max_size=6)


def cell(selector: dict[str, Any]) -> Term:
    return Term(quantity=EI, selector=selector)


def change(statistic: str) -> Term:
    return Term.model_validate(
        {
            "statistic": statistic,
            "quantity": EI,
            "of": cell(AFTER).model_dump(),
            "against": cell(BEFORE).model_dump(),
        }
    )


@given(first=NUMBERS, second=NUMBERS)
def test_each_run_is_evaluated_as_numpy_would_evaluate_all(
    first: list[float], second: list[float]
) -> None:
    """Arithmetic and comparisons of two cells, run by run; the oracle is numpy's, elementwise."""
    measured = Measured(Evidence.__new__(Evidence), "scale_ladder")
    n = min(len(first), len(second))
    a, b = np.array(first[:n]), np.array(second[:n])
    known = {cell(AFTER).base_key: a, cell(BEFORE).base_key: b}
    oracles = {
        "difference": a - b,
        "ratio": a / b,
        "relative_change": 100 * (a / b - 1),
        "orders_of_magnitude": np.log10(a / b),
        "above": a > b,
        "at_most": a <= b,
    }
    for statistic, expected in oracles.items():
        found = measured.each(change(statistic), known)
        values = [value.low for value in found if isinstance(value, Interval)]
        np.testing.assert_allclose(values, expected, rtol=1e-9, atol=1e-12)


def test_a_run_whose_value_is_undefined_is_left_out_with_its_reason(store) -> None:
    for seed, (before, after) in enumerate([(0.5, 0.25), (0.0, 0.25), (0.4, 0.3)]):
        store.run(seed=seed, values={(EI, 0): before, (EI, 5000): after})
    measured = Measured(gather_evidence(store.connection, WANTED), "scale_ladder")
    column = measured.over_seeds(change("ratio"))
    assert isinstance(column, Column)
    assert column.seeds.tolist() == [0, 2]
    np.testing.assert_allclose(column.values, [0.5, 0.75])
    assert column.left_out == ("seed 1: the denominator may be zero",)


def test_where_no_run_has_a_value_the_reason_is_the_first_of_theirs(store) -> None:
    for seed in range(2):
        store.run(seed=seed, values={(EI, 0): 0.0, (EI, 5000): 0.25})
    measured = Measured(gather_evidence(store.connection, WANTED), "scale_ladder")
    assert measured.over_seeds(change("ratio")) == Undefined("the denominator may be zero")
