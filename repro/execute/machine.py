"""What this machine has and can run: processors, memory, disk, GPUs, container engine, cluster."""

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from repro.errors import SetupError

GIB = 2**30


@dataclass(frozen=True)
class Gpu:
    """One GPU as its driver describes it."""

    name: str
    gibibytes: float
    driver: str


@dataclass(frozen=True)
class Ability:
    """One thing this machine can or cannot do, and what would help."""

    what: str
    able: bool
    found: str
    remedy: str = ""


def memory_gibibytes() -> float:
    """Physical memory, or the limit of the control group this process is in where that is lower."""
    physical = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    limits = [Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory/memory.limit_in_bytes")]
    given = [int(text) for path in limits if path.exists() and (text := path.read_text().strip()).isdigit()]
    return float(min([physical, *given])) / GIB


def gpus() -> list[Gpu]:
    """The GPUs the driver shows; none where there is no driver."""
    if shutil.which("nvidia-smi") is None:
        return []
    command = ["nvidia-smi", "--query-gpu=name,memory.total,driver_version", "--format=csv,noheader,nounits"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    rows = [line.split(", ") for line in done.stdout.splitlines()] if done.returncode == 0 else []
    return [Gpu(name, float(mebibytes) / 1024, driver) for name, mebibytes, driver in rows]


def abilities(cache: Path, results: Path) -> list[Ability]:
    """Everything `repro doctor` tells, the basics first."""
    return [_processor(), *_disks(cache, results), _worker(), _gpu(), _containers(), _cluster()]


def _processor() -> Ability:
    cores, memory = len(os.sched_getaffinity(0)), memory_gibibytes()
    return Ability(
        "processor and memory", memory >= 2, f"{cores} cores, {memory:.1f} GiB", "2 GiB run the smoke manifest"
    )


def _disks(cache: Path, results: Path) -> list[Ability]:
    found = []
    for what, path in (("disk for models and data", cache), ("disk for results", results)):
        there = next(parent for parent in (path, *path.parents) if parent.exists())
        free = shutil.disk_usage(there).free / GIB
        remedy = "less than 5 GiB free: repro clean, or another folder (REPRO_CACHE, REPRO_RESULTS)"
        found.append(Ability(what, free >= 5, f"{free:.0f} GiB free at {there}", remedy))
    return found


def _worker() -> Ability:
    from importlib.metadata import PackageNotFoundError, version

    try:
        found = ", ".join(f"{name} {version(name)}" for name in ("torch", "transformers", "peft", "bitsandbytes"))
    except PackageNotFoundError as error:
        return Ability("worker (local runner)", False, f"{error.name} is absent", "make setup")
    return Ability("worker (local runner)", True, found)


def _gpu() -> Ability:
    found = gpus()
    words = ", ".join(f"{gpu.name} ({gpu.gibibytes:.0f} GiB, driver {gpu.driver})" for gpu in found)
    remedy = "full-size manifests need one; an NVIDIA driver with nvidia-smi shows it"
    return Ability("GPU", bool(found), words or "none", remedy)


def _containers() -> Ability:
    from repro.execute.engine import engine
    from repro.execute.images import checked_image

    what = "containers (docker runner)"
    try:
        client = engine(timeout=5)
    except SetupError as error:
        return Ability(what, False, "no engine answers", str(error))
    version = client.version()
    words = f"{version.get('Platform', {}).get('Name') or 'engine'} {version['Version']}".strip()
    try:
        checked_image(client, "cpu")
    except SetupError as error:
        return Ability(what, False, words, str(error))
    return Ability(what, True, f"{words}, image cpu as locked")


def _cluster() -> Ability:
    from repro.execute.slurm import slurm

    try:
        return Ability("cluster (slurm runner)", True, slurm("sinfo", "--version").strip() + _nodes())
    except SetupError as error:
        return Ability("cluster (slurm runner)", False, "none", str(error))


def _nodes() -> str:
    from repro.execute.slurm import slurm

    return f", {len(slurm('sinfo', '--noheader', '--Node').splitlines())} nodes"
