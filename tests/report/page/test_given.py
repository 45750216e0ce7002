"""The figure of a user's own profiles: every number that was measured, as SVG and PNG."""

import json
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess
from xml.etree import ElementTree

import numpy as np
import pytest

from repro.geometry.entropy import most
from repro.geometry.gaussian import gaussian_product_profile
from repro.measure.entropy import Profile, of_update
from repro.measure.updates import Update
from repro.report.page.figures.given import given_profiles

Command = Callable[..., CompletedProcess[str]]


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


@pytest.mark.parametrize("json_too", [[], ["--json"]])
def test_the_command_draws_svg_and_png_beside_what_it_prints(
    repro: Command, tmp_path: Path, json_too: list[str]
) -> None:
    np.save(tmp_path / "M.npy", np.random.default_rng(1).normal(size=(12, 10)))
    plain = repro("entropy", "--matrix", "M.npy", *json_too)
    for name in ("a.svg", "b.PNG"):
        done = repro("entropy", "--matrix", "M.npy", "--figure", name, *json_too)
        assert done.returncode == 0, done.stderr
        said = "" if json_too else f"{name}: the figure\n"
        assert done.stdout.replace(str(tmp_path) + "/", "") == plain.stdout + said
    root = ElementTree.parse(tmp_path / "a.svg").getroot()
    words = {element.text for element in root.iter() if element.text}
    assert {
        "M.npy, 12 × 10, rank 10",
        "cut after site",
        "entropy, nats",
        "measured",
        "random",
    } <= words
    assert (tmp_path / "b.PNG").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("name", ["a.pdf", "figure", "svg"])
def test_another_ending_is_refused_before_anything_is_measured(
    repro: Command, tmp_path: Path, name: str
) -> None:
    done = repro("entropy", "--matrix", "absent.npy", "--figure", name)
    assert (done.returncode, done.stdout) == (2, "")
    assert "expected .svg or .png" in done.stderr
    assert done.stderr.count("\n") == 1
    assert not (tmp_path / name).exists()


def test_layers_without_a_profile_leave_no_figure(repro: Command, tmp_path: Path) -> None:
    from safetensors.numpy import save_file

    place = "base_model.model.layers.0.q_proj.lora_{}.weight"
    save_file(
        {place.format("A"): np.ones((2, 8)), place.format("B"): np.zeros((8, 2))},
        tmp_path / "adapter_model.safetensors",
    )
    (tmp_path / "adapter_config.json").write_text(json.dumps({"peft_type": "LORA", "r": 2}))
    done = repro("entropy", "--adapter", ".", "--figure", "a.svg")
    assert done.returncode == 2
    assert "no layer has a profile to draw; layers.0.q_proj: the update is zero" in done.stderr
    assert not (tmp_path / "a.svg").exists()
