"""Runs that cannot be carried out: too large for a GPU or for a CPU's memory, and what would do."""

from typing import Any

from repro.plan.budget import GPU_GIB, gibibytes, gpu_gibibytes
from repro.plan.run import Run

WAYS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("gradient checkpointing", {"gradient_checkpointing": True}),
    ("4-bit weights", {"quantisation": {"format": "nf4", "double": True}}),
    ("one sequence in a forward pass", {"tokens_per_forward": 1}),
    ("weights brought back from 4 bits at each product", {"dequantise": "each_time"}),
)
"""Changes of the protocol that save memory; a run's own protocol rules some out."""


def obstacle(run: Run, gibibytes: float | None = None) -> str | None:
    """Why a run cannot fit a GPU of this memory whatever its texts are, and the nearest that would; None when it can.

    Without a GPU's memory the one that plans assume.
    """
    room, least = gibibytes or GPU_GIB, gpu_gibibytes(run).low
    if least <= room:
        return None
    gpu = f"the GPU here has {room:.0f}" if gibibytes else f"a GPU of {room:.0f} GiB is assumed"
    smaller = [f"{word} ({need:.0f} GiB)" for word, change in WAYS if (need := _with(run, change)) and need <= room]
    nearest = (
        f"with {smaller[0]} it would fit" if smaller else f"the nearest that would is {-(-least // room):.0f} such GPUs"
    )
    return f"needs at least {least:,.0f} GiB, {gpu}; {nearest}"


def _with(run: Run, change: dict[str, Any]) -> float | None:
    """GiB of GPU memory at the least under a changed protocol; None where the run rules the change out."""
    wanted = run.training.model_validate({**run.training.model_dump(), **change})
    training = wanted.under(run.condition)
    if training == run.training:
        return None
    return gpu_gibibytes(run.model_copy(update={"training": training})).low


def too_large(run: Run, gibibytes_here: float) -> str | None:
    """Why a run cannot be carried out on a CPU with this memory, and what would do; None when it can."""
    needed, gpu = gibibytes(run), gpu_gibibytes(run)
    if needed <= gibibytes_here:
        return None
    return (
        f"{run.slot}: needs about {needed:,.0f} GiB of memory, this machine has {gibibytes_here:.0f} and no GPU; nearest that "
        f"would do: a GPU of {gpu.low:.0f} to {gpu.high:.0f} GiB, a CPU with {needed:,.0f} GiB, or the manifest's laptop twin"
    )


def refusal(run: Run, gibibytes_here: float, gpu: float | None) -> str | None:
    """Why a run cannot be carried out on this machine, by its GPU's memory where it has one; None when it can."""
    if gpu is None:
        return too_large(run, gibibytes_here)
    words = obstacle(run, gpu)
    return words and f"{run.slot}: {words}"
