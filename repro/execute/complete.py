"""Let a worker complete a benchmark's prompts with a model, and read the completions."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from repro.errors import SetupError
from repro.execute.worker_command import hear_worker
from repro.files import digest
from repro.manifest.benchmark import Problem
from repro.manifest.evaluation import Generation
from repro.manifest.training import Training
from repro.plain import Say


@dataclass(frozen=True)
class CompletionJob:
    """A model, the problems to complete, and how."""

    model: Path
    """Folder of safetensors with its tokenizer."""
    adapter: Path | None
    training: Training | None
    """Protocol by which the base model is loaded; None: in float32."""
    generation: Generation
    problems: Mapping[str, Problem]

    def spec(self, destination: Path, device: str | None) -> dict[str, Any]:
        """Return the job as the worker reads it."""
        return {
            "model": str(self.model),
            "adapter": str(self.adapter) if self.adapter else None,
            "training": self.training.model_dump(mode="json") if self.training else None,
            "generation": self.generation.model_dump(mode="json"),
            "prompts": [[task, problem.prompt] for task, problem in self.problems.items()],
            "destination": str(destination),
            "threads": os.cpu_count() or 1,
            "device": device,
        }

    def name(self) -> str:
        """Return a name unique to model, adapter, benchmark and way of generating.

        Files are told apart by path, size and time.
        """
        folders = [folder for folder in (self.model, self.adapter) if folder]
        files = sorted(path for folder in folders for path in folder.glob("*") if path.is_file())
        states = [[str(path), path.stat().st_size, path.stat().st_mtime_ns] for path in files]
        spec = self.spec(Path(), None)
        spec["generation"].pop("batch")
        spec.pop("threads")
        return digest([spec, states])[:16]

    def destination(self, cache: Path) -> Path:
        """Return the file for its completions. No other way of generating adds to it."""
        return cache / "completions" / f"{self.name()}.jsonl"


def complete_prompts(job: CompletionJob, destination: Path, say: Say) -> list[dict[str, Any]]:
    """Complete the job's prompts into a file, and return the completions.

    An unfinished file is continued. Raises SetupError.
    """
    for path, what in ((job.model, "model"), (job.adapter, "adapter")):
        if path is not None and not path.is_dir():
            raise SetupError(f"{path}: found no folder, expected the {what}'s; correct the path")

    def heard(line: str) -> None:
        if " completions" in line or line.startswith("logits differ"):
            say(line)

    if problem := hear_worker("complete", job.spec(destination, None), heard):
        raise SetupError(f"no completions: {problem}")
    return read_lines(destination)


def read_lines(path: Path) -> list[dict[str, Any]]:
    """Return the completions of a complete file."""
    # splitlines() would also split at signs that a program may hold, such as U+2028.
    return [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n")[:-1]]
