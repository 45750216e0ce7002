"""What a run ran on, attempt by attempt: code, packages, kernels, hardware, isolation; and what its weights and texts are.

The worker writes it, since only it can know; what only the host knows (commit, runner) it finds in host.json. A run's
name says what was asked, this says what was there: nothing here is part of the name. An attempt that finds other code,
weights or texts than the run was named for or begun with is refused.
"""

import os
import platform
from datetime import UTC, datetime
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from transformers import PreTrainedModel

from repro.errors import EvidenceError
from repro.evidence.folder import read_json
from repro.evidence.request import Request
from repro.files import digest, file_digest, write_json
from repro.plan.code import worker_code
from repro.plan.run import Run
from repro.plan.texts import texts_file
from repro.train.isolation import isolation

UNKNOWN_HOST = {"commit": "unknown", "dirty": "unknown", "runner": "unknown"}
"""Of a worker that no host started."""
DRIVER = Path("/proc/driver/nvidia/version")


def write_provenance(folder: Path, request: Request, cache: Path, base: PreTrainedModel) -> None:
    """Write provenance.json; a resumed run adds an attempt to it.

    Raises EvidenceError when code, weights or texts are not those of the run.
    """
    path, host = folder / "provenance.json", folder / "host.json"
    before: dict[str, Any] = read_json(path) if path.exists() else {}
    _check_code(folder, request.run)
    lasting = {"model": _model(cache / "models" / request.run.model.folder), "texts": _texts(request.run, cache)}
    _check_unchanged(folder, before, lasting)
    attempt = {
        "started": datetime.now(UTC).isoformat(timespec="seconds"),
        "host": read_json(host) if host.exists() else UNKNOWN_HOST,
        "python": platform.python_version(),
        "packages": dict(sorted((item.metadata["Name"], item.version) for item in distributions())),
        "kernels": _kernels(base),
        "hardware": _hardware(),
        "threads": torch.get_num_threads(),
        "isolation": isolation(),
    }
    environment = {**request.run.environment, "code": digest(request.run.code)}
    attempts = [*before.get("attempts", []), attempt]
    write_json(path, {"run": request.id, "environment": environment, **lasting, "attempts": attempts})


def _check_code(folder: Path, run: Run) -> None:
    """The worker's own modules, as they lie here, against those that the run's name holds."""
    found = worker_code()
    differing = sorted(name for name in run.code.keys() | found.keys() if run.code.get(name) != found.get(name))
    if differing:
        raise EvidenceError(
            f"{folder}: the run was named for other code than this worker has ({', '.join(differing[:3])}"
            f"{' …' if len(differing) > 3 else ''}): the sources were edited since; start it again with repro run"
        )


def _check_unchanged(folder: Path, before: dict[str, Any], now: dict[str, Any]) -> None:
    """Weights and texts against those that the run's first attempt found."""
    for kind, name in (("model", "files"), ("texts", "sha256")):
        begun, found = before.get(kind, {}).get(name, now[kind][name]), now[kind][name]
        differing = sorted(item for item in begun.keys() | found.keys() if begun.get(item) != found.get(item))
        if differing:
            raise EvidenceError(
                f"{folder}: {kind}: {differing[0]} has sha256 {str(found.get(differing[0]))[:12]}, the run began with "
                f"{str(begun.get(differing[0]))[:12]}; bring that back, or remove the folder and run again"
            )


def _model(folder: Path) -> dict[str, Any]:
    """What the weights are, the types of number they are stored as, and the digest of every file."""
    stored = set()
    for path in folder.glob("*.safetensors"):
        with safe_open(path, framework="pt") as file:
            stored |= {file.get_slice(name).get_dtype() for name in sorted(file.keys())}
    files = (path for path in sorted(folder.glob("*")) if path.is_file() and path.name != "identity.json")
    digests = {path.name: file_digest(path) for path in files}
    return {"identity": read_json(folder / "identity.json"), "stored_as": sorted(stored), "files": digests}


def _texts(run: Run, cache: Path) -> dict[str, Any]:
    """The digest of every source's texts, which were compared with it when they were read."""
    edition = run.environment["texts"]
    sources = [source for domain in run.domains.values() for source in domain]
    digests = {s.id: texts_file(cache, s, edition).with_suffix(".sha256").read_text().strip() for s in sources}
    return {"edition": edition, "sha256": dict(sorted(digests.items()))}


def _kernels(base: PreTrainedModel) -> dict[str, Any]:
    """What computes the numbers below the packages: system, libraries torch was built with, and the paths chosen."""
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


def _hardware() -> dict[str, Any]:
    gpus = [torch.cuda.get_device_properties(number) for number in range(torch.cuda.device_count())]
    return {
        "machine": platform.machine(),
        "processor": _processor(),
        "cores": os.cpu_count(),
        "memory_bytes": os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"),
        "gpus": [{"name": gpu.name, "memory_bytes": gpu.total_memory} for gpu in gpus],
        "gpu_driver": DRIVER.read_text().splitlines()[0] if DRIVER.exists() else "none",
    }


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    return next(
        (line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), platform.processor()
    )
