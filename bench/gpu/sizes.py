"""A model of full size with random NF4 weights: proofs, speeds, memory against the plan.

At 7B also what determinism costs, the same step of transformers' Trainer, and a profile.
"""

from collections.abc import Iterator

from torch import nn

from bench.gpu.learns import gradient_rows, learning_row
from bench.gpu.parts import stated
from bench.gpu.peers import peer_rows
from bench.gpu.profile import profile_rows
from bench.gpu.random_model import random_model
from bench.gpu.scale import Scale
from bench.gpu.speed import Taken, fitting, forget, memory_row, planned, speed_row, steps
from bench.table import Row, row
from repro.manifest.training import Training
from repro.train.adapters.place import adapt

BARS = {"qwen2.5-coder-7b": 9000, "qwen2.5-coder-14b": 5000, "qwen2.5-coder-32b": 2000}
"""Tokens a second in NF4 with checkpointing, on an H100 or H200."""
KEPT = 12_000
"""The same at 7B, dequantised once, without checkpointing."""
MOST = {"qwen2.5-coder-32b": 60.0}
"""GiB that steps may hold."""
SMALL = 0.12
"""Seconds of a step of SmolLM2-135M, one run on the card."""
COST = 5.0
"""Percent of a step that determinism may cost."""


def rows(scale: Scale, model: str) -> Iterator[Row]:
    """Yield the rows of one model."""
    if model.startswith("smollm2"):
        yield from small_rows(scale, model)
        return
    packed = fitting(
        lambda tokens: scale.protocol(tokens_per_forward=tokens, packing="packed"), model, scale
    )
    yield from gradient_rows(packed, model, scale)
    forget(scale)
    adapted = network(packed, model, scale)
    if model == "qwen2.5-coder-7b":
        yield learning_row(adapted, packed, model, scale)
        adapted = None  # type: ignore[assignment]  # the proof has trained it: a new one is timed
        forget(scale)
        adapted = network(packed, model, scale)
    title = f"{scale.name(model)}, NF4, checkpointing, {packed.tokens_per_forward} a pass, packed"
    taken = steps(adapted, packed, model, scale)
    yield speed_row(title, taken, BARS[model], scale)
    yield memory_row(
        f"{title}: memory", taken, planned(packed, model, scale), scale, MOST.get(model, 0.0)
    )
    if model == "qwen2.5-coder-7b":
        yield determinism_row(adapted, packed, taken, model, scale)
        yield from profile_rows(adapted, packed, model, scale)
        adapted = None  # type: ignore[assignment]  # its memory is the next one's
        forget(scale)
        yield counted_row(packed, model, scale)
        forget(scale)
        yield from kept_rows(scale, model)
        forget(scale)
        yield from peer_rows(taken, model, scale)


def network(training: Training, model: str, scale: Scale) -> nn.Module:
    """Return the model with our adapter."""
    return adapt(random_model(scale.architecture(model), training, scale.device), training, 0)


def determinism_row(
    adapted: nn.Module, training: Training, taken: Taken, model: str, scale: Scale
) -> Row:
    """Return what deterministic algorithms cost: the same steps without them."""
    free = steps(adapted, training, model, scale, deterministic=False)
    cost = 100 * (taken.seconds / free.seconds - 1)
    name = f"{scale.name(model)}: what determinism costs of a step"
    note = f"{taken.seconds:.3f} s with, {free.seconds:.3f} s without"
    return (
        stated(name, cost, "%", note)
        if scale.rehearsed
        else row(name, cost, "%", COST, at_most=True, note=note)
    )


def counted_row(training: Training, model: str, scale: Scale) -> Row:
    """Return the speed of the same step with dropout counted by kernels."""
    counted = training.model_copy(update={"kernels": "counted"})
    title = f"{scale.name(model)}, NF4, checkpointing, {training.tokens_per_forward} a pass, packed, kernels: counted"
    taken = steps(network(counted, model, scale), counted, model, scale)
    return speed_row(title, taken, BARS[model], scale)


def kept_rows(scale: Scale, model: str) -> Iterator[Row]:
    """Yield speed and memory with weights dequantised once and nothing computed twice."""

    def wanted(tokens: int) -> Training:
        return scale.protocol(
            tokens_per_forward=tokens,
            packing="packed",
            dequantise="once",
            gradient_checkpointing=False,
        )

    training = fitting(wanted, model, scale)
    taken = steps(network(training, model, scale), training, model, scale)
    title = f"{scale.name(model)}, dequantised once, no checkpointing, {training.tokens_per_forward} a pass, packed"
    yield speed_row(title, taken, KEPT, scale)
    yield memory_row(f"{title}: memory", taken, planned(training, model, scale), scale)


def small_rows(scale: Scale, model: str) -> Iterator[Row]:
    """Yield the proof and the seconds a step of a small model, one run on the card."""
    training = scale.protocol(
        tokens_per_forward=8192, packing="packed", dequantise="once", gradient_checkpointing=False
    )
    yield from gradient_rows(training, model, scale)
    taken = steps(network(training, model, scale), training, model, scale)
    name, note = (
        f"{scale.name(model)}: one step, one run on the card",
        f"{taken.speed:.0f} tokens/s; {taken.words}",
    )
    yield (
        stated(name, taken.seconds, "s", note)
        if scale.rehearsed
        else row(name, taken.seconds, "s", SMALL, at_most=True, note=note)
    )
    yield memory_row(f"{name}: memory", taken, planned(training, model, scale), scale)
