"""What a run costs, as ranges with their assumptions stated: GPU-hours, GPU memory, disk; memory on a CPU.

GPU-hours are those of loading the model, of the training steps and of the passes over the probes (`repro.plan.work`
counts the operations), each at the peak of its precision. The ranges span how long texts are, which probe sets are read
and how much of a processor's peak such work reaches. Losses on held-out texts are left out: full-size manifests have none.
"""

from collections.abc import Iterable
from dataclasses import dataclass

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
from repro.plan.work import CAPTURES, TEXT_LENGTH, capture_operations, penalty_passes, step_operations

GIB = 2**30
PEAK = {"bfloat16": 312e12, "float32": 19.5e12}
"""Operations per second of the GPU assumed, an A100, by the precision of products; float32 without TF32, as it runs here."""
EFFICIENCY = (0.20, 0.45)
"""Share of the peak that 4-bit fine-tuning reaches, worst and best."""
PROBE_TOKENS = (4_000, 50_000)
"""Tokens of the texts that a measurement reads: the smallest of the probe sets, and the largest beside another."""
READ = 1e-9
"""Seconds to read and check one byte of a model's file."""
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
STATES = 4  # the one to go on from, the one before it, the last measured one, and one being written
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
    """GPU-hours of one run: loading, training, penalties and captures."""
    low, high = (
        _gpu_seconds(run, length, probes, share) / 3600
        for length, probes, share in zip(TEXT_LENGTH, PROBE_TOKENS, reversed(EFFICIENCY), strict=True)
    )
    return Cost(1, low, high)


def _gpu_seconds(run: Run, length: int, probes: int, share: float) -> float:
    """Seconds when texts have `length` tokens, a measurement reads `probes` tokens and `share` of the peak is reached."""
    captured = capture_operations(run, probes)
    training = run.steps * step_operations(run, length) + penalty_passes(run) * captured
    captures = len(run.measured_steps()) * captured
    computing = training / PEAK[run.training.compute] + captures / PEAK[CAPTURES]
    return READ * _file_bytes(run.model) + computing / share


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
    """Disk of one run's folder at the most: what stays, and the states it keeps while it is under way."""
    state = adapter_parameters(run.model.architecture, run.training) * FLOAT * (1 + ADAM) if run.steps else 0
    return kept_gibibytes(run) + STATES * state / GIB


def kept_gibibytes(run: Run) -> float:
    """Disk of a finished run's folder: activations, its adapter, and that of the run it went on from."""
    adapters = (2 if run.parent else 1) if run.steps else 0
    adapter = adapters * adapter_parameters(run.model.architecture, run.training) * FLOAT
    captures = len(run.measured_steps()) * run.model.architecture.hidden * DOUBLE * PROBES
    return (adapter + captures) / GIB


def models_gibibytes(runs: Iterable[Run]) -> float:
    """Disk of the models in the cache: bfloat16 as hubs publish them, float32 where they are made here."""
    models = {run.model.folder: run.model for run in runs}.values()
    return sum(map(_file_bytes, models)) / GIB


def _file_bytes(model: Model) -> float:
    return float(parameters(model.architecture) * (2 if model.weights.kind == "hub" else FLOAT))


def forward_tokens(training: Training, length: int) -> int:
    """Tokens of the largest forward pass when texts have this length: a step's, up to what the protocol lets share one."""
    return max(length, min(training.tokens_per_forward, training.sequences_per_step * length))


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
