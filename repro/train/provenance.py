"""What a run ran on: packages, processor, threads, weights. Written by the worker, since only it can know."""

import os
import platform
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch

from repro.evidence.folder import read_json
from repro.evidence.request import Request
from repro.files import file_digest, write_json

PACKAGES = ("torch", "transformers", "peft", "bitsandbytes", "tokenizers", "safetensors", "numpy")


def write_provenance(folder: Path, request: Request, model_folder: Path) -> None:
    """Write provenance.json; a resumed run adds an attempt to it."""
    path = folder / "provenance.json"
    before: dict[str, Any] = read_json(path) if path.exists() else {}
    attempts = [*before.get("attempts", []), datetime.now(UTC).isoformat(timespec="seconds")]
    weights = {item.name: file_digest(item) for item in sorted(model_folder.glob("*.safetensors"))}
    write_json(
        path,
        {
            "run": request.id,
            "attempts": attempts,
            "packages": {name: version(name) for name in PACKAGES},
            "python": platform.python_version(),
            "hardware": {
                "processor": _processor(),
                "cores": os.cpu_count(),
                "capability": torch.backends.cpu.get_cpu_capability(),
                "gpus": [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())],
            },
            "threads": torch.get_num_threads(),
            "model": {"identity": read_json(model_folder / "identity.json"), "sha256": weights},
        },
    )


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    return next(
        (line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), platform.processor()
    )
