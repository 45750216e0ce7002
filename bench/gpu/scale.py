"""What is measured at which size: a card's, or the tiny one of a rehearsal on the processor."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from bench.training import as_the_worker
from repro.manifest.load import load_experiment, load_models
from repro.manifest.model import Architecture
from repro.manifest.training import Training

MIXED = (2048, 1210, 905, 760, 640, 560, 480, 430, 380, 330, 290, 250, 210, 170, 130, 90)
"""Tokens of the sequences of a step; 8,883 in all, as mixed as texts are."""
SHORT = (640, 450, 380, 310, 270, 240, 210, 190, 160, 140, 120, 110, 90, 80, 60, 50)
"""The same for a small model; 3,500 in all."""
TINY = (40, 33, 30, 24, 20, 17, 12, 9)


@dataclass(frozen=True)
class Scale:
    """Where and how large."""

    device: str

    @property
    def rehearsed(self) -> bool:
        """Return whether this is the processor's rehearsal, whose speeds say nothing."""
        return self.device == "cpu"

    def architecture(self, model: str) -> Architecture:
        """Return a model's architecture; in a rehearsal a tiny one of its family."""
        real = load_models()[model].architecture
        tiny = {
            "hidden": 64,
            "layers": 3,
            "heads": 4,
            "kv_heads": 2,
            "intermediate": 128,
            "vocabulary": 1024,
        }
        return real.model_copy(update=tiny) if self.rehearsed else real

    def protocol(self, **changes: Any) -> Training:
        """Return the papers' training, with changes; in a rehearsal of short sequences."""
        tiny: dict[str, Any] = {"max_length": max(TINY)} if self.rehearsed else {}
        if self.rehearsed and "tokens_per_forward" in changes:
            changes["tokens_per_forward"] = 128
        return load_experiment("scale_ladder").training.model_copy(update={**tiny, **changes})

    def lengths(self, model: str) -> tuple[int, ...]:
        """Return the tokens of each sequence of a step."""
        if self.rehearsed:
            return TINY
        return SHORT if model.startswith("smollm2") else MIXED

    def name(self, model: str) -> str:
        """Return what rows call a model."""
        short = model.removeprefix("qwen2.5-coder-").upper()
        short = "SmolLM2-135M" if model.startswith("smollm2") else short
        return f"{short} (tiny sizes, on a processor)" if self.rehearsed else short

    def synchronise(self) -> None:
        """Wait for the card."""
        if self.device == "cuda":
            torch.cuda.synchronize()


def drawn(vocabulary: int, seed: int, lengths: Sequence[int]) -> list[list[int]]:
    """Return a step's sequences of random tokens."""
    random = np.random.default_rng(seed)
    return [random.integers(10, vocabulary - 10, length).tolist() for length in lengths]


@contextmanager
def determined(wanted: bool) -> Iterator[None]:
    """Use deterministic algorithms, as the worker does, or none."""
    if not wanted:
        yield
        return
    with as_the_worker():
        yield
