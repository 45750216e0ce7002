"""Check whether a container gets this machine's GPUs: hardware, driver, engine, one by one.

The CUDA image brings everything but the driver, which is the machine's.
"""

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from repro.execute.device import DRIVER, Gpu, gpus, too_old

NVIDIA = "0x10de"
PCI = Path("/sys/bus/pci/devices")
_DEVICES = (Path("/etc/cdi"), Path("/var/run/cdi"))
"""Folders of CDI descriptions of devices."""
HOOKS = ("nvidia-container-runtime-hook", "nvidia-container-runtime")
Way = Literal["cdi", "nvidia"]


def cards_on_the_bus(devices: Path = PCI) -> int:
    """Return how many NVIDIA display controllers the machine has, whether or not a driver knows
    them.
    """
    found = 0
    for vendor in devices.glob("*/vendor"):
        kind = vendor.with_name("class")
        if vendor.read_text(encoding="utf-8").strip() == NVIDIA and kind.exists():
            found += kind.read_text(encoding="utf-8").startswith("0x03")
    return found


def driver_problem(cards: Sequence[Gpu], on_the_bus: int) -> str | None:
    """Return why the driver cannot serve the CUDA image, and what to do.

    None when it can or there is no card.
    """
    if not cards:
        return (
            f"{on_the_bus} NVIDIA cards are built in and no driver answers: install NVIDIA's "
            f"driver {DRIVER} or later "
            "(nvidia-smi then lists them)"
            if on_the_bus
            else None
        )
    return too_old(cards[0].driver)


def way_through(info: Mapping[str, Any], devices: Sequence[Path] = _DEVICES) -> Way | None:
    """Return how the engine gives GPUs to containers, from its description of itself.

    None when it cannot.
    """
    specified = [
        path for folder in devices for path in folder.glob("*") if path.suffix in (".yaml", ".json")
    ]
    if info.get("CDISpecDirs") and any(
        "nvidia.com/gpu" in path.read_text(encoding="utf-8", errors="replace") for path in specified
    ):
        return "cdi"
    if "nvidia" in (info.get("Runtimes") or {}) or any(shutil.which(hook) for hook in HOOKS):
        return "nvidia"
    return None


def gpu_problem(
    info: Mapping[str, Any], cards: Sequence[Gpu] | None = None, on_the_bus: int | None = None
) -> str | None:
    """Return the first thing that keeps this machine's GPUs from containers.

    None when nothing does, or without GPU.
    """
    cards = gpus() if cards is None else cards
    problem = driver_problem(cards, cards_on_the_bus() if on_the_bus is None else on_the_bus)
    if problem or not cards or way_through(info):
        return problem
    return (
        "the container engine has no way to the GPU: install nvidia-container-toolkit, then "
        "`nvidia-ctk runtime configure --runtime=docker` and restart the engine, or "
        "describe the cards for CDI "
        "(`nvidia-ctk cdi generate --output=/etc/cdi/nvidia.yaml`, Docker 25 or later)"
    )
