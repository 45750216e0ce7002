"""Building the images of docker/images.lock, and refusing any that is not what the lock says.

The content hash is what two builds from the same inputs agree on; a container engine's own image id is not, since it
covers the times of layers. Hashing an image takes some seconds, so the result is kept by image id, which is itself a
digest: an image cannot change under its id.
"""

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, cast

from repro.errors import SetupError
from repro.execute.folders import build_folder
from repro.files import canonical_json, digest, file_digest, write_json
from repro.plan.code import worker_code
from repro.plan.image_lock import Base, ImageLock, Name, load_locks, locked
from repro.shipped import PACKAGE, ROOT

Say = Callable[[str], None]
SCRATCH = build_folder() / "images"
OWN = ("opt/repro",)
"""This project's source: named by the run's key, so not part of the content hash."""
ENGINES_OWN = ("dev", "proc", "sys", "run", "etc/hosts", "etc/hostname", "etc/resolv.conf", "etc/mtab", ".dockerenv")
"""What a container engine writes into a container by itself."""


def tag(name: Name) -> str:
    """The name an image has in the engine: one for each version of the worker, so that checkouts do not collide."""
    return f"repro-{name}:{digest(worker_code())[:12]}"


def build(client: Any, name: Name, say: Say, fresh: bool = False) -> ImageLock:
    """Build an image; its lock as found, to compare with docker/images.lock or to record. Raises SetupError.

    `fresh`: from nothing, the base included, and no step out of the engine's cache.
    """
    with _engine_at_work(f"image {tag(name)}: could not be built"):
        return _built(client, name, say, fresh)


def _built(client: Any, name: Name, say: Say, fresh: bool) -> ImageLock:
    lock = load_locks().images[name]
    base, base_sha256 = _base(client, name, lock.base, say, fresh)
    with tempfile.TemporaryDirectory(dir=_scratch()) as scratch:
        context = Path(scratch)
        _gather(context, ROOT / lock.requirements, say)
        say(f"building {tag(name)}")
        arguments = {"BASE_IMAGE": base, "PYTHON_IMAGE": lock.base.python_image or base, "PYTHON": lock.base.python}
        labels = {"repro.lock": file_digest(ROOT / lock.requirements), "repro.code": digest(worker_code())}
        given = {"buildargs": arguments, "labels": labels, "nocache": fresh}
        client.images.build(path=str(context), tag=tag(name), network_mode="none", rm=True, forcerm=True, **given)
    return lock.model_copy(
        update={
            "base": lock.base.model_copy(update={"sha256": base_sha256}),
            "requirements_sha256": file_digest(ROOT / lock.requirements),
            "python": _python(client, tag(name)),
            "content": content_hash(client, client.images.get(tag(name)).id),
        }
    )


def differences(found: ImageLock, expected: ImageLock) -> list[str]:
    """Where a built image departs from the lock, inputs before outcome."""
    fields = [
        ("base", found.base.sha256, expected.base.sha256),
        ("packages", found.requirements_sha256, expected.requirements_sha256),
        ("python", found.python, expected.python),
        ("content", found.content, expected.content),
    ]
    return [f"{name}: found {str(a)[:12]}, expected {str(b)[:12]}" for name, a, b in fields if a != b]


def checked_image(client: Any, name: Name) -> str:
    """The engine's id of the image, when it has the locked content and this checkout's code. Raises SetupError."""
    from docker.errors import ImageNotFound

    lock = locked(name)
    try:
        image = client.images.get(tag(name))
    except ImageNotFound as error:
        raise SetupError(
            f"image {tag(name)}: not built on this machine for this version of the worker; run: repro images {name}"
        ) from error
    if image.labels.get("repro.code") != digest(worker_code()):
        raise SetupError(f"image {tag(name)}: holds another version of the worker; run: repro images {name}")
    with _engine_at_work(f"image {tag(name)}: could not be read"):
        found = content_hash(client, image.id)
    if found != lock.content:
        raise SetupError(
            f"image {tag(name)}: found content {found[:12]}, expected {str(lock.content)[:12]} (docker/images.lock); "
            f"it is refused: build it again (repro images {name}), or record it (repro images {name} --relock)"
        )
    return str(image.id)


def content_hash(client: Any, image_id: str) -> str:
    """The content hash of an image, computed once for each image id."""
    known = _scratch() / "content.json"
    hashes: dict[str, str] = json.loads(known.read_text()) if known.exists() else {}
    if image_id not in hashes:
        hashes[image_id] = _hash_image(client, image_id)
        write_json(known, hashes)
    return hashes[image_id]


def _hash_image(client: Any, image_id: str) -> str:
    settings = client.images.get(image_id).attrs["Config"]
    container = client.containers.create(image_id)
    try:
        lines = sorted(_lines(_Stream(container.export(chunk_size=1 << 20))))
    finally:
        container.remove(force=True)
    kept = {key: settings.get(key) for key in ("User", "Env", "Entrypoint", "Cmd", "WorkingDir")}
    return hashlib.sha256("\n".join([*lines, canonical_json(kept)]).encode()).hexdigest()


def _lines(stream: "_Stream") -> Iterator[str]:
    with tarfile.open(fileobj=cast(IO[bytes], stream), mode="r|") as archive:
        for item in archive:
            path = item.name.removeprefix("./").strip("/")
            if any(path == own or path.startswith(own + "/") for own in (*OWN, *ENGINES_OWN)):
                continue
            file = archive.extractfile(item) if item.isreg() else None
            content = hashlib.sha256(file.read()).hexdigest() if file else ""
            yield canonical_json([path, item.type.decode(), item.mode, item.uid, item.gid, item.linkname, content])


class _Stream:
    """The chunks of an export as a file that can be read once."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks
        self._rest = b""

    def read(self, size: int) -> bytes:
        """`size` bytes, fewer only at the end."""
        while len(self._rest) < size:
            chunk = next(self._chunks, b"")
            if not chunk:
                break
            self._rest += chunk
        taken, self._rest = self._rest[:size], self._rest[size:]
        return taken


def _base(client: Any, name: Name, base: Base, say: Say, fresh: bool) -> tuple[str, str | None]:
    """(a name the engine knows the base by, digest of its tar where it was made here)."""
    if base.image is not None:
        return base.image, None
    if not fresh and base.sha256 is not None and client.images.list(f"repro-base-{name}:{base.sha256[:12]}"):
        return f"repro-base-{name}:{base.sha256[:12]}", base.sha256
    with tempfile.TemporaryDirectory(dir=_scratch()) as scratch:
        tar = Path(scratch) / "base.tar"
        say(f"making the base of {tag(name)} from Debian packages ({base.suite})")
        _command([str(ROOT / "docker" / "base-from-debian.sh"), str(tar), str(base.suite)], "the base")
        sha256 = file_digest(tar)
        client.api.import_image_from_file(str(tar), repository=f"repro-base-{name}", tag=sha256[:12])
    return f"repro-base-{name}:{sha256[:12]}", sha256


def _gather(context: Path, requirements: Path, say: Say) -> None:
    """The build's context: Dockerfile, lock, its wheels, the worker's source. All a build can see."""
    wheels = _scratch() / f"wheels-{file_digest(requirements)[:12]}"
    if not wheels.exists():
        say(f"downloading the wheels of {requirements.name}")
        partial = wheels.with_suffix(".partial")
        pip = [sys.executable, "-m", "pip", "download", "--quiet", "--require-hashes", "--only-binary=:all:"]
        _command([*pip, "--requirement", str(requirements), "--dest", str(partial)], "the wheels")
        partial.rename(wheels)
    shutil.copytree(wheels, context / "wheelhouse", copy_function=os.link)
    shutil.copy(requirements, context / "requirements.lock")
    for name in ("Dockerfile", "interpreter.sh"):
        shutil.copy(ROOT / "docker" / name, context / name)
    own = shutil.ignore_patterns("__pycache__", "_shipped")
    shutil.copytree(PACKAGE, context / "repro", ignore=own)


@contextmanager
def _engine_at_work(problem: str) -> Iterator[None]:
    """What the engine refuses, or that it went away, is one line. Raises SetupError.

    The SDK passes on what its HTTP client raises: requests before an answer, urllib3 and tarfile in the middle of one.
    """
    from docker.errors import DockerException
    from requests import RequestException
    from urllib3.exceptions import HTTPError

    try:
        yield
    except DockerException as error:
        raise SetupError(f"{problem} ({_first_line(error)})") from error
    except (RequestException, HTTPError, tarfile.TarError) as error:
        raise SetupError(
            f"{problem}, the container engine went away ({_first_line(error)}); see that it runs, and repeat the command"
        ) from error


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]


def _python(client: Any, name: str) -> str:
    code = "import platform; print(platform.python_version())"
    printed: bytes = client.containers.run(
        name, ["-c", code], entrypoint="/opt/venv/bin/python", network_mode="none", remove=True
    )
    return printed.decode().strip()


def _command(command: list[str], what: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        problem = (done.stderr.strip().splitlines() or ["no output"])[-1]
        raise SetupError(f"{what}: could not be made ({problem}); see docker/README.md for what a machine needs")


def _scratch() -> Path:
    SCRATCH.mkdir(parents=True, exist_ok=True)
    return SCRATCH
