"""What was trained as a folder of safetensors that its library can load; equal weights, equal bits.

LoRA            adapter_model.safetensors, adapter_config.json: what peft loads.
block-diagonal  the same, as the plain LoRA it equals, and blocks.safetensors: all that was
                trained, and the directions.
MPS             the same, as the plain LoRA it equals, and cores.safetensors: all that was
                trained.
full            model.safetensors, config.json: what transformers loads.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from peft import PeftModel, get_peft_model_state_dict
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor, nn
from torch.nn.utils.parametrize import is_parametrized
from transformers import PreTrainedModel

from repro.errors import EvidenceError
from repro.files import write_bytes
from repro.manifest.model import Model
from repro.train.adapters.block_diagonal import blocks_of
from repro.train.adapters.mps import cores_of
from repro.train.model import trainable

Tensors = dict[str, Tensor]


def save_adapter(model: nn.Module, folder: Path, base: Model) -> None:
    """Write what was trained.

    `base` is the model it was trained on, which an adapter's settings name for loaders.
    """
    name, tensors = _whole(model)
    _write(folder / name, tensors)
    if isinstance(model, PeftModel):
        _write(folder / "adapter_model.safetensors", as_lora(model))
        content = model.peft_config["default"].to_dict()
        content["target_modules"] = sorted(content["target_modules"])
        content["base_model_name_or_path"], content["revision"] = base.origin
        _write_json(folder / "adapter_config.json", content)
    elif isinstance(model, PreTrainedModel):
        content = json.loads(model.config.to_json_string())
        kept = {
            key: value
            for key, value in content.items()
            if key not in ("_name_or_path", "use_cache")
        }
        _write_json(folder / "config.json", kept)


def load_adapter(model: nn.Module, folder: Path) -> None:
    """Give the model what was saved, bit for bit.

    Raises EvidenceError when it does not fit the model exactly.
    """
    name, tensors = _whole(model)
    found = _read(folder / name)
    differing = sorted(
        key for key in {*found, *tensors} if _shape(found, key) != _shape(tensors, key)
    )
    if differing:
        raise EvidenceError(
            f"{folder / name}: {len(differing)} tensors do not fit this model's adapter, the "
            f"first is {differing[0]}; "
            "give both conditions the same adapter"
        )
    with torch.no_grad():
        for key, tensor in tensors.items():
            tensor.copy_(found[key])
        for blocks in blocks_of(model).values():
            for key, directions in blocks.named_directions().items():
                directions.copy_(found[key])


def as_lora(model: PeftModel) -> Tensors:
    """Return A and B of every layer under peft's names.

    Where one is computed from what is trained, it is returned as it is now.
    """
    state = {
        name: value
        for name, value in model.state_dict().items()
        if ".parametrizations." not in name
    }
    computed = {
        f"{name}.weight": module.weight
        for name, module in model.named_modules()
        if is_parametrized(module)
    }
    tensors: Tensors = get_peft_model_state_dict(model, state_dict={**state, **computed})
    return tensors


def _whole(model: nn.Module) -> tuple[str, Tensors]:
    """Return the file that holds all that was trained, and its tensors as they lie in the model."""
    if not isinstance(model, PeftModel):
        return "model.safetensors", dict(trainable(model))
    for blocks in blocks_of(model).values():
        return "blocks.safetensors", {**trainable(model), **blocks.named_directions()}
    if cores_of(model):
        return "cores.safetensors", dict(trainable(model))
    return "adapter_model.safetensors", get_peft_model_state_dict(model)


def _read(path: Path) -> Tensors:
    try:
        return load(path.read_bytes())
    except (OSError, SafetensorError) as error:
        raise EvidenceError(
            f"{path}: cannot be read ({error}); run what it comes from again"
        ) from error


def _shape(tensors: Mapping[str, Tensor], name: str) -> torch.Size | None:
    return tensors[name].shape if name in tensors else None


def _write(path: Path, tensors: Mapping[str, Tensor]) -> None:
    write_bytes(
        path,
        save({name: value.detach().cpu().contiguous() for name, value in sorted(tensors.items())}),
    )


def _write_json(path: Path, content: Mapping[str, Any]) -> None:
    write_bytes(path, (json.dumps(content, indent=2, sort_keys=True, default=str) + "\n").encode())
