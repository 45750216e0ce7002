"""Describe what this machine has and can run."""

import json
import os
import re
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, requires
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import urlopen

from repro.cost.space import gpu_gibibytes
from repro.cost.walked import needed_gibibytes
from repro.execute.device import Gpu, memory_gibibytes, planned_gpus
from repro.files import GIB
from repro.manifest.load import experiment_names, load_experiment, load_models
from repro.plan.expand import expand, local_environment
from repro.plan.packages import computing, installed, locked_packages, other_packages, plain_name
from repro.shipped import IN_CHECKOUT, lock_in_use


@dataclass(frozen=True)
class MemoryFit:
    """One manifest, and the memory its largest run needs here."""

    manifest: str
    runs: int
    gibibytes: float
    """Memory of the GPUs if there are any, else of the machine; the least where it depends on
    the texts.
    """
    fits: bool
    hub: bool
    """Whether one of its models is available only from a hub."""


def fits_here(memory: float | None = None, cards: Sequence[Gpu] | None = None) -> list[MemoryFit]:
    """Return every manifest of this project, the smallest first.

    `memory`, `cards`: this machine's by default.
    """
    memory = memory_gibibytes() if memory is None else memory
    cards = planned_gpus() if cards is None else cards
    room = len(cards) * min(card.gibibytes for card in cards) if cards else memory
    found = []
    for name in experiment_names():
        runs = expand(load_experiment(name), local_environment())
        needed = max(
            gpu_gibibytes(run).low if cards else needed_gibibytes(run, memory) for run in runs
        )
        hub = any(run.model.weights.kind == "hub" for run in runs)
        found.append(MemoryFit(name, len(runs), needed, needed <= room, hub))
    return sorted(found, key=lambda fit: fit.gibibytes)


PROXY = 407  # the status of a proxy that wants to know who asks
INSTALL = "make setup" if IN_CHECKOUT else "pip install 'repro-harness[worker]'"
"""Command that installs the packages a worker needs."""


@dataclass(frozen=True)
class Ability:
    """One thing this machine can or cannot do, and what would help."""

    what: str
    able: bool
    found: str
    remedy: str = ""
    needed: bool = False
    """Whether nothing at all runs here without it."""


def usable_cores() -> int:
    """Return the number of processors this process may use."""
    affinity = getattr(os, "sched_getaffinity", None)  # not on macOS
    return len(affinity(0)) if affinity else os.cpu_count() or 1


def abilities(cache: Path, results: Path, lock: Path | None = None) -> list[Ability]:
    """Return what `repro doctor` reports about this machine itself.

    `lock`: lists the packages the worker must have; by default the lock of the installed torch.
    """
    return [_processor(), *_disks(cache, results), _worker(lock or lock_in_use()), _hub()]


def _processor() -> Ability:
    """Describe processor and memory."""
    cores, memory = usable_cores(), memory_gibibytes()
    what, found = "processor and memory", f"{cores} cores, {memory:.1f} GiB"
    return Ability(what, memory >= 2, found, "2 GiB of memory run the smoke manifest", needed=True)


def _disks(cache: Path, results: Path) -> list[Ability]:
    """Describe the disks of cache and results."""
    found = []
    for what, path, variable in (
        ("disk for models and texts", cache, "REPRO_CACHE"),
        ("disk for results", results, "REPRO_RESULTS"),
    ):
        there = next(parent for parent in (path, *path.parents) if parent.exists())
        free = shutil.disk_usage(there).free / GIB
        remedy = f"less than 5 GiB are free: repro clean, or another disk ({variable})"
        if not os.access(there, os.W_OK):
            free, remedy = 0.0, f"{there} cannot be written: choose another folder ({variable})"
        found.append(
            Ability(what, free >= 5, f"{free:.0f} GiB free at {there}", remedy, needed=True)
        )
    return found


def _worker(lock_file: Path) -> Ability:
    """Describe the worker's packages.

    Packages that compute must have the locked version; others are only reported, and only those
    that imports need must exist.
    """
    what, lock, here = "worker (local runner)", locked_packages(lock_file), installed()
    wanted = computing(lock, "cuda" if lock_file.stem == "cuda" else "cpu")
    needed = wanted.keys() | _direct()
    absent = sorted(name for name in needed & lock.keys() if name not in here)
    if absent:
        return Ability(what, False, f"packages are absent: {_some(absent)}", INSTALL, needed=True)
    if other := other_packages(wanted, here):
        words = (
            "not the locked versions: "
            f"{_some([f'{name} {version}' for name, version in other.items()])}"
        )
        return Ability(
            what, False, words, f"{INSTALL}; other versions give other numbers", needed=True
        )
    shown = ", ".join(
        f"{name} {here[name]}" for name in ("torch", "transformers", "peft", "bitsandbytes")
    )
    rest = [f"{name} {version}" for name, version in other_packages(lock, here).items()]
    as_locked = (
        f"not as locked, and without effect on numbers: {_some(rest)}"
        if rest
        else f"all {len(lock)} packages as locked"
    )
    return Ability(what, True, f"{shown}; {as_locked}", needed=True)


def _direct() -> set[str]:
    """Return the packages that this one requires itself, including its worker's."""
    try:
        asked = requires("repro-harness") or ()
    except PackageNotFoundError:
        return set()
    kept = (
        words
        for words in asked
        if "extra ==" not in words or re.search(r"extra == .worker.", words)
    )
    return {plain_name(re.split(r"[^A-Za-z0-9._-]", words, maxsplit=1)[0]) for words in kept}


def _some(names: Sequence[str]) -> str:
    """Return the first three names and the number of others."""
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")


def _hub() -> Ability:
    """Describe the connection to the model hub."""
    try:
        from huggingface_hub import get_token
    except ModuleNotFoundError:  # a host without a worker fetches nothing
        return Ability("model hub", False, "not asked: package huggingface-hub is absent", INSTALL)
    endpoint = os.environ.get("HF_ENDPOINT", "https://huggingface.co")
    here = [model.id for model in load_models().values() if model.weights.kind != "hub"]
    remedy = f"connect, or keep to models that need no hub: {', '.join(here)}"
    if os.environ.get("HF_HUB_OFFLINE", "0") not in ("", "0"):
        return Ability("model hub", False, "switched off by HF_HUB_OFFLINE", remedy)
    try:
        with urlopen(f"{endpoint}/api/models?limit=1", timeout=5) as answer:
            json.load(answer)
    except HTTPError as error:
        if error.code == PROXY:
            return Ability("model hub", False, f"a proxy refuses who asks ({error})", remedy)
    except ValueError:  # a page to sign in at, say
        return Ability("model hub", False, f"{endpoint}: what answers is no model hub", remedy)
    except OSError:
        return Ability("model hub", False, f"{endpoint} does not answer", remedy)
    token = (
        "a token is set"
        if get_token()
        else "no token: gated models cannot be fetched until HF_TOKEN is set"
    )
    return Ability("model hub", True, f"{endpoint} answers; {token}")
