"""progress.json: how far a run is, for whoever watches. Rewritten at most twice a second, never flushed: not evidence."""

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic, time
from typing import Any, Protocol

from repro.measurement import Measurement

INTERVAL = 0.5  # seconds between writes


class StepLike(Protocol):
    """What progress needs to know of an optimizer step."""

    @property
    def step(self) -> int: ...
    @property
    def loss(self) -> float: ...
    @property
    def tokens(self) -> int: ...
    @property
    def seconds(self) -> float: ...


@dataclass
class Progress:
    """Collects what a watcher wants to see and writes it to the run's folder."""

    folder: Path
    steps: int
    values: dict[str, Any] = field(default_factory=dict)
    written: float = 0.0

    def show(self, phase: str, force: bool = False) -> None:
        """Note the phase; write when it is time, or now."""
        self.values.update(phase=phase, steps=self.steps, pid=os.getpid())
        if force or monotonic() - self.written > INTERVAL:
            path = self.folder / "progress.json"
            beside = path.with_suffix(".tmp")
            beside.write_text(json.dumps({**self.values, "updated": time()}))
            beside.replace(path)
            self.written = monotonic()

    def step(self, step: StepLike) -> None:
        """An optimizer step was taken; speed is a moving average over about ten steps."""
        speed = step.tokens / max(step.seconds, 1e-9)
        before = self.values.get("tokens_per_second", speed)
        pace = self.values.get("seconds_per_step", step.seconds)
        self.values.update(
            step=step.step,
            loss=step.loss if step.loss == step.loss else None,
            tokens_per_second=0.9 * before + 0.1 * speed,
            seconds_per_step=0.9 * pace + 0.1 * step.seconds,
        )
        self.show("training")

    def measured(self, rows: Sequence[Measurement]) -> None:
        """Activations were measured: note the EI, or that it is undefined."""
        for row in rows:
            if (row.quantity, row.specification, row.probe_set) == ("entanglement_intensity", "default", None):
                self.values["entanglement_intensity"] = row.value
        self.show("training")
