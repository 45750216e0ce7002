"""The training loop: it iterates and yields checkpoints; what is measured there is the caller's business.

Everything random in a step is drawn from (seed, step), so a run continued from a saved state takes the same steps, bit
for bit, as one that was never stopped.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from time import monotonic

import numpy as np
import torch
from torch import Tensor, nn

from repro.manifest.training import Optimizer, Training
from repro.train.adapters.block_diagonal import blocks_of
from repro.train.batches import group
from repro.train.loss import step_weight, weighted_loss
from repro.train.model import trainable
from repro.train.regularizer import Regularizer


@dataclass(frozen=True)
class Step:
    """What one optimizer step did."""

    step: int
    loss: float
    """Cross-entropy per token, nats."""
    gradient_norm: float
    """Before clipping."""
    learning_rate: float
    tokens: int
    seconds: float
    csr_loss: float | None = None
    """Penalty of complement-subspace regularisation, λ included; None at steps without one."""

    @property
    def finite(self) -> bool:
        """Whether loss and gradient are numbers."""
        return all(math.isfinite(value) for value in (self.loss, self.gradient_norm, self.csr_loss or 0.0))

    @property
    def problem(self) -> str:
        """What is not finite, in words."""
        return f"diverged at step {self.step}: loss {self.loss}, gradient norm {self.gradient_norm}"


@dataclass
class Trainer:
    """A model, its optimizer and how far they have come. `state()` and `restore()` are exact."""

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
        """Train on `sequences` (one list of token sequences per step), from where it stands; yields after each step."""
        while self.step < self.total_steps:
            yield self.take_step(sequences[self.step])

    def take_step(self, sequences: Sequence[Sequence[int]]) -> Step:
        """One optimizer step on all micro-batches of the step."""
        begin = monotonic()
        torch.manual_seed(step_seed(self.seed, self.step))
        loss, tokens = accumulate(self.model, sequences, self.training)
        penalised = self.regularizer is not None and self.regularizer.due(self.step + 1)
        csr_loss = self.regularizer.add(self.model) if self.regularizer and penalised else None
        norm = nn.utils.clip_grad_norm_(trainable(self.model).values(), self.training.optimizer.clip_norm)
        rate = learning_rate(self.step, self.total_steps, self.training.optimizer)
        for part in self.optimizer.param_groups:
            part["lr"] = rate
        if torch.isfinite(norm):
            self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        self.step += 1
        return Step(self.step, loss, float(norm), rate, tokens, monotonic() - begin, csr_loss)

    def state(self) -> dict[str, Tensor]:
        """Adapter and optimizer as named tensors; nothing else is needed to go on."""
        tensors = {"step": torch.tensor(self.step)}
        for name, parameter in trainable(self.model).items():
            tensors[f"adapter/{name}"] = parameter.detach()
            for key, value in self.optimizer.state.get(parameter, {}).items():
                tensors[f"optimizer/{key}/{name}"] = value
        for name, blocks in blocks_of(self.model).items():  # another machine's would be almost the same, not the same
            tensors[f"directions/{name}"] = blocks.directions
        return tensors

    def restore(self, tensors: Mapping[str, Tensor]) -> None:
        """Go back to a saved `state()`."""
        self.step = int(tensors["step"])
        for name, parameter in trainable(self.model).items():
            with torch.no_grad():
                parameter.copy_(tensors[f"adapter/{name}"])
            keys = [key for key in ("step", "exp_avg", "exp_avg_sq") if f"optimizer/{key}/{name}" in tensors]
            if keys:
                self.optimizer.state[parameter] = {
                    key: _like_new(tensors[f"optimizer/{key}/{name}"], parameter) for key in keys
                }
        for name, blocks in blocks_of(self.model).items():
            blocks.directions.copy_(tensors[f"directions/{name}"])


def _like_new(value: Tensor, parameter: Tensor) -> Tensor:
    """A copy where AdamW keeps its own: beside the parameter, but for the count of steps."""
    return value.to(parameter.device, copy=True) if value.dim() else value.clone()


def accumulate(model: nn.Module, sequences: Sequence[Sequence[int]], training: Training) -> tuple[float, int]:
    """Add the gradient of one step's loss to the parameters; (loss, predicted tokens)."""
    batches = group(sequences, training)
    tokens = sum(batch.targets for batch in batches)
    total = 0.0
    for batch in batches:
        weight_M = step_weight(batch, tokens, len(sequences), training.loss_normalisation)
        loss = weighted_loss(model, batch, weight_M, training.compute)
        loss.backward()
        total += float(loss.detach())
    return total, tokens


def learning_rate(step: int, total: int, optimizer: Optimizer) -> float:
    """Rate of the step after `step` steps: linear warm-up from 0, then half a cosine to 0."""
    warmup = math.ceil(total * optimizer.warmup)
    if step < warmup:
        return optimizer.learning_rate * step / warmup
    progress = (step - warmup) / max(1, total - warmup)
    return optimizer.learning_rate * 0.5 * (1.0 + math.cos(math.pi * progress))


def step_seed(seed: int, step: int) -> int:
    """A 63-bit seed for one step's dropout; different for every (seed, step)."""
    return int(np.random.SeedSequence([seed, 3, step]).generate_state(1, np.uint64)[0] >> np.uint64(1))
