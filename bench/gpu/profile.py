"""Where a step's time goes: the ten largest entries of torch's profile."""

from collections.abc import Iterator
from typing import Any

from torch import nn
from torch.profiler import ProfilerActivity, profile

import repro.train.loop as loop
from bench.gpu.parts import stated
from bench.gpu.scale import Scale, determined, drawn
from bench.table import Row
from repro.manifest.training import Training

ENTRIES = 10
WIDTH = 60
"""Characters of an entry's name that are shown."""


def profile_rows(model: nn.Module, training: Training, name: str, scale: Scale) -> Iterator[Row]:
    """Yield the largest entries of one step by the time of the card (or processor) itself."""
    vocabulary, lengths = scale.architecture(name).vocabulary, scale.lengths(name)
    card = [ProfilerActivity.CUDA] if scale.device == "cuda" else []
    with determined(True):
        trainer = loop.Trainer(model, training, 100, 0)
        trainer.take_step(drawn(vocabulary, 0, lengths))
        with profile(activities=[ProfilerActivity.CPU, *card]) as seen:
            trainer.take_step(drawn(vocabulary, 1, lengths))
            scale.synchronise()
    averages: list[Any] = list(seen.key_averages())
    spent = "self_device_time_total" if card else "self_cpu_time_total"
    total = sum(getattr(entry, spent) for entry in averages)
    largest = sorted(averages, key=lambda entry: -getattr(entry, spent))[:ENTRIES]
    for place, entry in enumerate(largest, 1):
        took = getattr(entry, spent)
        yield stated(
            f"{scale.name(name)}: profile of a step, {place}: {entry.key[:WIDTH]}",
            took / 1e3,
            "ms",
            f"{100 * took / total:.0f} % of {total / 1e3:.0f} ms, {entry.count} calls",
        )
