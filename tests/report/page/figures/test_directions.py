"""Damage and singular values of directions: which concept owns one, and what a log axis shows."""

from pathlib import Path

import pytest

from repro.report.page.content import Content
from repro.report.page.figures.directions import damage, spectra
from repro.report.page.measured import Row
from repro.store.database import query


@pytest.mark.worker
def test_each_direction_belongs_to_the_concept_it_loads_on_most(
    measured: Content, evidence: Path
) -> None:
    heat = next(figure for figure in measured.figures if figure.id == "damage-smoke-tiny-llama")
    _, rows = query(
        evidence,
        "SELECT condition, direction + 1, arg_max(concept, v) FROM (SELECT condition, "
        "direction, concept, avg(value) AS v "
        "FROM measurements JOIN runs USING (run_id) WHERE quantity = 'loading' AND "
        "experiment = 'smoke' AND model = 'tiny-llama' "
        "AND step = steps GROUP BY ALL) GROUP BY ALL",
    )
    own = {(row[0], row[1]): row[2] for row in heat.rows if row[4] == "own concept"}
    assert own == {(condition, direction): concept for condition, direction, concept in rows}


def value(quantity: str, number: float, direction: int, concept: str = "", **more: object) -> Row:
    cell = {"experiment": "e", "model": "m", "condition": "B3", "runs": 2, "step": 10}
    told = {"quantity": quantity, "value": number, "direction": direction, "concept": concept}
    return {**cell, **told, **more}


def test_colours_reach_as_far_as_the_largest_damage_either_way() -> None:
    """So that white is no damage; a map without any is white, too."""
    rows = [value("damage", number, 0, name) for name, number in (("a", 0.1), ("b", -0.4))]
    (figure,) = damage(rows)
    scale = figure.spec["spec"]["layer"][0]["encoding"]["color"]["scale"]
    assert scale["domain"] == [-0.4, 0.4]
    (flat,) = damage([value("damage", 0.0, 0, "a")])
    low, high = flat.spec["spec"]["layer"][0]["encoding"]["color"]["scale"]["domain"]
    assert -low == high > 0


def test_a_direction_without_loadings_belongs_to_no_concept() -> None:
    rows = [value("damage", 0.1, number, name) for number in (0, 1) for name in ("a", "b")]
    rows += [value("loading", 0.3, 0, "a"), value("loading", 0.7, 0, "b")]
    (figure,) = damage(rows)
    own = [row[1:3] for row in figure.rows if row[figure.columns.index("own")] == "own concept"]
    assert own == [(1, "b")]


def test_the_base_model_has_its_own_colour_and_nothing_below_zero_is_drawn() -> None:
    """A logarithmic axis has no place for 0; the base model stands there once, not as B0 too."""
    base = [{"experiment": "e", "model": "m", "direction": place, "value": 3.0} for place in (0, 1)]
    final = [value("singular_value", number, place) for place, number in enumerate((2.0, 0.0))]
    final += [value("singular_value", 3.0, 0, condition="B0")]
    (figure,) = spectra(final, base)
    assert figure.rows == (("base", 1, 3.0), ("base", 2, 3.0), ("B3", 1, 2.0))
    scale = figure.spec["encoding"]["color"]["scale"]
    assert dict(zip(scale["domain"], scale["range"], strict=True)) == {
        "B3": "var(--k3)",
        "base": "var(--k0)",
    }
    assert list(spectra([value("singular_value", 0.0, 0)], [])) == []
