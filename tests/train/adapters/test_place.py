"""What a protocol trains is put on a base model, starts as it, and is counted."""

from pathlib import Path

import pytest
import torch

from repro.files import file_digest
from repro.train.adapters.block_diagonal import blocks_of
from repro.train.loop import Trainer
from repro.train.model import load_base, trainable
from tests.train.adapters.tiny import KINDS, adapted, disturbed, outputs, protocol


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
