"""The training loop against transformers' Trainer, against itself resumed, and around the
bitsandbytes trap.
"""

import copy
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.utils.data import SequentialSampler
from transformers import Trainer as HFTrainer
from transformers import TrainingArguments, get_cosine_schedule_with_warmup

from repro.diagnose.capture import Reading, capture
from repro.manifest.adapters import Lora
from repro.manifest.load import load_experiment
from repro.manifest.training import Optimizer, Training
from repro.train.adapters.place import adapt
from repro.train.batches import pad, tokenise
from repro.train.loop import Trainer, accumulate, learning_rate
from repro.train.loss import decoder_and_head
from repro.train.model import load_base, load_tokenizer, trainable
from repro.train.texts import python_topics, standard_library

STEPS, PER_STEP = 20, 4


def protocol(**changes: Any) -> Training:
    """The test protocol: real NF4 with double quantisation, all seven projections."""
    given: dict[str, Any] = {
        "lora": Lora(rank=8, alpha=16, dropout=0.0),
        "optimizer": Optimizer(learning_rate=5e-3, warmup=0.1),
        "accumulation": PER_STEP,
        "max_length": 40,
        "gradient_checkpointing": False,
        "compute": "float32",
    }
    return Training(**{**given, **changes})


def model_for(folder: Path, training: Training) -> nn.Module:
    """A freshly loaded model with adapters."""
    torch.use_deterministic_algorithms(True)
    return adapt(load_base(folder, training), training, 0)


def data(folder: Path, training: Training, steps: int = STEPS) -> list[list[list[int]]]:
    """Real text of different lengths, tokenised, in steps."""
    tokenizer = load_tokenizer(folder)
    texts = [
        text[: 40 + 17 * (i % 9)] for i, text in enumerate(standard_library()[: steps * PER_STEP])
    ]
    ids = [tokenise(tokenizer, text, training) for text in texts]
    return [ids[start : start + PER_STEP] for start in range(0, len(ids), PER_STEP)]


class Sequential(HFTrainer):
    """transformers' Trainer, reading the data in the given order."""

    def _get_train_sampler(self, *_: Any) -> SequentialSampler:
        return SequentialSampler(self.train_dataset)  # type: ignore[arg-type]  # a list is sized


def collate(rows: Sequence[list[int]]) -> dict[str, Tensor]:
    """Padding is not predicted, nor is the first token (Trainer counts every label that is not
    −100).
    """
    batch = pad(rows)
    labels = batch.ids.masked_fill(batch.mask == 0, -100)
    labels[:, 0] = -100
    return {"input_ids": batch.ids, "attention_mask": batch.mask, "labels": labels}


@pytest.mark.parametrize("packing", ["padded", "packed"])
def test_losses_equal_those_of_transformers_trainer(
    packing: str, tiny_llama: Path, tmp_path: Path
) -> None:
    training = protocol(packing=packing)
    sequences = data(tiny_llama, training)
    ours = [
        step.loss
        for step in Trainer(model_for(tiny_llama, training), training, STEPS, 0).run(sequences)
    ]
    theirs = Sequential(
        model=model_for(tiny_llama, training),
        args=TrainingArguments(
            output_dir=str(tmp_path), max_steps=STEPS, per_device_train_batch_size=1,
            gradient_accumulation_steps=PER_STEP, learning_rate=5e-3, lr_scheduler_type="cosine", warmup_steps=2,
            max_grad_norm=1.0, optim="adamw_torch", weight_decay=0.0, logging_steps=1, logging_nan_inf_filter=False,
            report_to=[], use_cpu=True, save_strategy="no", disable_tqdm=True, remove_unused_columns=False,
        ),
        train_dataset=[row for step in sequences for row in step],  # type: ignore[arg-type]  # a list is enough
        data_collator=collate,  # type: ignore[arg-type]  # rows are lists of ids
    )  # fmt: skip
    theirs.train()
    logged = [row["loss"] for row in theirs.state.log_history if "loss" in row]
    assert logged == pytest.approx(ours, rel=1e-4)
    assert ours[-1] < ours[0] - 0.01, "a positive control: something was learnt"


@pytest.mark.parametrize("normalisation", ["tokens", "sequences"])
def test_fused_micro_batches_give_the_gradient_of_one_at_a_time(
    tiny_llama: Path, normalisation: str
) -> None:
    one = protocol(loss_normalisation=normalisation)
    fused = protocol(loss_normalisation=normalisation, tokens_per_forward=4096)
    model = model_for(tiny_llama, one)
    sequences = data(tiny_llama, one, 1)[0]
    perturb(model)
    expected = gradients(model, sequences, one)
    found = gradients(model, sequences, fused)
    assert relative(found, expected) < 1e-5
    other = protocol(loss_normalisation="sequences" if normalisation == "tokens" else "tokens")
    assert relative(gradients(model, sequences, other), expected) > 1e-3, (
        "the two normalisations do differ"
    )


def test_checkpointed_gradients_equal_stored_ones(tiny_llama: Path) -> None:
    plain, checkpointed = protocol(), protocol(gradient_checkpointing=True)
    sequences = data(tiny_llama, plain, 1)[0]
    models = [model_for(tiny_llama, plain), model_for(tiny_llama, checkpointed)]
    for model in models:
        perturb(model)
    expected, found = (
        gradients(m, sequences, t) for m, t in zip(models, (plain, checkpointed), strict=True)
    )
    assert relative(found, expected) < 1e-6


def test_a_capture_leaves_every_lora_gradient_as_it_was(tiny_llama: Path) -> None:
    """bitsandbytes' CPU kernel for inference has no gradient; a capture must not switch to it."""
    training = protocol(lora=Lora(rank=8, alpha=16, dropout=0.3), compute="bfloat16")
    model = model_for(tiny_llama, training)
    perturb(model)
    sequences = data(tiny_llama, training, 1)[0]
    before = gradients(model, sequences, training)
    capture(model, load_tokenizer(tiny_llama), python_topics()[:3], [Reading()])
    after = gradients(model, sequences, training)
    assert before.keys() == after.keys()
    assert all(torch.equal(before[name], after[name]) for name in before)
    assert all(float(value.abs().max()) > 0 for value in after.values())


@pytest.mark.parametrize("packing", ["padded", "packed"])
def test_a_restored_run_takes_the_same_steps_bit_for_bit(packing: str, tiny_llama: Path) -> None:
    training = protocol(lora=Lora(rank=8, alpha=16, dropout=0.2), packing=packing)
    sequences = data(tiny_llama, training, 8)
    whole = Trainer(model_for(tiny_llama, training), training, 8, 5)
    losses = [step.loss for step in whole.run(sequences)]
    first = Trainer(model_for(tiny_llama, training), training, 8, 5)
    begun = [first.take_step(sequences[first.step]).loss for _ in range(3)]
    saved = copy.deepcopy(first.state())
    second = Trainer(model_for(tiny_llama, training), training, 8, 5)
    second.restore(saved)
    assert begun + [step.loss for step in second.run(sequences)] == losses
    expected, found = whole.state(), second.state()
    assert expected.keys() == found.keys()
    assert all(torch.equal(expected[name], found[name]) for name in expected)


def test_a_packed_run_of_the_laptops_protocol_differs_by_rounding_alone(tiny_llama: Path) -> None:
    """At dropout 0, from a padded one: no more than padded passes of one sequence do."""
    laptop = load_experiment("laptop").training
    rounded = laptop.model_copy(
        update={"lora": Lora(rank=8, alpha=16, dropout=0.0), "accumulation": PER_STEP}
    )
    sequences = data(tiny_llama, rounded, 8)

    def trained(**changes: Any) -> list[Tensor]:
        """The losses of eight steps, and the adapter after them."""
        training = rounded.model_copy(update=changes)
        trainer = Trainer(model_for(tiny_llama, training), training, 8, 0)
        losses = [step.loss for step in trainer.run(sequences)]
        values = torch.cat([value.flatten() for value in trainable(trainer.model).values()])
        return [torch.tensor(losses), values.detach()]

    padded, packed, single = trained(), trained(packing="packed"), trained(tokens_per_forward=1)
    for one, other, usual in zip(padded, packed, single, strict=True):
        assert 0 < float((one - other).norm()) < 4 * float((one - usual).norm())
        assert float((one - other).norm() / one.norm()) < 1e-2
    exact = [trained(compute="float32", packing=way) for way in ("padded", "packed")]
    for one, other in zip(*exact, strict=True):
        assert float((one - other).norm() / one.norm()) < 1e-4


def test_a_restored_optimizer_lies_beside_its_parameters() -> None:
    """As on a GPU, from a file that is read on the processor; the meta device stands for it."""
    layer = nn.Linear(3, 2, bias=False)
    trainer = Trainer(layer, protocol(), 4, 0)
    layer.weight.grad = torch.ones(2, 3)
    trainer.optimizer.step()
    saved = trainer.state()
    elsewhere = Trainer(nn.Linear(3, 2, bias=False, device="meta"), protocol(), 4, 0)
    elsewhere.restore(saved)
    (kept,) = elsewhere.optimizer.state.values()
    assert {name: value.device.type for name, value in kept.items()} == {
        "step": "cpu", "exp_avg": "meta", "exp_avg_sq": "meta"
    }  # fmt: skip


@pytest.mark.parametrize(("total", "warmup"), [(40, 0.03), (5000, 0.03), (10, 0.0)])
def test_the_schedule_is_transformers_cosine_with_warm_up(total: int, warmup: float) -> None:
    ours = [
        learning_rate(step, total, Optimizer(learning_rate=1e-4, warmup=warmup))
        for step in range(total)
    ]
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1e-4)
    schedule = get_cosine_schedule_with_warmup(optimizer, int(np.ceil(total * warmup)), total)
    theirs = []
    for _ in range(total):
        theirs.append(schedule.get_last_lr()[0])
        optimizer.step()
        schedule.step()
    assert ours == pytest.approx(theirs, rel=1e-12)


def test_a_gradient_that_is_not_finite_leaves_the_adapter_alone(tiny_llama: Path) -> None:
    training = protocol()
    model = model_for(tiny_llama, training)
    trainer = Trainer(model, training, 4, 0)
    sequences = data(tiny_llama, training, 4)
    assert trainer.take_step(sequences[0]).finite
    before = {name: value.detach().clone() for name, value in trainable(model).items()}
    with torch.no_grad():
        decoder_and_head(model)[1].weight[0, 0] = float("nan")
    step = trainer.take_step(sequences[1])
    assert not step.finite
    assert "step 2" in step.problem
    assert all(torch.equal(before[name], value) for name, value in trainable(model).items())


def perturb(model: nn.Module) -> None:
    """B starts at zero, which would hide A's gradient."""
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for parameter in trainable(model).values():
            parameter += 0.02 * torch.randn(parameter.shape, generator=generator)


def gradients(
    model: nn.Module, sequences: Sequence[Sequence[int]], training: Training
) -> dict[str, Tensor]:
    """Every LoRA gradient of one step, from the same dropout masks."""
    torch.manual_seed(7)
    model.zero_grad(set_to_none=True)
    accumulate(model, sequences, training)
    found = {name: value.grad for name, value in trainable(model).items()}
    assert all(value is not None for value in found.values())
    return {name: value.clone() for name, value in found.items() if value is not None}


def relative(found: dict[str, Tensor], expected: dict[str, Tensor]) -> float:
    """Largest relative difference of a gradient, in norm."""
    return max(
        float((found[name] - expected[name]).norm() / expected[name].norm()) for name in expected
    )
