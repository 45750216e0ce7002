"""Columns of values by run, merged and followed over steps."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from repro.geometry.undefined import Undefined
from repro.verify.estimate.measured import ranks
from repro.verify.evidence.columns import NO_SEED, Column, MeasuredRow, follow_steps, merge_rows


@given(st.lists(st.sampled_from([0.1, 0.2, 0.5, 0.9]), min_size=1, max_size=9))
def test_ranks_are_scipys(values: list[float]) -> None:
    np.testing.assert_allclose(ranks(np.array(values)), stats.rankdata(values))


def test_the_base_models_measurements_under_several_conditions_are_one_per_seed() -> None:
    rows = [
        MeasuredRow(np.array([0, 1]), np.array([0.6, 0.4]), None, 48),
        MeasuredRow(np.array([0]), np.array([0.8]), None, 48),
    ]
    column = merge_rows(rows, None)
    assert isinstance(column, Column)
    assert column.seeds.tolist() == [0, 1]
    np.testing.assert_allclose(column.values, [0.7, 0.4])


def test_a_value_that_is_undefined_is_left_out_with_its_seed_and_reason() -> None:
    column = merge_rows(
        [MeasuredRow(np.array([0, 1]), np.array([np.nan, 0.4]), "no damage", 48)], None
    )
    assert isinstance(column, Column)
    assert column.left_out == ("seed 0: no damage",)
    assert column.values.tolist() == [0.4]
    nothing = merge_rows(
        [MeasuredRow(np.array([NO_SEED]), np.array([np.nan]), "no damage", 48)], None
    )
    assert nothing == Undefined("no damage")


def test_runs_that_lack_a_step_have_no_value_there() -> None:
    columns = {0: Column.of({0: 1.0, 1: 2.0}), 500: Column.of({1: 3.0})}
    seeds, steps, table = follow_steps(columns)
    assert (seeds.tolist(), list(steps)) == ([0, 1], [0, 500])
    np.testing.assert_array_equal(table, [[1.0, np.nan], [2.0, 3.0]])


def test_what_arithmetic_makes_of_equal_numbers_is_no_spread() -> None:
    assert Column.of(dict.fromkeys(range(7), 0.1 + 0.2)).sd == 0.0
    assert Column.of({0: 0.3}).sd is None
