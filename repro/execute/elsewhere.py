"""Runs at work that are no processes of this machine: in containers, and in a cluster's queue."""

from pathlib import Path

from repro.errors import SetupError
from repro.evidence.folder import read_json


def at_work(results: Path) -> dict[Path, str]:
    """What a container engine and Slurm say of this results folder's runs; nothing of one that does not answer."""
    return {**_containers(results), **_jobs(results)}


def _containers(results: Path) -> dict[Path, str]:
    from docker.errors import DockerException
    from requests import RequestException

    from repro.execute.engine import engine

    try:
        found = engine(timeout=5).containers.list(filters={"label": f"repro.results={results}"})
    except (SetupError, DockerException, RequestException):  # the last two: it went away in the middle
        return {}
    return {Path(container.labels["repro.folder"]): "running in a container" for container in found}


def _jobs(results: Path) -> dict[Path, str]:
    from repro.execute.slurm import OVER, queue_states

    named = {path.parent: str(read_json(path)["job"]) for path in (results / "runs").glob("*/*/job.json")}
    if not named:
        return {}
    try:
        states = queue_states()
    except SetupError:
        return {}
    known = {folder: (job, states.get(job, "COMPLETED")) for folder, job in named.items()}
    return {folder: f"{state.lower()}, Slurm job {job}" for folder, (job, state) in known.items() if state not in OVER}
