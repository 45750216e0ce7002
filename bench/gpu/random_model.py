"""An architecture of any size with random NF4 weights, drawn on the device: nothing is downloaded.

The same seed gives the same weights, on one device.
"""

from typing import Any

import torch
from bitsandbytes.nn import (  # type: ignore[attr-defined]  # re-exported without saying so
    Linear4bit,
    Params4bit,
)
from torch import Tensor, nn
from transformers import AutoModelForCausalLM, BitsAndBytesConfig, PreTrainedModel
from transformers.integrations.bitsandbytes import replace_with_bnb_linear
from transformers.quantizers.auto import AutoHfQuantizer

from repro.manifest.model import Architecture
from repro.manifest.training import Training
from repro.train.model import DTYPES
from repro.train.weights import MODEL_FAMILIES, configuration


def random_model(shape: Architecture, training: Training, device: str) -> PreTrainedModel:
    """Return the model, frozen, in training mode, as `repro.train.model.load_base` returns it."""
    kind, _ = MODEL_FAMILIES[shape.family]
    config: Any = kind(
        **{**configuration(shape), "max_position_embeddings": 32_768}, use_cache=False
    )
    config._attn_implementation = "sdpa"
    with torch.device("meta"):
        model: Any = AutoModelForCausalLM.from_config(config, dtype=torch.float32)
    quantisation = BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=training.quantisation.double,
        bnb_4bit_compute_dtype=DTYPES[training.compute],
    )
    model = replace_with_bnb_linear(
        model, modules_to_not_convert=["lm_head"], quantization_config=quantisation
    )
    generator = torch.Generator(device=device).manual_seed(0)
    for module in model.modules():
        _fill(module, generator)
    model.model.rotary_emb = type(model.model.rotary_emb)(config).to(device)
    if shape.tied:
        model.tie_weights()
    # What a loader would have noted: Trainer asks for it.
    model.is_loaded_in_4bit = model.is_quantized = True
    model.hf_device_map = {"": 0 if device == "cuda" else device}
    model.hf_quantizer = AutoHfQuantizer.from_config(quantisation)
    config.quantization_config = quantisation
    unfilled = [name for name, value in model.named_parameters() if value.is_meta]
    if unfilled:
        raise RuntimeError(f"{len(unfilled)} weights were not drawn, the first is {unfilled[0]}")
    frozen: PreTrainedModel = model.requires_grad_(False).train()
    return frozen


def _fill(module: nn.Module, generator: torch.Generator) -> None:
    """Draw a module's own weights: 4-bit ones, norms of one, biases of zero, the rest Gaussian."""
    device = generator.device
    if isinstance(module, Linear4bit):
        given: Any = module.weight
        size = module.out_features, module.in_features
        stored: Any = Params4bit(
            _gaussian(size, generator),
            requires_grad=False,
            quant_type="nf4",
            compress_statistics=given.compress_statistics,
            module=module,
        )
        stored = stored.to(device)
        module.weight = stored
        module.quant_state = stored.quant_state
        if module.bias is not None:
            module.bias = _frozen(torch.zeros(module.out_features, device=device))
        return
    for name, weight in list(module._parameters.items()):
        if weight is not None and weight.is_meta:
            norm = "norm" in type(module).__name__.lower()
            made = (
                torch.ones(weight.shape, device=device)
                if norm
                else _gaussian(tuple(weight.shape), generator)
            )
            setattr(module, name, _frozen(made))


def _gaussian(size: tuple[int, ...], generator: torch.Generator) -> Tensor:
    """Draw a matrix on the generator's device, which keeps the size of what it multiplies."""
    drawn = torch.randn(size, generator=generator, device=generator.device)
    return drawn.mul_(size[-1] ** -0.5)


def _frozen(value: Tensor) -> nn.Parameter:
    """Return a parameter that is not trained."""
    return nn.Parameter(value, requires_grad=False)
