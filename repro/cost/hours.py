"""Count the hours of a run: products, bytes moved and operations started, against a profile.

A forward pass goes through every block in two directions, in three with gradient checkpointing. Its
matrix products and its work on each entry take the device; starting all those operations takes the
host, beside a card and in turn on a core. Padding counts, where sequences are padded: a pass then
computes the tokens of its longest for each of them. The constants are fitted to whole steps of 0.1
to 32 B parameters on an H100 and of 0.1 B on a core (tests/cost/test_hours.py).
"""

from collections.abc import Iterable, Sequence
from math import ceil

from repro.cost.figures import Range
from repro.cost.lengths import Steps, probe_tokens, step_lengths
from repro.cost.memory import ADAM, FLOAT, uses_fused_layers
from repro.cost.profiles import H100, Speeds
from repro.cost.space import file_bytes
from repro.cost.walked import PASS
from repro.manifest.training import Precision
from repro.plan.run import Run

_ENTRY = 30
"""Bytes that dropout, casts and sums move for each input and output of a linear module; twice that
in peft's own layers.
"""
_DEQUANTISED, _CAST = 10.5, 6
"""Bytes moved to bring a weight back from 4 bits (half read, float32 written and read, cast), and
to cast one from float32.
"""
_UPDATED, _QUANTISED = 100, 375
"""Bytes moved to update a trained weight, and to quantise one."""
_READ, _WRITTEN = 1e-9, 2e-9
"""Seconds to read and check a byte of a model's file, and to write and flush one of the state."""
_START, _MEASURED = 10.0, 1.0
"""Seconds until a worker has imported its libraries, and of a measurement besides its passes."""
_OVERLAP = 3
"""Degree of the mean in which a card's work and its start add up; 1: one after the other."""


def run_hours(run: Run, profile: Speeds = H100, steps: Steps | None = None) -> Range:
    """Return a run's hours on a card or one core.

    `steps`: lengths of its texts, by default those of a mixed batch.
    """
    took = sum(run_seconds(run, profile, steps or step_lengths(run)).values()) / 3600
    return Range(took / profile.spread, took * profile.spread)


def total_hours(runs: Iterable[Run]) -> Range:
    """Return the GPU-hours of runs on the card that plans assume."""
    return sum(map(run_hours, runs), Range())


def run_seconds(run: Run, profile: Speeds, steps: Steps) -> dict[str, float]:
    """Return the seconds of a run whose steps are like these, part by part."""
    shape, training = run.model.architecture, run.training
    trained = training.trained.parameters(shape) if run.steps else 0
    quantised = shape.linear_parameters if training.quantisation.format != "none" else 0
    probes, csr = probe_tokens(run), run.condition.csr
    captured = _forward(run, profile, probes, "float32")
    penalties = run.steps // training.csr.every * (2 if csr and csr.gradient == "attached" else 1)
    again = penalties * _forward(run, profile, probes, training.compute)
    read = sum(min(length, training.max_length) for step in steps for length in step)
    held = training.heldout * len(run.domains) * read / sum(map(len, steps))
    losses = _forward(run, profile, held, training.compute)
    states = run.steps // training.checkpoint_every + 1
    step = sum(step_seconds(run, profile, lengths) for lengths in steps) / len(steps)
    return {
        "loading": _START + _READ * file_bytes(run.model) + _QUANTISED * quantised / profile.moved,
        "training": run.steps * step,
        "regularising": captured + again if csr else 0.0,
        "measuring": len(run.measured_steps()) * (captured + losses + _MEASURED),
        "saving": states * _WRITTEN * trained * FLOAT * (1 + ADAM),
    }


def step_seconds(run: Run, profile: Speeds, lengths: Sequence[int]) -> float:
    """Return the seconds of an optimizer step on texts of these lengths, before the cut."""
    shape, training, adapter = run.model.architecture, run.training, run.training.trained
    ways, whole = 3 if training.gradient_checkpointing else 2, not adapter.base_is_frozen
    beside = 0 if whole else adapter.parameters(shape)
    of_blocks = shape.linear_parameters * (ways + whole) + beside * (ways + 1)
    of_head = shape.vocabulary * shape.hidden * (2 + whole)
    cut = [min(length, training.max_length) for length in lengths]
    took = _UPDATED * adapter.parameters(shape) / profile.moved
    for rows in training.passes(cut):
        texts = [cut[row] for row in rows]
        computed = training.computed(texts)
        products = 2 * (computed * of_blocks + sum(texts) * of_head)
        took += _took(run, profile, products, training.compute, ways * computed, ways)
    return took


def _forward(run: Run, profile: Speeds, tokens: float, compute: Precision) -> float:
    """Return the seconds of reading texts of so many tokens in all, forward alone."""
    products = 2 * run.model.architecture.linear_parameters * tokens
    return _took(run, profile, products, compute, tokens, ceil(tokens / PASS))


def _took(
    run: Run, profile: Speeds, products: float, compute: Precision, tokens: float, ways: int
) -> float:
    """Return the seconds of `ways` through all blocks, which read so many tokens in all.

    On a card both go on at once: the longer counts, and some of the other where they are alike.
    """
    shape, training = run.model.architecture, run.training
    plain = training.trained.base_is_frozen and not uses_fused_layers(training)
    entries = shape.layers * sum(map(sum, shape.linear_sizes.values())) * (1 + plain)
    if training.quantisation.format == "none":
        weight: float = _CAST if compute == "bfloat16" else 0
    else:
        weight = _DEQUANTISED if training.dequantise == "each_time" else 0
    moved = tokens * entries * _ENTRY + ways * weight * shape.linear_parameters
    working = products / profile.products[compute] + moved / profile.moved
    starting = ways * shape.layers * profile.block
    if profile.gibibytes is None:
        return working + starting
    return float((working**_OVERLAP + starting**_OVERLAP) ** (1 / _OVERLAP))
