"""A user's own model is read block by block, in float32, or refused in one line."""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from repro.diagnose.capture import Reading, capture
from repro.diagnose.own_model import activations
from repro.errors import InputError, SetupError
from repro.manifest.training import Quantisation, Training
from repro.train.model import load_base, load_tokenizer

TEXTS = ["def f(x):\n    return x", "A sentence of some words.", "x"]


def spec(model: Path, folder: Path) -> dict[str, Any]:
    """What a host asks the worker for."""
    places = {"state": str(folder / "state"), "destination": str(folder / "X.npz")}
    return {"model": str(model), "threads": 1, "texts": TEXTS, **places}


@pytest.fixture
def copied(tiny_llama: Path, tmp_path: Path) -> Path:
    """A model's folder that a test may change."""
    return Path(shutil.copytree(tiny_llama, tmp_path / "model"))


def test_it_gives_the_activations_of_the_whole_model(
    tiny_llama: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    activations(spec(tiny_llama, tmp_path))
    plain = Training(quantisation=Quantisation(format="none"), compute="float32")
    model, reading = load_base(tiny_llama, plain), Reading()
    wanted = capture(model, load_tokenizer(tiny_llama), TEXTS, [reading])[reading]
    with np.load(tmp_path / "X.npz") as found:
        assert np.allclose(found["activations"], wanted, rtol=1e-5, atol=1e-6)
        assert found["activations"].shape == (3, 64)
    assert "block 2 of 2" in capfd.readouterr().err


def test_weights_of_another_format_are_refused(copied: Path, tmp_path: Path) -> None:
    path = copied / "model.safetensors"
    save_file({**load_file(path), "model.norm.weight": torch.ones(64, dtype=torch.int8)}, path)
    with pytest.raises(SetupError, match=r"model\.norm\.weight is stored as I8, .*other formats"):
        activations(spec(copied, tmp_path))
    assert not (tmp_path / "X.npz").exists()


def test_a_model_that_gives_no_finite_numbers_is_refused(copied: Path, tmp_path: Path) -> None:
    path = copied / "model.safetensors"
    tensors = load_file(path)
    tensors["model.norm.weight"][3] = torch.nan
    save_file(tensors, path, metadata={"format": "pt"})
    with pytest.raises(InputError, match=r"found activations that are not finite; the model is"):
        activations(spec(copied, tmp_path))


def test_a_token_beyond_the_embedding_is_refused(copied: Path, tmp_path: Path) -> None:
    """Fewer rows than the tokenizer has tokens."""
    path = copied / "model.safetensors"
    tensors = load_file(path)
    for name in ("model.embed_tokens.weight", "lm_head.weight"):
        tensors[name] = tensors[name][:40].clone()
    save_file(tensors, path, metadata={"format": "pt"})
    config = json.loads((copied / "config.json").read_text())
    (copied / "config.json").write_text(json.dumps(config | {"vocab_size": 40}))
    with pytest.raises(InputError, match=r"^the probes: "):
        activations(spec(copied, tmp_path))
