"""The trained adapter as a folder that peft can load: safetensors and a configuration, the same bits for the same weights."""

import json
from pathlib import Path

from peft import PeftModel, get_peft_model_state_dict, set_peft_model_state_dict
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import nn

from repro.errors import EvidenceError
from repro.files import write_bytes


def save_adapter(model: nn.Module, folder: Path) -> None:
    """Write adapter_model.safetensors and adapter_config.json."""
    assert isinstance(model, PeftModel)
    tensors = {name: value.detach().cpu().contiguous() for name, value in get_peft_model_state_dict(model).items()}
    write_bytes(folder / "adapter_model.safetensors", save(dict(sorted(tensors.items()))))
    configuration = model.peft_config["default"].to_dict()
    content = {key: sorted(value) if isinstance(value, set) else value for key, value in configuration.items()}
    content["base_model_name_or_path"] = None  # a path of this machine says nothing elsewhere
    write_bytes(
        folder / "adapter_config.json", (json.dumps(content, indent=2, sort_keys=True, default=str) + "\n").encode()
    )


def load_adapter(model: nn.Module, folder: Path) -> None:
    """Give the model a saved adapter's weights, bit for bit. Raises EvidenceError when they do not fit it exactly."""
    assert isinstance(model, PeftModel)
    path = folder / "adapter_model.safetensors"
    try:
        tensors = load(path.read_bytes())
    except (OSError, SafetensorError) as error:
        raise EvidenceError(f"{path}: cannot be read ({error}); run what it comes from again") from error
    expected = {name: value.shape for name, value in get_peft_model_state_dict(model).items()}
    found = {name: value.shape for name, value in tensors.items()}
    if found != expected:
        differing = sorted(name for name in {*found, *expected} if found.get(name) != expected.get(name))
        raise EvidenceError(
            f"{path}: {len(differing)} tensors do not fit this model's adapter, the first is {differing[0]}; "
            "give both conditions the same adapter"
        )
    set_peft_model_state_dict(model, tensors)
