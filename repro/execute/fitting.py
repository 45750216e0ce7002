"""Which manifests fit this machine, by the largest run of each."""

from collections.abc import Sequence
from dataclasses import dataclass

from repro.execute.device import Gpu, planned_gpus
from repro.execute.machine import memory_gibibytes
from repro.manifest.load import experiment_names, load_experiment
from repro.plan.budget import gibibytes, gpu_gibibytes
from repro.plan.expand import expand, local_environment


@dataclass(frozen=True)
class Fit:
    """One manifest, and the memory its largest run takes here."""

    manifest: str
    runs: int
    gibibytes: float
    """Of the GPU where there is one, else of the machine; at the least where it depends on the texts."""
    fits: bool
    hub: bool
    """Whether a model of it can be had from a hub alone."""


def fits(memory: float | None = None, cards: Sequence[Gpu] | None = None) -> list[Fit]:
    """Every manifest of this project, the smallest first. Memory and GPUs are this machine's unless they are given."""
    memory = memory_gibibytes() if memory is None else memory
    cards = planned_gpus() if cards is None else cards
    room = min(card.gibibytes for card in cards) if cards else memory
    found = []
    for name in experiment_names():
        runs = expand(load_experiment(name), local_environment())
        needed = max(gpu_gibibytes(run).low if cards else gibibytes(run) for run in runs)
        hub = any(run.model.weights.kind == "hub" for run in runs)
        found.append(Fit(name, len(runs), needed, needed <= room, hub))
    return sorted(found, key=lambda fit: fit.gibibytes)
