"""What a job asks the cluster for: what the plan says its run needs, unless the cluster's file says otherwise."""

import math
from dataclasses import dataclass
from functools import cache

from repro.execute.cluster import Cluster
from repro.execute.speed import multiplications
from repro.plan.budget import GPU_GIB, cost, gibibytes, gpu_gibibytes, models_gibibytes
from repro.plan.processor import cpu_hours
from repro.plan.run import Run

LONGEST = 24 * 60
"""Minutes: a longer run is requeued at its limit and goes on from its last checkpoint."""
SPARE = 1.25
"""How much more is asked for than the plan says: a job that asks for too little is killed."""
ROUND = 30
"""Minutes to whose multiples a limit is rounded up, so that runs that need about the same go in one array."""
BEGIN = 15
"""Minutes for what the plan does not count: waiting for a file system, loading, writing."""
HOST_GIB = 6.0
"""Memory of a worker on a GPU beside the model's file, which it reads through memory: libraries, and CUDA's own."""


@dataclass(frozen=True)
class Ask:
    """One job's share of a node."""

    minutes: int
    memory_gib: float
    gpus: int

    def words(self) -> str:
        """Return the ask as a phrase."""
        cards = f"{self.gpus} GPU{'s' if self.gpus > 1 else ''}, " if self.gpus else ""
        return f"{cards}{self.memory_gib:.0f} GiB and {self.minutes / 60:.1f} hours"


def ask_for(run: Run, cluster: Cluster, on_gpu: bool) -> Ask:
    """Return what a run's job asks for; a field of the cluster's file is taken as it is."""
    minutes, memory, gpus = _on_gpu(run) if on_gpu else _on_processor(run)
    return Ask(
        minutes=cluster.minutes or min(LONGEST, math.ceil((minutes * SPARE + BEGIN) / ROUND) * ROUND),
        memory_gib=cluster.memory_gib or float(math.ceil(memory * SPARE)),
        gpus=gpus if cluster.gpus is None else cluster.gpus,
    )


def _on_gpu(run: Run) -> tuple[float, float, int]:
    """Minutes at the most, GiB of the node's memory, cards."""
    cards = math.ceil(gpu_gibibytes(run).high / GPU_GIB)
    return cost(run).high * 60, models_gibibytes([run]) + HOST_GIB, cards


def _on_processor(run: Run) -> tuple[float, float, int]:
    return cpu_hours(run, _speed()).high * 60, gibibytes(run), 0


@cache
def _speed() -> float:
    """One core's speed, measured once: jobs that need the same must ask for the same."""
    return multiplications()
