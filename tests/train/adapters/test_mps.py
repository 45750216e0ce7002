"""MPS adapters on a real tiny model: counts, cores, start, merging, entropies. What all kinds share
is in test_keep and test_place.
"""

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as some
from peft import PeftModel
from safetensors.torch import load_file
from torch import Tensor
from transformers import PreTrainedModel

from repro.geometry.cores import cores_profile
from repro.geometry.entropy import product_profile, profile
from repro.geometry.undefined import Undefined
from repro.manifest.adapters import Mps
from repro.manifest.load import load_models
from repro.manifest.training import Training
from repro.measure.entropy import of_update
from repro.measure.updates import read_updates
from repro.train.adapters.keep import save_adapter
from repro.train.adapters.mps import Cores, cores_of
from repro.train.loop import Trainer
from repro.train.model import trainable
from tests.train.adapters.tiny import BASE, adapted, disturbed, outputs, updates

SEQUENCES = [[[*range(s, s + 20)], [*range(s + 3, s + 33)]] for s in range(5, 17)]


@pytest.mark.parametrize("quantisation", ["none", "nf4"])
def test_what_is_counted_is_what_is_trained(tiny_llama: Path, quantisation: str) -> None:
    model = adapted(tiny_llama, "mps", quantisation)
    expected = Mps(rank=4, bond=3).parameters(load_models()["tiny-llama"].architecture)
    assert sum(value.numel() for value in trainable(model).values()) == expected
    assert len(cores_of(model)) == 14
    assert {value.dtype for value in trainable(model).values()} == {torch.float32}


def test_the_start_is_an_update_of_zero_with_an_a_as_wide_as_loras(tiny_llama: Path) -> None:
    model = adapted(tiny_llama, "mps")
    assert all(not update.any() for update in updates(model).values())
    spreads = []
    for name in cores_of(model):
        A = model.get_submodule(name).weight
        assert isinstance(A, Tensor)
        spreads.append(float(A.detach().var()) * 3 * A.shape[1])
    assert np.mean(spreads) == pytest.approx(1, abs=0.25)


def test_training_over_four_bits_moves_every_core_and_lowers_the_loss(tiny_llama: Path) -> None:
    model = adapted(tiny_llama, "mps", "nf4", compute="bfloat16")
    start = {name: value.detach().clone() for name, value in trainable(model).items()}
    training = Training(adapter=Mps(rank=4, bond=3), accumulation=2).model_copy(
        update={"optimizer": Training().optimizer.model_copy(update={"learning_rate": 1e-2})}
    )
    steps = list(Trainer(model, training, 12, 0).run(SEQUENCES[:1] * 12))
    assert all(step.finite for step in steps)
    assert steps[-1].loss < steps[0].loss - 0.1
    assert all(not torch.equal(start[name], value) for name, value in trainable(model).items())


def test_merged_it_is_the_same_model(tiny_llama: Path) -> None:
    model = disturbed(adapted(tiny_llama, "mps"))
    assert isinstance(model, PeftModel)
    expected = outputs(model)
    found = updates(model)
    weights = {
        name: model.get_submodule(f"{name}.base_layer").weight.detach().clone() for name in found
    }  # type: ignore[union-attr, operator]  # a linear module's weight
    merged = model.merge_and_unload()  # type: ignore[operator]  # peft's method
    assert isinstance(merged, PreTrainedModel)
    assert torch.allclose(outputs(merged), expected, atol=1e-5)
    for name, update in found.items():
        plain = merged.get_submodule(name.removeprefix("base_model.model.")).weight
        assert isinstance(plain, Tensor)
        assert torch.equal(plain, weights[name] + update)
    assert not any(
        "lora" in name or "parametrizations" in name for name, _ in merged.named_parameters()
    )


def test_entropies_out_of_the_saved_cores_are_those_of_the_update(
    tiny_llama: Path, tmp_path: Path
) -> None:
    """Cores, the LoRA that is saved beside them, and the dense update: three ways to one profile
    (64 = 8 · 8 inputs).
    """
    model = disturbed(adapted(tiny_llama, "mps"))
    save_adapter(model, tmp_path, BASE)
    saved = load_file(tmp_path / "cores.safetensors")
    dense = updates(model)
    named = {update.layer: update for update in read_updates(tmp_path, "q_proj")}
    for layer, update in named.items():
        start = f"base_model.model.{layer}"
        first, second = (
            saved[f"{start}.lora_A.default.parametrizations.weight.original{n}"].double().numpy()
            for n in (0, 1)
        )
        B = saved[f"{start}.lora_B.default.weight"].double().numpy()
        found = cores_profile(B, first, second)
        assert found == pytest.approx(product_profile(update.B, update.A), abs=1e-6)
        assert found == pytest.approx(profile(dense[start].double().numpy()), abs=1e-6)
        measured = of_update(update)
        assert not isinstance(measured, Undefined)
        assert measured.entropy == pytest.approx(found, abs=1e-6)
    assert len(named) == 2


@settings(deadline=None)
@given(
    some.integers(1, 5),
    some.sampled_from([6, 16, 24, 30]),
    some.integers(1, 8),
    some.integers(0, 99),
)
def test_cores_of_a_given_a_are_exact_where_the_bond_suffices_and_nearest_elsewhere(
    rank: int, inputs: int, bond: int, seed: int
) -> None:
    A = torch.randn(
        rank, inputs, dtype=torch.float64, generator=torch.Generator().manual_seed(seed)
    )
    cores = Cores(inputs, bond)
    first, second = cores.right_inverse(A)
    assert (first.shape, second.shape) == ((rank, cores.sites[0], bond), (bond, cores.sites[1]))
    missed = torch.linalg.norm(cores(first, second) - A)
    spectrum = torch.linalg.svdvals(A.unflatten(1, cores.sites).flatten(0, 1))
    assert float(missed) == pytest.approx(float(torch.linalg.norm(spectrum[bond:])), abs=1e-12)
