"""The locks: every package by hash, one version everywhere, the CPU's lock the CUDA one without
CUDA.
"""

import re
import sys
from pathlib import Path

import pytest
from packaging.markers import Marker, default_environment
from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parents[2]
PLATFORMS = [("linux", "x86_64"), ("linux", "aarch64"), ("darwin", "arm64")]


def entries(name: str) -> list[tuple[Requirement, int]]:
    """Each pin of a lock, with how many hashes it has."""
    blocks = re.split(
        r"\n(?=[A-Za-z0-9])", (ROOT / "requirements" / f"{name}.lock").read_text().strip()
    )
    return [
        (Requirement(block.split(" \\\n")[0]), block.count("--hash=sha256:")) for block in blocks
    ]


def taken(name: str, system: str, machine: str, python: str) -> dict[str, str]:
    """Package and version that a platform takes from a lock."""
    here = {"sys_platform": system, "platform_machine": machine, "python_version": python}
    here |= {"python_full_version": f"{python}.1", "platform_system": system.title()}
    kept = [
        pin
        for pin, _ in entries(name)
        if pin.marker is None or Marker(str(pin.marker)).evaluate({**default_environment(), **here})
    ]
    names = [pin.name for pin in kept]
    assert len(names) == len(set(names)), f"pinned twice for {system} {machine}"
    return {pin.name: str(pin.specifier).removeprefix("==") for pin in kept}


@pytest.mark.parametrize("name", ["cpu", "cuda", "dev"])
def test_every_package_is_pinned_by_hash(name: str) -> None:
    for pin, hashes in entries(name):
        assert re.fullmatch(r"==[^*]+", str(pin.specifier)), pin
        assert hashes > 0, pin


@pytest.mark.parametrize("python", ["3.11", "3.12", "3.13", "3.14"])
@pytest.mark.parametrize(("system", "machine"), PLATFORMS)
def test_the_builds_differ_in_torch_and_cuda_alone(system: str, machine: str, python: str) -> None:
    cpu, cuda, dev = (taken(name, system, machine, python) for name in ("cpu", "cuda", "dev"))
    extra = cuda.keys() - cpu.keys()
    assert all(re.match(r"(nvidia|cuda)-|triton$", name) for name in extra)
    assert bool(extra) == (system == "linux")
    assert {
        name: version for name, version in cuda.items() if cpu.get(name) not in (version, None)
    } == ({"torch": "2.13.0"} if system == "linux" else {})
    assert cpu["torch"] == ("2.13.0+cpu" if system == "linux" else "2.13.0")
    assert not dev.keys() & cuda.keys()


def test_what_this_environment_holds_is_what_a_lock_says() -> None:
    """The positive control: the lock is evaluated as pip evaluated it here."""
    from importlib.metadata import version

    from repro.shipped import lock_in_use

    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    machine = default_environment()["platform_machine"]
    for name, pinned in taken(lock_in_use().stem, sys.platform, machine, python).items():
        assert version(name) == pinned
