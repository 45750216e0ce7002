"""Connect to the container engine's socket: Docker's, or Podman's named by DOCKER_HOST."""

import os
import secrets
from contextlib import suppress
from typing import Any

import psutil

from repro.errors import SetupError, first_line

BUILD_PREFIX = "repro-build-"
"""Prefix of the names of containers in which images are made and read; the process's number
follows.
"""


def engine(timeout: float = 60) -> Any:
    """Return a client that has answered once. Raises SetupError with the way out."""
    from docker.client import DockerClient
    from docker.errors import DockerException

    try:
        client = DockerClient.from_env(timeout=timeout)
        client.ping()
    except DockerException as error:
        where = os.environ.get("DOCKER_HOST") or "unix:///var/run/docker.sock"
        raise SetupError(
            f"container engine at {where}: does not answer ({_why(error)}); start it "
            "(systemctl start docker, or podman system service with DOCKER_HOST set)"
        ) from error
    return client


def _why(error: BaseException) -> str:
    """Return what kept the engine from answering: the system's own words where it has some."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, OSError) and cause.strerror:
            return cause.strerror
        cause = cause.__cause__ or cause.__context__
    return first_line(error)


def step_name() -> str:
    """Return a new name for a container in which this process makes or reads an image."""
    return f"{BUILD_PREFIX}{os.getpid()}-{secrets.token_hex(4)}"


def remove_steps_left(client: Any) -> None:
    """Remove the containers of builds whose process was killed. Nothing else would."""
    from docker.errors import APIError, NotFound

    for listed in client.api.containers(all=True, filters={"name": f"^/{BUILD_PREFIX}"}):
        process = (
            "".join(listed.get("Names", [])).removeprefix(f"/{BUILD_PREFIX}").partition("-")[0]
        )
        if process.isdecimal() and not psutil.pid_exists(int(process)):
            with suppress(APIError, NotFound):  # another build removed it first
                client.api.remove_container(listed["Id"], force=True, v=True)
