"""From `--runner NAME` to a runner that is ready, with everything it needs checked before the first run starts."""

import os
import platform
from collections.abc import Sequence
from pathlib import Path
from typing import Literal, cast, get_args

from repro.execute.cluster import Cluster, load_cluster
from repro.execute.container import ContainerRunner, Limits
from repro.execute.device import planned_gpus
from repro.execute.folders import Place
from repro.execute.jobs import Runner
from repro.execute.local import LocalRunner
from repro.execute.slurm import SlurmRunner
from repro.files import file_digest
from repro.plan.expand import local_environment
from repro.plan.image_lock import Name, image_environment, load_locks

Kind = Literal["local", "docker", "slurm"]
MEMORY_SHARE = 0.9
"""Part of the machine's memory that all containers together may use."""


def environment(asked: str, image: str) -> dict[str, str]:
    """What runs depend on where `--runner` puts them, for their keys."""
    kind = kind_of(asked, image)
    cluster = load_cluster() if kind == "slurm" else Cluster(container="docker" if kind == "docker" else "none")
    match cluster.container:
        case "none":
            return local_environment()
        case "docker":
            return image_environment(_image(image), platform.machine())
        case other:  # a file by its content, else a name that the node resolves, which nobody checks
            file = Path(str(cluster.image))
            named = file_digest(file) if file.is_file() else str(cluster.image)
            return {**image_environment(_image(image), platform.machine()), "image": f"{other}:{named}"}


def open_runner(asked: str, image: str, places: Sequence[Place], cache: Path, results: Path, at_once: int) -> Runner:
    """The runner for a manifest that names `image`, checked. Raises SetupError with the way out."""
    threads = max(1, (os.cpu_count() or 1) // at_once)
    if kind_of(asked, image) == "docker":
        return _containers(_image(image), places, cache, results, Limits(threads, _memory() // at_once))
    if kind_of(asked, image) == "slurm":
        return SlurmRunner(load_cluster(), cache, results, _image(image), at_once)
    return LocalRunner(cache, threads, "cuda" if planned_gpus() else "cpu")


def _containers(image: Name, places: Sequence[Place], cache: Path, results: Path, limits: Limits) -> Runner:
    from repro.execute.engine import engine
    from repro.execute.images import checked_image

    client = engine()
    runner = ContainerRunner(
        client, checked_image(client, image), cache, results, limits, gpus="all" if image == "cuda" else ""
    )
    runner.remove_strays(place.folder.path for place in places)
    return runner


def kind_of(asked: str, image: str) -> Kind:
    """`auto` runs in a container what asks for an image that has been built and recorded, anything else locally."""
    if asked == "auto":
        return "docker" if image != "local" and load_locks().images[_image(image)].content else "local"
    return cast(Kind, asked)


def _image(image: str) -> Name:
    """The image a manifest's runs use in a container; one that needs none uses the small one."""
    return cast(Name, image) if image in get_args(Name) else "cpu"


def _memory() -> int:
    return int(MEMORY_SHARE * os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
