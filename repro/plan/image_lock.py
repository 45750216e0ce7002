"""docker/images.lock: which bases and which content the images must have that runs are carried out in.

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

LOCK = ROOT / "docker" / "images.lock"
Name: TypeAlias = BuiltImage


class Base(Frozen):
    """What an image starts from."""

    image: str | None = None
    """A registry image pinned by digest; None for the base made from Debian packages."""
    suite: str | None = None
    """Debian suite of docker/base-from-debian.sh."""
    sha256: str | None = None
    """Digest of the base's tar file; a mirror that has moved on gives another."""
    python_image: str | None = None
    """Where Python comes from when the base has none, pinned by digest."""
    python: str = "python3"


class ImageLock(Frozen):
    """One image: its inputs, and the content that comes of them."""

    base: Base
    requirements: str
    """The lock file of its packages, below the project's root."""
    requirements_sha256: str | None = None
    python: str | None = None
    """Version of its interpreter."""
    content: str | None = Field(None, pattern=r"^[0-9a-f]{64}$")
    """Content hash; None for an image that nobody has built and recorded yet."""


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
            f"{path}: image {name} has no recorded content; build it where its base can be had (repro images {name} "
            f"--relock), or run without it (--runner local)"
        )
    found = file_digest(ROOT / lock.requirements)
    if found != lock.requirements_sha256:
        raise SetupError(
            f"{path}: image {name} was recorded with another {lock.requirements} (found {found[:12]}, expected "
            f"{str(lock.requirements_sha256)[:12]}); build and record it again: repro images {name} --relock"
        )
    return lock


def image_environment(name: Name, machine: str) -> dict[str, str]:
    """What a run inside the image depends on, for the run's key."""
    lock = locked(name)
    return {
        "image": str(lock.content),
        "lock": str(lock.requirements_sha256)[:16],
        "python": str(lock.python),
        "machine": machine,
        "texts": edition(),
    }
