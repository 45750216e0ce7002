"""The tables of `repro measure`: what EI has to be read against stands beside it."""

from dataclasses import replace

import numpy as np
import pytest

from repro.geometry.labels import Labels
from repro.geometry.specification import Specification, SpecifiedValue
from repro.geometry.sweep import ScalePoint
from repro.geometry.undefined import Array, Undefined
from repro.measure import measure
from repro.report.terminal.measure import (
    relative_sentence,
    scale_sentence,
    show_measures,
    switch_sentences,
)


def test_the_switch_that_moves_ei_most_comes_first_and_an_undefined_value_is_no_zero() -> None:
    """EI 1 or 2 by removal, 1.5 either way by clip; undefined under one of the penalties."""
    none = Undefined("none")
    readings = [
        {
            "clip": clip,
            "removal": removal,
            "alpha": alpha,
            "entanglement_intensity": none if alpha == "b" else ei,
        }
        for clip in (True, False)
        for removal, ei in (("refit", 1.0), ("frozen", 2.0))
        for alpha in ("a", "b")
    ]
    _, *lines = switch_sentences(readings).splitlines()
    assert lines[0] == "  removal: refit 1, frozen 2"
    assert set(lines[1:]) == {"  clip: True 1.5, False 1.5", "  alpha: a 1.5, b undefined"}


@pytest.fixture(scope="module")
def labels() -> Labels:
    """A full design of two concepts with two classes each, six texts a cell."""
    cells = [(first, second) for first in ("[red]a", "b") for second in ("x", "y")] * 6
    return Labels.of({"first": [cell[0] for cell in cells], "second": [cell[1] for cell in cells]})


@pytest.fixture(scope="module")
def activations() -> Array:
    """Both concepts planted, in directions that share a part."""
    random = np.random.default_rng(0)
    first, second = random.normal(size=(2, 12))
    signs = np.array([(x, y) for x in (-1, 1) for y in (-1, 1)] * 6)
    return signs @ np.array([first, second + first / 2]) + random.normal(size=(24, 12)) / 2


def test_quick_tables_hold_the_geometry_and_nothing_to_read_it_against(
    activations: Array, labels: Labels, capsys: pytest.CaptureFixture[str]
) -> None:
    """The numbers are those of the record, and a name in brackets stays a name."""
    measured = measure(activations, labels, quick=True)
    show_measures(measured)
    out = capsys.readouterr().out
    g = measured.geometry
    assert f"entanglement intensity (EI) {g.entanglement_intensity:.3g}" in " ".join(out.split())
    for name in g.concepts:
        assert f"{g.accuracy[name]:.3f}" in out
    for place in range(g.rank):
        for concept in range(len(g.concepts)):
            cell = f"{g.damage[place, concept]:+.3f} ({g.accuracy_after[place, concept]:.3f})"
            assert cell in out
    assert "[red]a – b" in out
    assert "EI when nothing is there" not in out
    assert "bootstrap" not in out


def test_scale_alone_is_read_where_every_concept_stays_readable(
    activations: Array, labels: Labels
) -> None:
    """A point at which one concept is lost counts for nothing, however large its EI."""
    g = measure(activations, labels, quick=True).geometry
    whole, half = dict(g.accuracy), {name: value / 2 for name, value in g.accuracy.items()}
    lost = {**whole, g.concepts[0]: half[g.concepts[0]]}
    sweep = [
        ScalePoint(1.0, 0.5, 1.0, 2.0, whole),
        ScalePoint(2.0, 0.25, 1.0, 4.0, whole),
        ScalePoint(4.0, Undefined("none"), 1.0, 8.0, whole),
        ScalePoint(8.0, 0.01, 1.0, 16.0, lost),
        ScalePoint(9.0, 9.0, 1.0, 18.0, half),
    ]
    said = scale_sentence(g, sweep)
    assert said.startswith("Scale alone takes EI from 0.5 (scale 1) to 0.25 (scale 2) while every")
    assert "undefined at every scale" in scale_sentence(g, sweep[2:])


def test_penalties_in_proportion_are_told_of_the_plain_reading_alone() -> None:
    plain = Specification()
    readings = [
        SpecifiedValue(plain, 0.9),
        SpecifiedValue(replace(plain, alpha="relative:0.1"), 0.25),
        SpecifiedValue(replace(plain, alpha="relative:1.0"), Undefined("none")),
        SpecifiedValue(replace(plain, alpha="relative:0.1", clip=False), 0.75),
    ]
    assert relative_sentence(readings) == (
        "With a penalty of ρ·trace(K)/n, EI at every scale is, by ρ: 0.1: 0.25, "
        "1.0: undefined: none."
    )
