"""Labels as a one-hot design, beside scikit-learn's; what makes no design is refused."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.preprocessing import OneHotEncoder

from repro.errors import InputError
from repro.geometry.labels import Labels, onehot

COLUMNS = {
    "domain": ["math", "code", "code", "math"],
    "shape": ["a", "c", "b", "c"],
}


@st.composite
def columns(draw: st.DrawFn) -> dict[str, list[str]]:
    """Return a few columns of one length, of two classes or more each."""
    n = draw(st.integers(2, 12))
    names = draw(st.lists(st.sampled_from("xyzuv"), min_size=1, max_size=4, unique=True))
    one = st.lists(st.sampled_from(["b", "a", "ä", "10", "9"]), min_size=n, max_size=n)
    return {name: draw(one.filter(lambda column: len(set(column)) > 1)) for name in names}


@given(columns())
def test_the_design_is_scikit_learns(given_columns: dict[str, list[str]]) -> None:
    labels = Labels.of(given_columns)
    table = np.array(list(given_columns.values()), dtype=object).T
    encoder = OneHotEncoder(sparse_output=False).fit(table)
    np.testing.assert_array_equal(labels.onehot, encoder.transform(table))
    assert labels.classes == tuple(tuple(names) for names in encoder.categories_)
    assert labels.cardinalities == tuple(map(len, encoder.categories_))
    assert labels.n == len(table)
    joined: Any = np.concatenate([labels.onehot[:, block] for block in labels.blocks], axis=1)
    np.testing.assert_array_equal(joined, labels.onehot)
    rank = np.linalg.matrix_rank(labels.onehot - labels.onehot.mean(axis=0))
    assert rank <= labels.nominal_rank


@given(columns())
def test_chance_is_the_share_of_the_most_frequent_label(
    given_columns: dict[str, list[str]],
) -> None:
    labels = Labels.of(given_columns)
    expected = [max(map(column.count, column)) / len(column) for column in given_columns.values()]
    assert labels.chance == pytest.approx(expected)


def test_rank_largest_dimension_and_stratum_by_hand() -> None:
    labels = Labels.of(COLUMNS)
    assert (labels.nominal_rank, labels.largest_dimension) == (3, 2)
    assert labels.stratum == 0
    turned = Labels.of({"shape": COLUMNS["shape"], "domain": COLUMNS["domain"]})
    assert turned.stratum == 1
    assert Labels.of({"shape": COLUMNS["shape"]}).stratum == 0


def test_many_drawn_designs_are_stacked() -> None:
    labels = Labels.of(COLUMNS)
    drawn = np.stack([labels.codes, labels.codes[::-1]])
    Y = onehot(drawn, labels.cardinalities)
    assert Y.shape == (2, 4, 5)
    np.testing.assert_array_equal(Y[1], labels.onehot[::-1])


@pytest.mark.parametrize(
    ("given_columns", "words"),
    [
        ({}, "no concept given; expected at least one column"),
        ({"a": ["x", "y"], "b": ["x"]}, r"columns differ in length {'a': 2, 'b': 1}; give every"),
        ({"a": ["x", "x"]}, r"concept 'a' has one class \('x'\); a concept needs two classes"),
        ({"a": []}, "concept 'a' has no label; a concept needs two classes"),
    ],
)
def test_what_makes_no_design_is_refused(given_columns: Any, words: str) -> None:
    with pytest.raises(InputError, match=words):
        Labels.of(given_columns)
