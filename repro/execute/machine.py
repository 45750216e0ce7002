"""What this machine has and can run: processors, memory, disk, packages, GPUs, model hub."""

import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import distributions
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import urlopen

from repro.manifest.load import load_models
from repro.shipped import IN_CHECKOUT, lock_in_use

GIB = 2**30
INSTALL = "make setup" if IN_CHECKOUT else "pip install 'repro[worker]'"
"""What brings the packages that a worker needs."""


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
    """Return how many processors this process may use."""
    affinity = getattr(os, "sched_getaffinity", None)  # not on macOS
    return len(affinity(0)) if affinity else os.cpu_count() or 1


def memory_gibibytes() -> float:
    """Physical memory, or the limit of the control group this process is in where that is lower."""
    physical = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    limits = [Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory/memory.limit_in_bytes")]
    given = [int(text) for path in limits if path.exists() and (text := path.read_text().strip()).isdigit()]
    return float(min([physical, *given])) / GIB


def abilities(cache: Path, results: Path, lock: Path | None = None) -> list[Ability]:
    """Return what `repro doctor` tells of this machine itself.

    `lock` says which packages the worker must have; by default the lock of the torch that is installed.
    """
    return [_processor(), *_disks(cache, results), _worker(lock or lock_in_use()), _hub()]


def _processor() -> Ability:
    cores, memory = usable_cores(), memory_gibibytes()
    what, found = "processor and memory", f"{cores} cores, {memory:.1f} GiB"
    return Ability(what, memory >= 2, found, "2 GiB of memory run the smoke manifest", needed=True)


def _disks(cache: Path, results: Path) -> list[Ability]:
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
        found.append(Ability(what, free >= 5, f"{free:.0f} GiB free at {there}", remedy, needed=True))
    return found


def _worker(lock_file: Path) -> Ability:
    what, lock = "worker (local runner)", _pins(lock_file)
    installed = {item.metadata["Name"].lower().replace("_", "-"): item.version for item in distributions()}
    absent = sorted(lock.keys() - installed.keys())
    if absent:
        return Ability(what, False, f"packages are absent: {_some(absent)}", INSTALL, needed=True)
    other = sorted(name for name, pin in lock.items() if installed[name].split("+")[0] != pin.split("+")[0])
    if other:
        words = f"not the locked versions: {_some([f'{name} {installed[name]}' for name in other])}"
        return Ability(what, False, words, f"{INSTALL}; other versions give other numbers", needed=True)
    shown = ", ".join(f"{name} {installed[name]}" for name in ("torch", "transformers", "peft", "bitsandbytes"))
    return Ability(what, True, f"{shown}; all {len(lock)} packages as locked", needed=True)


def _pins(lock: Path) -> dict[str, str]:
    """Package and version of every line of a requirements file that pins one."""
    lines = (line.split("==", 1) for line in lock.read_text().splitlines() if "==" in line and line[0].isalnum())
    return {name.split("[")[0].lower().replace("_", "-"): rest.split()[0] for name, rest in lines}


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")


def _hub() -> Ability:
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
        with urlopen(endpoint, timeout=5):
            pass
    except HTTPError:
        pass  # an answer, if not a page
    except OSError:
        return Ability("model hub", False, f"{endpoint} does not answer", remedy)
    token = "a token is set" if get_token() else "no token: gated models cannot be fetched until HF_TOKEN is set"
    return Ability("model hub", True, f"{endpoint} answers; {token}")
