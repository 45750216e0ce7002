"""A model's folder holds exactly the tensors of its architecture, or it is refused by their names.

No model is loaded: the files are written by hand with few numbers, and read by their headers.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save_file

from repro.errors import SetupError
from repro.manifest.load import load_models
from repro.manifest.model import Architecture, Model, RandomWeights
from repro.plan.weight_files import (
    CONFIGURED,
    EMBEDDINGS,
    INDEX,
    OUTPUT,
    check_family,
    check_weights,
    expected_tensors,
    read_tensors,
)

SHAPE = Architecture(
    family="qwen2", hidden=8, layers=2, heads=4, kv_heads=2, intermediate=6, vocabulary=5
)
CONFIGURATION = {
    "hidden_size": 8,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "intermediate_size": 6,
    "vocab_size": 5,
    "tie_word_embeddings": False,
    "model_type": "qwen2",
}
Numbers = dict[str, np.ndarray[Any, Any]]


def small(**update: Any) -> Model:
    """The model of the folder, with other numbers in its architecture."""
    shape = SHAPE.model_copy(update=update)
    return Model(id="small", title="t", weights=RandomWeights(), architecture=shape)


def numbers(shape: Architecture = SHAPE) -> Numbers:
    """Weights of every name and shape, all of them zero."""
    return {name: np.zeros(sides, np.float32) for name, sides in expected_tensors(shape).items()}


def laid(folder: Path, weights: Numbers | None = None, **update: Any) -> Path:
    """Write a model's folder: its configuration, and its weights in one file."""
    (folder / "config.json").write_text(json.dumps(CONFIGURATION | update), encoding="utf-8")
    save_file(numbers() if weights is None else weights, folder / "model.safetensors")
    return folder


def sharded(folder: Path, shards: dict[str, Numbers], weight_map: dict[str, str]) -> Path:
    """Write a folder's weights as shards with an index that says this of them."""
    laid(folder)
    (folder / "model.safetensors").unlink()
    for name, weights in shards.items():
        save_file(weights, folder / name)
    index = {"metadata": {}, "weight_map": weight_map}
    (folder / INDEX).write_text(json.dumps(index), encoding="utf-8")
    return folder


@pytest.mark.parametrize("model", load_models().values(), ids=lambda model: model.id)
def test_the_expected_weights_add_up_to_the_models_parameters(model: Model) -> None:
    """Counted another way: by the closed formula of the architecture."""
    shapes = expected_tensors(model.architecture).values()
    assert sum(int(np.prod(sides)) for sides in shapes) == model.architecture.parameters


def test_a_whole_folder_is_accepted_and_what_is_computed_anyway_is_no_matter(
    tmp_path: Path,
) -> None:
    check_weights(laid(tmp_path), small())
    buffer = {"model.layers.1.self_attn.rotary_emb.inv_freq": np.zeros(1, np.float32)}
    check_weights(laid(tmp_path, numbers() | buffer), small())
    buffer = {"model.layers.1.self_attn.rotary_emb.inv_freq": np.zeros(2, np.float32)}
    with pytest.raises(SetupError, match="inv_freq has shape 2, expected 1;"):
        check_weights(laid(tmp_path, numbers() | buffer), small())


@pytest.mark.parametrize(
    ("update", "lost", "told"),
    [
        ({}, "model.norm.weight", r"1 of 27 weights are in no file \(model\.norm\.weight\)"),
        ({"extra": np.zeros(1)}, "", r"1 tensors are no weights of this architecture \(extra\)"),
        (
            {"model.norm.weight": np.zeros((2, 4), np.float32)},
            "",
            r"model\.norm\.weight has shape 2×4, expected 8;",
        ),
        (
            {"model.norm.weight": np.zeros(8, np.int8)},
            "",
            r"model\.norm\.weight is stored as I8, expected one of F64, F32, F16, BF16;",
        ),
    ],
    ids=["missing", "foreign", "shape", "format"],
)
def test_a_tensor_that_differs_is_named_with_what_was_expected(
    tmp_path: Path, update: Numbers, lost: str, told: str
) -> None:
    weights = {name: value for name, value in (numbers() | update).items() if name != lost}
    why = "would be drawn at random" if lost else "are not those of the model that is named"
    with pytest.raises(SetupError, match=rf"^model small \(.*\): {told}.*{why}"):
        check_weights(laid(tmp_path, weights), small())


def test_a_prefix_of_every_name_is_told(tmp_path: Path) -> None:
    wrapped = {f"_orig_mod.{name}": value for name, value in numbers().items()}
    with pytest.raises(SetupError, match=r"24 more\); .*every name begins with '_orig_mod\.'"):
        check_weights(laid(tmp_path, wrapped), small())
    del wrapped["_orig_mod.model.norm.weight"]
    with pytest.raises(SetupError) as refused:
        check_weights(laid(tmp_path, wrapped), small())
    assert "begins with" not in str(refused.value), "without it the model would not be whole"


def test_tied_embeddings_may_lie_under_either_name_but_not_differ(tmp_path: Path) -> None:
    model, both = small(tied=True), numbers()
    for lost in (EMBEDDINGS, OUTPUT, ""):
        weights = {name: value for name, value in both.items() if name != lost}
        check_weights(laid(tmp_path, weights, tie_word_embeddings=True), model)
    both[OUTPUT] = both[OUTPUT] + 1
    with pytest.raises(SetupError, match=r"lm_head\.weight differs from .* says tied: true"):
        check_weights(laid(tmp_path, both, tie_word_embeddings=True), model)
    check_weights(laid(tmp_path, both), small())


@pytest.mark.parametrize("field", CONFIGURED)
def test_a_configuration_of_another_model_is_refused(tmp_path: Path, field: str) -> None:
    other = {"model_type": "llama", "tie_word_embeddings": True}.get(field, 1)
    with pytest.raises(SetupError, match=rf"config\.json says {field} {other}, models\.yaml says"):
        check_weights(laid(tmp_path, **{field: other}), small())


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("adapter_config.json", "{}", r"found adapter_config\.json, .*expected a base model alone"),
        ("config.json", None, r"found no config\.json"),
        ("config.json", "[]", r"config\.json is no mapping of settings"),
        ("config.json", '{"quantization_config": {"bits": 4}}', "weights are stored quantised"),
        ("model.safetensors", None, r"found no safetensors, expected model\.safetensors, or "),
    ],
)
def test_a_folder_without_a_whole_plain_model_is_refused(
    tmp_path: Path, name: str, content: str | None, told: str
) -> None:
    path = laid(tmp_path) / name
    if content is None:
        path.unlink()
    else:
        path.write_text(content, encoding="utf-8")
    with pytest.raises(SetupError, match=told):
        check_weights(tmp_path, small())


def test_shards_are_read_by_their_index(tmp_path: Path) -> None:
    first = {"a": np.zeros(2, np.float32), "b": np.zeros((3, 1), np.float16)}
    second = {"c": np.zeros(4, np.float32)}
    shards = {"1.safetensors": first, "2.safetensors": second}
    named = {"a": "1.safetensors", "b": "1.safetensors", "c": "2.safetensors"}
    found = read_tensors(sharded(tmp_path, shards, named), "here")
    assert {name: tensor.file.name for name, tensor in found.items()} == named
    assert found["b"].shape == (3, 1)
    with pytest.raises(SetupError, match=r"says that 2\.safetensors holds a, which it does not"):
        read_tensors(sharded(tmp_path, shards, named | {"a": "2.safetensors"}), "here")


@pytest.mark.parametrize(
    ("second", "weight_map", "told"),
    [
        ("2.safetensors", {"a": "3.safetensors"}, "names 3.safetensors, of 1 shards, which is not"),
        ("2.safetensors", {"a": "../a"}, "names ../a, of 1 shards, which is not there"),
        ("2.safetensors", {"a": "1.safetensors", "b": "2.safetensors"}, "a is in two shards, 1."),
        ("2.safetensors", {"z": "1.safetensors"}, "1.safetensors holds z, which it does not"),
        ("2.safetensors", {"a": 3}, "no weight_map from tensors to shards"),
    ],
)
def test_an_index_that_is_wrong_of_its_shards_is_refused(
    tmp_path: Path, second: str, weight_map: dict[str, str], told: str
) -> None:
    weights = {"a": np.zeros(2, np.float32)}
    shards = {"1.safetensors": weights, second: weights | {"b": np.zeros(1, np.float32)}}
    with pytest.raises(SetupError) as refused:
        read_tensors(sharded(tmp_path, shards, weight_map), "here")
    assert str(refused.value).startswith("here: ")
    assert told in str(refused.value)


def test_a_family_and_a_size_that_are_not_known_are_refused(tmp_path: Path) -> None:
    check_family(laid(tmp_path), "here")
    with pytest.raises(SetupError, match=r"found model_type 'gpt2', expected one of qwen2, llama"):
        check_family(laid(tmp_path, model_type="gpt2"), "here")
    with pytest.raises(
        SetupError, match=r"^here: config\.json: hidden_size: .*'wide'.*another copy"
    ):
        check_family(laid(tmp_path, hidden_size="wide"), "here")
    (tmp_path / "config.json").write_text(
        json.dumps({key: value for key, value in CONFIGURATION.items() if "_key_" not in key})
    )
    check_family(tmp_path, "here")  # as many key heads as heads, as the library takes it
