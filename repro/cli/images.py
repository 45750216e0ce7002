"""Verb about container images: build one and compare it with docker/images.lock."""

import argparse

from repro.cli.verbs import Verbs


def add(verbs: Verbs) -> None:
    """Register the verb."""
    images = verbs.add_parser("images", help="build a container image and compare it with docker/images.lock")
    images.add_argument("name", nargs="?", choices=("cpu", "cuda"), default="cpu")
    images.add_argument("--relock", action="store_true", help="record what was built in docker/images.lock")
    images.add_argument("--twice", action="store_true", help="build twice from nothing; both must have one content")
    images.set_defaults(run=_images)


def _images(given: argparse.Namespace) -> int:
    from repro.errors import SetupError
    from repro.execute.engine import engine
    from repro.execute.images import build, differences, tag
    from repro.plan.image_lock import load_locks, write_lock

    client = engine(timeout=1800)
    found = build(client, given.name, _say, fresh=given.twice)
    if given.twice:
        _say(f"first build: base {found.base.sha256}, content {found.content}")
        again = build(client, given.name, _say, fresh=True)
        _say(f"second build: base {again.base.sha256}, content {again.content}")
        if apart := differences(again, found):
            raise SetupError(f"two builds of {tag(given.name)} from the same inputs differ: {'; '.join(apart)}")
    departs = differences(found, load_locks().images[given.name])
    if departs and not given.relock:
        raise SetupError(
            f"image {tag(given.name)} departs from docker/images.lock ({'; '.join(departs)}); runs will refuse it. "
            f"If an input was meant to change, record it: repro images {given.name} --relock"
        )
    if departs:
        write_lock(given.name, found)
    _say(f"{tag(given.name)} has content {found.content} {'(recorded)' if departs else '(as locked)'}")
    return 0


def _say(line: str) -> None:
    print(line, flush=True)
