"""Decide a job's resources: what the plan says, unless the cluster's file differs."""

import math
from dataclasses import dataclass
from functools import cache

from repro.cost.hours import run_hours
from repro.cost.profiles import H100, Speeds, core
from repro.cost.space import GPU_GIB, gibibytes, gpu_gibibytes, models_gibibytes
from repro.execute.cluster import Cluster
from repro.execute.folders import cache_folder
from repro.plan.run import Run

LONGEST_MINUTES = 24 * 60
"""Minutes. A longer run is requeued at its limit and continues from its last checkpoint."""
SPARE = 1.25
"""Factor above the plan: a job that asks for too little is killed."""
ROUND = 30
"""Minutes to whose multiples a limit is rounded up, so that runs with similar needs
share an array.
"""
BEGIN = 15
"""Minutes for what the plan does not count: waiting for a file system, loading, writing."""
HOST_GIB = 6.0
"""Memory of a worker on a GPU besides the model's file, which it reads through memory: libraries,
and CUDA's own.
"""


@dataclass(frozen=True)
class Ask:
    """One job's share of a node."""

    minutes: int
    memory_gib: float
    gpus: int

    def words(self) -> str:
        """Return the resources as a phrase."""
        cards = f"{self.gpus} GPU{'s' if self.gpus > 1 else ''}, " if self.gpus else ""
        return f"{cards}{self.memory_gib:.0f} GiB and {self.minutes / 60:.1f} hours"


def ask_for(run: Run, cluster: Cluster, on_gpu: bool) -> Ask:
    """Return the resources of a run's job. A field of the cluster's file is used unchanged."""
    minutes, memory, gpus = _on_gpu(run) if on_gpu else _on_processor(run)
    return Ask(
        minutes=cluster.minutes
        or min(LONGEST_MINUTES, math.ceil((minutes * SPARE + BEGIN) / ROUND) * ROUND),
        memory_gib=cluster.memory_gib or float(math.ceil(memory * SPARE)),
        gpus=gpus if cluster.gpus is None else cluster.gpus,
    )


def _on_gpu(run: Run) -> tuple[float, float, int]:
    """Return most minutes, GiB of the node's memory, and GPUs of a run on GPUs."""
    cards = math.ceil(gpu_gibibytes(run).high / GPU_GIB)
    return run_hours(run, H100).high * 60, models_gibibytes([run]) + HOST_GIB, cards


def _on_processor(run: Run) -> tuple[float, float, int]:
    """Return most minutes, GiB of memory, and 0 GPUs of a run on a CPU."""
    return run_hours(run, _core()).high * 60, gibibytes(run), 0


@cache
def _core() -> Speeds:
    """Return one core's profile, measured once: jobs that need the same must ask for the same."""
    return core(cache_folder())
