"""The fused LoRA product against peft's own layers, and its dropout against what dropout is."""

from pathlib import Path
from typing import Any

import pytest
import torch
from bitsandbytes.nn.modules import Linear4bit, Params4bit
from peft import LoraConfig, get_peft_model
from torch import Tensor, nn

from repro.fetch.models import fetch_models
from repro.manifest.adapters import Lora
from repro.manifest.load import load_models
from repro.manifest.training import Training
from repro.train.adapters.place import adapt
from repro.train.batches import Batch, pad, tokenise
from repro.train.fused import FusedLinear4bit, SharedCast, dropped, kept, kept_share
from repro.train.loss import step_weight, weighted_loss
from repro.train.model import load_base, load_tokenizer, trainable, without_dropout
from repro.train.texts import standard_library


@pytest.fixture(scope="module")
def tiny_qwen2(cache: Path) -> Path:
    """The folder of a tiny random Qwen2: q, k and v have biases."""
    model = load_models()["tiny-qwen2"]
    fetch_models([model], cache, print)
    return cache / "models" / model.folder


def protocol(**changes: Any) -> Training:
    """Real NF4 with double quantisation, all seven projections, no dropout."""
    given: dict[str, Any] = {
        "lora": Lora(rank=8, alpha=16, dropout=0.0),
        "gradient_checkpointing": False,
        "compute": "float32",
        "max_length": 30,
    }
    return Training(**{**given, **changes})


def width(layer: FusedLinear4bit) -> tuple[int, int]:
    """Inputs and outputs of a layer."""
    base: Any = layer.get_base_layer()
    return base.in_features, base.out_features


def ours(folder: Path, training: Training) -> nn.Module:
    """The model with fused layers."""
    return perturbed(adapt(load_base(folder, training), training, 0))


def pefts(folder: Path, training: Training) -> nn.Module:
    """The model with peft's own layers."""
    torch.manual_seed(0)
    lora = training.lora
    config = LoraConfig(
        r=lora.rank,
        lora_alpha=int(lora.alpha),
        lora_dropout=lora.dropout,
        target_modules=list(lora.targets),
    )
    return perturbed(get_peft_model(load_base(folder, training), config).train())


def perturbed(model: nn.Module) -> nn.Module:
    """B starts at zero, which would hide A's gradient."""
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for name, parameter in trainable(model).items():
            assert "lora_" in name
            parameter.add_(torch.randn(parameter.shape, generator=generator), alpha=0.02)
    return model


def batch(folder: Path, training: Training) -> Batch:
    """Three texts of different lengths."""
    tokenizer = load_tokenizer(folder)
    return pad(
        [
            tokenise(tokenizer, text[:size], training)
            for text, size in zip(standard_library(), (30, 60, 90), strict=False)
        ]
    )


def loss_and_gradients(model: nn.Module, given: Batch, training: Training) -> dict[str, Tensor]:
    """The loss of a pass and every gradient, by name without peft's prefix."""
    torch.manual_seed(7)
    model.zero_grad(set_to_none=True)
    weight_M = step_weight(given, given.targets, len(given.ids), "tokens")
    loss = weighted_loss(model, given, weight_M, training.compute)
    loss.backward()
    found = {
        name.split("base_model.model.")[-1]: p.grad
        for name, p in trainable(model).items()
        if p.grad is not None
    }
    return {"loss": loss.detach(), **found}


def worst(found: dict[str, Tensor], expected: dict[str, Tensor]) -> float:
    """Largest relative difference in norm."""
    assert found.keys() == expected.keys()
    return max(
        float((found[name] - expected[name]).norm() / expected[name].norm()) for name in expected
    )


@pytest.mark.parametrize("folder", ["tiny_llama", "tiny_qwen2"])
@pytest.mark.parametrize("dequantise", ["each_time", "once"])
def test_loss_and_gradients_are_those_of_pefts_layers(
    folder: str, dequantise: str, request: pytest.FixtureRequest
) -> None:
    path: Path = request.getfixturevalue(folder)
    training = protocol(dequantise=dequantise)
    mine, theirs = ours(path, training), pefts(path, training)
    given = batch(path, training)
    assert any(isinstance(module, FusedLinear4bit) for module in mine.modules())
    assert not any(isinstance(module, FusedLinear4bit) for module in theirs.modules())
    expected = loss_and_gradients(theirs, given, training)
    assert len(expected) > 14
    assert worst(loss_and_gradients(mine, given, training), expected) < 1e-5
    with torch.no_grad():
        next(iter(trainable(mine).values())).mul_(1.01)
    assert worst(loss_and_gradients(mine, given, training), expected) > 1e-3, "a positive control"


def test_in_bfloat16_gradients_are_as_near_to_float32_as_pefts(tiny_llama: Path) -> None:
    full, half = protocol(), protocol(compute="bfloat16")
    given = batch(tiny_llama, full)
    exact = loss_and_gradients(pefts(tiny_llama, full), given, full)
    theirs = worst(loss_and_gradients(pefts(tiny_llama, half), given, half), exact)
    mine = worst(loss_and_gradients(ours(tiny_llama, half), given, half), exact)
    assert 0 < mine < 1.5 * theirs


@pytest.mark.parametrize("compute", ["float32", "bfloat16"])
def test_kept_weights_give_the_bits_of_those_brought_back_each_time(
    tiny_llama: Path, compute: str
) -> None:
    each, once = (
        protocol(dequantise=way, compute=compute, lora=Lora(rank=8, alpha=16, dropout=0.2))
        for way in ("each_time", "once")
    )
    given = batch(tiny_llama, each)
    models = ours(tiny_llama, each), ours(tiny_llama, once)
    expected, found = (loss_and_gradients(model, given, each) for model in models)
    again = loss_and_gradients(models[1], given, once)
    assert all(torch.equal(expected[name], value) for name, value in found.items())
    assert all(torch.equal(expected[name], value) for name, value in again.items())
    kept_weights = [
        sum(m._kept is not None for m in model.modules() if isinstance(m, FusedLinear4bit))
        for model in models
    ]
    assert kept_weights[0] == 0
    assert kept_weights[1] == sum(
        isinstance(module, FusedLinear4bit) for module in models[1].modules()
    )
    assert models[0].state_dict().keys() == models[1].state_dict().keys(), (
        "a kept weight is no part of the state"
    )


def test_weights_come_back_as_bitsandbytes_brings_them(tiny_llama: Path) -> None:
    """The product of bitsandbytes' own layer with the unit matrix shows its weight."""
    model = ours(tiny_llama, protocol(compute="bfloat16"))
    layer = next(module for module in model.modules() if isinstance(module, FusedLinear4bit))
    base = layer.get_base_layer()
    assert isinstance(base, Linear4bit)
    assert isinstance(base.weight, Params4bit)
    shown_KN = base(torch.eye(base.in_features, dtype=torch.bfloat16))
    assert torch.equal(layer.weight_in(torch.bfloat16), shown_KN.T)


def test_dropout_switches_off_its_rate_of_independent_entries_and_keeps_the_mean() -> None:
    torch.manual_seed(0)
    ones = torch.ones(1000, 1001)
    for rate in (0.05, 0.3):
        first, second = kept(ones, rate), kept(ones, rate)
        spread = (rate * (1 - rate) / ones.numel()) ** 0.5
        assert abs(float(first.float().mean()) - (1 - rate)) < 5 * spread + 1e-5
        assert kept_share(rate) == pytest.approx(1 - rate, abs=2**-16)
        assert abs(float((first & second).float().mean()) - (1 - rate) ** 2) < 10 * spread
        columns = first.float().mean(0)
        assert float((columns - (1 - rate)).abs().max()) < 5.5 * (rate * (1 - rate) / 1000) ** 0.5
        assert dropped(ones, first).sum() == first.sum()


def test_dropout_leaves_the_expected_output_and_is_off_where_it_is_switched_off(
    tiny_llama: Path,
) -> None:
    training = protocol(lora=Lora(rank=8, alpha=16, dropout=0.3))
    model = ours(tiny_llama, training)
    layer = next(module for module in model.modules() if isinstance(module, FusedLinear4bit))
    x = torch.randn(2, 3, width(layer)[0])
    with torch.no_grad():
        with without_dropout(model):
            exact = layer(x)
            assert torch.equal(layer(x), exact)
        torch.manual_seed(3)
        draws = torch.stack([layer(x) for _ in range(2000)])
    assert not torch.equal(draws[0], draws[1])
    noise = draws.std(dim=0) / len(draws) ** 0.5
    assert float(((draws.mean(dim=0) - exact).abs() / noise).max()) < 5


def test_gradients_with_dropout_are_those_of_numerical_differences(tiny_llama: Path) -> None:
    training = protocol(lora=Lora(rank=2, alpha=4, dropout=0.3))
    model = ours(tiny_llama, training)
    layer = next(module for module in model.modules() if isinstance(module, FusedLinear4bit))
    x = torch.randn(3, width(layer)[0], requires_grad=True)
    direction = torch.randn_like(x)
    against = torch.randn(3, width(layer)[1])

    def value(point: Tensor) -> Tensor:
        torch.manual_seed(11)
        product: Tensor = (layer(point) * against).sum()
        return product

    value(x).backward()
    assert x.grad is not None
    step = 1e-2
    with torch.no_grad():
        difference = (value(x + step * direction) - value(x - step * direction)) / (2 * step)
    assert float((x.grad * direction).sum()) == pytest.approx(float(difference), rel=1e-3)


def test_a_cast_is_shared_by_the_same_input_alone() -> None:
    share = SharedCast()
    x = torch.randn(4, 5)
    first = share(x, torch.bfloat16)
    assert share(x, torch.bfloat16) is first
    assert share(x, torch.float32) is not first
    x.mul_(2)
    assert torch.equal(share(x, torch.bfloat16), x.bfloat16()), "changed in place"
    assert torch.equal(share(x + 1, torch.bfloat16), (x + 1).bfloat16()), "another input"


def test_a_bias_keeps_its_bits(tiny_qwen2: Path) -> None:
    """bitsandbytes' own layer rounds it for good at its first product in bfloat16."""
    training = protocol(compute="bfloat16")
    model = ours(tiny_qwen2, training)
    biases: list[Any] = [
        m.get_base_layer().bias for m in model.modules() if isinstance(m, FusedLinear4bit)
    ]
    biased = [bias for bias in biases if bias is not None]
    assert biased
    with torch.no_grad():
        for bias in biased:
            bias.fill_(0.1)
    loss_and_gradients(model, batch(tiny_qwen2, training), training)
    assert all(bias.dtype == torch.float32 and bool((bias == 0.1).all()) for bias in biased)
