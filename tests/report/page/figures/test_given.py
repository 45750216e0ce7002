"""The figure of a user's own profiles: every number that was measured, beside random ones."""

import numpy as np

from repro.geometry.entropy import most
from repro.geometry.gaussian import gaussian_product_profile
from repro.measure.entropy import Profile, of_update
from repro.measure.updates import Update
from repro.report.page.figures.given import given_profiles


def update(layer: str, p: int, seed: int) -> Profile:
    random = np.random.default_rng(seed)
    found = of_update(Update(layer, random.normal(size=(p, 4)), random.normal(size=(4, 24))))
    assert isinstance(found, Profile)
    return found


def test_every_layer_is_drawn_beside_random_ones_in_the_panel_of_its_shape() -> None:
    layers = [
        update(f"{n}.{module}", p, n) for n in range(3) for module, p in (("q", 16), ("v", 8))
    ]
    figure = given_profiles("adapter", layers)
    rows = [dict(zip(figure.columns, row, strict=True)) for row in figure.rows]
    drawn = {
        (panel, kind, name): [row["entropy"] for row in rows if (row["panel"], row["kind"], row["name"]) == (panel, kind, name)]
        for panel, kind, name in {(row["panel"], row["kind"], row["name"]) for row in rows}
    }  # fmt: skip
    expected = {
        (f"{one.name[-1]}, {one.p} × 24, rank 4", "measured", one.name): list(one.entropy)
        for one in layers
    }
    for panel, p in (("q, 16 × 24, rank 4", 16), ("v, 8 × 24, rank 4", 8)):
        expected[panel, "random", ""] = list(gaussian_product_profile(p, 24, 4))
        expected[panel, "at most", ""] = list(most(p, 24, 4))
    assert drawn == expected
    assert {(row["panel"][0], row["middle"]) for row in rows} == {("q", 4), ("v", 3)}
