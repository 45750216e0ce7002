"""Find runs that are too large for a GPU or for a CPU's memory, and what would fit."""

from typing import Any

from repro.cost.space import GPU_GIB, gpu_gibibytes
from repro.cost.walked import needed_gibibytes
from repro.manifest.load import find_manifest
from repro.plan.run import Run

_WAYS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("gradient checkpointing", {"gradient_checkpointing": True}),
    ("4-bit weights", {"quantisation": {"format": "nf4", "double": True}}),
    ("one sequence in a forward pass", {"tokens_per_forward": 1}),
    ("weights brought back from 4 bits at each product", {"dequantise": "each_time"}),
)
"""Changes of the protocol that save memory. A run's own protocol rules some out."""


def obstacle(run: Run, gibibytes: float | None = None, cards: int = 1) -> str | None:
    """Return why a run cannot fit GPUs of this memory, whatever its texts, and what would fit.

    None when it can. Without a given memory the one that plans assume counts. A model is spread
    over several GPUs where one cannot hold it.
    """
    room, least = gibibytes or GPU_GIB, gpu_gibibytes(run).low
    if least <= room * cards:
        return None
    several = f"the {cards} GPUs here have {room:.0f} each"
    here = several if cards > 1 else f"the GPU here has {room:.0f}"
    gpu = here if gibibytes else f"a GPU of {room:.0f} GiB is assumed"
    if ways := savings(run, room):
        nearest = f"with {ways[0]} it would fit"
    else:
        nearest = f"the nearest that would is {-(-least // room):.0f} such GPUs"
    return f"needs at least {least:,.0f} GiB, {gpu}; {nearest}"


def savings(run: Run, room: float) -> list[str]:
    """Return changes of the protocol with which a run needs less and fits so many GiB, in words."""
    least, needs = gpu_gibibytes(run).low, [(words, _with(run, change)) for words, change in _WAYS]
    return [
        f"{words} ({need:.1f} GiB)"
        for words, need in needs
        if need and need <= room and need < least
    ]


def run_out(run: Run) -> str:
    """Return what to do about a run that used up its GPU's memory."""
    planned = gpu_gibibytes(run)
    less = ", ".join(savings(run, planned.high)) or "nothing of the protocol"
    return (
        f"out of GPU memory, planned with {planned.low:.1f} to {planned.high:.1f} GiB; what takes "
        f"less, at the least: {less}; or a larger card, free of other programs, or several"
    )


def _with(run: Run, change: dict[str, Any]) -> float | None:
    """Return the least GiB of GPU memory under a changed protocol.

    None where the run rules the change out.
    """
    wanted = run.training.model_validate({**run.training.model_dump(), **change})
    training = wanted.under(run.condition)
    if training == run.training:
        return None
    return gpu_gibibytes(run.model_copy(update={"training": training})).low


def too_large(run: Run, gibibytes_here: float) -> str | None:
    """Return why a run does not fit a CPU with this memory, and what would; None when it fits."""
    needed, gpu = needed_gibibytes(run, gibibytes_here), gpu_gibibytes(run)
    if needed <= gibibytes_here:
        return None
    return (
        f"needs about {needed:,.0f} GiB of memory, this machine has {gibibytes_here:.0f} and "
        "no GPU; nearest that "
        f"would do: a GPU of {gpu.low:.0f} to {gpu.high:.0f} GiB, a CPU with {needed:,.0f} "
        f"GiB, or {_smaller(run.experiment)}"
    )


def _smaller(experiment: str) -> str:
    """Return the name of a manifest's twin for a laptop, or what there is without one."""
    twin = f"{experiment}_laptop"
    return f"its twin {twin}" if find_manifest(twin) else "a manifest of smaller models"


def refusal(run: Run, gibibytes_here: float, gpu: float | None, cards: int = 1) -> str | None:
    """Return why a run does not fit this machine, by its GPUs' memory if it has any.

    None when it fits.
    """
    return too_large(run, gibibytes_here) if gpu is None else obstacle(run, gpu, cards)
