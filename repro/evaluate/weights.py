"""Dequantise 4-bit weights once before a generation, instead of at every token."""

from typing import Any

import torch
from bitsandbytes.functional import dequantize_4bit
from bitsandbytes.nn import Linear4bit  # type: ignore[attr-defined]  # re-exported without saying so
from torch import nn


def bring_back(model: nn.Module) -> None:
    """Replace each 4-bit layer by one with the same weights in float32: the same products, in
    eight times the memory.
    """
    for parent in list(model.modules()):
        for name, layer in parent.named_children():
            if isinstance(layer, Linear4bit):
                setattr(parent, name, _in_float32(layer))


def _in_float32(layer: Any) -> nn.Linear:
    """Return a layer's weights as a plain float32 layer."""
    weight_NK = dequantize_4bit(layer.weight.data, layer.weight.quant_state).float()
    plain = nn.Linear(
        layer.in_features, layer.out_features, bias=layer.bias is not None, device="meta"
    )
    plain.weight = nn.Parameter(weight_NK, requires_grad=False)
    if layer.bias is not None:
        plain.bias = nn.Parameter(layer.bias.data.to(torch.float32), requires_grad=False)
    return plain
