"""The trained adapter as a folder that peft can load: safetensors and a configuration, the same bits for the same weights."""

import json
from pathlib import Path

from peft import PeftModel, get_peft_model_state_dict
from safetensors.torch import save
from torch import nn

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
