"""Workers in containers, shut off from everything but their run: the same worker, the same command.

A container has no network, a read-only root, no capabilities and no way to gain any, an unprivileged user, limits of
memory, processes and processors, the cache read-only and its run's folder as the only place to write. It never gets
the engine's socket. What the worker prints goes to the run's log as it happens, so nothing is lost with the host.

A container outlives a host that dies. Labels say which run and results folder it belongs to: the next host takes over
the ones it wants and removes the rest.
"""

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from repro.errors import SetupError
from repro.evidence.folder import RunFolder
from repro.evidence.request import read_request
from repro.execute.device import Device
from repro.execute.gpu_access import Way
from repro.execute.hand_over import give_away, open_for_reading, refuse_links
from repro.execute.jobs import Job, how_it_ended

UNPRIVILEGED = 10001
"""User of the image, for hosts that run as root; everybody else keeps their own user id."""
PIDS = 256
SCRATCH_BYTES = 1 << 30
CONFLICT = 409
GRACE = 20  # seconds between asking a worker to stop and insisting
SHELL = """
"$0" "$@" >> /evidence/log.txt 2>&1 &
trap "kill -TERM $!" TERM
wait $!; code=$?
while kill -0 $! 2> /dev/null; do wait $!; code=$?; done
exit $code
"""
"""The worker as a child: as the first process of its container it would be deaf to signals until it listens for them."""


@dataclass(frozen=True)
class Limits:
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
    limits: Limits
    gpus: str = ""
    """GPUs the worker gets: none, "all", or their numbers with commas between."""
    way: Way | None = None
    """How the engine hands them over."""
    name: str = "docker"

    @property
    def threads(self) -> int:
        """Processor threads each run gets."""
        return self.limits.threads

    @property
    def device(self) -> Device:
        """What runs are planned for: the GPUs they are given, else the processor."""
        return "cuda" if self.gpus else "cpu"

    def start(self, folders: Sequence[RunFolder]) -> Sequence[Job]:
        """A container for each folder; one that is still at work there is taken over."""
        return [self._adopted(folder) or self._started(folder) for folder in folders]

    def remove_strays(self, wanted: Iterable[Path]) -> list[str]:
        """Stop and remove this results folder's containers that nobody asked for now; their runs' folders."""
        keep = {str(path) for path in wanted}
        strays = [c for c in self._containers("repro.results", self.results) if c.labels["repro.folder"] not in keep]
        for container in strays:
            _remove(container)
        return [container.labels["repro.folder"] for container in strays]

    def _adopted(self, folder: RunFolder) -> "ContainerJob | None":
        identity = read_request(folder.path).id
        for container in self._containers("repro.folder", folder.path):
            same = container.labels.get("repro.run") == identity and container.attrs["Image"] == self.image
            if same and container.status == "running":
                return ContainerJob(folder, container, self.limits)
            _remove(container)  # ended without its host, or began for a run that has changed since
        return None

    def _started(self, folder: RunFolder) -> "ContainerJob":
        from docker.errors import APIError

        user = hand_over(folder.path, self.cache)
        container = None
        try:
            container = self.client.containers.create(self.image, **settings(self, folder, user), detach=True)
            container.start()
        except APIError as error:
            if container is not None:  # made, and never begun: nobody else would remove it
                container.remove(force=True)
            said = (error.explanation or str(error)).splitlines()[0]
            raise SetupError(f"container for {folder.path.name}: the engine could not start it ({said})") from error
        return ContainerJob(folder, container, self.limits)

    def _containers(self, label: str, value: Path) -> list[Any]:
        found: list[Any] = self.client.containers.list(all=True, filters={"label": f"{label}={value}"})
        return found


@dataclass(frozen=True)
class ContainerJob:
    """One container at work, or one that was taken over."""

    folder: RunFolder
    container: Any
    limits: Limits

    def poll(self) -> int | None:
        """The exit code, or None while it runs; a container that is gone counts as killed."""
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
        """Ask it to stop, wait, insist; then remove it."""
        _remove(self.container)

    def problem(self, code: int) -> str:
        """Why it ended: memory, a signal, or its own words."""
        state = self.container.attrs["State"]
        printed = self.container.logs().decode(errors="replace").strip()
        _remove(self.container)
        if state.get("OOMKilled"):
            limit = self.limits.memory / 2**30
            return f"out of memory: killed at its limit of {limit:.1f} GiB; use --max-parallel 1, or a larger machine"
        said = how_it_ended(code, self.folder)
        return f"{said}: {printed.splitlines()[-1]}" if printed else said


def settings(runner: ContainerRunner, folder: RunFolder, user: str) -> dict[str, Any]:
    """How a worker is shut in, as arguments of the engine's run call."""
    limits = runner.limits
    worker = ["/opt/venv/bin/python", "-m", "repro.worker", "run", "/evidence", "--cache", "/cache"]
    return {
        "entrypoint": ["/bin/sh", "-c", SHELL],
        "command": worker,
        "user": user,
        "environment": {"OMP_NUM_THREADS": str(limits.threads)},
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
        },
    }


def _mounts(folder: Path, cache: Path) -> list[Any]:
    """The two folders a worker sees, as records: written as one text, a colon in a path would end it."""
    from docker.types import Mount

    evidence = Mount("/evidence", str(folder), type="bind")
    return [evidence, Mount("/cache", str(cache), type="bind", read_only=True)]


def _devices(gpus: str, way: Way | None) -> list[Any]:
    from docker.types import DeviceRequest

    if not gpus:
        return []
    if way == "cdi":
        return [DeviceRequest(driver="cdi", device_ids=[f"nvidia.com/gpu={one}" for one in gpus.split(",")])]
    which = {"count": -1} if gpus == "all" else {"device_ids": gpus.split(",")}
    return [DeviceRequest(capabilities=[["gpu", "compute", "utility"]], **which)]


def _remove(container: Any) -> None:
    from docker.errors import APIError, NotFound

    try:
        container.stop(timeout=GRACE)
        container.remove(force=True)
    except NotFound:
        return
    except APIError as error:
        if error.status_code == CONFLICT and "already in progress" in str(error.explanation):
            return
        raise SetupError(f"container {container.short_id}: could not be removed ({error.explanation})") from error


def hand_over(folder: Path, cache: Path) -> str:
    """The user inside: never root. A root host hands the run's folder over and opens the cache for reading.

    Raises EvidenceError for a link in the run's folder.
    """
    refuse_links(folder)
    if os.getuid() != 0:
        return f"{os.getuid()}:{os.getgid()}"
    give_away(folder, UNPRIVILEGED)
    open_for_reading(cache)
    return f"{UNPRIVILEGED}:{UNPRIVILEGED}"
