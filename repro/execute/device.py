"""Decide which device this machine's runs are planned for, and whether torch can use it.

A GPU counts as soon as the driver shows it, since plans and downloads depend on it; whether torch
can use it is checked before a run starts. TORCH=cpu, at set-up or now, chooses the CPU.
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
from itertools import takewhile
from pathlib import Path
from typing import Literal

from repro.errors import SetupError, last_line
from repro.execute.worker_command import worker_command
from repro.shipped import IN_CHECKOUT


def memory_gibibytes() -> float:
    """Return the physical memory, or the limit of this process's control group if that is lower."""
    physical = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    limits = [
        Path("/sys/fs/cgroup/memory.max"),
        Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"),
    ]
    given = [
        int(text)
        for path in limits
        if path.exists() and (text := path.read_text(encoding="utf-8").strip()).isdigit()
    ]
    return float(min([physical, *given])) / 2**30


_Device = Literal["cpu", "cuda"]
CUDA = "13"
DRIVER = "580.65.06"
"""torch and the CUDA image are built for CUDA 13, which NVIDIA's drivers support from branch 580 on
(CUDA Toolkit release notes, "CUDA 13.0 GA: >= 580.65.06" on Linux).
"""
SETUP = "repro-setup.json"
"""The file in which `make setup` records its choices in the environment it makes (ci/setup.py)."""


@dataclass(frozen=True)
class Gpu:
    """One GPU as its driver describes it."""

    name: str
    gibibytes: float
    driver: str


def gpus() -> list[Gpu]:
    """Return the GPUs that the driver shows; none without a driver, or when it does not answer."""
    done = _asked()
    if done is None or done.returncode:
        return []
    rows = [[part.strip() for part in line.rsplit(",", 2)] for line in done.stdout.splitlines()]
    return [Gpu(row[0], _gibibytes(row[1]), row[2]) for row in rows if len(row) == 3]


def silent_driver() -> str | None:
    """Return the message of an nvidia-smi that shows no GPU.

    None where there is none, or it shows one.
    """
    done = _asked()
    if done is None or (done.returncode == 0 and done.stdout.strip()):
        return None
    return last_line(done.stderr or done.stdout)


def _asked() -> "subprocess.CompletedProcess[str] | None":
    """Return nvidia-smi's answer about the GPUs; None where it is not installed."""
    if shutil.which("nvidia-smi") is None:
        return None
    fields = "--query-gpu=name,memory.total,driver_version"
    command = ["nvidia-smi", fields, "--format=csv,noheader,nounits"]
    return subprocess.run(
        command, capture_output=True, encoding="utf-8", errors="replace", check=False
    )


def _gibibytes(mebibytes: str) -> float:
    """Return a GPU's memory.

    One without memory of its own (the driver says [N/A]) uses the machine's.
    """
    try:
        return float(mebibytes) / 1024
    except ValueError:
        return memory_gibibytes()


def planned_gpus() -> list[Gpu]:
    """Return the GPUs that runs are planned for.

    These are the ones in CUDA_VISIBLE_DEVICES where it is set; none when the CPU was chosen.
    """
    found, named = [] if processor_chosen() else gpus(), named_cards()
    if named is None:
        return found
    if all(word.isdecimal() for word in named):
        return [found[int(word)] for word in takewhile(lambda word: int(word) < len(found), named)]
    return found[: len(named)]  # Named by UUID, which does not give their order.


def named_cards() -> list[str] | None:
    """Return the cards that CUDA_VISIBLE_DEVICES names, each once; None where it names nothing.

    As CUDA reads it, -1 hides what comes after it.
    """
    named = os.environ.get("CUDA_VISIBLE_DEVICES", "").split(",")
    words = [word.strip() for word in named if word.strip()]
    shown = takewhile(lambda word: not word.startswith("-"), words)
    return list(dict.fromkeys(shown)) if words else None


def processor_chosen() -> bool:
    """Return whether TORCH=cpu is set now, or was set when the environment was made."""
    if now := os.environ.get("TORCH"):
        return now == "cpu"
    try:
        noted = json.loads((Path(sys.prefix) / SETUP).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(noted, dict) and noted.get("asked") == "cpu"


def require_usable(cards: Sequence[Gpu]) -> None:
    """Raise SetupError, with the command that helps, if torch cannot use the first of these."""
    if cards and (problem := unusable(cards[0])):
        raise SetupError(problem)


@cache
def unusable(card: Gpu) -> str | None:
    """Return why torch cannot use a GPU that the driver shows, and what to do.

    None where it can.
    """
    shown = f"nvidia-smi shows {card.name} ({card.gibibytes:.0f} GiB)"
    seen, cpu = f"{shown}, but torch", "or set TORCH=cpu to plan for the processor"
    if old := too_old(card.driver):
        return f"{shown}, but its {old}, {cpu}"
    try:
        installed = version("torch")
    except PackageNotFoundError:
        return f"{seen} is not installed here: {_install()}, {cpu}"
    if installed.endswith("+cpu"):
        return f"{seen} {installed} is a build for the processor alone: {_install()}, {cpu}"
    command = worker_command("devices")
    done = subprocess.run(
        command, capture_output=True, encoding="utf-8", errors="replace", check=False
    )
    if done.returncode:
        return (
            f"{seen} {installed} cannot be loaded ({last_line(done.stderr)}): {_install()}, {cpu}"
        )
    found = json.loads(done.stdout)
    if found["count"]:
        return None
    if found["cuda"] is None:
        return f"{seen} {installed} is a build without CUDA: {_install()}, {cpu}"
    return (
        f"{seen} {installed} cannot use it: it is built for CUDA {found['cuda']}, the driver "
        f"is {card.driver}; "
        f"install a driver for CUDA {found['cuda']} or newer, {cpu}"
    )


def too_old(driver: str) -> str | None:
    """Return why a driver cannot serve torch's CUDA build, and what to do; None where it can."""
    if _numbers(driver) >= _numbers(DRIVER):
        return None
    return f"driver {driver} is too old for CUDA {CUDA}: install {DRIVER} or later"


def _numbers(version: str) -> tuple[int, ...]:
    """Return a version as numbers."""
    return tuple(int(part) for part in version.split(".") if part.isdigit())


def _install() -> str:
    """Return the command that installs torch's CUDA build."""
    if IN_CHECKOUT:
        return "make setup TORCH=cuda"
    return f"{sys.executable} -m pip install --force-reinstall torch=={_pinned()}"


def _pinned() -> str:
    """Return the version of torch to install."""
    try:
        return version("torch").split("+")[0]
    except PackageNotFoundError:
        return "2.13.0"
