"""No weight is drawn at random: a model's files are whole and of the architecture stated, or they
are refused.
"""

import json
import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import torch
from bitsandbytes.functional import dequantize_4bit, quantize_4bit
from bitsandbytes.nn import Linear4bit
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file, save_file

from repro.errors import SetupError
from repro.fetch.models import fetch_models
from repro.manifest.load import load_models
from repro.manifest.model import Model
from repro.manifest.training import Training
from repro.plan.weight_files import EMBEDDINGS, OUTPUT, check_weights, expected_tensors
from repro.train.model import load_base
from repro.train.structure import bare

Tensors = dict[str, torch.Tensor]
FAMILIES = ("tiny-qwen2", "tiny-llama", "tiny-mistral")
FORMATS = {
    "NF4": ({"quantisation": {"format": "nf4"}}, torch.float32),
    "float32": ({"quantisation": {"format": "none"}, "compute": "float32"}, torch.float32),
    "bfloat16": ({"quantisation": {"format": "none"}, "compute": "bfloat16"}, torch.bfloat16),
}
"""Name → the protocol, and how the file stores its numbers."""


@pytest.fixture(scope="module")
def folders(cache: Path) -> dict[str, Path]:
    """A whole model folder of each family, by the model's id."""
    models = [load_models()[name] for name in FAMILIES]
    fetch_models(models, cache, print)
    return {model.id: cache / "models" / model.folder for model in models}


@pytest.fixture
def written(folders: dict[str, Path], tmp_path: Path) -> Callable[..., Path]:
    """Write a model's folder anew with other tensors and settings."""

    def write(
        name: str, tensors: Tensors, metadata: dict[str, str] | None = None, **changes: Any
    ) -> Path:
        folder = tmp_path / "changed"
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(folders[name], folder, ignore=shutil.ignore_patterns("*.safetensors"))
        own = {key: value.contiguous().clone() for key, value in tensors.items()}
        save_file(
            own,
            folder / "model.safetensors",
            metadata={"format": "pt"} if metadata is None else metadata,
        )
        config = json.loads((folder / "config.json").read_text())
        (folder / "config.json").write_text(json.dumps({**config, **changes}))
        return folder

    return write


def of(folders: dict[str, Path], name: str, dtype: torch.dtype = torch.float32) -> Tensors:
    """The tensors of a whole model, stored as asked."""
    return {
        key: value.to(dtype)
        for key, value in load_file(folders[name] / "model.safetensors").items()
    }


def is_of_the_files(folder: Path, training: Training) -> bool:
    """Whether every parameter of the loaded model holds what the files say."""
    stored = load_file(folder / "model.safetensors")
    stored = {**stored, OUTPUT: stored.get(OUTPUT, stored.get(EMBEDDINGS, torch.empty(0)))}
    stored = {EMBEDDINGS: stored[OUTPUT], **stored}
    model = load_base(folder, training)
    modules = dict(model.named_modules())
    for name, value in model.named_parameters(remove_duplicate=False):
        module, expected = modules[name.rpartition(".")[0]], stored[name].float()
        found = value.data
        if isinstance(module, Linear4bit) and name.endswith(".weight"):
            double = training.quantisation.double
            packed, state = quantize_4bit(expected, quant_type="nf4", compress_statistics=double)
            expected = dequantize_4bit(packed, state)
            found = dequantize_4bit(module.weight.data, module.weight.quant_state)
        if not torch.equal(found.float(), expected.float()):
            return False
    return True


def test_the_expected_tensors_are_those_that_transformers_builds() -> None:
    """Of every model of models.yaml, at its full size: names, shapes, and no other."""
    for model in load_models().values():
        with torch.device("meta"):
            built = bare(model)
        shapes = {name: tuple(value.shape) for name, value in built.named_parameters()}
        assert shapes == expected_tensors(model.architecture), model.id


@pytest.mark.parametrize("stored", FORMATS)
@pytest.mark.parametrize("name", FAMILIES)
def test_a_whole_model_is_loaded_as_its_files_hold_it(
    name: str, stored: str, folders: dict[str, Path], written: Callable[..., Path]
) -> None:
    """The control: the same judgement that refuses below accepts a whole folder, in each format."""
    protocol, dtype = FORMATS[stored]
    folder = written(name, of(folders, name, dtype))
    check_weights(folder, load_models()[name])
    assert is_of_the_files(folder, Training.model_validate(protocol))


@st.composite
def edits(draw: st.DrawFn, names: list[str]) -> Callable[[Tensors], Tensors]:
    """A change to a model's tensors: some removed, renamed, added, reshaped, or all under another
    name.
    """
    kind = draw(st.sampled_from(["remove", "rename", "add", "reshape", "prefix", "move"]))
    chosen = draw(st.lists(st.sampled_from(names), min_size=1, max_size=3, unique=True))
    word = draw(st.sampled_from(["_orig_mod.", "module.", "base_model.model.", "x"]))

    def edit(tensors: Tensors) -> Tensors:
        match kind:
            case "remove":
                return {key: value for key, value in tensors.items() if key not in chosen}
            case "rename":
                return {
                    key + "." + word if key in chosen else key: value
                    for key, value in tensors.items()
                }
            case "add":
                return {**tensors, **{word + key: tensors[key] for key in chosen}}
            case "reshape":
                half = {key: tensors[key][: len(tensors[key]) // 2] for key in chosen}
                return {**tensors, **half}
            case "prefix":
                return {word + key: value for key, value in tensors.items()}
            case _:  # layers that the configuration knows nothing of
                moved = {
                    key.replace("layers.0", "layers.7"): tensors[key]
                    for key in chosen
                    if "layers.0" in key
                }
                return {
                    **tensors,
                    **(moved or {"model.layers.9.mlp.up_proj.weight": torch.ones(2, 2)}),
                }

    return edit


@pytest.mark.parametrize("stored", FORMATS)
@pytest.mark.parametrize("name", FAMILIES)
@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_no_change_of_the_tensors_is_loaded_in_silence(
    name: str,
    stored: str,
    data: st.DataObject,
    folders: dict[str, Path],
    written: Callable[..., Path],
) -> None:
    """The host refuses by the headers alone; and the worker's own load, which knows no models.yaml,
    invents nothing.
    """
    protocol, dtype = FORMATS[stored]
    whole = of(folders, name, dtype)
    folder = written(name, data.draw(edits(sorted(whole)))(whole))
    with pytest.raises(SetupError, match=r"^model tiny-\w+ \(") as refused:
        check_weights(folder, load_models()[name])
    assert "\n" not in str(refused.value)
    with suppress(SetupError):  # or it is whole after all, under names that the loader knows
        assert is_of_the_files(folder, Training.model_validate(protocol))


def test_weights_as_a_hub_serves_them(
    folders: dict[str, Path], written: Callable[..., Path]
) -> None:
    """What is not as saved here and yet whole is taken, with the same numbers; each other kind is
    named in one line.
    """
    name, model = "tiny-llama", load_models()["tiny-llama"]
    whole = of(folders, name)
    protocol = Training.model_validate(FORMATS["float32"][0])

    def taken(folder: Path, model: Model = model) -> None:
        check_weights(folder, model)
        assert load_base(folder, protocol)

    def refused(folder: Path, words: str, model: Model = model) -> None:
        with pytest.raises(SetupError, match=words) as caught:
            check_weights(folder, model)
        assert "\n" not in str(caught.value)

    tied = model.model_copy(
        update={"architecture": model.architecture.model_copy(update={"tied": True})}
    )
    buffer = {"model.layers.0.self_attn.rotary_emb.inv_freq": torch.ones(8)}
    taken(written(name, whole, metadata={}))
    taken(written(name, {key: value.half() for key, value in whole.items()}))
    taken(written(name, {**whole, **buffer}))
    taken(written(name, {**whole, OUTPUT: whole[EMBEDDINGS]}, tie_word_embeddings=True), tied)
    one = {key: value for key, value in whole.items() if key != EMBEDDINGS}
    taken(written(name, one, tie_word_embeddings=True), tied)
    refused(
        written(name, {**whole, OUTPUT: whole[EMBEDDINGS] + 1}, tie_word_embeddings=True),
        "two matrices",
        tied,
    )
    refused(
        written(name, {key: value for key, value in whole.items() if key != OUTPUT}),
        r"1 of \d+ weights .*lm_head",
    )
    compiled = written(name, {"_orig_mod." + key: value for key, value in whole.items()})
    refused(compiled, "every name begins with '_orig_mod.'")
    refused(
        written(name, whole, num_hidden_layers=3), "num_hidden_layers 3, models.yaml says layers 2"
    )
    refused(written(name, whole, model_type="mistral"), "models.yaml says family llama")
    refused(written(name, whole, quantization_config={"load_in_4bit": True}), "stored quantised")
    refused(
        written(name, {**whole, "model.norm.weight": whole["model.norm.weight"].char()}),
        "stored as I8",
    )
    folder = written(name, whole)
    (folder / "adapter_config.json").write_text("{}")
    refused(folder, "an adapter lies in it")


def test_a_lost_shard_is_named(folders: dict[str, Path], written: Callable[..., Path]) -> None:
    """Two shards and an index hold the same model as one file; without one of them it is refused."""
    model, name = load_models()["tiny-llama"], "tiny-llama"
    whole = of(folders, name)
    folder = written(name, whole)
    (folder / "model.safetensors").unlink()
    shards = {
        key: f"model-0000{number % 2 + 1}-of-00002.safetensors"
        for number, key in enumerate(sorted(whole))
    }
    for shard in set(shards.values()):
        save_file(
            {key: whole[key] for key in whole if shards[key] == shard},
            folder / shard,
            metadata={"format": "pt"},
        )
    (folder / "model.safetensors.index.json").write_text(
        json.dumps({"metadata": {}, "weight_map": shards})
    )
    check_weights(folder, model)
    loaded = load_base(folder, Training.model_validate(FORMATS["float32"][0]))
    assert all(torch.equal(value, whole[key]) for key, value in loaded.named_parameters())
    second, *_ = (key for key in whole if shards[key].startswith("model-00002"))
    first = {key: whole[key] for key in whole if shards[key].startswith("model-00001")}
    save_file({**first, second: whole[second] + 1}, folder / "model-00001-of-00002.safetensors")
    with pytest.raises(SetupError, match=r"is in two shards"):
        check_weights(folder, model)
    (folder / "model-00002-of-00002.safetensors").unlink()
    with pytest.raises(
        SetupError,
        match=r"names model-00002-of-00002\.safetensors, of 2 shards, which is not there",
    ):
        check_weights(folder, model)
