"""Which device runs of this machine are planned for, and whether the worker's torch can use it.

A card counts as soon as the driver shows it, since plans and downloads depend on it; that torch can use it is asked
before a run starts. Whoever set up with TORCH=cpu, or sets it now, has chosen the processor.
"""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Literal

from repro.errors import SetupError
from repro.shipped import IN_CHECKOUT

Device = Literal["cpu", "cuda"]
SETUP = "repro-setup.json"
"""What `make setup` notes in the environment it makes (ci/setup.py)."""


@dataclass(frozen=True)
class Gpu:
    """One GPU as its driver describes it."""

    name: str
    gibibytes: float
    driver: str


def gpus() -> list[Gpu]:
    """Return the GPUs that the driver shows; none where there is no driver."""
    if shutil.which("nvidia-smi") is None:
        return []
    fields = "--query-gpu=name,memory.total,driver_version"
    command = ["nvidia-smi", fields, "--format=csv,noheader,nounits"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    rows = [line.split(", ") for line in done.stdout.splitlines()] if done.returncode == 0 else []
    return [Gpu(name, float(mebibytes) / 1024, driver) for name, mebibytes, driver in rows]


def planned_gpus() -> list[Gpu]:
    """Return the GPUs that runs are planned for: none where the processor was chosen."""
    return [] if processor_chosen() else gpus()


def processor_chosen() -> bool:
    """Whether TORCH=cpu says so now, or said so when the environment was made."""
    if now := os.environ.get("TORCH"):
        return now == "cpu"
    try:
        noted = json.loads((Path(sys.prefix) / SETUP).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(noted, dict) and noted.get("asked") == "cpu"


def require_usable(cards: Sequence[Gpu]) -> None:
    """Refuse to plan runs for cards that torch cannot use here. Raises SetupError with the command that mends it."""
    if cards and (problem := unusable(cards[0])):
        raise SetupError(problem)


@cache
def unusable(card: Gpu) -> str | None:
    """Return why torch cannot use a card that the driver shows, and what to do; None where it can."""
    seen = f"nvidia-smi shows {card.name} ({card.gibibytes:.0f} GiB), but torch"
    cpu = "or set TORCH=cpu to plan for the processor"
    try:
        installed = version("torch")
    except PackageNotFoundError:
        return f"{seen} is not installed here: {_install()}, {cpu}"
    if installed.endswith("+cpu"):
        return f"{seen} {installed} is a build for the processor alone: {_install()}, {cpu}"
    command = [sys.executable, "-m", "repro.worker", "devices"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        return f"{seen} {installed} cannot be loaded ({_last(done.stderr)}): {_install()}, {cpu}"
    found = json.loads(done.stdout)
    if found["count"]:
        return None
    if found["cuda"] is None:
        return f"{seen} {installed} is a build without CUDA: {_install()}, {cpu}"
    return (
        f"{seen} {installed} cannot use it: it is built for CUDA {found['cuda']}, the driver is {card.driver}; "
        f"install a driver for CUDA {found['cuda']} or newer, {cpu}"
    )


def _install() -> str:
    if IN_CHECKOUT:
        return "make setup TORCH=cuda"
    return f"{sys.executable} -m pip install --force-reinstall torch=={_pinned()} from PyPI"


def _pinned() -> str:
    try:
        return version("torch").split("+")[0]
    except PackageNotFoundError:
        return "2.13.0"


def _last(text: str) -> str:
    return (text.strip().splitlines() or ["no output"])[-1]
