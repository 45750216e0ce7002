"""Iterate over optimizer steps and yield after each; the caller decides what to measure there.

Everything random in a step is drawn from (seed, step), so a run continued from a saved state takes
the same steps, bit for bit, as one that was never stopped.
"""

import ctypes
import math
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from itertools import repeat
from pathlib import Path
from time import monotonic

import numpy as np
import torch
from torch import Tensor, nn

from repro.manifest.training import Optimizer, Training
from repro.train.adapters.block_diagonal import blocks_of
from repro.train.batches import group
from repro.train.fused import counting
from repro.train.kernels.draws import draws_of
from repro.train.loss import decoder_and_head, step_weight, weighted_loss
from repro.train.model import trainable
from repro.train.packed import attention
from repro.train.regularizer import Regularizer

TRIM_THRESHOLD, TOP_PAD, MMAP_THRESHOLD = -1, -2, -3
"""Names of glibc's parameters (mallopt(3))."""
_LARGEST = 2**30
"""Bytes of the largest block that is kept."""
_GROWN = 1.1
_STATM = Path("/proc/self/statm")


def keep_freed_memory() -> None:
    """Tell this process's allocator to keep freed memory; call it once models are loaded.

    Without glibc it does nothing.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(MMAP_THRESHOLD, _LARGEST)
        mallopt(TRIM_THRESHOLD, 2**31 - 1)
        mallopt(TOP_PAD, 2**26)


@dataclass
class KeptMemory:
    """Freed memory that a process keeps from one step to the next (`keep_freed_memory`).

    Passes of ever other lengths cut it into pieces too small for the next ones, so that it grows,
    by two thirds within fifty steps (docs/results/smollm_full.md).
    """

    held: int = 0
    """Least bytes held after a step; steps of one size hold about as much."""

    def after_step(self) -> bool:
        """Give it back to the system where it has grown by a tenth; return whether it was."""
        now = _resident()
        self.held = min(self.held or now, now)
        if now <= _GROWN * self.held:
            return False
        give_back = getattr(ctypes.CDLL(None), "malloc_trim", None)
        if give_back is not None:
            give_back(0)
        return True


def _resident() -> int:
    """Return the bytes of memory this process holds; 0 where the system does not tell."""
    if not _STATM.exists():
        return 0
    return int(_STATM.read_text(encoding="ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True)
class Step:
    """The result of one optimizer step."""

    step: int
    loss: float
    """Cross-entropy per token, nats."""
    gradient_norm: float
    """Before clipping."""
    learning_rate: float
    tokens: int
    seconds: float
    csr_loss: float | None = None
    """Penalty of complement-subspace regularisation, including λ; None at steps without one."""

    @property
    def finite(self) -> bool:
        """Return whether loss and gradient are finite."""
        return all(
            math.isfinite(value) for value in (self.loss, self.gradient_norm, self.csr_loss or 0.0)
        )

    @property
    def problem(self) -> str:
        """Return in words what is not finite."""
        return f"diverged at step {self.step}: loss {self.loss}, gradient norm {self.gradient_norm}"


@dataclass
class Trainer:
    """A model, its optimizer and their progress. `state()` and `restore()` are exact."""

    model: nn.Module
    training: Training
    total_steps: int
    seed: int
    regularizer: Regularizer | None = None
    step: int = 0
    optimizer: torch.optim.AdamW = field(init=False)

    def __post_init__(self) -> None:
        given = self.training.optimizer
        self.optimizer = torch.optim.AdamW(
            trainable(self.model).values(),
            lr=given.learning_rate,
            betas=(given.beta1, given.beta2),
            eps=given.epsilon,
            weight_decay=given.weight_decay,
        )

    def run(self, sequences: Sequence[Sequence[Sequence[int]]]) -> Iterator[Step]:
        """Train on `sequences` (one list of token sequences per step) from the current step.

        Yield after each step.
        """
        while self.step < self.total_steps:
            yield self.take_step(sequences[self.step])

    def take_step(self, sequences: Sequence[Sequence[int]]) -> Step:
        """Take one optimizer step on all micro-batches of the step, and return its result."""
        begin = monotonic()
        # Seeded anew at each step, so that a resumed run draws the same dropout.
        torch.manual_seed(step_seed(self.seed, self.step))
        loss, tokens = accumulate(self.model, sequences, self.training)
        penalised = self.regularizer is not None and self.regularizer.due(self.step + 1)
        csr_loss = self.regularizer.add(self.model) if self.regularizer and penalised else None
        norm = nn.utils.clip_grad_norm_(
            trainable(self.model).values(), self.training.optimizer.clip_norm
        )
        rate = learning_rate(self.step, self.total_steps, self.training.optimizer)
        for part in self.optimizer.param_groups:
            part["lr"] = rate
        # A step with a gradient that is not finite would spoil the weights: leave them as
        # they are.
        if torch.isfinite(norm):
            self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        self.step += 1
        return Step(self.step, loss, float(norm), rate, tokens, monotonic() - begin, csr_loss)

    def state(self) -> dict[str, Tensor]:
        """Return adapter and optimizer as named tensors; nothing else is needed to resume."""
        tensors = {"step": torch.tensor(self.step)}
        for name, parameter in trainable(self.model).items():
            tensors[f"adapter/{name}"] = parameter.detach()
            for key, value in self.optimizer.state.get(parameter, {}).items():
                tensors[f"optimizer/{key}/{name}"] = value
        # Computed again on another machine, directions would be almost the same, not bit for bit.
        for name, blocks in blocks_of(self.model).items():
            tensors[f"directions/{name}"] = blocks.directions
        return tensors

    def restore(self, tensors: Mapping[str, Tensor]) -> None:
        """Return to a saved `state()`."""
        self.step = int(tensors["step"])
        for name, parameter in trainable(self.model).items():
            with torch.no_grad():
                parameter.copy_(tensors[f"adapter/{name}"])
            keys = [
                key
                for key in ("step", "exp_avg", "exp_avg_sq")
                if f"optimizer/{key}/{name}" in tensors
            ]
            if keys:
                self.optimizer.state[parameter] = {
                    key: _like_new(tensors[f"optimizer/{key}/{name}"], parameter) for key in keys
                }
        for name, blocks in blocks_of(self.model).items():
            blocks.directions.copy_(tensors[f"directions/{name}"])


def _like_new(value: Tensor, parameter: Tensor) -> Tensor:
    """Return a copy on AdamW's own device: the parameter's, except for the step count."""
    return value.to(parameter.device, copy=True) if value.dim() else value.clone()


def accumulate(
    model: nn.Module, sequences: Sequence[Sequence[int]], training: Training
) -> tuple[float, int]:
    """Add the gradient of one step's loss to the parameters.

    Returns (loss, predicted tokens).
    """
    batches = group(sequences, training)
    tokens = sum(batch.targets for batch in batches)
    total = 0.0
    with attention(decoder_and_head(model)[0], training):
        for batch, context in zip(batches, _dropouts(model, sequences, training), strict=False):
            weight_M = step_weight(batch, tokens, len(sequences), training.loss_normalisation)
            with context:
                loss = weighted_loss(model, batch, weight_M, training.compute)
                loss.backward()
            total += float(loss.detach())
    return total, tokens


def _dropouts(
    model: nn.Module, sequences: Sequence[Sequence[int]], training: Training
) -> Iterator[AbstractContextManager[None]]:
    """Yield for each pass of a step the context in which dropout is drawn or counted.

    It is counted from the seed that the step gave to torch's generator.
    """
    if training.kernels == "torch":
        yield from repeat(nullcontext())
    for draws in draws_of(sequences, training, torch.initial_seed()):
        yield counting(model, draws)


def learning_rate(step: int, total: int, optimizer: Optimizer) -> float:
    """Return the rate of the step after `step` steps.

    It rises linearly from 0 in the warm-up, then falls as half a cosine to 0.
    """
    warmup = math.ceil(total * optimizer.warmup)
    if step < warmup:
        return optimizer.learning_rate * step / warmup
    progress = (step - warmup) / max(1, total - warmup)
    return optimizer.learning_rate * 0.5 * (1.0 + math.cos(math.pi * progress))


def step_seed(seed: int, step: int) -> int:
    """Return a 63-bit seed for one step's dropout; different for every (seed, step)."""
    return int(
        np.random.SeedSequence([seed, 3, step]).generate_state(1, np.uint64)[0] >> np.uint64(1)
    )
