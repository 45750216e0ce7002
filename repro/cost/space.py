"""Estimate what a run holds: GPU memory and disk as ranges, memory on a CPU."""

from collections.abc import Iterable
from functools import cache

from repro.cost.figures import Range
from repro.cost.memory import ADAM, FLOAT, training_memory, weight_bytes
from repro.files import GIB, file_digest
from repro.manifest.model import Model
from repro.manifest.training import Training
from repro.plan.run import Run
from repro.shipped import ROOT

_SHORT = 250
"""Mean tokens of a training text, at the least."""
GPU_GIB = 80
"""Memory of the assumed GPU."""
CONTEXT_GIB = 0.8
"""GPU memory of the driver and its libraries."""
FRAGMENTATION = 1.2
"""Factor by which the allocator may hold more than is in use, at worst."""
PROGRAM_GIB = {"cpu": 0.5, "cuda": 1.1}
"""Memory of a worker on a CPU before it loads anything, by torch's build: the CUDA build maps
CUDA's libraries too.
"""
CAPTURE_GIB = 0.1
"""Memory for capturing activations, besides the model."""
FURTHER_GIB = 0.2
"""Memory of the diagnostics beyond the geometry itself; after training it is below what training
took.
"""
PENALTY_TOKENS = 1400
"""Tokens that take as much memory as a CSR pass: eight probes, under an attention mask."""
_PROBES = 60
"""Approximate number of texts in a probe set."""
STATES = 4  # the current one, the one before it, the last measured one, and one being written
DOUBLE = 8  # bytes of an activation's entry on disk


def gpu_gibibytes(run: Run) -> Range:
    """Return GPU memory.

    Low: texts of the shorter mean length; high: a text of the protocol's full length.
    """
    held = []
    for length in (min(_SHORT, run.training.max_length), run.training.max_length):
        tokens = forward_tokens(run.training, length)
        step = training_memory(run.model.architecture, run.training, tokens)
        measured = step.weights + step.scratch + CAPTURE_GIB * GIB
        held.append((step.total if run.steps else measured) / GIB)
    return Range(CONTEXT_GIB + held[0], CONTEXT_GIB + FRAGMENTATION * held[1])


def disk_gibibytes(run: Run) -> float:
    """Return the most disk of one run's folder: what it keeps, and its states while it runs."""
    trained = run.training.trained.parameters(run.model.architecture) if run.steps else 0
    return kept_gibibytes(run) + STATES * trained * FLOAT * (1 + ADAM) / GIB


def kept_gibibytes(run: Run) -> float:
    """Return the disk of a finished run's folder: activations, its adapter, its parent's."""
    adapters = (2 if run.parent else 1) if run.steps else 0
    adapter = adapters * run.training.trained.parameters(run.model.architecture) * FLOAT
    captures = len(run.measured_steps()) * run.model.architecture.hidden * DOUBLE * _PROBES
    return (adapter + captures) / GIB


def models_gibibytes(runs: Iterable[Run]) -> float:
    """Return the disk of the models in the cache: as hubs publish them, float32 if made here."""
    return sum(map(file_bytes, {run.model.folder: run.model for run in runs}.values())) / GIB


def file_bytes(model: Model) -> float:
    """Return the bytes of a model's files."""
    return float(model.architecture.parameters * (2 if model.weights.kind == "hub" else FLOAT))


def forward_tokens(training: Training, length: int) -> int:
    """Return the tokens of the largest forward pass for texts of this length.

    That is a step's tokens, up to the number that the protocol lets share a pass: with padding
    where they are padded, none of it where they are packed.
    """
    return max(length, min(training.tokens_per_forward, training.sequences_per_step * length))


def gibibytes(run: Run) -> float:
    """Return the peak memory of a run on a CPU.

    The model's file stays mapped: its float32 tensors are used in place, other copies add to
    it. A checkpoint holds the state twice while it is written, and the allocator keeps what one
    step frees for the next. `python -m bench plan` compares this with real runs.
    """
    shape, training = run.model.architecture, run.training
    program = program_gibibytes(run)
    loaded = file_bytes(run.model)
    if training.quantisation.format != "none":
        loaded += shape.linear_parameters * weight_bytes(training)
        loaded += shape.other_parameters * FLOAT if run.model.weights.kind == "hub" else 0
    if not run.steps:
        return program + CAPTURE_GIB + (FURTHER_GIB if run.diagnostics.also else 0.0) + loaded / GIB
    csr = run.condition.csr  # its pass keeps something for a backward pass if it is attached
    penalty = PENALTY_TOKENS if csr and csr.gradient == "attached" else 0
    largest = max(forward_tokens(training, training.max_length), penalty)
    step = training_memory(shape, training, largest)
    state = 2 * training.trained.parameters(shape) * FLOAT * (1 + ADAM)
    return program + CAPTURE_GIB + (loaded + step.total - step.weights + state) / GIB


def program_gibibytes(run: Run) -> float:
    """Return the memory of a worker's program on a CPU, which depends on the build of torch."""
    return PROGRAM_GIB["cuda" if run.environment.lock in _cuda_locks() else "cpu"]


@cache
def _cuda_locks() -> frozenset[str]:
    """Return the digests of the locks with torch's CUDA build, as runs state them."""
    files = [ROOT / folder / "cuda.lock" for folder in ("requirements", "docker")]
    return frozenset(file_digest(file)[:16] for file in files if file.is_file())
