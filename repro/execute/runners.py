"""From `--runner NAME` to a runner that is ready, with everything it needs checked before the first run starts."""

import os
import platform
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, cast, get_args

from repro.errors import SetupError
from repro.execute.cards import CardRunner
from repro.execute.cluster import Cluster, load_cluster
from repro.execute.container import ContainerRunner, Limits
from repro.execute.device import Gpu, planned_gpus
from repro.execute.folders import Place
from repro.execute.gpu_access import gpu_problem, way_through
from repro.execute.jobs import Runner
from repro.execute.local import LocalRunner
from repro.execute.slurm import SlurmRunner
from repro.files import file_digest
from repro.plan.expand import local_environment
from repro.plan.image_lock import Name, image_environment

Kind = Literal["local", "docker", "slurm"]
MEMORY_SHARE = 0.9
"""Part of the machine's memory that all containers together may use."""


@dataclass(frozen=True)
class Choice:
    """Where workers run, and why there."""

    kind: Kind
    why: str

    @property
    def words(self) -> str:
        """Return the choice as a line."""
        return f"runner {self.kind}: {self.why}"


def choose(asked: str, image: str, cache: Path) -> Choice:
    """Return the runner that `--runner` asks for; `auto` takes the first that works for a manifest's image."""
    if asked != "auto":
        return Choice(cast(Kind, asked), "as asked for")
    if image == "local":
        return Choice("local", "the manifest asks for no image")
    problem = _container_problem(_image(image), cache)
    if problem is None:
        gpu = "with this machine's GPUs" if image == "cuda" and planned_gpus() else "without a GPU"
        return Choice("docker", f"image {image} is here with the content it must have; {gpu}")
    if "REPRO_SLURM" in os.environ and not _slurm_problem():
        return Choice("slurm", f"REPRO_SLURM names a cluster that answers; in containers here: {problem}")
    return Choice("local", f"the manifest asks for image {image}, but {problem}")


def _container_problem(image: Name, cache: Path) -> str | None:
    from repro.execute.engine import engine
    from repro.execute.images import checked_image

    try:
        client = engine(timeout=60)
        checked_image(client, image, cache)
        return gpu_problem(client.info()) if image == "cuda" else None
    except SetupError as problem:
        return str(problem)


def _slurm_problem() -> str | None:
    from repro.execute.slurm import slurm

    try:
        slurm("sinfo", "--version")
    except SetupError as problem:
        return str(problem)
    return None


def cards_for(kind: Kind, image: str) -> Sequence[Gpu]:
    """Return the GPUs of this machine that its runs would have."""
    return [] if kind == "slurm" or (kind == "docker" and image != "cuda") else planned_gpus()


def environment(choice: Choice, image: str, cache: Path) -> dict[str, str]:
    """What runs depend on where a choice puts them, for their keys."""
    kind = choice.kind
    cluster = load_cluster() if kind == "slurm" else Cluster(container="docker" if kind == "docker" else "none")
    match cluster.container:
        case "none":
            return local_environment()
        case "docker":
            return image_environment(_image(image), platform.machine(), cache)
        case other:  # a file by its content, else a name that the node resolves, which nobody checks
            file = Path(str(cluster.image))
            named = file_digest(file) if file.is_file() else str(cluster.image)
            return {**image_environment(_image(image), platform.machine(), cache), "image": f"{other}:{named}"}


def open_runner(
    choice: Choice,
    image: str,
    places: Sequence[Place],
    cache: Path,
    results: Path,
    at_once: int,
    cards: Sequence[str] = (),
) -> Runner:
    """The runner for a manifest that names `image`, checked; `cards`: groups of GPUs, one for each run at work.

    Raises SetupError with the way out.
    """
    threads = max(1, (os.cpu_count() or 1) // at_once)
    if choice.kind == "slurm":
        return SlurmRunner(load_cluster(), cache, results, _image(image), at_once)
    if choice.kind == "docker":
        inside = _containers(_image(image), places, cache, results, Limits(threads, _memory() // at_once))
        return CardRunner(lambda group: replace(inside, gpus=group), list(cards)) if cards else inside
    if cards:
        return CardRunner(lambda group: LocalRunner(cache, threads, group), list(cards))
    return LocalRunner(cache, threads)


def _containers(image: Name, places: Sequence[Place], cache: Path, results: Path, limits: Limits) -> ContainerRunner:
    from repro.execute.engine import engine
    from repro.execute.images import checked_image

    client = engine()
    name = checked_image(client, image, cache)
    way, cards = None, ""
    if image == "cuda":
        info = client.info()
        if problem := gpu_problem(info):
            raise SetupError(f"image cuda: {problem}; or --runner local")
        way, cards = way_through(info), "all" if planned_gpus() else ""
    runner = ContainerRunner(client, name, cache, results, limits, gpus=cards, way=way)
    runner.remove_strays(place.folder.path for place in places)
    return runner


def _image(image: str) -> Name:
    """The image a manifest's runs use in a container; one that needs none uses the small one."""
    return cast(Name, image) if image in get_args(Name) else "cpu"


def _memory() -> int:
    return int(MEMORY_SHARE * os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
