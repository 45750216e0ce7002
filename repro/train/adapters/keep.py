"""What was trained as a folder of safetensors that its library can load; the same bits for the same weights.

LoRA            adapter_model.safetensors, adapter_config.json: what peft loads.
block-diagonal  the same, as the plain LoRA it equals, and blocks.safetensors: all that was trained, and the directions.
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
from transformers import PreTrainedModel

from repro.errors import EvidenceError
from repro.files import write_bytes
from repro.manifest.model import Model
from repro.train.adapters.block_diagonal import blocks_of
from repro.train.model import trainable

Tensors = dict[str, Tensor]


def save_adapter(model: nn.Module, folder: Path, base: Model) -> None:
    """Write what was trained; `base`: the model it was trained on, which an adapter's settings name for loaders."""
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
        kept = {key: value for key, value in content.items() if key not in ("_name_or_path", "use_cache")}
        _write_json(folder / "config.json", kept)


def load_adapter(model: nn.Module, folder: Path) -> None:
    """Give the model what was saved, bit for bit. Raises EvidenceError when it does not fit the model exactly."""
    name, tensors = _whole(model)
    found = _read(folder / name)
    differing = sorted(key for key in {*found, *tensors} if _shape(found, key) != _shape(tensors, key))
    if differing:
        raise EvidenceError(
            f"{folder / name}: {len(differing)} tensors do not fit this model's adapter, the first is {differing[0]}; "
            "give both conditions the same adapter"
        )
    with torch.no_grad():
        for key, tensor in tensors.items():
            tensor.copy_(found[key])
        for blocks in blocks_of(model).values():
            for key, directions in blocks.named_directions().items():
                directions.copy_(found[key])


def as_lora(model: PeftModel) -> Tensors:
    """A and B of every layer under peft's names; where B is computed from blocks, what it is now."""
    state = {name: value for name, value in model.state_dict().items() if ".parametrizations." not in name}
    computed = {f"{name}.weight": model.get_submodule(name).weight for name in blocks_of(model)}
    tensors: Tensors = get_peft_model_state_dict(model, state_dict={**state, **computed})
    return tensors


def _whole(model: nn.Module) -> tuple[str, Tensors]:
    """The file that has all there is to know of what was trained, and its tensors as they lie in the model."""
    if not isinstance(model, PeftModel):
        return "model.safetensors", dict(trainable(model))
    for blocks in blocks_of(model).values():
        return "blocks.safetensors", {**trainable(model), **blocks.named_directions()}
    return "adapter_model.safetensors", get_peft_model_state_dict(model)


def _read(path: Path) -> Tensors:
    try:
        return load(path.read_bytes())
    except (OSError, SafetensorError) as error:
        raise EvidenceError(f"{path}: cannot be read ({error}); run what it comes from again") from error


def _shape(tensors: Mapping[str, Tensor], name: str) -> torch.Size | None:
    return tensors[name].shape if name in tensors else None


def _write(path: Path, tensors: Mapping[str, Tensor]) -> None:
    write_bytes(path, save({name: value.detach().cpu().contiguous() for name, value in sorted(tensors.items())}))


def _write_json(path: Path, content: Mapping[str, Any]) -> None:
    write_bytes(path, (json.dumps(content, indent=2, sort_keys=True, default=str) + "\n").encode())
