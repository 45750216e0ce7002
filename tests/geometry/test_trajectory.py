"""Trajectories: the papers' own sequences, and what an undefined value may not do."""

import numpy as np
import pytest
from scipy import stats

from repro.geometry import Undefined
from repro.geometry.trajectory import cell_damage, collapse_order, collapse_step, divergence_step, temporary_recovery

STEPS = [0, 500, 1000, 1500, 2000, 2500, 3000, 3500]


def test_the_papers_seeds_with_a_temporary_recovery_collapse_after_it():
    """Selective paper §4.5: seed 5 and seed 6."""
    seed_5 = [0.622, 0.4, 0.3, 0.2, 0.0, 0.2, 0.0, 0.0]
    seed_6 = [0.622, 0.4, 0.3, 0.2, 0.1, 0.0, 0.452, 0.0]
    assert collapse_step(STEPS, seed_5) == 3000
    assert collapse_step(STEPS, seed_6) == 3500
    assert temporary_recovery(seed_5)
    assert temporary_recovery(seed_6)


def test_a_monotone_collapse_has_no_recovery():
    values = [0.6, 0.3, 0.2, 0.1, 0.1, 0.0, 0.0, 0.0]
    assert collapse_step(STEPS, values) == 2500
    assert not temporary_recovery(values)


def test_a_run_that_ends_alive_has_not_collapsed():
    assert isinstance(collapse_step([0, 1, 2], [0.5, 0.0, 0.1]), Undefined)
    assert isinstance(collapse_step([], []), Undefined)


def test_an_undefined_checkpoint_is_not_zero():
    gone = Undefined("activations are not finite")
    assert isinstance(collapse_step([0, 1, 2], [0.5, 0.0, gone]), Undefined)
    assert collapse_step([0, 1, 2, 3], [0.5, 0.0, gone, 0.0]) == 3
    assert not temporary_recovery([0.5, 0.0, gone, 0.0])


def test_conditions_diverge_where_welchs_test_stays_beyond_its_level():
    rng = np.random.default_rng(0)
    shift = [0.0, 0.0, 3.0, 0.0, 3.0, 3.0]
    first = [rng.normal(size=8) for _ in shift]
    second = [rng.normal(size=8) + s for s in shift]
    beyond = [stats.ttest_ind(a, b, equal_var=False).pvalue < 0.05 for a, b in zip(first, second, strict=True)]
    assert beyond == [False, False, True, False, True, True]
    assert divergence_step(range(6), first, second) == 4
    assert isinstance(divergence_step(range(2), first[:2], second[:2]), Undefined)


def test_constant_conditions_differ_when_their_values_do():
    assert divergence_step([0, 1], [[0.6, 0.6], [0.0, 0.0]], [[0.6, 0.6], [0.4, 0.4]]) == 1


def test_cells_collapse_in_the_order_their_damage_dies():
    concepts = ("domain", "register")
    alive = np.array([[0.5, 0.2], [0.1, 0.4]])
    half = np.array([[0.5, 0.0], [0.1, 0.4]])
    dead = np.array([[0.5, -0.1], [0.0, 0.4]])
    own = [("domain", "register")] * 4
    order = collapse_order([0, 500, 1000, 1500], [alive, half, half, dead], own, concepts)
    assert order == {("domain", "register"): 500, ("register", "domain"): 1500}


def test_a_cell_without_directions_is_undefined_and_not_collapsed():
    cells = cell_damage(np.array([[0.5, 0.2]]), ["domain"], ["domain", "register"])
    assert cells["domain", "register"] == pytest.approx(0.2)
    assert isinstance(cells["register", "domain"], Undefined)
