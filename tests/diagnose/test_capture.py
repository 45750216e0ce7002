"""Captured activations against one text at a time, and against the model's own hidden states."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from repro.diagnose.capture import Reading, capture, pool
from repro.errors import InputError
from repro.manifest.adapters import Lora
from repro.manifest.training import Training
from repro.train.adapters.place import adapt
from repro.train.model import load_base, load_tokenizer, without_dropout
from repro.train.texts import python_topics, standard_library

TEXTS = [
    text[: 30 + 61 * index]
    for index, text in enumerate(standard_library()[:6] + python_topics()[:6])
]
ALL = [
    Reading(layer=layer, pooling=pooling, special_tokens=special)
    for layer in ("post_norm", "pre_norm")
    for pooling in ("mean", "last_token")
    for special in ("exclude", "include")
]


def model_of(folder: Path, compute: str) -> nn.Module:
    """A tiny quantised model with adapters that do something."""
    training = Training(
        lora=Lora(rank=4, alpha=8, dropout=0.5), compute=compute, gradient_checkpointing=False
    )
    model = adapt(load_base(folder, training), training, 0)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if "lora_B" in name:
                parameter.normal_(0, 0.05, generator=torch.Generator().manual_seed(len(name)))
    return model


@pytest.mark.parametrize("compute", ["float32", "bfloat16"])
def test_a_batch_gives_the_activations_of_one_text_at_a_time(
    tiny_llama: Path, compute: str
) -> None:
    model, tokenizer = model_of(tiny_llama, compute), load_tokenizer(tiny_llama)
    together = capture(model, tokenizer, TEXTS, ALL)
    for reading in ALL:
        alone = np.concatenate(
            [capture(model, tokenizer, [text], [reading])[reading] for text in TEXTS]
        )
        scale = np.linalg.norm(alone, axis=1)
        assert (np.linalg.norm(together[reading] - alone, axis=1) / scale).max() < 1e-5


def test_activations_are_the_models_own_hidden_states(tiny_llama: Path) -> None:
    model, tokenizer = model_of(tiny_llama, "float32"), load_tokenizer(tiny_llama)
    found = capture(model, tokenizer, TEXTS, ALL)
    for row, text in enumerate(TEXTS):
        with torch.no_grad(), without_dropout(model):
            ids = torch.tensor([tokenizer(text)["input_ids"]])
            states = model(input_ids=ids, output_hidden_states=True, use_cache=False).hidden_states
        mean = states[-1][0].mean(dim=0).numpy()
        assert np.allclose(found[Reading()][row], mean, rtol=1e-5, atol=1e-6)
        last = states[-1][0, -1].numpy()
        assert np.allclose(found[Reading(pooling="last_token")][row], last, rtol=1e-5, atol=1e-6)


def test_layers_and_pooling_do_differ(tiny_llama: Path) -> None:
    found = capture(model_of(tiny_llama, "float32"), load_tokenizer(tiny_llama), TEXTS, ALL)
    base = found[Reading()]
    assert not np.allclose(base, found[Reading(layer="pre_norm")], rtol=1e-2)
    assert not np.allclose(base, found[Reading(pooling="last_token")], rtol=1e-2)


def test_a_capture_draws_no_random_number_and_keeps_dropout_on_afterwards(tiny_llama: Path) -> None:
    model, tokenizer = model_of(tiny_llama, "float32"), load_tokenizer(tiny_llama)
    dropouts = [module for module in model.modules() if isinstance(module, nn.Dropout)]
    state = torch.get_rng_state()
    first = capture(model, tokenizer, TEXTS, [Reading()])[Reading()]
    assert torch.equal(state, torch.get_rng_state())
    assert all(module.training for module in dropouts)
    assert np.array_equal(first, capture(model, tokenizer, TEXTS, [Reading()])[Reading()])


@pytest.mark.parametrize("pooling", ["mean", "last_token"])
def test_activations_may_lie_on_another_device_than_the_ids(pooling: str) -> None:
    """As where a model is spread over several; the meta device stands for the second one."""
    pooled = pool(torch.empty(2, 5, 8, device="meta"), torch.ones(2, 5, dtype=torch.long), pooling)
    assert pooled.device.type == "meta"
    assert pooled.shape == (2, 8)


def test_an_empty_text_is_refused(tiny_llama: Path) -> None:
    with pytest.raises(InputError, match="no token"):
        capture(
            model_of(tiny_llama, "float32"), load_tokenizer(tiny_llama), ["", "text"], [Reading()]
        )
