"""List where workers could run besides this machine's processor: GPUs, containers, a cluster."""

from pathlib import Path
from typing import Any, get_args

from repro.errors import SetupError
from repro.execute.device import gpus, processor_chosen, silent_driver, unusable
from repro.execute.gpu_access import cards_on_the_bus, driver_problem, gpu_problem, way_through
from repro.machine.abilities import Ability
from repro.plan.image_lock import ImageName, local_build


def check_places(cache: Path) -> list[Ability]:
    """Return what `repro doctor` reports of each, a requirement before what needs it."""
    return [_gpu(), *_containers(cache), _cluster()]


def _gpu() -> Ability:
    """Describe the GPUs."""
    found = gpus()
    problem = driver_problem(found, cards_on_the_bus())
    words = ", ".join(f"{gpu.name} ({gpu.gibibytes:.0f} GiB, driver {gpu.driver})" for gpu in found)
    if found and processor_chosen():
        return Ability("GPU", True, f"{words}; not used: TORCH=cpu was chosen")
    if found and (apart := unusable(found[0])):
        return Ability("GPU", False, words, apart, needed=True)
    said = silent_driver()
    told = (
        f"nvidia-smi is here and shows none ({said}): mend the driver" if said is not None else None
    )
    remedy = (
        problem
        or told
        or "full-size manifests that train need one; an NVIDIA driver with nvidia-smi shows it"
    )
    return Ability("GPU", bool(found) and problem is None, words or "none", remedy)


def _containers(cache: Path) -> list[Ability]:
    """Describe the container engine, each image, and access to GPUs."""
    from repro.execute.engine import engine

    what = "containers (docker runner)"
    try:
        client = engine(timeout=60)
    except SetupError as error:
        return [Ability(what, False, "no engine answers", str(error))]
    version = client.version()
    words = f"{version.get('Platform', {}).get('Name') or 'engine'} {version['Version']}".strip()
    images = [_image(client, name, cache) for name in get_args(ImageName)]
    return [Ability(what, True, words), *images, _access(client.info())]


def _image(client: Any, name: ImageName, cache: Path) -> Ability:
    """Describe an image."""
    from repro.execute.images.build import checked_image

    what = f"image {name}"
    try:
        checked_image(client, name, cache)
    except SetupError as error:
        return Ability(what, False, "not here as it must be", str(error))
    local = local_build(name, cache)
    if local is None:
        return Ability(what, True, "here, as docker/images.lock says")
    moved = ", ".join(local.packages) or "none"
    return Ability(
        what,
        True,
        f"here, built on this machine alone (packages that differ from the lock: {moved})",
    )


def _access(info: dict[str, Any]) -> Ability:
    """Describe whether containers get the GPUs.

    Without a GPU there is nothing to get, and the CUDA image runs on the processor.
    """
    what, found = "GPUs in containers", gpus()
    problem = gpu_problem(info, found)
    if problem:
        return Ability(what, False, "not handed over", problem)
    if not found:
        return Ability(
            what, False, "no card: image cuda runs what fits the processor", "see GPU above"
        )
    return Ability(
        what,
        True,
        {"cdi": "through CDI", "nvidia": "through NVIDIA's runtime"}[way_through(info) or "cdi"],
    )


def _cluster() -> Ability:
    """Describe the cluster."""
    from repro.execute.slurm import slurm

    try:
        version = slurm("sinfo", "--version").strip()
        nodes = len(slurm("sinfo", "--noheader", "--Node").splitlines())
        return Ability("cluster (slurm runner)", True, f"{version}, {nodes} nodes")
    except SetupError as error:
        return Ability("cluster (slurm runner)", False, "none", str(error))
