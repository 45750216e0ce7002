"""The machine a plan is made for: which runs it holds, which it cannot carry out, and what it has fetched."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from repro.execute.folders import Place
from repro.manifest.model import Model
from repro.plan.budget import gibibytes
from repro.plan.fit import obstacle
from repro.plan.run import Run


@dataclass(frozen=True)
class Machine:
    """What runs would have here."""

    gibibytes: float
    operations: float
    """float32 operations per second of one core."""
    gpu: float | None
    """GiB of the GPU the runs would have; None where there is none, and plans assume one."""
    results: Path
    cache: Path

    def holds(self, run: Run) -> bool:
        """Whether the run fits this machine's memory."""
        return gibibytes(run) <= self.gibibytes

    def obstacle(self, run: Run) -> str | None:
        """Why the run fits no GPU; None when it does, or when there is none and the memory here holds it."""
        return None if self.gpu is None and self.holds(run) else obstacle(run, self.gpu)

    def cannot(self, place: Place) -> str | None:
        """Why a run that is not finished cannot be carried out."""
        return None if place.state == "finished" else self.obstacle(place.run)


def to_do(places: Sequence[Place], machine: Machine) -> list[Run]:
    """The runs that are left and can be carried out."""
    return [place.run for place in places if place.state != "finished" and machine.cannot(place) is None]


def fetched(model: Model, cache: Path) -> bool:
    """Whether a model lies in the cache."""
    return (cache / "models" / model.folder / "identity.json").exists()
