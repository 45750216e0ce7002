"""Write progress.json: how far a run is.

Rewritten at most twice a second, never flushed: not evidence.
"""

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic, time
from typing import Any, Protocol

from repro.evidence.measurement import Measurement

INTERVAL = 0.5  # seconds between writes


class StepLike(Protocol):
    """The properties of an optimizer step that progress shows."""

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
    """Collects a run's progress and writes it to its folder."""

    folder: Path
    steps: int
    values: dict[str, Any] = field(default_factory=dict)
    written: float = 0.0
    walking: tuple[float, int] | None = None
    """When this attempt began to measure block by block, and how many blocks were behind it."""

    def show(self, phase: str, force: bool = False) -> None:
        """Record the phase; write if the last write was long enough ago, or with `force`."""
        self.values.update(phase=phase, steps=self.steps, pid=os.getpid())
        if force or monotonic() - self.written > INTERVAL:
            path = self.folder / "progress.json"
            beside = path.with_suffix(".tmp")
            beside.write_text(json.dumps({**self.values, "updated": time()}), encoding="utf-8")
            beside.replace(path)
            self.written = monotonic()

    def step(self, step: StepLike) -> None:
        """Record an optimizer step. Speed is a moving average over about ten steps."""
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

    def block(self, done: int, of: int) -> None:
        """Record the blocks that a model has been measured through, and the time left."""
        now = monotonic()
        self.walking = self.walking or (now, done)
        begun, first = self.walking
        pace = (now - begun) / (done - first) if done > first else None
        self.values.update(
            block=done, blocks=of, seconds_left=None if pace is None else pace * (of - done)
        )
        self.show("measuring block by block", force=True)

    def measured(self, rows: Sequence[Measurement]) -> None:
        """Record the EI of measured activations, or that it is undefined."""
        for row in rows:
            if (row.quantity, row.specification, row.probe_set) == (
                "entanglement_intensity",
                "default",
                None,
            ):
                self.values["entanglement_intensity"] = row.value
        self.show("training")
