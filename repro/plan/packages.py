"""List the packages that compute numbers, the versions a lock pins, and those installed."""

import re
import sys
from collections.abc import Mapping
from importlib.metadata import distributions
from pathlib import Path

from repro.plan.editions import Device

COMPUTING = frozenset(
    ("accelerate", "bitsandbytes", "gguf", "numpy", "peft", "safetensors", "scipy", "tokenizers", "torch", "transformers")
)  # fmt: skip
"""Packages whose version can change a number, as locks name them.

Others (tables, network, the database) cannot.
"""
ON_A_GPU = re.compile(r"(nvidia|cuda)-|triton$")
"""The libraries behind torch, which also compute on a GPU."""
Pins = dict[str, str]
"""Package → version, without the part after a plus, which names a build."""


def computes(name: str, device: Device) -> bool:
    """Return whether a package computes numbers on that kind of device."""
    return name in COMPUTING or (device == "cuda" and ON_A_GPU.match(name) is not None)


def computing(pins: Mapping[str, str], device: Device) -> Pins:
    """Return the packages among `pins` that compute, at their versions, sorted by name."""
    return {name: version for name, version in sorted(pins.items()) if computes(name, device)}


def locked_packages(lock: Path) -> Pins:
    """Return package and version of every pin in a requirements file for this system."""
    found: Pins = {}
    for line in lock.read_text(encoding="utf-8").splitlines():
        if "==" in line and line[0].isalnum() and _for_this_system(line):
            name, rest = line.split("==", 1)
            found[plain_name(name.split("[")[0])] = rest.split()[0].split("+")[0]
    return found


def installed() -> Pins:
    """Return package and version of everything installed.

    Of two copies, the one that an import finds counts.
    """
    found: Pins = {}
    for item in distributions():
        found.setdefault(plain_name(item.metadata["Name"]), item.version.split("+")[0])
    return found


def plain_name(name: str) -> str:
    """Return a package's name in the spelling of package indexes."""
    return re.sub(r"[-_.]+", "-", name).lower()


def other_packages(wanted: Mapping[str, str], here: Mapping[str, str]) -> Pins:
    """Return the wanted packages that are missing or of another version.

    Each with the version that is here, or "absent".
    """
    return {
        name: here.get(name, "absent")
        for name, version in wanted.items()
        if here.get(name) != version
    }


def _for_this_system(line: str) -> bool:
    """Return whether a line's marker is for this system, or it has none."""
    asked = re.search(r"sys_platform == '(\w+)'", line)
    return asked is None or asked[1] == sys.platform
