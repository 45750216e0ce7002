"""`repro entropy` as a user meets it: a drawing, JSON, a figure's file, and what it refuses."""

import json
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

from repro.cli import main

Said = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder that commands are given in."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("json_too", [[], ["--json"]])
def test_the_command_draws_svg_and_png_beside_what_it_prints(
    tmp_path: Path, capsys: Said, json_too: list[str]
) -> None:
    np.save(tmp_path / "M.npy", np.random.default_rng(1).normal(size=(12, 10)))
    assert main(["entropy", "--matrix", "M.npy", *json_too]) == 0
    plain = capsys.readouterr().out
    for name in ("a.svg", "b.PNG"):
        assert main(["entropy", "--matrix", "M.npy", "--figure", name, *json_too]) == 0
        said = "" if json_too else f"{name}: the figure\n"
        assert capsys.readouterr().out == plain + said
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
    here: Path, capsys: Said, name: str
) -> None:
    assert main(["entropy", "--matrix", "absent.npy", "--figure", name]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert "expected .svg or .png" in err
    assert err.count("\n") == 1
    assert not (here / name).exists()


def test_layers_without_a_profile_leave_no_figure(tmp_path: Path, capsys: Said) -> None:
    from safetensors.numpy import save_file

    place = "base_model.model.layers.0.q_proj.lora_{}.weight"
    save_file(
        {place.format("A"): np.ones((2, 8)), place.format("B"): np.zeros((8, 2))},
        tmp_path / "adapter_model.safetensors",
    )
    (tmp_path / "adapter_config.json").write_text(json.dumps({"peft_type": "LORA", "r": 2}))
    assert main(["entropy", "--adapter", ".", "--figure", "a.svg"]) == 2
    said = capsys.readouterr().err
    assert "no layer has a profile to draw; layers.0.q_proj: the update is zero" in said
    assert not (tmp_path / "a.svg").exists()
    assert main(["entropy", "--adapter", ".", "--json"]) == 0
    record = json.loads(capsys.readouterr().out)
    assert record["layers"] == []
    assert set(record["undefined"]) == {"layers.0.q_proj"}


def test_layers_are_chosen_of_an_adapter_alone(tmp_path: Path, capsys: Said) -> None:
    np.save(tmp_path / "M.npy", np.eye(4))
    assert main(["entropy", "--matrix", "M.npy", "--layer", "*q_proj"]) == 2
    assert "--layer names layers of an adapter; expected it with --adapter" in (
        capsys.readouterr().err
    )
