"""A trained model as one without an adapter: every update added to the weight it belongs to."""

import torch
from bitsandbytes.nn import Linear4bit  # type: ignore[attr-defined]  # re-exported without saying so
from peft import PeftModel
from peft.tuners.lora import LoraLayer
from peft.utils.integrations import dequantize_module_weight
from torch import Tensor, nn


@torch.no_grad()
def merged(model: nn.Module) -> nn.Module:
    """The base model with the updates in its weights, in float32; the model given is used up.

    peft's own `merge_and_unload` does this for float weights. 4-bit weights it would round to 4 bits again after adding,
    so those are brought back to float32 first.
    """
    if not isinstance(model, PeftModel):
        return model
    updates = {
        name.removeprefix("base_model.model."): module.get_delta_weight("default")  # type: ignore[attr-defined]  # layers over linear modules have it
        for name, module in model.named_modules()
        if isinstance(module, LoraLayer)
    }
    base: nn.Module = model.unload()
    for name, module in list(base.named_modules()):
        if isinstance(module, Linear4bit):
            base.set_submodule(name, _in_float(module))
    for name, update in updates.items():
        base.get_submodule(name).weight += update
    return base


def _in_float(module: Linear4bit) -> nn.Linear:
    weight: Tensor = dequantize_module_weight(module).float()
    linear = nn.Linear(module.in_features, module.out_features, bias=module.bias is not None, device=weight.device)
    linear.weight.copy_(weight)
    if module.bias is not None:
        linear.bias.copy_(module.bias)
    return linear.requires_grad_(False)
