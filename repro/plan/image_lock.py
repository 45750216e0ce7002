"""docker/images.lock: which content the images must have that runs are carried out in, and what they come of.

A run's identity holds the image's content, so a plan knows it without a container engine. The content hash covers
every file of the image but this project's own source (/opt/repro), which the run's key names module by module.
"""

import json
from pathlib import Path
from typing import Literal, TypeAlias

from pydantic import Field, ValidationError

from repro.errors import SetupError
from repro.files import file_digest, write_json
from repro.frozen import Frozen
from repro.manifest.experiment import BuiltImage
from repro.plan.texts import edition
from repro.shipped import ROOT

DOCKER = ROOT / "docker"
LOCK = DOCKER / "images.lock"
Name: TypeAlias = BuiltImage


class ImageLock(Frozen):
    """One image: its inputs, and the content that comes of them."""

    base_sha256: str | None = None
    """Digest of the base's tar file, which is built from the packages of docker/base.lock."""
    requirements: str
    """The lock file of its packages, below the project's root."""
    requirements_sha256: str | None = None
    python: str | None = None
    """Version of its interpreter."""
    content: str | None = Field(None, pattern=r"^[0-9a-f]{64}$")
    """Content hash; None for an image that nobody has built and recorded yet."""
    registry: str | None = Field(None, pattern=r"^[^@\s]+@sha256:[0-9a-f]{64}$")
    """REGISTRY/NAME@sha256:… where it was pushed last."""


class LocalBuild(Frozen):
    """An image of this machine alone: built from what Debian had, and found to give the local runner's numbers."""

    lock: ImageLock
    instead_of: str | None
    """Content in docker/images.lock that it stands in for; it counts no longer when that changes."""
    packages: tuple[str, ...]
    """Packages that differ from docker/base.lock: name, old and new version."""
    numbers: int = Field(gt=0)
    """Measurements of the smoke manifest that were equal, bit for bit, to the local runner's."""


class Locks(Frozen):
    """The whole file."""

    format: Literal[1] = 1
    content_hash: str
    """How the content hash is defined, for whoever reads the file alone."""
    images: dict[Name, ImageLock]


def load_locks(path: Path = LOCK) -> Locks:
    """Read docker/images.lock. Raises SetupError."""
    try:
        return Locks.model_validate(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, ValidationError) as error:
        raise SetupError(f"{path}: cannot be read ({str(error).splitlines()[0]}); restore it from git") from error


def write_lock(name: Name, lock: ImageLock, path: Path = LOCK) -> None:
    """Record one image in docker/images.lock."""
    locks = load_locks(path)
    write_json(path, locks.model_copy(update={"images": {**locks.images, name: lock}}).model_dump(mode="json"))


def locked(name: Name, path: Path = LOCK) -> ImageLock:
    """The record of one image. Raises SetupError when it has no content yet, or its packages have changed since."""
    lock = load_locks(path).images[name]
    if lock.content is None:
        raise SetupError(
            f"{path}: image {name} has no recorded content; build and record it (repro images {name} --relock), "
            "or run without it (--runner local)"
        )
    found = file_digest(ROOT / lock.requirements)
    if found != lock.requirements_sha256:
        raise SetupError(
            f"{path}: image {name} was recorded with another {lock.requirements} (found {found[:12]}, expected "
            f"{str(lock.requirements_sha256)[:12]}); build and record it again: repro images {name} --relock"
        )
    return lock


def local_build(name: Name, cache: Path) -> LocalBuild | None:
    """Return this machine's build with a moved base; None where there is none, or the lock has changed since."""
    path = local_file(name, cache)
    if not path.is_file():
        return None
    try:
        found = LocalBuild.model_validate_json(path.read_text(encoding="utf-8"))
    except (OSError, ValidationError) as error:
        raise SetupError(f"{path}: cannot be read ({str(error).splitlines()[0]}); remove it") from error
    recorded = load_locks().images[name]
    same = found.lock.requirements_sha256 == file_digest(ROOT / recorded.requirements)
    return found if same and found.instead_of == recorded.content else None


def local_file(name: Name, cache: Path) -> Path:
    """Return where a build with a moved base is recorded."""
    return cache / "images" / f"{name}.json"


def expected_image(name: Name, cache: Path | None) -> ImageLock:
    """Return what an image must be here: this machine's own build with a moved base, else what is locked."""
    local = local_build(name, cache) if cache else None
    return local.lock if local else locked(name)


def image_environment(name: Name, machine: str, cache: Path | None = None) -> dict[str, str]:
    """Return what a run inside the image depends on, for the run's key."""
    return environment_in(expected_image(name, cache), machine)


def environment_in(lock: ImageLock, machine: str) -> dict[str, str]:
    """Return the same of an image that is known by its record."""
    return {
        "image": str(lock.content),
        "lock": str(lock.requirements_sha256)[:16],
        "python": str(lock.python),
        "machine": machine,
        "texts": edition(),
    }
