"""Describe what runs are computed with: kind of device, edition of the numbers, packages."""

import platform
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from pydantic import Field

from repro.errors import SetupError
from repro.files import file_digest
from repro.frozen import Frozen
from repro.plan.editions import COMPARE, FILE, Device, Edition, load_editions
from repro.plan.packages import Pins, computing, installed, locked_packages, other_packages
from repro.plan.texts import edition as texts_edition
from repro.shipped import lock_in_use

VECTORS = ("amx_bf16", "avx512_bf16", "avx512f", "avx2")
"""CPU flags, the widest first.

Seen: without AVX-512, 84 of 212 numbers of a small run change, by at most 1.5e-5.
"""


class Environment(Frozen):
    """The environment of a run.

    Its name holds device, edition and other packages, and the texts' edition if it reads them.
    """

    device: Device
    edition: Edition
    other_packages: Pins = Field(default={})
    """Computing packages outside the edition that the user chose to run with, and their
    versions.
    """
    texts: str
    """Edition of the interpreter's own texts."""
    pins: Pins
    """Required versions of computing packages. A worker that finds others refuses."""
    image: str
    """Content of the image, or "local"."""
    lock: str
    """Digest of the lock file that pins the packages."""
    python: str
    machine: str
    """Type of the CPU. It is in the name of a run on a CPU: other vector instructions round
    differently.
    """


def environment_of(
    device: Device,
    lock: str,
    packages: Mapping[str, str],
    image: str,
    python: str,
    joined: bool = False,
    allowed: bool = False,
) -> Environment:
    """Return the environment with a lock's packages, and an image's content if there is one.

    `joined`: its numbers were compared on this machine. Raises SetupError for packages or an
    image of no edition; with `allowed` the difference goes into the names of runs instead.
    """
    kind, pins = load_editions().devices[device], computing(packages, device)
    member = joined or (kind.of_image(image) if _is_content(image) else kind.of_packages(pins))
    other: Pins = {}
    if not member:
        other = differing(kind.pins, pins) or {"image": image}
        if not allowed:
            words = ", ".join(f"{name} {version}" for name, version in other.items())
            raise SetupError(
                f"{words}: belongs to no edition of the numbers (requirements/editions.json, "
                f"{device}), and can give other "
                f"numbers; {COMPARE}, or go on under other names: --other-packages"
            )
    return Environment(
        device=device, edition=kind.edition, other_packages=other, texts=texts_edition(), pins=pins, image=image,
        lock=lock, python=python, machine=processor_type(),
    )  # fmt: skip


def _is_content(image: str) -> bool:
    """Return whether an image is known by its content hash.

    Others are known by name only, and the worker checks their packages.
    """
    return len(image) == 64 and ":" not in image


def differing(wanted: Mapping[str, str], found: Mapping[str, str]) -> Pins:
    """Return the packages whose version differs from the wanted one.

    An absent package computes nothing.
    """
    return {name: version for name, version in found.items() if wanted.get(name) != version}


def local_environment(device: Device = "cpu", other_allowed: bool = False) -> Environment:
    """Return the environment of this machine's own interpreter, with the packages as locked.

    `other_allowed`: with the packages as installed.
    """
    lock = lock_in_use()
    packages = locked_packages(lock)
    if other_allowed:
        here = installed()
        packages = {name: here[name] for name in packages if name in here}
    digest = file_digest(lock)[:16] if lock.is_file() else "none"
    return environment_of(
        device, digest, packages, "local", platform.python_version(), allowed=other_allowed
    )


@cache
def processor_type() -> str:
    """Return what decides bits on this CPU: its family, and its widest vector instructions."""
    file = Path("/proc/cpuinfo")
    words = set(file.read_text(encoding="utf-8").split()) if file.is_file() else set()
    return " ".join([platform.machine(), *next(([name] for name in VECTORS if name in words), [])])


def refuse_other_packages(environment: Environment) -> None:
    """Raise SetupError unless packages, CPU type and edition are those the run is named for."""
    if environment.device == "cpu" and environment.machine != processor_type():
        raise SetupError(
            f"the run is named for a processor of type {environment.machine}, this one is "
            f"{processor_type()} and rounds "
            "otherwise; plan it on a machine of that type (of a cluster: on a node like "
            "those that run it)"
        )
    if other := other_packages(environment.pins, installed()):
        words = ", ".join(
            f"{name} {version} for {environment.pins[name]}" for name, version in other.items()
        )
        raise SetupError(
            f"not the locked versions, which can give other numbers: {words}; install the "
            "locked ones (make setup), or go "
            "on under other names: --other-packages"
        )
    if not FILE.is_file():  # In an image, the host has checked the sources.
        return
    here, named = load_editions().devices[environment.device].edition, environment.edition
    if here != named:
        raise SetupError(
            f"the run is named for edition {named.code}.{named.packages} of the numbers, the "
            "sources here are of "
            f"{here.code}.{here.packages}; start it again with repro run"
        )
