"""An image on a base that has moved on, taken for this machine alone where the smoke manifest's numbers do not change.

It is built from the packages that Debian's mirror has now, tried against the local runner, and recorded in the cache,
never in docker/images.lock. Runs in it carry its own content hash in their names.
"""

import os
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from repro.errors import SetupError
from repro.evidence.compare import Comparison, compare
from repro.evidence.folder import RunFolder
from repro.execute.archive import current
from repro.execute.base_lock import load_base, moved_packages
from repro.execute.container import ContainerRunner, Limits
from repro.execute.fetch import fetch_models, fetch_texts
from repro.execute.folders import Place, place
from repro.execute.image_steps import Say, tag
from repro.execute.images import build, scratch
from repro.execute.jobs import Runner
from repro.execute.local import LocalRunner
from repro.execute.queue import carry_out
from repro.files import write_json
from repro.manifest.load import load_experiment
from repro.plan.expand import expand, local_environment
from repro.plan.image_lock import ImageLock, LocalBuild, Name, environment_in, load_locks, local_file
from repro.plan.run import Run

TRIAL = "smoke"
TRIAL_MEMORY = 4 << 30
"""Bytes that one run of the trial may use."""


def build_moved(client: Any, name: Name, cache: Path, pool: Path | None, say: Say) -> LocalBuild | None:
    """Build from what Debian has now and take it where every number is the local runner's; None if nothing moved.

    Raises SetupError when a number differs, or a mirror does not answer.
    """
    old = load_base()
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
            f"image {tag(name)}: {TRIAL} in it and on this machine give other numbers ({compared.words()}; first: "
            f"{'; '.join(compared.apart[:1])}); it is not taken"
        )
    local = LocalBuild(lock=found, instead_of=recorded.content, packages=tuple(moved), numbers=compared.same)
    write_json(local_file(name, cache), local.model_dump(mode="json"))
    return local


def compare_with_local(client: Any, name: Name, lock: ImageLock, cache: Path, say: Say) -> Comparison:
    """Run the smoke manifest in an image and on this machine, in folders that are thrown away; compare bit for bit."""
    threads = max(1, (os.cpu_count() or 1) // 2)
    with tempfile.TemporaryDirectory(dir=scratch()) as folder:
        here, inside = Path(folder) / "local", Path(folder) / name
        image = str(client.images.get(tag(name)).id)
        shut_in = ContainerRunner(client, image, cache, inside, Limits(threads, TRIAL_MEMORY))
        say(f"running {TRIAL} on this machine, then in {tag(name)}")
        _run_all(local_environment(), LocalRunner(cache, threads), here, cache, say)
        _run_all(environment_in(lock, os.uname().machine), shut_in, inside, cache, say)
        return compare(load_experiment(TRIAL).id, here, inside)


def _run_all(environment: dict[str, str], runner: Runner, results: Path, cache: Path, say: Say) -> None:
    runs = expand(load_experiment(TRIAL), environment)
    _fetch(runs, cache, say)
    outcome = carry_out([place(run, results) for run in runs], {}, runner, 2, _Silent())
    if outcome.failed:
        (first, problem), *_ = outcome.failed
        raise SetupError(f"{TRIAL} with runner {runner.name}: {first.run.slot}: {problem}")


def _fetch(runs: Sequence[Run], cache: Path, say: Say) -> None:
    fetch_models([run.model for run in runs], cache, say)
    fetch_texts([source for run in runs for domain in run.domains.values() for source in domain], cache, say)


class _Silent:
    """A watcher for whom only the end counts."""

    def started(self, place: Place) -> None:
        """Nothing to say."""

    def running(self, folders: Sequence[RunFolder]) -> None:
        """Nothing to say."""

    def ended(self, place: Place, problem: str | None) -> None:
        """Nothing to say: what failed is in the outcome."""
