"""The card, its driver, and the versions that compute, beside the lock's."""

import os
import platform
from collections.abc import Iterator, Mapping
from itertools import takewhile
from pathlib import Path

import torch

from bench.gpu.parts import stated
from bench.gpu.scale import Scale
from bench.table import Row
from repro.plan.packages import computing, installed, locked_packages
from repro.shipped import ROOT

DRIVER = Path("/proc/driver/nvidia/version")
ALSO = ("liger-kernel", "triton")
"""Packages that a card's figures depend on where they are here."""


def rows(scale: Scale) -> Iterator[Row]:
    """Yield what is here."""
    yield _device(scale)
    here, wanted = installed(), computing(locked_packages(_lock(scale)), "cuda")
    shown = {name: here.get(name, "none") for name in sorted({*wanted, *ALSO})}
    own = [f"{name} {version}" for name, version in shown.items() if "nvidia" not in name]
    yield stated(
        "versions", len(own), "packages", f"Python {platform.python_version()}, {', '.join(own)}"
    )
    other = beside(wanted, here)
    note = ", ".join(other) or "all as locked"
    yield stated(f"packages that are not {_lock(scale).name}'s", len(other), "packages", note)


def _lock(scale: Scale) -> Path:
    """Return the lock for this device."""
    return ROOT / "requirements" / ("cpu.lock" if scale.rehearsed else "cuda.lock")


def _device(scale: Scale) -> Row:
    """Return the card in words; a rehearsal says that there is none."""
    if scale.rehearsed:
        return stated(
            "card",
            0,
            "cards",
            f"none: rehearsed on {platform.machine()}, {os.cpu_count()} cores, with tiny sizes",
        )
    card = torch.cuda.get_device_properties(0)
    driver = (
        DRIVER.read_text(encoding="utf-8").splitlines()[0] if DRIVER.is_file() else "unknown driver"
    )
    note = f"{card.name}, {card.total_memory / 2**30:.0f} GiB; CUDA {torch.version.cuda}; {driver}"
    return stated("card", torch.cuda.device_count(), "cards", note)


def beside(wanted: Mapping[str, str], here: Mapping[str, str]) -> list[str]:
    """Return in words each package that is newer or older than wanted, or not here."""
    found = []
    for name, version in wanted.items():
        if name not in here:
            found.append(f"{name}: none for {version}")
        elif here[name] != version:
            order = "newer" if _numbers(here[name]) > _numbers(version) else "older"
            found.append(f"{name} {here[name]}: {order} than {version}")
    return found


def _numbers(version: str) -> list[int]:
    """Return the leading numbers of a version's parts."""
    parts = ("".join(takewhile(str.isdigit, part)) for part in version.split("."))
    return [int(part) for part in takewhile(bool, parts)]
