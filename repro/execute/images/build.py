"""Build the images of docker/images.lock, and refuse any that differs from the lock.

An image is three layers: the base from docker/base.lock's packages, the worker's packages, this
checkout's worker. Each is made in a container without network and kept by the engine; the first two
are rebuilt only when an input changed.
"""

import shutil
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from repro.errors import SetupError, first_line
from repro.execute.engine import remove_steps_left, step_name
from repro.execute.folders import build_folder
from repro.execute.images.base_lock import BaseLock, Role, load_base_lock
from repro.execute.images.content import content_hash
from repro.execute.images.debs import bring_debs
from repro.execute.images.rootfs import write_tar
from repro.execute.images.steps import (
    BUILD_ENVIRONMENT,
    IMAGE_PYTHON,
    make_packages,
    tag,
    with_worker,
)
from repro.execute.images.wheels import require_one_wheel_each
from repro.files import digest, file_digest
from repro.plain import Say
from repro.plan.code import worker_code
from repro.plan.image_lock import DOCKER, ImageLock, ImageName, expected_image, load_locks
from repro.shipped import ROOT

BUILD_SCRATCH = build_folder() / "images"
BUILD_GIB = {"cpu": 6, "cuda": 24}
"""Disk needed during a build, wheels and layers together, as seen in two builds."""


def build(
    client: Any,
    name: ImageName,
    say: Say,
    fresh: bool = False,
    pool: Path | None = None,
    base: BaseLock | None = None,
) -> ImageLock:
    """Build an image and return its lock as found, for comparison with docker/images.lock or to
    record.

    `fresh`: from nothing, the base included, and nothing that the engine kept. `base`: instead
    of docker/base.lock. Raises SetupError.
    """
    with engine_at_work(f"image {tag(name)}: could not be built"):
        return _built(client, name, say, fresh, pool, base or load_base_lock())


def _built(
    client: Any, name: ImageName, say: Say, fresh: bool, pool: Path | None, base: BaseLock
) -> ImageLock:
    """Build the layers of an image that are missing, and return its lock as found."""
    lock = load_locks().images[name]
    requirements = ROOT / lock.requirements
    require_one_wheel_each(requirements)
    remove_steps_left(client)
    base_tag, base_sha256 = _base(client, name, base, say, fresh, pool)
    packages = f"repro-packages-{name}:{_inputs(name, base_sha256, requirements, base)[:12]}"
    if fresh or not client.images.list(packages):
        _enough_disk(client, name)
        compiler = _compiler(name, base, pool)
        make_packages(client, name, base_tag, requirements, packages, compiler, scratch(), say)
    with_worker(client, name, packages)
    content = content_hash(client, client.images.get(tag(name)).id, scratch())
    return lock.model_copy(
        update={
            "base_sha256": base_sha256,
            "requirements_sha256": file_digest(requirements),
            "python": _python(client, tag(name)),
            "content": content,
            "registry": lock.registry if content == lock.content else None,
        }
    )


def image_differences(found: ImageLock, expected: ImageLock) -> list[str]:
    """Return where a built image differs from the lock, inputs before content."""
    fields = [
        ("base", found.base_sha256, expected.base_sha256),
        ("packages", found.requirements_sha256, expected.requirements_sha256),
        ("python", found.python, expected.python),
        ("content", found.content, expected.content),
    ]
    return [
        f"{name}: found {str(a)[:12]}, expected {str(b)[:12]}" for name, a, b in fields if a != b
    ]


def checked_image(client: Any, name: ImageName, cache: Path | None = None) -> str:
    """Return the engine's id of the image, if it has the expected content and this checkout's
    code.

    The expected content is that of docker/images.lock, or of the build with a moved base in
    `cache`. Raises SetupError.
    """
    from docker.errors import ImageNotFound

    lock = expected_image(name, cache)
    try:
        image = client.images.get(tag(name))
    except ImageNotFound as error:
        raise SetupError(
            f"image {tag(name)}: not built on this machine for this version of the worker; "
            f"run: repro images {name}"
        ) from error
    if image.labels.get("repro.code") != digest(worker_code()):
        raise SetupError(
            f"image {tag(name)}: holds another version of the worker; run: repro images {name}"
        )
    with engine_at_work(f"image {tag(name)}: could not be read"):
        found = content_hash(client, image.id, scratch())
    if found != lock.content:
        raise SetupError(
            f"image {tag(name)}: found content {found[:12]}, expected "
            f"{str(lock.content)[:12]} (docker/images.lock); "
            f"it is refused: build it again (repro images {name}), or record it (repro "
            f"images {name} --relock)"
        )
    return str(image.id)


def _inputs(name: ImageName, base_sha256: str, requirements: Path, base: BaseLock) -> str:
    """Return a digest of all inputs of the layers below the worker."""
    compiler = [package.sha256 for package in base.of_role("compiler")] if name == "cuda" else []
    scripts = [
        file_digest(DOCKER / script)
        for script in ("install.py", "launcher.py")[: 2 if compiler else 1]
    ]
    return digest([base_sha256, file_digest(requirements), *scripts, *compiler, BUILD_ENVIRONMENT])


def _debs(name: ImageName, base: BaseLock, role: Role, pool: Path | None) -> list[Path]:
    """Return the .deb files of one role."""
    ways = (
        "keep the .debs of a machine that has built it and give their folder (repro images "
        f"{name} --pool DIR), take "
        "the image from a registry or file (--pull REF, --load FILE), or build from what "
        "Debian has now (--moved)"
    )
    return bring_debs(base.of_role(role), base, scratch() / "debs", pool, ways)


def _base(
    client: Any, name: ImageName, base: BaseLock, say: Say, fresh: bool, pool: Path | None
) -> tuple[str, str]:
    """Return (the base's name in the engine, digest of its tar), building it if missing."""
    known = f"repro-base:{base.sha256[:12]}"
    if not fresh and pool is None and client.images.list(known):
        return known, base.sha256
    with tempfile.TemporaryDirectory(dir=scratch()) as folder:
        tar = Path(folder) / "base.tar"
        say(f"making the base of {tag(name)} from {len(base.of_role('worker'))} Debian packages")
        sha256 = write_tar(_debs(name, base, "worker", pool), tar)
        client.api.import_image_from_file(str(tar), repository="repro-base", tag=sha256[:12])
    return f"repro-base:{sha256[:12]}", sha256


def _compiler(name: ImageName, base: BaseLock, pool: Path | None) -> list[Path]:
    """Return the packages that compile Triton's launcher, for the image with Triton."""
    return _debs(name, base, "compiler", pool) if name == "cuda" else []


def _enough_disk(client: Any, name: ImageName) -> None:
    """Refuse a build that would fill the disk. Raises SetupError."""
    for where in {str(client.info().get("DockerRootDir")), str(scratch())}:
        if (
            Path(where).is_dir()
            and (free := shutil.disk_usage(where).free / 2**30) < BUILD_GIB[name]
        ):
            raise SetupError(
                f"{where}: {free:.0f} GiB are free, building the {name} image takes "
                f"{BUILD_GIB[name]} GiB; free some space"
            )


@contextmanager
def engine_at_work(problem: str) -> Iterator[None]:
    """Turn an engine's refusal or disappearance into one line. Raises SetupError.

    The SDK passes on what its HTTP client raises: requests before an answer, urllib3 and
    tarfile in the middle of one.
    """
    from docker.errors import DockerException
    from requests import RequestException
    from urllib3.exceptions import HTTPError

    try:
        yield
    except DockerException as error:
        raise SetupError(f"{problem} ({first_line(error)})") from error
    except (RequestException, HTTPError, tarfile.TarError) as error:
        raise SetupError(
            f"{problem}, the container engine went away ({first_line(error)}); see that it "
            "runs, and repeat the command"
        ) from error


def _python(client: Any, name: str) -> str:
    """Return the version of an image's Python."""
    code = "import platform; print(platform.python_version())"
    given = {"entrypoint": IMAGE_PYTHON, "network_mode": "none", "name": step_name()}
    printed: bytes = client.containers.run(name, ["-c", code], remove=True, **given)
    return printed.decode().strip()


def scratch() -> Path:
    """Return the folder of kept packages, wheels and hashes."""
    BUILD_SCRATCH.mkdir(parents=True, exist_ok=True)
    return BUILD_SCRATCH
