"""The container engine, through its socket: Docker's, or Podman's where DOCKER_HOST names it."""

import os
from typing import Any

from repro.errors import SetupError


def engine(timeout: float = 60) -> Any:
    """A client that has answered once. Raises SetupError with the way out."""
    from docker.client import DockerClient
    from docker.errors import DockerException

    try:
        client = DockerClient.from_env(timeout=timeout)
        client.ping()
    except DockerException as error:
        where = os.environ.get("DOCKER_HOST", "unix:///var/run/docker.sock")
        raise SetupError(
            f"container engine at {where}: does not answer ({_first_line(error)}); start it (systemctl start docker, "
            "or podman system service with DOCKER_HOST set), or use --runner local"
        ) from error
    return client


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
