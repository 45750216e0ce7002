"""Every kind of adapter on a real tiny model: what it starts as, what is kept of it, what merging
gives.
"""

import json
from pathlib import Path

import pytest
import torch
from peft import PeftModel
from peft.tuners.lora import LoraLayer
from safetensors.torch import load_file
from torch import Tensor, nn
from transformers import AutoModelForCausalLM, LlamaConfig, LlamaForCausalLM

from repro.errors import EvidenceError
from repro.files import file_digest
from repro.manifest.adapters import BlockDiagonal, Full, Lora, Mps
from repro.manifest.load import load_models
from repro.manifest.training import Quantisation, Training
from repro.train.adapters.block_diagonal import Group, blocks_of
from repro.train.adapters.keep import as_lora, load_adapter, save_adapter
from repro.train.adapters.place import adapt
from repro.train.loop import Trainer
from repro.train.model import load_base, trainable, without_dropout

WIDTH = 64
KINDS = ("lora", "full", "aligned", "isolated", "mps")
ADAPTERS = ("lora", "aligned", "isolated", "mps")

BASE = load_models()["tiny-llama"]


def groups(grouping: str) -> tuple[Group, ...]:
    """Three concepts with two, three and three orthonormal directions; aligned joins the first two."""
    basis = torch.linalg.qr(torch.randn(WIDTH, 8, generator=torch.Generator().manual_seed(5))).Q
    if grouping == "aligned":
        return Group(("domain", "register"), basis[:, :5]), Group(("shape",), basis[:, 5:])
    return (
        Group(("domain",), basis[:, :2]),
        Group(("register",), basis[:, 2:5]),
        Group(("shape",), basis[:, 5:]),
    )


def protocol(
    kind: str, quantisation: str = "none", rank: int = 2, compute: str = "float32"
) -> Training:
    """Dropout on, so that a comparison that forgets to switch it off fails."""
    training = Training(
        quantisation=Quantisation(format=quantisation),
        lora=Lora(rank=4, alpha=8, dropout=0.2),
        compute=compute,
        gradient_checkpointing=False,
    )
    if kind == "lora":
        return training
    if kind == "mps":
        return training.model_copy(update={"adapter": Mps(rank=4, bond=3, alpha=8, dropout=0.2)})
    other = (
        Full()
        if kind == "full"
        else BlockDiagonal(grouping=kind, rank=rank, alpha=2 * rank, dropout=0.2)
    )
    return training.model_copy(update={"adapter": other})


def adapted(
    folder: Path,
    kind: str,
    quantisation: str = "none",
    seed: int = 0,
    rank: int = 2,
    compute: str = "float32",
) -> nn.Module:
    """A model that is ready to be trained."""
    training = protocol(kind, quantisation, rank, compute)
    chosen = groups(kind) if kind in ("aligned", "isolated") else ()
    return adapt(load_base(folder, training), training, seed, chosen)


def disturbed(model: nn.Module, seed: int = 3) -> nn.Module:
    """The model with every trained matrix moved: B starts at zero."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in trainable(model).values():
            parameter.add_(0.05 * torch.randn(parameter.shape, generator=generator))
    return model


def outputs(model: nn.Module) -> Tensor:
    """Logits of two sequences, without dropout."""
    ids = torch.arange(40).reshape(2, 20) * 7 % 1000
    with torch.no_grad(), without_dropout(model):
        logits: Tensor = model(input_ids=ids, attention_mask=torch.ones_like(ids)).logits
    return logits


def layers(model: nn.Module) -> dict[str, LoraLayer]:
    """peft's LoRA layers by name."""
    return {name: module for name, module in model.named_modules() if isinstance(module, LoraLayer)}


def updates(model: nn.Module) -> dict[str, Tensor]:
    """ΔW of each adapted module, as peft computes it."""
    found = layers(model).items()
    return {name: layer.get_delta_weight("default").detach() for name, layer in found}  # type: ignore[attr-defined]  # layers over linear modules have it


@pytest.mark.parametrize("kind", KINDS)
def test_it_starts_as_the_base_model_and_depends_on_the_seed_alone(
    tiny_llama: Path, kind: str
) -> None:
    base = outputs(load_base(tiny_llama, protocol(kind)))
    model = adapted(tiny_llama, kind)
    assert torch.equal(outputs(model), base)
    assert not torch.equal(outputs(disturbed(model)), base)
    first, again, other = (trainable(adapted(tiny_llama, kind, seed=seed)) for seed in (0, 0, 1))
    assert all(torch.equal(first[name], again[name]) for name in first)
    same = [torch.equal(first[name], other[name]) for name in first]
    assert all(same) if kind == "full" else not all(same)


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


def test_full_fine_tuning_trains_every_weight_and_leaves_the_cached_model_alone(
    tiny_llama: Path,
) -> None:
    before = file_digest(tiny_llama / "model.safetensors")
    model = adapted(tiny_llama, "full")
    whole = sum(value.numel() for value in model.parameters())
    assert sum(value.numel() for value in trainable(model).values()) == whole
    start = {name: value.detach().clone() for name, value in trainable(model).items()}
    training = protocol("full").model_copy(update={"accumulation": 2})
    trainer = Trainer(model, training, 4, 0)
    sequences = [[[*range(5, 25)], [*range(30, 60)]]] * 4
    assert all(step.finite for step in trainer.run(sequences))
    assert all(not torch.equal(start[name], value) for name, value in trainable(model).items())
    assert file_digest(tiny_llama / "model.safetensors") == before


@pytest.mark.parametrize(
    ("kind", "compute", "quantisation"),
    [(kind, "float32", "none") for kind in KINDS]
    + [(kind, "bfloat16", "none" if kind == "full" else "nf4") for kind in KINDS],
)
def test_a_restored_state_takes_the_same_steps_bit_for_bit(
    tiny_llama: Path, kind: str, compute: str, quantisation: str
) -> None:
    sequences = [[[*range(s, s + 20)], [*range(s + 3, s + 33)]] for s in range(5, 11)]
    training = protocol(kind, quantisation, compute=compute).model_copy(update={"accumulation": 2})
    whole = Trainer(adapted(tiny_llama, kind, quantisation, compute=compute), training, 6, 0)
    losses = [step.loss for step in whole.run(sequences)]
    first = Trainer(adapted(tiny_llama, kind, quantisation, compute=compute), training, 6, 0)
    for _ in range(3):
        first.take_step(sequences[first.step])
    state = {name: value.clone() for name, value in first.state().items()}
    second = Trainer(
        adapted(tiny_llama, kind, quantisation, seed=1, compute=compute), training, 6, 0
    )
    with torch.no_grad():
        for blocks in blocks_of(second.model).values():
            blocks.directions.neg_()  # another machine may find them with another sign
    second.restore(state)
    assert [step.loss for step in second.run(sequences)] == losses[3:]
    left, right = whole.state(), second.state()
    assert {value.dtype for name, value in left.items() if name.startswith("adapter/")} == {
        torch.float32
    }
    assert all(torch.equal(left[name], right[name]) for name in left)


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


@pytest.mark.parametrize("quantisation", ["none", "nf4"])
@pytest.mark.parametrize("grouping", ["aligned", "isolated"])
def test_block_diagonal_updates_write_along_the_directions_only(
    tiny_llama: Path, grouping: str, quantisation: str
) -> None:
    model = disturbed(adapted(tiny_llama, grouping, quantisation))
    basis = torch.cat([group.directions for group in groups(grouping)], dim=1)
    found = updates(model)
    assert {name.rsplit(".", 1)[-1] for name in found} == {"o_proj", "down_proj"}
    assert len(found) == 4
    for update in found.values():
        outside = update - basis @ (basis.T @ update)
        assert outside.abs().max() < 1e-5 * update.abs().max()
        assert update.abs().max() > 1e-3
    plain = next(iter(updates(disturbed(adapted(tiny_llama, "lora"))).values()))
    assert (plain - basis @ (basis.T @ plain)).abs().max() > 0.1 * plain.abs().max()


def test_an_adapter_can_be_counted_without_weights() -> None:
    """On the meta device, with groups that only have a size."""
    with torch.device("meta"):
        config = LlamaConfig(
            hidden_size=WIDTH, intermediate_size=96, num_hidden_layers=2, num_attention_heads=4
        )
        chosen = [Group((name,), torch.empty(WIDTH, 3)) for name in ("domain", "register")]
        model = adapt(LlamaForCausalLM(config), protocol("isolated"), 0, chosen)
    shapes = sorted(tuple(value.shape) for value in trainable(model).values())
    assert shapes == sorted(2 * [(4, 64), (4, 96), *4 * [(3, 2)]])


def test_a_group_of_low_rank_couples_its_directions_and_leaves_the_others_alone(
    tiny_llama: Path,
) -> None:
    for grouping in ("aligned", "isolated"):
        update = next(iter(updates(disturbed(adapted(tiny_llama, grouping, rank=1))).values()))
        for group in groups(grouping):
            assert int(torch.linalg.matrix_rank(group.directions.T @ update, rtol=1e-4)) == 1
        assert int(torch.linalg.matrix_rank(update, rtol=1e-4)) == len(groups(grouping))


def test_aligned_and_isolated_differ_below_the_groups_sizes_and_span_the_same_above(
    tiny_llama: Path,
) -> None:
    """At rank 2 the joined five directions share two rows; at rank 5 both reach all eight."""
    ranks = {
        (grouping, rank): int(
            torch.linalg.matrix_rank(
                next(iter(updates(disturbed(adapted(tiny_llama, grouping, rank=rank))).values())),
                rtol=1e-4,
            )
        )
        for grouping in ("aligned", "isolated")
        for rank in (2, 5)
    }
    assert ranks == {("aligned", 2): 4, ("isolated", 2): 6, ("aligned", 5): 8, ("isolated", 5): 8}
    first, second = (
        disturbed(adapted(tiny_llama, grouping)) for grouping in ("aligned", "isolated")
    )
    assert not torch.equal(outputs(first), outputs(second))


def test_the_scale_of_an_update_is_alpha_over_the_rank_asked_for(tiny_llama: Path) -> None:
    model = disturbed(adapted(tiny_llama, "isolated"))
    assert isinstance(model, PeftModel)
    saved = as_lora(model)
    for name, update in updates(model).items():
        A, B = (saved[f"{name}.lora_{part}.weight"] for part in "AB")
        torch.testing.assert_close(update, 2.0 * B @ A, rtol=1e-5, atol=1e-7)


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
