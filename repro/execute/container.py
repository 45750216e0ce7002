"""Run workers in containers that can reach nothing but their run.

It is the same worker with the same command. A container has no network, a read-only root, no
capabilities and no way to gain any, an unprivileged user, limits of memory, processes and CPUs, the
cache read-only and its run's folder as the only place to write. It never gets the engine's socket.
The worker's output goes to the run's log at once, so nothing is lost if the host dies.

A container outlives its host. Labels name its run and results folder: the next host takes over the
containers it wants and removes the rest.
"""

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from repro.errors import SetupError
from repro.evidence.folder import RunFolder
from repro.evidence.request import read_request
from repro.execute.gpu_access import Way
from repro.execute.hand_over import give_away, open_for_reading, refuse_links
from repro.execute.jobs import Job, how_it_ended
from repro.execute.worker_command import run_inside

UNPRIVILEGED = 10001
"""User id in the image, for hosts that run as root. Other users keep their own id."""
PIDS = 256
SCRATCH_BYTES = 1 << 30
CONFLICT = 409
GPU_LABEL = "repro.cards"
"""Label with the cards of a container, as the host calls them."""
_GRACE = 20  # seconds between asking a worker to stop and insisting
SHELL = """
"$0" "$@" >> /evidence/log.txt 2>&1 &
trap "kill -TERM $!" TERM
wait $!; code=$?
while kill -0 $! 2> /dev/null; do wait $!; code=$?; done
exit $code
"""
"""Script that starts the worker as a child.

As the container's first process it would ignore signals until it handles them.
"""


@dataclass(frozen=True)
class ContainerLimits:
    """What one container may use."""

    threads: int
    memory: int
    """Bytes, swap included."""


@dataclass(frozen=True)
class ContainerRunner:
    """Starts workers in containers of one image, for one results folder."""

    client: Any
    image: str
    """The engine's id of an image whose content was checked."""
    cache: Path
    results: Path
    limits: ContainerLimits
    gpus: str = ""
    """GPUs for the worker: none, "all", or their numbers separated by commas."""
    way: Way | None = None
    """How the engine gives GPUs to containers."""
    name: str = "docker"

    def start(self, folders: Sequence[RunFolder]) -> Sequence[Job]:
        """Start a container for each folder, or take over the one that is still running."""
        return [self._adopted(folder) or self._started(folder) for folder in folders]

    def remove_strays(self, wanted: Iterable[Path]) -> list[str]:
        """Remove this results folder's containers that are not in `wanted`.

        Return their runs' folders.
        """
        keep = {str(path) for path in wanted}
        strays = [
            c
            for c in self._containers("repro.results", self.results)
            if c.labels["repro.folder"] not in keep
        ]
        for container in strays:
            _remove(container)
        return [container.labels["repro.folder"] for container in strays]

    def held(self, folder: RunFolder) -> str | None:
        """Return the cards on which a folder's container is at work; None where none is."""
        running = [
            container.labels.get(GPU_LABEL)
            for container in self._containers("repro.folder", folder.path)
            if container.status == "running"
        ]
        return running[0] if running else None

    def _adopted(self, folder: RunFolder) -> "ContainerJob | None":
        """Take over a folder's running container; None where there is none. Remove any other."""
        identity = read_request(folder.path).id
        for container in self._containers("repro.folder", folder.path):
            same = (
                container.labels.get("repro.run") == identity
                and container.attrs["Image"] == self.image
            )
            if same and container.status == "running":
                return ContainerJob(folder, container, self.limits)
            # Ended while no host watched, or started for a run that has changed
            # since.
            _remove(container)
        return None

    def _started(self, folder: RunFolder) -> "ContainerJob":
        """Start a container. Raises SetupError in the engine's words."""
        from docker.errors import APIError

        user = hand_over(folder.path, self.cache, is_rootless(self.client.info()))
        container = None
        try:
            container = self.client.containers.create(
                self.image, **settings(self, folder, user), detach=True
            )
            container.start()
        except APIError as error:
            if container is not None:  # Created but not started: nothing else would remove it.
                container.remove(force=True)
            said = (error.explanation or str(error)).splitlines()[0]
            raise SetupError(
                f"container for {folder.path.name}: the engine could not start it ({said})"
            ) from error
        return ContainerJob(folder, container, self.limits)

    def _containers(self, label: str, value: Path) -> list[Any]:
        """Return the containers with a label, running or not."""
        found: list[Any] = self.client.containers.list(
            all=True, filters={"label": f"{label}={value}"}
        )
        return found


@dataclass(frozen=True)
class ContainerJob:
    """One running container, started here or taken over."""

    folder: RunFolder
    container: Any
    limits: ContainerLimits

    def poll(self) -> int | None:
        """Return the exit code, or None while it runs.

        A container that is gone counts as killed.
        """
        from docker.errors import NotFound

        try:
            self.container.reload()
        except NotFound:
            return -9
        if self.container.status not in ("exited", "dead"):
            return None
        code = int(self.container.attrs["State"]["ExitCode"])
        if code == 0 and self.folder.done():
            _remove(self.container)
        return 128 - code if code > 128 and code != 130 else code

    def stop(self) -> None:
        """Stop the container, by force after a wait, and remove it."""
        _remove(self.container)

    def problem(self, code: int) -> str:
        """Return why it ended: memory, a signal, or the worker's own words."""
        state = self.container.attrs["State"]
        printed = self.container.logs().decode(errors="replace").strip()
        _remove(self.container)
        if state.get("OOMKilled"):
            limit = self.limits.memory / 2**30
            return (
                f"out of memory: killed at its limit of {limit:.1f} GiB; use --max-parallel 1, "
                "or a larger machine"
            )
        said = how_it_ended(code, self.folder)
        return f"{said}: {printed.splitlines()[-1]}" if printed else said


def settings(runner: ContainerRunner, folder: RunFolder, user: str) -> dict[str, Any]:
    """Return the arguments of the engine's create call: the confinement of a worker."""
    limits = runner.limits
    return {
        "entrypoint": ["/bin/sh", "-c", SHELL],
        "command": run_inside(),
        "user": user,
        "environment": {"OMP_NUM_THREADS": str(limits.threads), **_visible(runner.gpus)},
        "mounts": _mounts(folder.path, runner.cache),
        "tmpfs": {"/tmp": f"rw,nosuid,nodev,size={SCRATCH_BYTES},mode=1777"},
        "network_mode": "none",
        "read_only": True,
        "cap_drop": ["ALL"],
        "security_opt": ["no-new-privileges:true"],
        "mem_limit": limits.memory,
        "memswap_limit": limits.memory,
        "pids_limit": PIDS,
        "nano_cpus": limits.threads * 10**9,
        "device_requests": _devices(runner.gpus, runner.way),
        "labels": {
            "repro.results": str(runner.results),
            "repro.folder": str(folder.path),
            "repro.run": read_request(folder.path).id,
            GPU_LABEL: runner.gpus,
        },
    }


def _mounts(folder: Path, cache: Path) -> list[Any]:
    """Return the two folders a worker sees, as records: in the text form a colon in a path
    would end it.
    """
    from docker.types import Mount

    evidence = Mount("/evidence", str(folder), type="bind")
    return [evidence, Mount("/cache", str(cache), type="bind", read_only=True)]


def _visible(gpus: str) -> dict[str, str]:
    """Return which cards a worker sees: those it is given, which are numbered anew inside."""
    inside = ",".join(map(str, range(len(gpus.split(",")))))
    return {} if gpus in ("", "all") else {"CUDA_VISIBLE_DEVICES": inside}


def _devices(gpus: str, way: Way | None) -> list[Any]:
    """Return the request for GPUs in the engine's terms."""
    from docker.types import DeviceRequest

    if not gpus:
        return []
    if way == "cdi":
        return [
            DeviceRequest(
                driver="cdi", device_ids=[f"nvidia.com/gpu={one}" for one in gpus.split(",")]
            )
        ]
    which = {"count": -1} if gpus == "all" else {"device_ids": gpus.split(",")}
    return [DeviceRequest(capabilities=[["gpu", "compute", "utility"]], **which)]


def _remove(container: Any) -> None:
    """Stop and remove a container. One that is already gone, or being removed, is no error."""
    from docker.errors import APIError, NotFound

    try:
        container.stop(timeout=_GRACE)
        container.remove(force=True)
    except NotFound:
        return
    except APIError as error:
        if error.status_code == CONFLICT and "already in progress" in str(error.explanation):
            return
        raise SetupError(
            f"container {container.short_id}: could not be removed ({error.explanation})"
        ) from error


def is_rootless(info: Mapping[str, Any]) -> bool:
    """Tell from an engine's description of itself whether it runs as its user, without root."""
    return any("name=rootless" in str(option) for option in info.get("SecurityOptions") or ())


def hand_over(folder: Path, cache: Path, rootless: bool = False) -> str:
    """Return the user inside, who owns the run's folder and is never root on the host.

    A root host gives away the run's folder and opens the cache for reading. A rootless engine
    maps its own user to 0 inside, and everybody else to a stranger who may write nothing. Raises
    EvidenceError for a link in the run's folder.
    """
    refuse_links(folder)
    if rootless:
        return "0:0"
    if os.getuid() != 0:
        return f"{os.getuid()}:{os.getgid()}"
    give_away(folder, UNPRIVILEGED)
    open_for_reading(cache)
    return f"{UNPRIVILEGED}:{UNPRIVILEGED}"
