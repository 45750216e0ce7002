"""Turn `--runner NAME` into a runner, with all it needs checked before the first run."""

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, cast, get_args

from repro.errors import SetupError
from repro.execute.cards import CardRunner
from repro.execute.cluster import Cluster, load_cluster
from repro.execute.container import ContainerLimits, ContainerRunner
from repro.execute.device import Gpu, planned_gpus
from repro.execute.folders import RunPlace
from repro.execute.gpu_access import gpu_problem, way_through
from repro.execute.jobs import Runner
from repro.execute.local import LocalRunner
from repro.execute.slurm import SlurmRunner
from repro.files import file_digest
from repro.plan.editions import Device
from repro.plan.environment import Environment, local_environment
from repro.plan.image_lock import ImageName, environment_in, expected_image, image_environment

_Kind = Literal["local", "docker", "slurm"]
MEMORY_SHARE = 0.9
"""Share of the machine's memory that all containers together may use."""


@dataclass(frozen=True)
class Choice:
    """Where workers run, and why."""

    kind: _Kind
    why: str

    @property
    def words(self) -> str:
        """Return the choice as a line."""
        return f"runner {self.kind}: {self.why}"


def choose_runner(asked: str, image: str, cache: Path) -> Choice:
    """Return the runner of `--runner`. `auto` takes the first that works for a manifest's image."""
    if asked != "auto":
        return Choice(cast(_Kind, asked), "as asked for")
    if image == "local":
        return Choice("local", "the manifest asks for no image")
    problem = _container_problem(_image(image), cache)
    if problem is None:
        gpu = "with this machine's GPUs" if image == "cuda" and planned_gpus() else "without a GPU"
        return Choice("docker", f"image {image} is here with the content it must have; {gpu}")
    if "REPRO_SLURM" in os.environ and not _slurm_problem():
        return Choice(
            "slurm", f"REPRO_SLURM names a cluster that answers; in containers here: {problem}"
        )
    return Choice("local", f"the manifest asks for image {image}, but {problem}")


def not_ready(choice: Choice, image: str, cache: Path) -> str | None:
    """Return what keeps a chosen engine or cluster from working, to report before anything is
    fetched; else None.
    """
    match choice.kind:
        case "docker":
            problem = _container_problem(_image(image), cache)
            return problem and f"runner docker: {problem}; or --runner local"
        case "slurm":
            problem = _slurm_problem()
            return problem and f"runner slurm: {problem}"
        case "local":
            return None


def _container_problem(image: ImageName, cache: Path) -> str | None:
    """Return what keeps containers of this image from working here; None where nothing does."""
    from repro.execute.engine import engine
    from repro.execute.images.build import checked_image

    try:
        client = engine(timeout=60)
        checked_image(client, image, cache)
        return gpu_problem(client.info()) if image == "cuda" else None
    except SetupError as problem:
        return str(problem)


def _slurm_problem() -> str | None:
    """Return what keeps Slurm from working here; None where nothing does."""
    from repro.execute.slurm import slurm

    try:
        # Ask the controller: the command alone can report its version without one.
        slurm("sinfo", "--noheader")
    except SetupError as problem:
        return str(problem)
    return None


def cards_for(kind: _Kind, image: str) -> Sequence[Gpu]:
    """Return the GPUs of this machine that the runs would use."""
    return [] if kind == "slurm" or (kind == "docker" and image != "cuda") else planned_gpus()


def environment(
    choice: Choice, image: str, cache: Path, other_allowed: bool = False
) -> Environment:
    """Return the environment of runs under a choice.

    Raises SetupError for packages or an image of no edition of the numbers; with
    `other_allowed` they become part of the runs' names instead.
    """
    kind, name = choice.kind, _image(image)
    cluster = (
        load_cluster()
        if kind == "slurm"
        else Cluster(container="docker" if kind == "docker" else "none")
    )
    if kind == "slurm":
        cards = cluster.gpus if cluster.gpus is not None else int(image == "cuda")
        device: Device = "cuda" if cards else "cpu"
    else:
        device = "cuda" if cards_for(kind, image) else "cpu"
    match cluster.container:
        case "none":
            return local_environment(device, other_allowed)
        case "docker":
            return image_environment(name, device, cache, other_allowed)
        case other:
            # a file by its content, else a name that the node resolves: the worker
            # looks at its packages
            file = Path(str(cluster.image))
            named = f"{other}:{file_digest(file) if file.is_file() else cluster.image}"
            return environment_in(
                expected_image(name, cache), device, image=named, allowed=other_allowed
            )


def open_runner(
    choice: Choice,
    image: str,
    places: Sequence[RunPlace],
    cache: Path,
    results: Path,
    at_once: int,
    cards: Sequence[str] = (),
) -> Runner:
    """Return the checked runner for a manifest that names `image`.

    `cards`: groups of GPUs, one for each run at a time. Raises SetupError with the way out.
    """
    threads = places[0].run.threads
    if choice.kind == "slurm":
        return SlurmRunner(load_cluster(), cache, results, _image(image), at_once)
    if choice.kind == "docker":
        inside = _containers(
            _image(image),
            places,
            cache,
            results,
            ContainerLimits(min(threads, os.cpu_count() or 1), _memory() // at_once),
        )
        if not cards:
            return inside
        for place in places:
            held = inside.held(place.folder)
            if held and held not in cards:
                raise SetupError(
                    f"{place.run.slot}: a container of an earlier call still runs it on cards "
                    f"{held}; this call would use {'; '.join(cards)}; wait until it ends, stop it, or set "
                    "CUDA_VISIBLE_DEVICES as for that call"
                )
        return CardRunner(lambda group: replace(inside, gpus=group), list(cards), inside.held)
    if cards:
        return CardRunner(lambda group: LocalRunner(cache, threads, group), list(cards))
    return LocalRunner(cache, threads)


def _containers(
    image: ImageName,
    places: Sequence[RunPlace],
    cache: Path,
    results: Path,
    limits: ContainerLimits,
) -> ContainerRunner:
    """Return the runner of containers, after removing stray ones."""
    from repro.execute.engine import engine
    from repro.execute.images.build import checked_image

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


def _image(image: str) -> ImageName:
    """Return the image of a manifest's runs in a container.

    A manifest without one uses the small image.
    """
    return cast(ImageName, image) if image in get_args(ImageName) else "cpu"


def _memory() -> int:
    """Return the bytes that all containers together may use."""
    return int(MEMORY_SHARE * os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
