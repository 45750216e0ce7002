"""Make boxes from containers of the worker's CPU image.

They have no network, no capabilities, and only memory to write to. The engine's own filter of
system calls applies. The host reads a container's control group, so the engine must be on this
machine. Labels name the host that made a container; the next host removes what a killed one left
behind.
"""

import json
import os
import select
import socket
from dataclasses import dataclass, field
from typing import Any

from repro.errors import SetupError, first_line
from repro.score.box import (
    ENVIRONMENT,
    LONGEST_LIFE,
    MEMORY,
    NOBODY,
    OPEN_FILES,
    OPTIONS,
    PACKAGES,
    PROCESSES,
    SCRATCH,
    SOURCE,
    Box,
    ExhaustedError,
    Memory,
)
from repro.score.cgroups import Group, group_of

LABEL = "repro.score"
PYTHON = "/usr/bin/python3.11"
SITE = "/opt/venv/lib/python3.11/site-packages"
HEADER = 8  # bytes before each part of an attached container's output: stream, size


@dataclass(frozen=True)
class Containers:
    """Makes boxes of one image."""

    client: Any
    image: str
    """The engine's id of an image whose content was checked."""
    kind: str = "docker"
    left: list[str] = field(default_factory=list)
    """Containers that are still to be removed: the engine did not answer in time."""

    def open(self) -> Box:
        """Start a container. Raises ExhaustedError when none can be started now."""
        from docker.errors import DockerException

        container = None
        try:
            container = self.client.api.create_container_from_config(
                _configuration(self.client.api, self.image)
            )["Id"]
            wire = self.client.api.attach_socket(container, {"stdin": 1, "stdout": 1, "stream": 1})
            self.client.api.start(container)
            process = self.client.api.inspect_container(container)["State"]["Pid"]
            group = group_of(process) if process else None
        except (DockerException, OSError) as error:
            self._remove(container)
            raise ExhaustedError(f"no container could be started ({_line(error)})") from error
        except SetupError:
            self._remove(container)
            raise
        if group is None:
            self._remove(container)
            raise ExhaustedError("a container ended before it began")
        return ContainerBox(self, container, getattr(wire, "_sock", wire), group)

    def ended_for_memory(self, container: str) -> Memory:
        """Return "limit" if the engine saw a container ended for memory, else "no"."""
        from docker.errors import DockerException

        try:
            state = self.client.api.inspect_container(container)["State"]
        except (DockerException, OSError):
            return "no"
        return "limit" if state.get("OOMKilled") else "no"

    def close(self) -> None:
        """Remove containers that a busy engine did not remove at once, and those of hosts
        that are gone.
        """
        for container in [self.left.pop() for _ in range(len(self.left))]:
            self._remove(container)
        for container in self.client.containers.list(all=True, filters={"label": LABEL}):
            if not os.path.exists(f"/proc/{container.labels[LABEL]}"):
                self._remove(container.id)

    def _remove(self, container: str | None) -> None:
        """Remove a container, or remember it when the engine does not answer. Raises SetupError."""
        from docker.errors import APIError, NotFound

        if container is None:
            return
        try:
            self.client.api.remove_container(container, force=True, v=True)
        except NotFound:
            return
        except OSError as error:
            if not isinstance(error, APIError):  # which is one too
                self.left.append(container)
                return
            if error.status_code != 409:  # it is being removed already
                raise SetupError(
                    f"container {container[:12]}: could not be removed ({_line(error)})"
                ) from error


@dataclass
class ContainerBox:
    """One container and the connection to its only process."""

    sandbox: Containers
    container: str
    wire: socket.socket
    group: Group
    waiting: bytearray = field(default_factory=bytearray)

    def write(self, data: bytes) -> None:
        """Send bytes in."""
        self.wire.sendall(data)

    def read(self, seconds: float) -> bytes | None:
        """Return the output, without the engine's headers."""
        ready, _, _ = select.select([self.wire], [], [], seconds)
        if not ready:
            return None
        received = self.wire.recv(1 << 20)
        self.waiting += received
        return (self._parts() or None) if received else b""

    def _parts(self) -> bytes:
        """Return the complete parts of standard output received so far."""
        found = bytearray()
        while len(self.waiting) >= HEADER:
            size = HEADER + int.from_bytes(self.waiting[4:HEADER], "big")
            if len(self.waiting) < size:
                break
            if self.waiting[0] == 1:  # standard output
                found += self.waiting[HEADER:size]
            del self.waiting[:size]
        return bytes(found)

    def processor_seconds(self) -> float:
        """Return the CPU time of everything in the container."""
        return self.group.processor_seconds()

    def out_of_memory(self) -> Memory:
        """Return whether memory ran out.

        An ended container has no group any more: then what the engine saw counts.
        """
        try:
            return self.group.out_of_memory()
        except OSError:
            return self.sandbox.ended_for_memory(self.container)

    def close(self) -> None:
        """End and remove the container."""
        self.wire.close()
        self.sandbox._remove(self.container)


def _configuration(api: Any, image: str) -> dict[str, Any]:
    """Return the container's configuration in the engine's terms."""
    from docker.types import LogConfig, Ulimit

    limits = {"core": 0, "nofile": OPEN_FILES, "cpu": LONGEST_LIFE}
    host = api.create_host_config(
        network_mode="none",
        read_only=True,
        cap_drop=["ALL"],
        security_opt=["no-new-privileges:true"],
        ipc_mode="none",
        pids_limit=PROCESSES,
        mem_limit=MEMORY + MEMORY // 8,
        memswap_limit=MEMORY + MEMORY // 8,
        tmpfs={"/tmp": f"rw,nosuid,nodev,size={SCRATCH},mode=1777"},
        ulimits=[Ulimit(name=name, soft=value, hard=value) for name, value in limits.items()],
        log_config=LogConfig(type="none"),  # Otherwise a candidate's output would fill the disk.
    )
    packages = [f"{SITE}/{name}" for name in PACKAGES]
    given = json.dumps({"user": None, "packages": packages, "alone": True})
    environment = {**ENVIRONMENT, "PYTHONPATH": ""}
    made: dict[str, Any] = api.create_container_config(
        image, [*OPTIONS, "-c", SOURCE, given], entrypoint=[PYTHON], user=f"{NOBODY}:{NOBODY}", stdin_open=True,
        environment=environment, working_dir="/tmp", labels={LABEL: str(os.getpid())}, host_config=host,
    )  # fmt: skip
    return {**made, "StdinOnce": True}


def _line(error: Exception) -> str:
    """Return an error in one line."""
    said = getattr(error, "explanation", None) or str(error)
    return first_line(said)
