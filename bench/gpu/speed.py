"""Time optimizer steps of a protocol on random tokens, and what they hold."""

import gc
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median

import torch
from torch import nn

import repro.train.loop as loop
from bench.gpu.parts import SPEED, stated
from bench.gpu.scale import Scale, determined, drawn
from bench.table import Row, row
from repro.cost.memory import training_memory
from repro.cost.space import forward_tokens
from repro.files import GIB
from repro.manifest.training import Training
from repro.train.usage import peak_memory

TIMED = 3
"""Steps that are timed, after one that warms up. The middle one counts."""
ROOM = 0.9
"""Share of a card's memory that a plan may take."""


@dataclass(frozen=True)
class Taken:
    """What steps took."""

    seconds: float
    tokens: int
    """Predicted in a step."""
    gibibytes: float
    """Most that the card's allocator held; without a card, most memory of this process."""
    loss: float
    norm: float

    @property
    def speed(self) -> float:
        """Return predicted tokens a second."""
        return self.tokens / self.seconds

    @property
    def words(self) -> str:
        """Return what else is worth telling."""
        return f"{self.seconds:.3f} s a step of {self.tokens} tokens, loss {self.loss:.2f}, gradient {self.norm:.2g}"


def steps(
    model: nn.Module,
    training: Training,
    model_name: str,
    scale: Scale,
    *,
    deterministic: bool = True,
) -> Taken:
    """Take steps as the worker does, and return what the timed ones took.

    Raises RuntimeError for a loss or gradient that is not finite, or a gradient of zero: such steps
    train nothing, however fast they are.
    """
    shape, seconds = scale.architecture(model_name), []
    forget(scale)
    with determined(deterministic):
        trainer = loop.Trainer(model, training, 100, 0)
        for step in range(1 + TIMED):
            tokens = drawn(shape.vocabulary, step, scale.lengths(model_name))
            scale.synchronise()
            done = trainer.take_step(tokens)
            scale.synchronise()
            seconds.append(done.seconds)
            if not done.finite or done.gradient_norm == 0:
                raise RuntimeError(f"no training: {done.problem}")
    taken = Taken(median(seconds[1:]), done.tokens, held(scale), done.loss, done.gradient_norm)
    del trainer
    forget(scale, model)
    return taken


def held(scale: Scale) -> float:
    """Return the most GiB held since `forget`; without a card, by this process."""
    found = torch.cuda.max_memory_reserved() if scale.device == "cuda" else peak_memory()
    return found / GIB


def forget(scale: Scale, model: nn.Module | None = None) -> None:
    """Drop gradients and freed memory, and count the most held from here."""
    for parameter in model.parameters() if model is not None else ():
        parameter.grad = None
    gc.collect()
    if scale.device == "cuda":
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()


def planned(training: Training, model_name: str, scale: Scale) -> float:
    """Return the GiB that the plan counts for these steps."""
    longest = max(scale.lengths(model_name))
    tokens = forward_tokens(training, longest)
    return training_memory(scale.architecture(model_name), training, tokens).total / GIB


def fitting(wanted: Callable[[int], Training], model_name: str, scale: Scale) -> Training:
    """Return a protocol with the largest pass whose plan the card holds.

    `wanted` makes it, given the tokens of a pass.
    """
    ways = [wanted(tokens) for tokens in (8192, 4096, 2048)]
    if scale.device == "cpu":
        return ways[0]
    room = ROOM * torch.cuda.get_device_properties(0).total_memory / GIB
    return next((way for way in ways if planned(way, model_name, scale) <= room), ways[-1])


def speed_row(name: str, taken: Taken, bar: float, scale: Scale) -> Row:
    """Return a speed beside its bar; in a rehearsal beside none."""
    if scale.rehearsed:
        return stated(name, taken.speed, SPEED, taken.words)
    return row(name, taken.speed, SPEED, bar, note=taken.words)


def memory_row(name: str, taken: Taken, plan: float, scale: Scale, most: float = 0.0) -> Row:
    """Return what was held beside the plan's GiB and `most`, where there is such a bar.

    A process without a card holds more than a plan for one counts.
    """
    note = f"the plan counts {plan:.3g} GiB"
    if scale.rehearsed:
        return stated(name, taken.gibibytes, "GiB", f"{note}; this is the whole process")
    return row(name, taken.gibibytes, "GiB", min(most or plan, plan), at_most=True, note=note)
