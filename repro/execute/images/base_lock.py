"""docker/base.lock: every Debian package of the images' base, by version and digest.

The base is a list of files: from these files the same bytes are built, whatever a mirror serves by
then.
"""

import json
from collections import Counter
from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationError

from repro.errors import SetupError, first_line
from repro.files import canonical_json, write_bytes
from repro.frozen import Frozen
from repro.plan.image_lock import DOCKER

LOCK = DOCKER / "base.lock"
Role = Literal["worker", "compiler"]


class Package(Frozen):
    """One .deb file."""

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9+.-]+$")
    version: str
    role: Role
    """worker: part of the base; compiler: makes Triton's launcher during the CUDA image's
    build, and is not in the image.
    """
    archive: Literal["debian", "debian-security"]
    path: str = Field(pattern=r"^pool/[A-Za-z0-9+.~_/-]+\.deb$")
    """Path below the archive's root."""
    size: int = Field(gt=0)
    """Bytes."""
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")

    @property
    def file(self) -> str:
        """Return the name of the file in a folder of kept packages."""
        return self.path.rsplit("/", 1)[1]


class BaseLock(Frozen):
    """The whole file."""

    format: Literal[1] = 1
    suite: str
    architecture: Literal["amd64"] = "amd64"
    moment: str = Field(pattern=r"^\d{8}T\d{6}Z$")
    """When all these packages were current (UTC), as Debian's snapshot archive names its states."""
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    """Digest of the base's tar file, as built from the worker's packages."""
    packages: tuple[Package, ...]

    def of_role(self, role: Role) -> tuple[Package, ...]:
        """Return the packages of one role, in the order of the file."""
        return tuple(package for package in self.packages if package.role == role)


def load_base_lock(path: Path = LOCK) -> BaseLock:
    """Read docker/base.lock. Raises SetupError, also for a package with two files: nothing would
    say which of them an image has.
    """
    try:
        lock = BaseLock.model_validate(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, ValidationError) as error:
        reason = first_line(error)
        raise SetupError(f"{path}: cannot be read ({reason}); restore it from git") from error
    count = Counter(package.name for package in lock.packages)
    if twice := sorted(name for name, files in count.items() if files > 1):
        raise SetupError(
            f"{path}: found more than one file of {', '.join(twice)}, expected one of each package; "
            "restore it from git"
        )
    return lock


def write_base(lock: BaseLock, path: Path = LOCK) -> None:
    """Write docker/base.lock, one package a line."""
    content = lock.model_dump(mode="json")
    packages = content.pop("packages")
    head = json.dumps(content, indent=1)[:-2]
    lines = ",\n".join(f"  {canonical_json(package)}" for package in packages)
    write_bytes(path, f'{head},\n "packages": [\n{lines}\n ]\n}}\n'.encode())


def moved_packages(old: BaseLock, new: BaseLock) -> list[str]:
    """Return `name old → new` for each package whose file differs, for a message."""
    before = {package.name: package for package in old.packages}
    return [
        f"{package.name} {before[package.name].version} → {package.version}"
        for package in new.packages
        if before[package.name].sha256 != package.sha256
    ]
