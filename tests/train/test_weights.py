"""A model folder is made in one piece, of the very architecture, and the same every time."""

import json
from pathlib import Path

import pytest
import torch
from transformers import AutoModelForCausalLM, PreTrainedModel

from repro.cache import IDENTITY
from repro.errors import SetupError
from repro.files import file_digest
from repro.manifest.load import load_models
from repro.manifest.model import Model, RandomWeights
from repro.train.model import load_tokenizer
from repro.train.weights import END_OF_TEXT, at_random, materialise

FAMILIES = ("tiny-qwen2", "tiny-llama", "tiny-mistral")


def small(name: str, **update: object) -> Model:
    """A tiny model with a small vocabulary, so that its tokenizer is made at once."""
    model = load_models()[name]
    shape = model.architecture.model_copy(update={"vocabulary": 300, "layers": 1, **update})
    return model.model_copy(update={"architecture": shape})


@pytest.mark.parametrize("name", FAMILIES)
def test_a_random_model_has_the_parameters_of_its_architecture(name: str) -> None:
    """Tied or not; and the closed formula of models.yaml is the oracle."""
    for tied in (False, True):
        network, tokenizer = at_random(small(name, tied=tied))
        assert network.num_parameters() == small(name, tied=tied).architecture.parameters
        assert len(tokenizer) <= 300
        assert tokenizer.eos_token == tokenizer.pad_token == END_OF_TEXT
        text = "def f(x):\n    return 'é'"
        assert tokenizer.decode(tokenizer.encode(text)) == text


def weights(network: PreTrainedModel) -> torch.Tensor:
    """One matrix of a model."""
    found: torch.Tensor = network.get_input_embeddings().weight
    return found


def test_a_seed_fixes_the_weights_and_another_gives_others() -> None:
    model = small("tiny-llama")
    other = model.model_copy(update={"weights": RandomWeights(seed=5)})
    first, again, others = (weights(at_random(one)[0]) for one in (model, model, other))
    assert torch.equal(first, again)
    assert not torch.equal(first, others)


def test_a_folder_is_whole_or_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that was there is replaced; a failure leaves it as it was, and nothing beside it."""
    model, folder = small("tiny-qwen2"), tmp_path / "models" / "m"
    folder.mkdir(parents=True)
    (folder / "old").touch()
    materialise(model, None, folder)
    assert not (folder / "old").exists()
    identity = json.loads((folder / IDENTITY).read_text())
    assert identity == {
        "model": model.model_dump(mode="json"),
        "parameters": model.architecture.parameters,
    }
    loaded = AutoModelForCausalLM.from_pretrained(str(folder), local_files_only=True)
    assert torch.equal(weights(loaded), weights(at_random(model)[0]))
    assert load_tokenizer(folder).eos_token == END_OF_TEXT
    before = file_digest(folder / "model.safetensors")

    def refuse(*_: object) -> None:
        raise SetupError("not whole")

    monkeypatch.setattr("repro.train.weights.check_weights", refuse)
    other = model.model_copy(update={"weights": RandomWeights(seed=5)})
    with pytest.raises(SetupError, match="not whole"):
        materialise(other, None, folder)
    assert file_digest(folder / "model.safetensors") == before
    assert [path.name for path in folder.parent.iterdir()] == ["m"]


def test_weights_of_another_architecture_than_is_stated_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a file from elsewhere may have them."""
    stated = small("tiny-llama", layers=2)
    found = at_random(small("tiny-llama"))
    monkeypatch.setattr("repro.train.weights.at_random", lambda _: found)
    with pytest.raises(
        SetupError,
        match=r"^model tiny-llama: the weights have num_hidden_layers 1, .* says 2; corr",
    ):
        materialise(stated, None, tmp_path / "m")
    assert list(tmp_path.iterdir()) == []
