"""Transfer images between machines: through a registry by digest, or as a file.

What arrives is accepted by its content alone, which must be that of docker/images.lock. The worker
inside is then replaced by this checkout's, so an image stays valid as long as its packages do,
however the worker changes.
"""

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from repro.errors import SetupError
from repro.execute.images.build import checked_image, engine_at_work, scratch
from repro.execute.images.content import content_hash
from repro.execute.images.steps import tag, with_worker
from repro.plain import Say
from repro.plan.image_lock import ImageLock, ImageName, load_locks, read_image_lock, write_lock

PINNED = re.compile(r"(?P<repository>[^@\s]+)@(?P<digest>sha256:[0-9a-f]{64})")


def push(client: Any, name: ImageName, repository: str, say: Say) -> str:
    """Push the image to REGISTRY/NAME and record its digest beside the content.

    Return REGISTRY/NAME@sha256:… Raises SetupError, also for an image that is not the locked
    one.
    """
    repository = repository.partition("@")[0]
    with engine_at_work(f"{repository}: could not be pushed to"):
        image, lock = client.images.get(checked_image(client, name)), read_image_lock(name)
        version = str(lock.content)[:12]
        image.tag(repository, version)
        say(f"pushing {tag(name)} to {repository}:{version}")
        try:
            answers = _checked(
                client.api.push(repository, version, stream=True, decode=True), repository
            )
        finally:
            client.images.remove(f"{repository}:{version}")  # A name for the transfer only.
        digests = [
            answer["aux"]["Digest"] for answer in answers if "Digest" in answer.get("aux", {})
        ]
    if not digests:
        raise SetupError(
            f"{repository}: the registry told no digest; the image cannot be pulled by it"
        )
    pinned = f"{repository}@{digests[-1]}"
    write_lock(name, load_locks().images[name].model_copy(update={"registry": pinned}))
    return pinned


def pull(client: Any, name: ImageName, given: str | None, say: Say) -> None:
    """Pull the image by digest, from its last push unless a reference is given.

    Raises SetupError.
    """
    lock = read_image_lock(name)
    pinned = _pinned(name, given, lock)
    repository, digest = pinned["repository"], pinned["digest"]
    with engine_at_work(f"{pinned.group()}: could not be pulled"):
        say(f"pulling {pinned.group()}")
        _checked(client.api.pull(repository, tag=digest, stream=True, decode=True), pinned.group())
        _take(client, name, lock, client.images.get(pinned.group()), pinned.group())


def _pinned(name: ImageName, given: str | None, lock: ImageLock) -> re.Match[str]:
    """Return the reference to pull: with a digest, or one whose digest docker/images.lock holds."""
    wanted = given or lock.registry or ""
    if given and "@" not in given and (lock.registry or "").startswith(f"{given}@"):
        wanted = str(lock.registry)
    found = PINNED.fullmatch(wanted)
    if found is None:
        raise SetupError(
            f"--pull: found {given or 'no reference, and none in docker/images.lock'}, expected "
            f"REGISTRY/NAME@sha256:…, which `repro images {name} --push REGISTRY/NAME` prints"
        )
    return found


def save(client: Any, name: ImageName, file: Path, say: Say) -> None:
    """Write the image to a file, completely or not at all.

    Raises SetupError, also for an image that is not the locked one.
    """
    partial = file.with_name(file.name + ".partial")
    with engine_at_work(f"{file}: could not be written"):
        image = client.images.get(checked_image(client, name))
        say(f"writing {tag(name)} to {file} ({image.attrs['Size'] / 2**30:.1f} GiB)")
        try:
            with partial.open("wb") as sink:
                for chunk in image.save(named=tag(name)):
                    sink.write(chunk)
            partial.rename(file)
        except OSError as error:
            raise SetupError(f"{file}: could not be written ({error.strerror})") from error
        finally:
            partial.unlink(missing_ok=True)


def load_image(client: Any, name: ImageName, file: Path, say: Say) -> None:
    """Load the image from a file that `save` wrote. Raises SetupError."""
    lock = read_image_lock(name)
    if not file.is_file():
        raise SetupError(
            f"--load {file}: no such file; expected what repro images {name} --save FILE wrote"
        )
    with engine_at_work(f"{file}: is no image that the engine can load"), file.open("rb") as source:
        say(f"loading {file}")
        loaded = client.images.load(source)
        if len(loaded) != 1:
            raise SetupError(f"{file}: holds {len(loaded)} images, expected 1")
        _take(client, name, lock, loaded[0], str(file))


def _take(client: Any, name: ImageName, lock: ImageLock, image: Any, where: str) -> None:
    """Accept an image by its content, and put this checkout's worker into it.

    An image of other content is removed, and SetupError raised.
    """
    found = content_hash(client, image.id, scratch())
    if found != lock.content:
        client.images.remove(image.id, force=True)
        raise SetupError(
            f"{where}: found content {found[:12]}, expected {str(lock.content)[:12]} "
            "(docker/images.lock); "
            "it is refused and removed"
        )
    with_worker(client, name, image.id)


def _checked(answers: Iterable[dict[str, Any]], where: str) -> list[dict[str, Any]]:
    """Read an engine's answers to the end. Raises SetupError in its own words where it failed."""
    read = list(answers)
    problem = next((str(answer["error"]) for answer in read if "error" in answer), None)
    if problem:
        raise SetupError(f"{where}: the engine refused it ({problem.splitlines()[0]})")
    return read
