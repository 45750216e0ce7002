"""Build an image on a base that has moved on, if smoke's numbers do not change.

The image is for this machine alone. It is built from the packages that Debian's mirror has now,
compared with the local runner, and recorded in the cache, never in docker/images.lock. Its runs
have the same names as others: it gives the numbers of their edition.
"""

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from repro.cache import image_record
from repro.errors import SetupError
from repro.evidence.compare import FolderComparison, compare_folders
from repro.evidence.folder import RunFolder
from repro.execute.container import ContainerLimits, ContainerRunner
from repro.execute.folders import RunPlace, place_runs
from repro.execute.images.archive import current
from repro.execute.images.base_lock import load_base_lock, moved_packages
from repro.execute.images.build import build, scratch
from repro.execute.images.steps import tag
from repro.execute.jobs import Runner
from repro.execute.local import LocalRunner
from repro.execute.queue import run_queue
from repro.fetch.models import fetch_models
from repro.fetch.texts import fetch_texts
from repro.files import write_json
from repro.manifest.load import load_experiment
from repro.plain import Say
from repro.plan.environment import Environment, local_environment
from repro.plan.expand import expand
from repro.plan.image_lock import ImageLock, ImageName, LocalBuild, environment_in, load_locks
from repro.plan.run import Run

TRIAL = "smoke"
TRIAL_MEMORY = 4 << 30
"""Bytes that one run of the comparison may use."""


def build_moved(
    client: Any, name: ImageName, cache: Path, pool: Path | None, say: Say
) -> LocalBuild | None:
    """Build from what Debian has now, and accept the image if every number is the local
    runner's.

    Returns None if nothing moved. Raises SetupError when a number differs, or a mirror does not
    answer.
    """
    old = load_base_lock()
    base = current(old)
    moved = moved_packages(old, base)
    say(f"moved since docker/base.lock: {', '.join(moved) or 'nothing'}")
    found = build(client, name, say, pool=pool, base=base)
    recorded = load_locks().images[name]
    if found.content == recorded.content:
        return None
    compared = compare_with_local(client, name, found, cache, say)
    if compared.apart or not compared.numbers:
        raise SetupError(
            f"image {tag(name)}: {TRIAL} in it and on this machine give other numbers "
            f"({compared.words()}; first: "
            f"{'; '.join(compared.apart[:1])}); it is not taken"
        )
    local = LocalBuild(
        lock=found, instead_of=recorded.content, packages=tuple(moved), numbers=compared.same
    )
    write_json(image_record(cache, name), local.model_dump(mode="json"))
    return local


def compare_with_local(
    client: Any, name: ImageName, lock: ImageLock, cache: Path, say: Say
) -> FolderComparison:
    """Run the smoke manifest in an image and on this machine, in temporary folders, and compare
    bit for bit.
    """
    threads = load_experiment(TRIAL).threads
    with tempfile.TemporaryDirectory(dir=scratch()) as folder:
        here, inside = Path(folder) / "local", Path(folder) / name
        image = str(client.images.get(tag(name)).id)
        shut_in = ContainerRunner(
            client, image, cache, inside, ContainerLimits(threads, TRIAL_MEMORY)
        )
        say(f"running {TRIAL} on this machine, then in {tag(name)}")
        _run_all(
            local_environment(other_allowed=True), LocalRunner(cache, threads), here, cache, say
        )
        _run_all(environment_in(lock, "cpu", joined=True), shut_in, inside, cache, say)
        return compare_folders(load_experiment(TRIAL).id, here, inside)


def _run_all(
    environment: Environment, runner: Runner, results: Path, cache: Path, say: Say
) -> None:
    """Run the smoke manifest with a runner. Raises SetupError when a run fails."""
    runs = expand(load_experiment(TRIAL), environment)
    _fetch(runs, cache, say)
    outcome = run_queue(place_runs(runs, results), None, runner, 2, _Silent())
    if outcome.failed:
        (first, problem), *_ = outcome.failed
        raise SetupError(f"{TRIAL} with runner {runner.name}: {first.run.slot}: {problem}")


def _fetch(runs: Sequence[Run], cache: Path, say: Say) -> None:
    """Fetch the models and texts of these runs."""
    fetch_models([run.model for run in runs], cache, say)
    fetch_texts(
        [source for run in runs for domain in run.domains.values() for source in domain], cache, say
    )


class _Silent:
    """A watcher that reports nothing: only the result counts."""

    def started(self, place: RunPlace) -> None:
        """Do nothing."""

    def running(self, folders: Sequence[RunFolder]) -> None:
        """Do nothing."""

    def ended(self, place: RunPlace, problem: str | None) -> None:
        """Do nothing: the outcome holds what failed."""
