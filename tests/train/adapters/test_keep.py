"""What was trained is kept so that its library loads it, and so that training goes on from it."""

import json
from pathlib import Path

import pytest
import torch
from peft import PeftModel
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM

from repro.errors import EvidenceError
from repro.files import file_digest
from repro.manifest.load import load_models
from repro.train.adapters.block_diagonal import blocks_of
from repro.train.adapters.keep import load_adapter, save_adapter
from repro.train.model import load_base, trainable
from tests.train.adapters.tiny import (
    ADAPTERS,
    BASE,
    KINDS,
    adapted,
    disturbed,
    layers,
    outputs,
    protocol,
)


@pytest.mark.parametrize("kind", KINDS)
def test_what_was_saved_loads_to_the_same_bits(tiny_llama: Path, tmp_path: Path, kind: str) -> None:
    model = disturbed(adapted(tiny_llama, kind))
    save_adapter(model, tmp_path / "adapter", BASE)
    again = adapted(tiny_llama, kind, seed=1)
    with torch.no_grad():
        for blocks in blocks_of(again).values():
            blocks.directions.zero_()  # so that those loaded must be those saved
    load_adapter(again, tmp_path / "adapter")
    assert torch.equal(outputs(again), outputs(model))
    given, found = trainable(model), trainable(again)
    assert given.keys() == found.keys()
    assert all(torch.equal(given[name], found[name]) for name in given)
    save_adapter(again, tmp_path / "again", BASE)
    names = sorted(path.name for path in (tmp_path / "adapter").iterdir())
    assert [file_digest(tmp_path / "again" / name) for name in names] == [
        file_digest(tmp_path / "adapter" / name) for name in names
    ]


@pytest.mark.parametrize("kind", ADAPTERS)
def test_anyone_can_load_the_adapter_with_peft_alone(
    tiny_llama: Path, tmp_path: Path, kind: str
) -> None:
    model = disturbed(adapted(tiny_llama, kind))
    save_adapter(model, tmp_path, BASE)
    plain = PeftModel.from_pretrained(load_base(tiny_llama, protocol(kind)), str(tmp_path))
    assert torch.equal(outputs(plain), outputs(model))
    assert all(type(layer).__module__.startswith("peft.") for layer in layers(plain).values())


def test_anyone_can_load_a_fully_tuned_model_with_transformers_alone(
    tiny_llama: Path, tmp_path: Path
) -> None:
    model = disturbed(adapted(tiny_llama, "full"))
    save_adapter(model, tmp_path, BASE)
    plain = AutoModelForCausalLM.from_pretrained(str(tmp_path), local_files_only=True)
    assert torch.equal(outputs(plain), outputs(model))
    assert {value.dtype for value in load_file(tmp_path / "model.safetensors").values()} == {
        torch.float32
    }
    assert "_name_or_path" not in json.loads((tmp_path / "config.json").read_text())


OTHERS = [
    ("lora", "aligned"),
    ("aligned", "isolated"),
    ("lora", "full"),
    ("full", "lora"),
    ("lora", "mps"),
    ("mps", "full"),
]


@pytest.mark.parametrize(("saved", "loaded"), OTHERS)
def test_another_kind_of_adapter_is_refused_in_one_line(
    tiny_llama: Path, tmp_path: Path, saved: str, loaded: str
) -> None:
    save_adapter(adapted(tiny_llama, saved), tmp_path, BASE)
    with pytest.raises(
        EvidenceError, match=r"cannot be read|do not fit this model's adapter"
    ) as caught:
        load_adapter(adapted(tiny_llama, loaded), tmp_path)
    assert "\n" not in str(caught.value)


def test_an_adapter_names_the_model_it_belongs_to(tiny_llama: Path, tmp_path: Path) -> None:
    """Repository and revision for a hub model; below the cache otherwise, spelt so that nobody's
    repository is meant.
    """
    save_adapter(adapted(tiny_llama, "lora"), tmp_path / "hub", load_models()["qwen2.5-coder-7b"])
    named = json.loads((tmp_path / "hub" / "adapter_config.json").read_text())
    assert named["base_model_name_or_path"] == "Qwen/Qwen2.5-Coder-7B"
    assert named["revision"] == load_models()["qwen2.5-coder-7b"].weights.model_dump()["revision"]
    save_adapter(adapted(tiny_llama, "lora"), tmp_path / "here", BASE)
    named = json.loads((tmp_path / "here" / "adapter_config.json").read_text())
    assert named["base_model_name_or_path"] == f"./models/{tiny_llama.name}"
    assert named["revision"] is None


def test_a_stock_loader_finds_the_model_from_the_cache(
    tiny_llama: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Anywhere else it says that there is no such folder, and asks nobody."""
    from peft import AutoPeftModelForCausalLM

    model = disturbed(adapted(tiny_llama, "lora"))
    save_adapter(model, tmp_path / "adapter", BASE)
    monkeypatch.chdir(tiny_llama.parents[1])
    whole = AutoPeftModelForCausalLM.from_pretrained(
        str(tmp_path / "adapter"), local_files_only=True
    )
    assert {name for name, _ in whole.named_parameters() if "lora_" in name}
    monkeypatch.chdir(tmp_path)
    with pytest.raises((OSError, ValueError), match=r"\./models/tiny-llama"):
        AutoPeftModelForCausalLM.from_pretrained(str(tmp_path / "adapter"))
