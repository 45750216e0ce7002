"""Proofs that a speed is one of training: the loss falls, and gradients are the reference's.

The reference is peft's own layers and transformers' own loss, one sequence at a time, in float32.
"""

from collections.abc import Iterator, Sequence

import torch
from peft import LoraConfig, PeftModel, get_peft_model
from torch import Tensor, nn
from transformers import PreTrainedModel

import repro.train.loop as loop
from bench.gpu.parts import PROOF
from bench.gpu.random_model import random_model
from bench.gpu.scale import Scale, determined, drawn
from bench.gpu.speed import forget
from bench.table import Row, row
from repro.manifest.training import Optimizer, Training
from repro.train.adapters.place import adapt
from repro.train.model import trainable

STEPS = 20
FALLEN = 0.8
"""Loss after the steps, as a share of that of the first, at the most."""
BLOCKS = 2
"""Blocks of the model whose gradients are compared. Their widths are the full ones."""
EXACT, ROUNDED = 1e-4, 1.5
"""Relative difference in float32; in bfloat16, factor by which peft's own error may be passed."""
Gradients = dict[str, Tensor]


def learning_row(model: nn.Module, training: Training, name: str, scale: Scale) -> Row:
    """Train on the same few sequences of repeating tokens, which any model can learn."""
    vocabulary = scale.architecture(name).vocabulary
    count = 4 if scale.rehearsed else 16
    texts = [(drawn(vocabulary, seed, [8])[0] * 8)[: 64 - seed] for seed in range(count)]
    rate = Optimizer(learning_rate=0.02 if scale.rehearsed else 1e-3)
    taught = training.model_copy(update={"optimizer": rate})
    with determined(True):
        trainer = loop.Trainer(model, taught, STEPS, 0)
        losses = [trainer.take_step(texts).loss for _ in range(STEPS)]
    forget(scale, model)
    note = f"from {losses[0]:.2f} to {losses[-1]:.2f} nats a token"
    return row(
        f"{PROOF}{scale.name(name)}: loss after {STEPS} steps on a learnable text",
        losses[-1] / losses[0],
        "of the first",
        FALLEN,
        at_most=True,
        note=note,
    )


def gradient_rows(training: Training, name: str, scale: Scale) -> Iterator[Row]:
    """Yield how far the gradients of a protocol are from the reference's, dropout being off."""
    lengths = [min(length, 256) for length in scale.lengths(name)[:6]]
    tokens = drawn(scale.architecture(name).vocabulary, 7, lengths)
    still = training.model_copy(update={"lora": training.lora.model_copy(update={"dropout": 0.0})})
    full = still.model_copy(update={"compute": "float32"})
    start = perturbed(_ours(full, name, scale))
    with determined(True):
        exact = reference(full, name, scale, start, tokens)
        mine = gradients(full, name, scale, start, tokens)
        yield row(
            f"{PROOF}{scale.name(name)}: gradients against the reference's in float32",
            farthest(mine, exact),
            "relative",
            EXACT,
            at_most=True,
            note=f"{len(exact)} tensors of {BLOCKS} blocks of full width",
        )
        theirs = farthest(reference(still, name, scale, start, tokens), exact)
        own = farthest(gradients(still, name, scale, start, tokens), exact)
    yield row(
        f"{PROOF}{scale.name(name)}: error of bfloat16 gradients against peft's own error",
        own / theirs,
        "×",
        ROUNDED,
        at_most=True,
        note=f"{own:.2g} against {theirs:.2g}, relative to float32",
    )


def _ours(training: Training, name: str, scale: Scale) -> nn.Module:
    """Return a model of few blocks with our adapter."""
    return adapt(_few_blocks(training, name, scale), training, 0)


def _few_blocks(training: Training, name: str, scale: Scale) -> PreTrainedModel:
    """Return a model of few blocks, of full width."""
    shape = scale.architecture(name).model_copy(update={"layers": BLOCKS})
    return random_model(shape, training, scale.device)


def perturbed(model: nn.Module) -> Gradients:
    """Return values for the trained tensors. LoRA's B starts at zero, which would hide A's."""
    generator, found = torch.Generator().manual_seed(1), {}
    for name, value in trainable(model).items():
        noise = torch.randn(value.shape, generator=generator) * 0.02
        found[plain(name)] = value.detach() + noise.to(value.device)
    return found


def gradients(
    training: Training, name: str, scale: Scale, start: Gradients, tokens: Sequence[Sequence[int]]
) -> Gradients:
    """Return the gradients of a step as the loop forms them."""
    model = started(_ours(training, name, scale), start)
    loop.accumulate(model, tokens, training)
    return taken(model)


def reference(
    training: Training, name: str, scale: Scale, start: Gradients, tokens: Sequence[Sequence[int]]
) -> Gradients:
    """Return the gradients of the same step by peft's layers and transformers' loss."""
    model = started(plain_lora(_few_blocks(training, name, scale), training), start)
    whole = sum(len(sequence) - 1 for sequence in tokens)
    half = training.compute == "bfloat16"
    for sequence in tokens:
        ids = torch.tensor([sequence], device=scale.device)
        with torch.autocast(scale.device, torch.bfloat16, enabled=half):
            loss = model(input_ids=ids, labels=ids).loss
        (loss * (len(sequence) - 1) / whole).backward()
    return taken(model)


def plain_lora(base: PreTrainedModel, training: Training) -> PeftModel:
    """Return the model with peft's own layers."""
    lora = training.lora
    config = LoraConfig(
        r=lora.rank,
        lora_alpha=int(lora.alpha),
        lora_dropout=lora.dropout,
        target_modules=list(lora.targets),
        task_type="CAUSAL_LM",
    )
    found: PeftModel = get_peft_model(base, config).train()
    return found


def started(model: nn.Module, start: Gradients) -> nn.Module:
    """Return the model with given values of its trained tensors."""
    with torch.no_grad():
        for name, value in trainable(model).items():
            value.copy_(start[plain(name)])
    return model


def taken(model: nn.Module) -> Gradients:
    """Return the gradients of the trained tensors by plain name."""
    return {
        plain(name): value.grad
        for name, value in trainable(model).items()
        if value.grad is not None
    }


def plain(name: str) -> str:
    """Return a tensor's name without what wrappers put before it."""
    return name.split("base_model.model.")[-1]


def farthest(found: Gradients, expected: Gradients) -> float:
    """Return the largest relative difference in norm. Raises RuntimeError for other tensors."""
    if found.keys() != expected.keys() or not expected:
        raise RuntimeError(f"gradients of {len(found)} tensors against {len(expected)}")
    return max(
        float((found[name].float() - value.float()).norm() / value.float().norm())
        for name, value in expected.items()
    )
