"""`repro measure` on a model's folder: the numbers of its activations, captured from all of it."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from repro.diagnose.capture import Reading, capture
from repro.diagnose.own_model import _PLAIN
from repro.manifest.probes import load_probe_set
from repro.plan.weight_files import _WEIGHTS
from repro.train.model import load_base, load_tokenizer

Command = Callable[..., CompletedProcess[str]]
pytestmark = pytest.mark.worker


def test_a_models_numbers_are_those_of_its_activations(
    repro: Command, tiny_llama: Path, tmp_path: Path
) -> None:
    """The same record as of the whole model's activations, given as a matrix."""
    done = repro(
        "measure", "--model", str(tiny_llama), "--probes", "factorial_48", "--json", "--quick"
    )
    assert done.returncode == 0, done.stderr
    probes = load_probe_set("factorial_48")
    model, tokenizer = load_base(tiny_llama, _PLAIN), load_tokenizer(tiny_llama)
    X = capture(model, tokenizer, probes.texts(), [Reading()])[Reading()]
    np.savez(tmp_path / "X.npz", activations=X)
    labels = probes.labels()
    lines = [",".join(labels), *(",".join(row) for row in zip(*labels.values(), strict=True))]
    (tmp_path / "L.csv").write_text("\n".join(lines) + "\n")
    given = ("--activations", str(tmp_path / "X.npz"), "--labels", str(tmp_path / "L.csv"))
    wanted = repro("measure", *given, "--json", "--quick")
    assert wanted.returncode == 0, wanted.stderr
    ours, theirs = json.loads(done.stdout), json.loads(wanted.stdout)
    assert ours.keys() == theirs.keys()
    assert close(ours, theirs), "threads may split sums another way, and nothing else differs"


def close(one: object, other: object) -> bool:
    """Whether two records are the same up to the last digits of a number."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(close(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(close, one, other))
    if isinstance(one, float) and isinstance(other, float):
        return one == pytest.approx(other, rel=1e-3, abs=1e-6)
    return one == other


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ([], "found neither activations nor a model, expected --activations X.npz with --labels"),
        (["--model", "."], "found --model, expected"),
        (["--model", ".", "--labels", "L.csv"], "found --labels and --model, expected"),
        (["--model", "nowhere", "--probes", "factorial_48"], "--model nowhere: found no folder"),
        (["--model", ".", "--probes", "factorial_48"], "found no config.json"),
        (["--model", ".", "--probes", "nothing"], "no probe set 'nothing'"),
    ],
)
def test_what_cannot_be_measured_is_refused_in_one_line(
    repro: Command, options: list[str], words: str
) -> None:
    done = repro("measure", *options)
    assert done.returncode == 2
    assert words in done.stderr
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda folder: change(folder, model_type="gpt2"), "found model_type 'gpt2', expected one"),
        (lambda folder: change(folder, quantization_config={"bits": 4}), "stored quantised"),
        (
            lambda folder: change(folder, num_hidden_layers=10**9),
            "num_hidden_layers: found 1000000",
        ),
        (lambda folder: change(folder, hidden_size="many"), "config.json: hidden_size: found 'man"),
        (lambda folder: broken(folder), "not finite"),
        (lambda folder: whole_numbers(folder), "norm.weight is stored as I8, expected one of F64"),
        (lambda folder: (folder / _WEIGHTS).unlink(), "expected model.safetensors"),
        (lambda folder: (folder / "tokenizer.json").unlink(), "no tokenizer can be read"),
    ],
)
def test_a_folder_without_a_model_that_can_be_read_is_refused(
    repro: Command, tiny_llama: Path, tmp_path: Path, spoil: Callable[[Path], None], words: str
) -> None:
    folder = shutil.copytree(tiny_llama, tmp_path / "model")
    spoil(folder)
    done = repro("measure", "--model", str(folder), "--probes", "factorial_48", "--quick")
    assert done.returncode == 2
    assert words in done.stderr
    assert len(done.stderr.splitlines()) == 1


def change(folder: Path, **fields: object) -> None:
    """Change fields of a model's configuration."""
    path = folder / "config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **fields}))


def broken(folder: Path) -> None:
    """Put a number that is not finite into a model."""
    weights = load_file(folder / _WEIGHTS)
    weights["model.norm.weight"][3] = torch.nan
    save_file(weights, folder / _WEIGHTS, {"format": "pt"})


def whole_numbers(folder: Path) -> None:
    """Store a weight in a format that needs a scale."""
    weights = load_file(folder / _WEIGHTS)
    weights["model.norm.weight"] = weights["model.norm.weight"].to(torch.int8)
    save_file(weights, folder / _WEIGHTS, {"format": "pt"})
