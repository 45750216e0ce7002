"""What a run costs, as ranges with their assumptions stated: GPU-hours, GPU memory, disk; memory on a CPU.

Work of one token through P parameters of frozen weights: 2P forward, 2P backward to the activations, 2P to compute
the forward again under gradient checkpointing (no gradient of the weights themselves). The ranges span how long texts
are and how much of a processor's peak such training reaches.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from repro.manifest.model import Model
from repro.manifest.training import Training
from repro.plan.memory import (
    ADAM,
    FLOAT,
    Memory,
    adapter_parameters,
    linear_parameters,
    other_parameters,
    parameters,
    training_memory,
    weight_bytes,
)
from repro.plan.run import Run

GIB = 2**30
PEAK = 312e12
"""bfloat16 operations per second of the GPU assumed, an A100."""
EFFICIENCY = (0.20, 0.45)
"""Share of the peak that 4-bit fine-tuning reaches, worst and best."""
TEXT_LENGTH = (250, 700)
"""Mean tokens of a training text before the cut at the protocol's maximum, shortest and longest."""
GPU_GIB = 80
"""Memory of the GPU assumed."""
CONTEXT_GIB = 0.8
"""What the driver and its libraries take of a GPU."""
FRAGMENTATION = 1.2
"""How much more the allocator may hold than is in use, at worst."""
PROGRAM_GIB = 0.5
"""A worker on a CPU before it has loaded anything: the interpreter with its libraries."""
CAPTURE_GIB = 0.1
"""What capturing activations takes beside the model."""
FURTHER_GIB = 0.2
"""What the diagnostics beyond the geometry itself take; after training it lies below what training took."""
PENALTY_TOKENS = 1400
"""Tokens that take as much as a pass of complement-subspace regularisation: eight probes, under an attention mask."""
PROBES = 60
"""Texts of a probe set, about."""
DOUBLE = 8  # bytes of an activation's entry on disk


@dataclass(frozen=True)
class Cost:
    """GPU-hours of one or more runs, low and high."""

    runs: int
    low: float
    high: float

    def __add__(self, other: "Cost") -> "Cost":
        return Cost(self.runs + other.runs, self.low + other.low, self.high + other.high)


@dataclass(frozen=True)
class Range:
    """An estimate, low and high."""

    low: float
    high: float


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


def gpu_gibibytes(run: Run) -> Range:
    """GPU memory: at the least, texts of the shorter mean length; at most, one text of the protocol's full length."""
    training = run.training
    lengths = (min(TEXT_LENGTH[0], training.max_length), training.max_length)
    low, high = (
        _held(run, training_memory(run.model.architecture, training, forward_tokens(training, length)))
        for length in lengths
    )
    return Range(CONTEXT_GIB + low / GIB, CONTEXT_GIB + FRAGMENTATION * high / GIB)


def _held(run: Run, step: Memory) -> float:
    """Bytes of a training step; of a run that only measures the weights and what a capture takes."""
    return step.total if run.steps else step.weights + step.scratch + CAPTURE_GIB * GIB


def disk_gibibytes(run: Run) -> float:
    """Disk of one run's folder while it is under way: adapter, the state to go on from, activations."""
    state = adapter_parameters(run.model.architecture, run.training) * FLOAT * (1 + ADAM) if run.steps else 0
    adapter = adapter_parameters(run.model.architecture, run.training) * FLOAT if run.steps else 0
    captures = len(run.measured_steps()) * run.model.architecture.hidden * DOUBLE * PROBES
    return (adapter + state + captures) / GIB


def models_gibibytes(runs: Iterable[Run]) -> float:
    """Disk of the models in the cache: bfloat16 as hubs publish them, float32 where they are made here."""
    models = {run.model.folder: run.model for run in runs}.values()
    return sum(map(_file_bytes, models)) / GIB


def _file_bytes(model: Model) -> float:
    return float(parameters(model.architecture) * (2 if model.weights.kind == "hub" else FLOAT))


def forward_tokens(training: Training, length: int) -> int:
    """Tokens of the largest forward pass when texts have this length: a step's, up to what the protocol lets share one."""
    return max(length, min(training.tokens_per_forward, training.sequences_per_step * length))


def obstacle(run: Run, gibibytes: float = GPU_GIB) -> str | None:
    """Why a run cannot fit a GPU of this memory whatever its texts are, and the nearest that would; None when it can."""
    least = gpu_gibibytes(run).low
    if least <= gibibytes:
        return None
    ways: list[tuple[str, dict[str, Any]]] = [
        ("gradient checkpointing", {"gradient_checkpointing": True}),
        ("4-bit weights", {"quantisation": {"format": "nf4", "double": True}}),
        ("one sequence in a forward pass", {"tokens_per_forward": 1}),
        ("weights brought back from 4 bits at each product", {"dequantise": "each_time"}),
    ]
    given = run.training.model_dump()
    smaller = []
    for word, change in ways:
        training = run.training.model_validate({**given, **change})
        need = gpu_gibibytes(run.model_copy(update={"training": training})).low
        if training != run.training and need <= gibibytes:
            smaller.append(f"{word} ({need:.0f} GiB)")
    nearest = f"with {smaller[0]} it would fit" if smaller else f"the nearest that would is {_gpus(least, gibibytes)}"
    return f"needs at least {least:.0f} GiB, a GPU of {gibibytes:.0f} GiB is assumed; {nearest}"


def _gpus(needed: float, gibibytes: float) -> str:
    return f"{int(-(-needed // gibibytes))} such GPUs"


def gibibytes(run: Run) -> float:
    """Peak memory of a run on a CPU.

    The model's file stays mapped: its float32 tensors are used where they lie, whatever else is made of it comes beside.
    A checkpoint holds the state twice while it is written, and what one step frees the allocator keeps for the next.
    `python -m bench plan` holds this to real runs.
    """
    shape, training = run.model.architecture, run.training
    loaded = _file_bytes(run.model)
    if training.quantisation.format != "none":
        loaded += linear_parameters(shape) * weight_bytes(training)
        loaded += other_parameters(shape) * FLOAT if run.model.weights.kind == "hub" else 0
    if not run.steps:
        return PROGRAM_GIB + CAPTURE_GIB + (FURTHER_GIB if run.diagnostics.also else 0.0) + loaded / GIB
    step = training_memory(shape, training, _largest_pass(run))
    state = 2 * adapter_parameters(shape, training) * FLOAT * (1 + ADAM)
    return PROGRAM_GIB + CAPTURE_GIB + (loaded + step.total - step.weights + state) / GIB


def _largest_pass(run: Run) -> int:
    """Tokens of the largest forward pass that keeps something for a backward pass."""
    penalty = run.condition.csr
    largest = forward_tokens(run.training, run.training.max_length)
    return max(largest, PENALTY_TOKENS) if penalty and penalty.gradient == "attached" else largest


def too_large(run: Run, gibibytes_here: float) -> str | None:
    """Why a run cannot be carried out on a CPU with this memory, and what would do; None when it can."""
    needed, gpu = gibibytes(run), gpu_gibibytes(run)
    if needed <= gibibytes_here:
        return None
    return (
        f"{run.slot}: needs about {needed:.0f} GiB of memory, this machine has {gibibytes_here:.0f} and no GPU; nearest that "
        f"would do: a GPU of {gpu.low:.0f} to {gpu.high:.0f} GiB, a CPU with {needed:.0f} GiB, or the manifest's laptop twin"
    )
