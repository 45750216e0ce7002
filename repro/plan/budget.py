"""What a run costs, as a range with its assumptions stated: GPU-hours from the architecture and the protocol.

Work of one token through P parameters of frozen weights: 2P forward, 2P backward to the activations, 2P to compute
the forward again under gradient checkpointing (no gradient of the weights themselves). The range spans how long texts
are and how much of a GPU's peak such training reaches.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from repro.manifest.model import Architecture
from repro.plan.run import Run

PEAK = 312e12
"""bfloat16 operations per second of the GPU assumed, an A100."""
EFFICIENCY = (0.20, 0.45)
"""Share of the peak that 4-bit fine-tuning reaches, worst and best."""
TEXT_LENGTH = (250, 700)
"""Mean tokens of a training text before the cut at the protocol's maximum, shortest and longest."""


@dataclass(frozen=True)
class Cost:
    """GPU-hours of one or more runs, low and high."""

    runs: int
    low: float
    high: float

    def __add__(self, other: "Cost") -> "Cost":
        return Cost(self.runs + other.runs, self.low + other.low, self.high + other.high)


def parameters(shape: Architecture) -> int:
    """Parameters of the decoder and its embeddings, exact for these families up to biases and norms."""
    head = shape.hidden // shape.heads
    attention = shape.hidden * head * (2 * shape.heads + 2 * shape.kv_heads)
    block = attention + 3 * shape.hidden * shape.intermediate
    embeddings = shape.vocabulary * shape.hidden * (1 if shape.tied else 2)
    return shape.layers * block + embeddings


def cost(run: Run) -> Cost:
    """GPU-hours of training one run; diagnostics add well under a percent at the papers' intervals."""
    passes = 6 if run.training.gradient_checkpointing else 4
    sequences = run.steps * run.training.sequences_per_step
    hours = [
        passes
        * parameters(run.model.architecture)
        * sequences
        * min(length, run.training.max_length)
        / (PEAK * efficiency)
        / 3600
        for length, efficiency in zip(TEXT_LENGTH, reversed(EFFICIENCY), strict=True)
    ]
    return Cost(1, hours[0], hours[1])


def total(runs: Iterable[Run]) -> Cost:
    """The sum over runs."""
    return sum((cost(run) for run in runs), Cost(0, 0.0, 0.0))


def gibibytes(run: Run) -> float:
    """Rough memory of a run on a CPU: the interpreter with its libraries, the weights, one forward pass with logits."""
    shape, training = run.model.architecture, run.training
    tokens = training.batch_size * training.micro_batches_per_forward * training.max_length
    weights = parameters(shape) * (0.6 if training.quantisation.format == "nf4" else 4)
    embeddings = shape.vocabulary * shape.hidden * (4 if shape.tied else 8)
    logits = tokens * shape.vocabulary * 4 * 3
    activations = tokens * shape.layers * (shape.hidden * 12 + shape.intermediate * 6) * 4
    return 0.7 + (weights + embeddings + logits + activations) / 2**30
