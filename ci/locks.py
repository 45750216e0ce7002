"""Split what uv resolved into requirements/{cuda,cpu,dev}.lock.

    .venv/bin/python ci/locks.py WORKER.lock ALL.lock

cuda.lock is WORKER as it is. cpu.lock is the same without the packages that only PyPI's CUDA build
of torch asks for, and with the CPU build of ci/torch_cpu.lock on Linux. dev.lock is what ALL holds
beside WORKER.
"""

import re
import sys
from itertools import product
from pathlib import Path

from packaging.markers import Marker, default_environment

HERE = Path(__file__).resolve().parent
REQUIREMENTS = HERE.parent / "requirements"
PLATFORMS = (("linux", "x86_64"), ("linux", "aarch64"), ("darwin", "arm64"))
PYTHONS = ("3.11", "3.12", "3.13", "3.14")
CUDA_ONLY = re.compile(r"(nvidia|cuda)-|triton$")


def entries(text: str) -> dict[str, str]:
    """Return each entry of a lock, pin and hashes together, by package name."""
    lines = "\n".join(line for line in text.splitlines() if not line.startswith("#"))
    blocks = map(_plain, re.split(r"\n(?=[A-Za-z0-9])", lines.strip()))
    return {re.split(r"[=\s\[]", block, maxsplit=1)[0]: block for block in blocks}


def _plain(block: str) -> str:
    """Shorten the marker of an entry: uv repeats the whole list of platforms at every package."""
    pin, _, hashes = block.partition(" \\\n")
    name, _, marker = pin.partition(" ; ")
    if not marker:
        return block
    wanted = {pair for pair in product(PLATFORMS, PYTHONS) if _holds(Marker(marker), *pair)}
    if wanted == set(product(PLATFORMS, PYTHONS)):
        return f"{name} \\\n{hashes}"
    if wanted == set(product(PLATFORMS[:2], PYTHONS)):
        return f"{name} ; sys_platform == 'linux' \\\n{hashes}"
    return block


def _holds(marker: Marker, platform: tuple[str, str], python: str) -> bool:
    """Return whether a marker holds on a platform with a Python version."""
    system, machine = platform
    here = {"sys_platform": system, "platform_machine": machine, "python_version": python}
    return marker.evaluate({**default_environment(), **here, "python_full_version": f"{python}.1"})


def cpu(worker: dict[str, str], torch_cpu: str) -> list[str]:
    """Return the entries of the CPU lock."""
    kept = {name: block for name, block in worker.items() if not CUDA_ONLY.match(name)}
    pin, _, hashes = kept["torch"].partition(" \\\n")
    return [
        f"{torch_cpu}\n{pin} ; sys_platform == 'darwin' \\\n{hashes}" if name == "torch" else block
        for name, block in kept.items()
    ]


def main(worker_file: str, all_file: str) -> None:
    """Write the three locks."""
    worker, everything = (entries(Path(name).read_text()) for name in (worker_file, all_file))
    apart = [name for name in worker if everything[name] != worker[name]]
    if apart:
        sys.exit(f"locks: pinned twice and differently: {', '.join(apart)}")
    (torch_cpu,) = entries((HERE / "torch_cpu.lock").read_text()).values()
    _write("cuda", list(worker.values()))
    _write("cpu", cpu(worker, torch_cpu))
    _write("dev", [block for name, block in everything.items() if name not in worker])


def _write(name: str, blocks: list[str]) -> None:
    """Write one lock."""
    (REQUIREMENTS / f"{name}.lock").write_text("\n".join(blocks) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
