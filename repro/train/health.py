"""Find what is no longer finite, and the last certainly healthy state (docs/SCIENCE.md §9).

A state is known to be healthy once a step was taken from it with a finite loss and gradient; the
newest saved state may be the one that gives the first loss that is not finite. So the one before it
is kept as well. Activations are known to be healthy only where they are measured, which may be many
saved states apart: the last such state is kept too.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor, nn

from repro.evidence.folder import RunFolder, unreadable
from repro.files import write_bytes
from repro.train.model import trainable

States = dict[str, Tensor]
RMS_FACTOR = 1e3
"""Largest factor by which activations may grow or shrink against step 0.

Working language models come nowhere near it; dead ones shrink to 0 while every number stays finite.
"""


@dataclass(frozen=True)
class Divergence:
    """Training has produced numbers that are not finite."""

    bad: int
    """The weights after this step are unhealthy; those of any earlier saved step are healthy."""
    problem: str


def check_parameters(model: nn.Module, step: int) -> Divergence | None:
    """Return the divergence if some trained parameter is not finite after `step`; else None."""
    broken = [name for name, value in trainable(model).items() if not _finite(value.detach())]
    if not broken:
        return None
    count = len(trainable(model))
    return Divergence(
        step,
        f"diverged at step {step}: {len(broken)} of {count} trained tensors not finite, "
        f"{broken[0]} first",
    )


def check_activations(
    X: npt.NDArray[np.float32], base_rms: float | None, step: int, healthy: int
) -> Divergence | None:
    """Return the divergence if activations (N × H) are not finite or far from `base_rms`.

    They are those after `step`. `base_rms`: their root mean square at step 0. `healthy`: the
    last step at which they were seen to be healthy; -1 for none.
    """
    broken = int((~np.isfinite(X)).any(axis=1).sum())
    if broken:
        return Divergence(
            step, f"diverged at step {step}: {broken} of {len(X)} activations not finite"
        )
    rms = float(np.sqrt(np.mean(np.square(X, dtype=np.float64))))
    if not base_rms or base_rms / RMS_FACTOR < rms < base_rms * RMS_FACTOR:
        return None
    return Divergence(
        healthy + 1,
        f"diverged by step {step}: activation RMS {rms:.3g} where step 0 had {base_rms:.3g}",
    )


def _finite(values: Tensor) -> bool:
    """Return whether all values are finite.

    A value that is not shows in the extremes, which takes a sixth of the time of testing each.
    """
    return not values.numel() or all(bool(torch.isfinite(extreme)) for extreme in values.aminmax())


def save_state(folder: RunFolder, tensors: Mapping[str, Tensor], measured: bool) -> None:
    """Write the state to resume from.

    The one before it is kept, and this one too if it was measured.
    """
    if folder.state.exists():
        _keep(folder.state, folder.earlier_state)
    write_bytes(folder.state, save(dict(tensors)))
    if measured:
        _keep(folder.state, folder.measured_state)


def _keep(state: Path, name: Path) -> None:
    """Give a state a second name that is valid at every moment."""
    beside = state.with_name(f".{name.name}.tmp")
    beside.unlink(missing_ok=True)
    os.link(state, beside)
    os.replace(beside, name)


def read_state(path: Path) -> States:
    """Return a saved state. Raises EvidenceError when it is not complete."""
    try:
        return load(path.read_bytes())
    except (OSError, SafetensorError) as error:
        raise unreadable(path, error) from error


def last_healthy(folder: RunFolder, divergence: Divergence) -> States | None:
    """Return the newest saved state from before the weights went bad; None when there is none."""
    states = [read_state(path) for path in folder.states if path.exists()]
    healthy = [
        tensors
        for tensors in states
        if int(tensors["step"]) < divergence.bad or int(tensors["step"]) == 0
    ]
    return max(healthy, key=lambda tensors: int(tensors["step"]), default=None)
