"""Groups of concepts: who shares one, and which directions they bring."""

from dataclasses import replace

import numpy as np
import pytest

from repro.geometry.diagnosis import Geometry, diagnose
from repro.geometry.groups import MUTUAL_SHARE, concept_groups, group_directions

CONCEPTS = ("domain", "register", "shape")


def geometry(damage: list[list[float]], own: tuple[str, ...] = CONCEPTS) -> Geometry:
    """A real diagnosis with one direction per concept and this damage in its place (rows
    directions, columns concepts).
    """
    rng = np.random.default_rng(0)
    labels = {name: [("a", "b")[bit] for bit in rng.integers(0, 2, 24)] for name in CONCEPTS}
    found = diagnose(rng.standard_normal((24, 6)), labels)
    return replace(found, own=own, damage=np.array(damage), directions=np.eye(6)[:, : len(own)])


@pytest.mark.parametrize(
    ("damage", "expected"),
    [
        (
            [[0.4, 0.0, 0.0], [0.0, 0.4, 0.0], [0.0, 0.0, 0.4]],
            [("domain",), ("register",), ("shape",)],
        ),
        ([[0.4, 0.2, 0.0], [0.2, 0.4, 0.0], [0.0, 0.0, 0.4]], [("domain", "register"), ("shape",)]),
        (
            [[0.4, 0.19, 0.0], [0.2, 0.4, 0.0], [0.0, 0.0, 0.4]],
            [("domain",), ("register",), ("shape",)],
        ),
        ([[0.4, 0.0, 0.0], [0.0, 0.4, 0.4], [0.0, 0.0, 0.4]], [("domain",), ("register", "shape")]),
        ([[0.4, 0.3, 0.0], [0.2, 0.4, 0.3], [0.0, 0.2, 0.4]], [CONCEPTS]),
        (
            [[0.4, -0.9, 0.0], [0.4, 0.4, 0.0], [0.0, 0.0, 0.4]],
            [("domain", "register"), ("shape",)],
        ),
        (
            [[0.0, 0.0, 0.0], [0.0, 0.0, 0.0], [0.0, 0.0, 0.4]],
            [("domain",), ("register",), ("shape",)],
        ),
    ],
    ids=[
        "nobody",
        "exactly half",
        "just below",
        "one way only",
        "a chain",
        "a gain is no damage",
        "nothing at all",
    ],
)
def test_concepts_that_damage_one_another_are_aligned(
    damage: list[list[float]], expected: list[tuple[str, ...]]
) -> None:
    found = geometry(damage)
    assert list(concept_groups(found, "aligned")) == expected
    assert list(concept_groups(found, "isolated")) == [(name,) for name in CONCEPTS]


def test_a_concept_that_owns_nothing_is_left_out() -> None:
    found = geometry([[0.4, 0.0, 0.4], [0.0, 0.4, 0.4]], own=("domain", "register"))
    assert (
        concept_groups(found, "isolated")
        == concept_groups(found, "aligned")
        == (("domain",), ("register",))
    )


def test_the_groups_share_out_all_informative_directions() -> None:
    """On real labels and activations, whichever way concepts are grouped."""
    rng = np.random.default_rng(4)
    labels = {name: [f"{value}" for value in rng.integers(0, 3, 40)] for name in CONCEPTS}
    found = diagnose(rng.standard_normal((40, 12)), labels)
    for grouping in ("aligned", "isolated"):
        parts = [group_directions(found, group) for group in concept_groups(found, grouping)]
        together = np.concatenate(parts, axis=1)
        assert sorted(map(tuple, together.T)) == sorted(map(tuple, found.directions.T))
    assert MUTUAL_SHARE == 0.5
