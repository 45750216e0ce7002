"""Record what a run ran on, attempt by attempt, and its weights and texts.

The worker writes it, since only it can know; what only the host knows (commit, runner) it reads
from host.json. A run's name says what was wanted, this says what was there: nothing here is part of
the name. An attempt that finds other weights or texts than the run began with is refused; other
sources of the same edition give the same numbers, and are recorded.
"""

import os
import platform
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.metadata import distributions, version
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from transformers import PreTrainedModel

from repro.cache import IDENTITY
from repro.errors import EvidenceError
from repro.evidence.folder import read_json
from repro.evidence.request import Request
from repro.files import digest, write_json
from repro.manifest.training import Training
from repro.plan.code import worker_code
from repro.plan.run import Run
from repro.plan.texts import texts_file
from repro.train.isolation import isolation

UNKNOWN_HOST = {"commit": "unknown", "dirty": "unknown", "runner": "unknown"}
"""Host record of a worker that no host started."""
_DRIVER = Path("/proc/driver/nvidia/version")


def write_provenance(
    folder: Path,
    request: Request,
    cache: Path,
    base: PreTrainedModel,
    model: Path,
    digests: Mapping[str, str],
) -> None:
    """Write provenance.json; a resumed run adds an attempt to it.

    `model`: the folder of the base model, `digests`: of its files, which were compared already.
    Raises EvidenceError when weights or texts are not those the run began with.
    """
    path, host = folder / "provenance.json", folder / "host.json"
    before: dict[str, Any] = read_json(path) if path.exists() else {}
    lasting = {
        "model": _model(model, digests),
        "texts": _texts(request.run, cache),
    }
    _check_unchanged(folder, before, lasting)
    attempt = {
        "started": datetime.now(UTC).isoformat(timespec="seconds"),
        "host": read_json(host) if host.exists() else UNKNOWN_HOST,
        "python": platform.python_version(),
        "sources": worker_code(),
        "packages": dict(sorted((item.metadata["Name"], item.version) for item in distributions())),
        "kernels": {**_kernels(base), "lora": lora_kernels(request.run.training)},
        "hardware": _hardware(),
        "threads": torch.get_num_threads(),
        "isolation": isolation(),
    }
    attempts = [*before.get("attempts", []), attempt]
    codes = dict.fromkeys(digest(one["sources"]) for one in attempts)
    environment = {**request.run.environment.model_dump(mode="json"), "code": " ".join(codes)}
    write_json(
        path, {"run": request.id, "environment": environment, **lasting, "attempts": attempts}
    )


def _check_unchanged(folder: Path, before: dict[str, Any], now: dict[str, Any]) -> None:
    """Compare weights and texts with those of the run's first attempt. Raises EvidenceError."""
    for kind, name in (("model", "files"), ("texts", "sha256")):
        begun, found = before.get(kind, {}).get(name, now[kind][name]), now[kind][name]
        differing = sorted(
            item for item in begun.keys() | found.keys() if begun.get(item) != found.get(item)
        )
        if differing:
            raise EvidenceError(
                f"{folder}: {kind}: {differing[0]} has sha256 "
                f"{str(found.get(differing[0]))[:12]}, the run began with "
                f"{str(begun.get(differing[0]))[:12]}; bring that back, or remove the folder "
                "and run again"
            )


def _model(folder: Path, digests: Mapping[str, str]) -> dict[str, Any]:
    """Return the weights' identity, their stored number types, and every file's digest."""
    stored = set()
    for path in folder.glob("*.safetensors"):
        with safe_open(path, framework="pt") as file:
            stored |= {file.get_slice(name).get_dtype() for name in sorted(file.keys())}
    identity = read_json(folder / IDENTITY)
    return {
        "identity": identity,
        "stored_as": sorted(stored),
        "files": dict(sorted(digests.items())),
    }


def _texts(run: Run, cache: Path) -> dict[str, Any]:
    """Return the digest of every source's texts.

    Each was compared with its texts when they were read.
    """
    edition = run.environment.texts
    sources = [source for domain in run.domains.values() for source in domain]
    digests = {
        s.id: texts_file(cache, s, edition)
        .with_suffix(".sha256")
        .read_text(encoding="utf-8")
        .strip()
        for s in sources
    }
    return {"edition": edition, "sha256": dict(sorted(digests.items()))}


def _kernels(base: PreTrainedModel) -> dict[str, Any]:
    """Return what computes the numbers below the packages.

    That is the system, the libraries of torch's build, and code paths.
    """
    built = torch.__config__.show().splitlines()[1:]
    return {
        "system": f"{platform.system()} {platform.release()}",
        "libc": " ".join(platform.libc_ver()),
        "torch": [line.strip(" -") for line in built if "Build settings" not in line],
        "processor_path": torch.backends.cpu.get_cpu_capability(),
        "cuda": torch.version.cuda or "none",
        "cudnn": torch.backends.cudnn.version() or "none",
        "attention": str(getattr(base.config, "_attn_implementation", "unknown")),
        "deterministic": torch.are_deterministic_algorithms_enabled(),
        "cublas_workspace": os.environ.get("CUBLAS_WORKSPACE_CONFIG", "not set"),
    }


def lora_kernels(training: Training) -> str:
    """Return what computes LoRA's product with dropout."""
    if training.kernels == "torch":
        return "torch"
    return f"triton {version('triton')}" if torch.cuda.is_available() else "plain formulas, counted"


def _hardware() -> dict[str, Any]:
    """Return processor, memory and GPUs of this machine."""
    gpus = [torch.cuda.get_device_properties(number) for number in range(torch.cuda.device_count())]
    return {
        "machine": platform.machine(),
        "processor": _processor(),
        "cores": os.cpu_count(),
        "memory_bytes": os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"),
        "gpus": [{"name": gpu.name, "memory_bytes": gpu.total_memory} for gpu in gpus],
        "gpu_driver": _DRIVER.read_text(encoding="utf-8").splitlines()[0]
        if _DRIVER.exists()
        else "none",
    }


def _processor() -> str:
    """Return the processor's model name."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text(encoding="utf-8").splitlines() if info.exists() else []
    return next(
        (line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")),
        platform.processor(),
    )
