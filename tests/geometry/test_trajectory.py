"""Trajectories: the papers' own sequences, the definitions read aloud, and what an undefined value
may not do.
"""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from repro.geometry.trajectory import (
    cell_damage,
    collapse_order,
    collapse_steps,
    divergence_step,
    recoveries,
)
from repro.geometry.undefined import Undefined

STEPS = [0, 500, 1000, 1500, 2000, 2500, 3000, 3500]
NAN = float("nan")
VALUES = st.sampled_from([0.0, 0.0, 0.3, NAN])
RUNS = st.integers(1, 7).flatmap(
    lambda S: st.lists(st.lists(VALUES, min_size=S, max_size=S), min_size=1, max_size=3)
)


def collapse_step(steps, values):
    """Of one run."""
    return collapse_steps(steps, np.array([values]))[0]


def recovered(values):
    """Whether one run did."""
    return bool(recoveries(np.array([values]))[0])


def test_the_papers_seeds_with_a_temporary_recovery_collapse_after_it() -> None:
    """Selective paper §4.5: seed 5 and seed 6."""
    table = np.array(
        [[0.622, 0.4, 0.3, 0.2, 0.0, 0.2, 0.0, 0.0], [0.622, 0.4, 0.3, 0.2, 0.1, 0.0, 0.452, 0.0]]
    )
    assert collapse_steps(STEPS, table).tolist() == [3000, 3500]
    assert recoveries(table).tolist() == [True, True]


def test_a_monotone_collapse_has_no_recovery() -> None:
    values = [0.6, 0.3, 0.2, 0.1, 0.1, 0.0, 0.0, 0.0]
    assert collapse_step(STEPS, values) == 2500
    assert not recovered(values)


def test_a_run_that_ends_alive_has_not_collapsed() -> None:
    assert np.isnan(collapse_step([0, 1, 2], [0.5, 0.0, 0.1]))


def test_an_undefined_checkpoint_is_not_zero() -> None:
    assert np.isnan(collapse_step([0, 1, 2], [0.5, 0.0, NAN]))
    assert collapse_step([0, 1, 2, 3], [0.5, 0.0, NAN, 0.0]) == 3
    assert not recovered([0.5, 0.0, NAN, 0.0])


@given(RUNS)
def test_collapse_and_recovery_are_the_definitions_read_aloud(paths) -> None:
    """Every step and every triple of checkpoints tried, for several runs at once."""
    steps = [500 * i for i in range(len(paths[0]))]
    collapsed, alive_again = collapse_steps(steps, np.array(paths)), recoveries(np.array(paths))
    for run, path in enumerate(paths):
        from_here = [step for i, step in enumerate(steps) if all(value == 0 for value in path[i:])]
        assert collapsed[run] == from_here[0] if from_here else np.isnan(collapsed[run])
        places = range(len(path))
        triples = ((i, j, k) for i in places for j in places[i + 1 :] for k in places[j + 1 :])
        assert alive_again[run] == any(
            path[i] == 0 and path[j] > 0 and path[k] == 0 for i, j, k in triples
        )


def test_conditions_diverge_where_welchs_test_stays_beyond_its_level() -> None:
    rng = np.random.default_rng(0)
    shift = np.array([0.0, 0.0, 3.0, 0.0, 3.0, 3.0])
    first, second = rng.normal(size=(8, 6)), rng.normal(size=(7, 6)) + shift
    beyond = stats.ttest_ind(first, second, equal_var=False).pvalue < 0.05
    assert beyond.tolist() == [False, False, True, False, True, True]
    assert divergence_step(range(6), first, second) == 4
    assert divergence_step(range(2), first[:, :2], second[:, :2]) == Undefined(
        "the conditions do not differ at the last checkpoint"
    )


@pytest.mark.parametrize("seed", range(20))
def test_the_level_is_that_of_scipys_test(seed) -> None:
    """Just below its p they do not differ, just above they do; a seed without a value is left out."""
    rng = np.random.default_rng(seed)
    first, second = rng.normal(size=(4, 1)), rng.normal(1, 3, size=(6, 1))
    p = stats.ttest_ind(first, second[:-1], equal_var=False).pvalue[0]
    second[-1] = NAN
    assert divergence_step([7], first, second, p * (1 + 1e-9)) == 7
    assert isinstance(divergence_step([7], first, second, p * (1 - 1e-9)), Undefined)


def test_constant_conditions_differ_when_their_values_do() -> None:
    assert divergence_step([0, 1], np.array([[0.6, 0.0]] * 2), np.array([[0.6, 0.4]] * 2)) == 1


def test_one_seed_has_no_spread_to_test_against() -> None:
    alone = np.array([[0.6, 0.0]])
    found = divergence_step([0, 1], alone, np.array([[0.6, 0.4]] * 2))
    assert found == Undefined("fewer than two seeds of a condition at the last checkpoint")


def test_cells_collapse_in_the_order_their_damage_dies() -> None:
    concepts, own = ("domain", "register"), ("domain", "register")
    alive = np.array([[0.5, 0.2], [0.1, 0.4]])
    half = np.array([[0.5, 0.0], [0.1, 0.4]])
    dead = np.array([[0.5, -0.1], [0.0, 0.4]])
    cells = [cell_damage(damage, own, concepts) for damage in (alive, half, half, dead)]
    order = collapse_order([0, 500, 1000, 1500], cells, concepts)
    assert order == {("domain", "register"): 500, ("register", "domain"): 1500}
    still = collapse_order([0, 500], cells[:2], concepts)
    assert still["domain", "register"] == 500
    assert np.isnan(still["register", "domain"])


def test_a_cell_sums_what_is_above_zero_over_the_directions_of_its_concept() -> None:
    damage = np.array([[0.5, 0.2, -0.3], [0.1, 0.4, 0.2], [0.3, 0.1, -0.1]])
    cells = cell_damage(damage, ("domain", "shape", "domain"), ("domain", "register", "shape"))
    np.testing.assert_allclose(cells, [[0.8, 0.3, 0.0], [NAN] * 3, [0.1, 0.4, 0.2]])


def test_a_cell_without_directions_is_undefined_and_not_collapsed() -> None:
    cells = [cell_damage(np.array([[0.5, 0.2]]), ["domain"], ["domain", "register"])] * 2
    assert np.isnan(collapse_order([0, 500], cells, ["domain", "register"])["register", "domain"])
    assert np.isnan(cell_damage(np.empty((0, 2)), [], ["domain", "register"])).all()
