"""Find running runs that are not processes of this machine: containers and cluster jobs."""

from pathlib import Path

from repro.errors import SetupError
from repro.evidence.folder import read_json


def at_work(results: Path) -> dict[Path, str]:
    """Return what a container engine and Slurm report of this results folder's runs.

    Nothing from one that is silent.
    """
    return {**_containers(results), **_jobs(results)}


def _containers(results: Path) -> dict[Path, str]:
    """Return the runs in containers."""
    from docker.errors import DockerException
    from requests import RequestException

    from repro.execute.engine import engine

    try:
        found = engine(timeout=5).containers.list(filters={"label": f"repro.results={results}"})
    except (SetupError, DockerException, RequestException):
        # The last two: the engine went away in the middle of an answer.
        return {}
    return {Path(container.labels["repro.folder"]): "running in a container" for container in found}


def _jobs(results: Path) -> dict[Path, str]:
    """Return the runs in Slurm's queue."""
    from repro.execute.slurm import OVER, queue_states

    named = {
        path.parent: str(read_json(path)["job"]) for path in (results / "runs").glob("*/*/job.json")
    }
    if not named:
        return {}
    try:
        states = queue_states()
    except SetupError:
        return {}
    known = {folder: (job, states.get(job, "COMPLETED")) for folder, job in named.items()}
    return {
        folder: f"{state.lower()}, Slurm job {job}"
        for folder, (job, state) in known.items()
        if state not in OVER
    }
