"""Record in usage.json what a run used of the machine, attempt by attempt.

A plan's estimate can then be compared with real runs. CPU time is counted besides wall time: on a
shared machine only CPU time shows what the work costs. An attempt that is killed leaves its usage
up to its last checkpoint.
"""

import resource
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic, process_time
from typing import Any

import torch

from repro.evidence.folder import read_json
from repro.files import write_json
from repro.train.loop import Step


@dataclass
class Usage:
    """The usage of this attempt. Wall time counts from here, when the model is loaded."""

    folder: Path
    values: dict[str, Any] = field(
        default_factory=lambda: {"training_steps": 0, "training_tokens": 0}
    )
    _before: list[dict[str, Any]] = field(init=False)
    _begun: float = field(default_factory=monotonic)
    _training: tuple[float, float] = (0.0, 0.0)
    _mark: tuple[float, float] = field(default_factory=lambda: (monotonic(), process_time()))

    def __post_init__(self) -> None:
        path = self.folder / "usage.json"
        self._before = read_json(path)["attempts"] if path.exists() else []

    def trained(self, steps: Sequence[Step]) -> None:
        """Count the time since the last `write` as training, if any step was taken in it."""
        if steps:
            wall, processor = self._mark
            self._training = (
                self._training[0] + monotonic() - wall,
                self._training[1] + process_time() - processor,
            )
            self.values["training_steps"] += len(steps)
            self.values["training_tokens"] += sum(step.tokens for step in steps)

    def write(self) -> None:
        """Write the usage so far, and start the clock of the next stretch of training."""
        self.values |= {
            "training_seconds": round(self._training[0], 3),
            "training_processor_seconds": round(self._training[1], 3),
            "seconds": round(monotonic() - self._begun, 3),
            "processor_seconds": round(process_time(), 3),
            "peak_memory_bytes": peak_memory(),
            "gpu_peak_bytes": [
                torch.cuda.max_memory_reserved(gpu) for gpu in range(torch.cuda.device_count())
            ],
            "threads": torch.get_num_threads(),
        }
        write_json(self.folder / "usage.json", {"attempts": [*self._before, self.values]})
        self._mark = (monotonic(), process_time())


def peak_memory() -> int:
    """Return the most bytes of memory this process has held, mapped files included."""
    status = Path("/proc/self/status")
    lines = status.read_text(encoding="utf-8").splitlines() if status.exists() else []
    kibibytes = next((int(line.split()[1]) for line in lines if line.startswith("VmHWM")), None)
    return 1024 * (
        kibibytes if kibibytes is not None else resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    )
