"""Everything of one checkpoint: input types, the anchored twin, refusals."""

import numpy as np
import pytest

from repro.errors import InputError
from repro.geometry.diagnosis import diagnose
from repro.geometry.labels import Labels
from repro.geometry.undefined import Undefined


def test_float32_and_float64_inputs_give_the_same_record(design) -> None:
    X, columns = design(1, 24, 30, (3, 4), dtype=np.float32)
    one, other = diagnose(X, columns), diagnose(X.astype(np.float64), columns)
    assert one.entanglement_intensity == other.entanglement_intensity
    np.testing.assert_array_equal(one.damage, other.damage)


def test_the_order_of_probes_changes_no_number(design) -> None:
    X, columns = design(2, 30, 50, (3, 4, 2))
    order = np.random.default_rng(0).permutation(30)
    one = diagnose(X, columns)
    other = diagnose(
        X[order], {name: [column[i] for i in order] for name, column in columns.items()}
    )
    assert other.accuracy == pytest.approx(one.accuracy)
    assert other.own == one.own
    np.testing.assert_allclose(other.damage, one.damage, atol=1e-12)
    assert other.margin == pytest.approx(one.margin)


def test_an_offset_of_a_million_changes_no_number(design) -> None:
    X, columns = design(3, 24, 30, (3, 4))
    one, far = diagnose(X, columns), diagnose(X + 1e6, columns)
    np.testing.assert_array_equal(far.damage, one.damage)
    np.testing.assert_allclose(far.singular_values, one.singular_values, rtol=1e-7)
    assert far.activation_rms == pytest.approx(1e6, rel=1e-5)


def test_a_change_of_scale_moves_intensity_but_not_its_anchored_twin(design) -> None:
    X, columns = design(4, 48, 200, (3, 4, 4), signal=0.5)
    base = diagnose(X, columns)
    grown = diagnose(0.01 * X, columns, anchor=base.trace)
    assert grown.entanglement_intensity_anchored == base.entanglement_intensity
    assert grown.entanglement_intensity != base.entanglement_intensity


def test_without_a_first_step_there_is_no_anchored_intensity(design) -> None:
    X, columns = design(5)
    assert isinstance(diagnose(X, columns).entanglement_intensity_anchored, Undefined)


def test_activations_that_do_not_vary_have_reasons_instead_of_numbers() -> None:
    columns = {"a": ["x", "x", "y", "y"], "b": ["p", "q", "p", "q"]}
    g = diagnose(np.ones((4, 3)), columns, anchor=1.0)
    assert g.rank == 0
    assert g.empty_directions == 2
    for quantity in (
        g.entanglement_intensity,
        g.entanglement_intensity_anchored,
        g.v_purity,
        g.margin,
        g.theory_measured_rank,
    ):
        assert isinstance(quantity, Undefined)
        assert quantity.reason
    assert g.weakest_concept is None


@pytest.mark.parametrize(
    ("X", "words"),
    [
        (
            np.array([[1.0, np.nan], [0.0, 1.0], [1.0, 2.0], [3.0, 1.0]]),
            "1 of 4 probes are not finite",
        ),
        (np.ones(4), "shape"),
        (np.ones((4, 0)), "shape"),
        (np.ones((4, 2), dtype=complex), "real numbers"),
        (np.ones((3, 2)), "3 rows but there are 4 labels"),
    ],
)
def test_unusable_activations_are_refused_in_one_line(X, words) -> None:
    with pytest.raises(InputError, match=words) as refused:
        diagnose(X, {"a": ["x", "x", "y", "y"]})
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ({}, "no concept"),
        ({"a": ["x", "x"]}, "one class"),
        ({"a": ["x", "y"], "b": ["x", "y", "z"]}, "length"),
        ({"a": []}, "no label"),
    ],
)
def test_labels_that_make_no_design_are_refused(columns, words) -> None:
    with pytest.raises(InputError, match=words):
        Labels.of(columns)


def test_a_design_knows_its_blocks_rank_and_chance() -> None:
    labels = Labels.of({"b": ["y", "x", "x", "x"], "a": ["p", "q", "r", "r"]})
    assert labels.classes == (("x", "y"), ("p", "q", "r"))
    assert labels.onehot.tolist()[0] == [0, 1, 1, 0, 0]
    assert (labels.nominal_rank, labels.largest_dimension) == (3, 2)
    assert labels.chance.tolist() == [0.75, 0.5]
    assert labels.stratum == 0
    assert Labels.of({"a": ["x", "y"], "domain": ["x", "y"]}).stratum == 1


@pytest.mark.parametrize("scale", [1.0, 1e3, 1e5, 1e8])
def test_copies_of_probes_are_measured_at_any_scale(brute, design, scale) -> None:
    """Twelve probes given twice span twelve dimensions; beside 1e16 in those, the penalty is all
    there is in the rest.
    """
    X, columns = design(3, 12, 40, (2, 3), scale)
    X, columns = (
        np.repeat(X, 2, axis=0),
        {name: np.repeat(column, 2).tolist() for name, column in columns.items()},
    )
    g = diagnose(X, columns)
    scores = brute.scores(X, Labels.of(columns).onehot, 1.0)
    assert list(g.accuracy.values()) == pytest.approx(
        brute.hits(scores, list(columns.values())).mean(axis=0)
    )
    assert g.rank == 3


@pytest.mark.parametrize("scale", [1.0, 1e3, 1e6])
@pytest.mark.parametrize("d", [5, 17])
def test_a_penalty_far_below_the_spectrum_adds_no_directions(design, d, scale) -> None:
    """The readout of two and three classes has three directions at most, however large the
    activations.
    """
    assert diagnose(*design(5, 40, d, (2, 3), scale)).rank == 3
