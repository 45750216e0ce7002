"""Verb about container images: build, take from elsewhere, pass on.

They are always held against docker/images.lock.
"""

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from repro.cli.verbs import Verbs

if TYPE_CHECKING:
    from repro.plan.image_lock import ImageLock

_WAYS = ("moved", "twice", "push", "pull", "save", "load")


def add(verbs: Verbs) -> None:
    """Register the verb."""
    words = (
        "build a container image and compare it with docker/images.lock, or bring it from elsewhere"
    )
    images = verbs.add_parser("images", help=words, description=words)
    images.add_argument("name", nargs="?", choices=("cpu", "cuda"), default="cpu")
    images.add_argument(
        "--pool", type=Path, metavar="DIR", help="folder of kept .deb files to look in first"
    )
    images.add_argument(
        "--relock", action="store_true", help="record what was built in docker/images.lock"
    )
    way = images.add_mutually_exclusive_group()
    way.add_argument(
        "--twice", action="store_true", help="build twice from nothing; both must have one content"
    )
    way.add_argument(
        "--moved", action="store_true",
        help="build from the packages Debian has now; taken for this machine where smoke's numbers are equal",
    )  # fmt: skip
    way.add_argument("--push", metavar="REF", help="push to REGISTRY/NAME and record the digest")
    way.add_argument(
        "--pull",
        metavar="REF",
        nargs="?",
        const="",
        help="pull by digest (default: as it was pushed last)",
    )
    way.add_argument("--save", type=Path, metavar="FILE", help="write the image to a file")
    way.add_argument("--load", type=Path, metavar="FILE", help="take the image out of such a file")
    images.set_defaults(run=_images)


def _images(given: argparse.Namespace) -> int:
    from repro.errors import InputError
    from repro.execute.engine import engine

    way = next((way for way in _WAYS if getattr(given, way) not in (None, False)), "build")
    if given.relock and way not in ("build", "twice"):
        raise InputError(
            f"--relock: found with --{way}, expected alone or with --twice: it records what is "
            "built"
        )
    if given.pool and way not in ("build", "twice", "moved"):
        raise InputError(f"--pool: found with --{way}, expected where something is built")
    client = engine(timeout=3600)
    steps: dict[str, Callable[[Any, argparse.Namespace], None]] = {
        "build": _build, "twice": _build, "moved": _moved, "push": _push, "pull": _pull, "save": _save, "load": _load,
    }  # fmt: skip
    steps[way](client, given)
    return 0


def _build(client: Any, given: argparse.Namespace) -> None:
    from repro.errors import SetupError
    from repro.execute.images.build import build, image_differences
    from repro.execute.images.steps import tag
    from repro.plan.image_lock import load_locks, write_lock

    found = build(client, given.name, _say, fresh=given.twice, pool=given.pool)
    if given.twice:
        _say(f"first build: base {found.base_sha256}, content {found.content}")
        again = build(client, given.name, _say, fresh=True, pool=given.pool)
        _say(f"second build: base {again.base_sha256}, content {again.content}")
        if apart := image_differences(again, found):
            raise SetupError(
                f"two builds of {tag(given.name)} from the same inputs differ: {'; '.join(apart)}"
            )
    departs = image_differences(found, load_locks().images[given.name])
    if departs and not given.relock:
        raise SetupError(
            f"image {tag(given.name)} departs from docker/images.lock "
            f"({'; '.join(departs)}); runs will refuse it. "
            f"If an input was meant to change, record it: repro images {given.name} --relock"
        )
    if departs:
        write_lock(given.name, found)
    _say(
        f"{tag(given.name)} has content {found.content} "
        f"{'(recorded)' if departs else '(as locked)'}"
    )
    _forget_local(given.name)


def _moved(client: Any, given: argparse.Namespace) -> None:
    from repro.execute.folders import cache_folder
    from repro.execute.images.steps import tag
    from repro.machine.moved import build_moved

    local = build_moved(client, given.name, cache_folder(), given.pool, _say)
    if local is None:
        _say(f"{tag(given.name)} has the content of docker/images.lock")
        _forget_local(given.name)
        return
    _say(
        f"{tag(given.name)} has content {local.lock.content}, not that of docker/images.lock, "
        "and is taken here:"
    )
    _say(f"  all {local.numbers} numbers of smoke in it are the local runner's, bit for bit")
    _say(f"  packages that differ: {', '.join(local.packages) or 'none'}")
    _say("its runs have the names of their edition; docker/images.lock is unchanged")


def _push(client: Any, given: argparse.Namespace) -> None:
    from repro.execute.images.registry import push

    pinned = push(client, given.name, given.push, _say)
    _say(f"pushed, and recorded in docker/images.lock: {pinned}")
    _say(f"elsewhere: repro images {given.name} --pull {pinned}")


def _pull(client: Any, given: argparse.Namespace) -> None:
    from repro.execute.images.registry import pull

    pull(client, given.name, given.pull or None, _say)
    _taken(given.name)


def _save(client: Any, given: argparse.Namespace) -> None:
    from repro.execute.images.registry import save

    save(client, given.name, given.save, _say)
    _say(f"elsewhere: repro images {given.name} --load {given.save.name}")
    _say(
        f"for Apptainer: apptainer build repro-{given.name}.sif docker-archive://{given.save.name}"
    )


def _load(client: Any, given: argparse.Namespace) -> None:
    from repro.execute.images.registry import load_image

    load_image(client, given.name, given.load, _say)
    _taken(given.name)


def _taken(name: Any) -> None:
    from repro.execute.images.steps import tag
    from repro.plan.image_lock import read_image_lock

    lock: ImageLock = read_image_lock(name)
    _say(f"{tag(name)} has content {lock.content} (as locked)")
    _forget_local(name)


def _forget_local(name: Any) -> None:
    """Forget a build with a moved base: it is not needed where the locked image is here."""
    from repro.cache import image_record
    from repro.execute.folders import cache_folder

    image_record(cache_folder(), name).unlink(missing_ok=True)


def _say(line: str) -> None:
    print(line, flush=True)
