"""Read docker/images.lock: the content that runs' images must have, and its inputs.

An image's content decides which edition of the numbers its runs have (requirements/editions.json),
so a plan knows it without a container engine. The content hash covers every file of the image but
this project's own source (/opt/repro).
"""

import json
from pathlib import Path
from typing import Literal, TypeAlias

from pydantic import Field, ValidationError

from repro.cache import image_record
from repro.errors import SetupError, first_line
from repro.files import file_digest, write_json
from repro.frozen import Frozen
from repro.manifest.experiment import BuiltImage
from repro.plan.editions import Device
from repro.plan.environment import Environment, environment_of
from repro.plan.packages import locked_packages
from repro.shipped import ROOT

DOCKER = ROOT / "docker"
IMAGE_LOCK = DOCKER / "images.lock"
ImageName: TypeAlias = BuiltImage


class ImageLock(Frozen):
    """One image: its inputs, and the content built from them."""

    base_sha256: str | None = None
    """Digest of the base's tar file, which is built from the packages of docker/base.lock."""
    requirements: str
    """The lock file of its packages, below the project's root."""
    requirements_sha256: str | None = None
    python: str | None = None
    """Version of its interpreter."""
    content: str | None = Field(None, pattern=r"^[0-9a-f]{64}$")
    """Content hash; None for an image that was not built and recorded yet."""
    registry: str | None = Field(None, pattern=r"^[^@\s]+@sha256:[0-9a-f]{64}$")
    """REGISTRY/NAME@sha256:… of its last push."""


class LocalBuild(Frozen):
    """An image for this machine alone, built from what Debian had.

    It was verified to give the local runner's numbers.
    """

    lock: ImageLock
    instead_of: str | None
    """Content in docker/images.lock that it replaces; when that changes, the build no longer
    counts.
    """
    packages: tuple[str, ...]
    """Packages that differ from docker/base.lock: name, old and new version."""
    numbers: int = Field(gt=0)
    """Measurements of the smoke manifest that were bit-identical to the local runner's."""


class Locks(Frozen):
    """The whole file."""

    format: Literal[1] = 1
    content_hash: str
    """How the content hash is defined, for readers of this file alone."""
    images: dict[ImageName, ImageLock]


def load_locks(path: Path = IMAGE_LOCK) -> Locks:
    """Read docker/images.lock. Raises SetupError."""
    try:
        return Locks.model_validate(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, ValidationError) as error:
        raise SetupError(
            f"{path}: cannot be read ({first_line(error)}); restore it from git"
        ) from error


def write_lock(name: ImageName, lock: ImageLock, path: Path = IMAGE_LOCK) -> None:
    """Record one image in docker/images.lock."""
    locks = load_locks(path)
    write_json(
        path,
        locks.model_copy(update={"images": {**locks.images, name: lock}}).model_dump(mode="json"),
    )


def read_image_lock(name: ImageName, path: Path = IMAGE_LOCK) -> ImageLock:
    """Return the record of one image.

    Raises SetupError when it has no content yet, or its packages have changed since.
    """
    lock = load_locks(path).images[name]
    if lock.content is None:
        raise SetupError(
            f"{path}: image {name} has no recorded content; build and record it (repro "
            f"images {name} --relock), "
            "or run without it (--runner local)"
        )
    found = file_digest(ROOT / lock.requirements)
    if found != lock.requirements_sha256:
        raise SetupError(
            f"{path}: image {name} was recorded with another {lock.requirements} (found "
            f"{found[:12]}, expected "
            f"{str(lock.requirements_sha256)[:12]}); build and record it again: repro images "
            f"{name} --relock"
        )
    return lock


def local_build(name: ImageName, cache: Path) -> LocalBuild | None:
    """Return this machine's build with a moved base.

    None where there is none, or the lock has changed since.
    """
    path = image_record(cache, name)
    if not path.is_file():
        return None
    try:
        found = LocalBuild.model_validate_json(path.read_text(encoding="utf-8"))
    except (OSError, ValidationError) as error:
        raise SetupError(f"{path}: cannot be read ({first_line(error)}); remove it") from error
    recorded = load_locks().images[name]
    same = found.lock.requirements_sha256 == file_digest(ROOT / recorded.requirements)
    return found if same and found.instead_of == recorded.content else None


def expected_image(name: ImageName, cache: Path | None) -> ImageLock:
    """Return what an image must be here: this machine's own build, else the locked one.

    Its own build is one with a moved base.
    """
    local = local_build(name, cache) if cache else None
    return local.lock if local else read_image_lock(name)


def image_environment(
    name: ImageName, device: Device, cache: Path | None = None, allowed: bool = False
) -> Environment:
    """Return the environment of a run inside the image.

    Raises SetupError for an image of no edition, unless `allowed`.
    """
    compared = bool(cache and local_build(name, cache))
    return environment_in(expected_image(name, cache), device, joined=compared, allowed=allowed)


def environment_in(
    lock: ImageLock, device: Device, *, image: str = "", joined: bool = False, allowed: bool = False
) -> Environment:
    """Return the environment in an image known by its record.

    `image`: its name, where its content cannot be checked.
    """
    packages, digest = locked_packages(ROOT / lock.requirements), str(lock.requirements_sha256)[:16]
    return environment_of(
        device, digest, packages, image or str(lock.content), str(lock.python), joined, allowed
    )
