"""Processor time of a run on a CPU, part by part.

Products are counted and divided by how fast one core of the machine multiplies float32 matrices; what does not depend on
that (starting, bringing weights to 4 bits, going from one small operation to the next) has a time of its own. The
constants are fitted to real runs of three models on one kind of machine (AVX-512 with bfloat16) and checked by
`python -m bench plan`; elsewhere a factor of two is to be expected.
"""

from dataclasses import dataclass, fields
from functools import cache

from repro.errors import ManifestError
from repro.manifest.probes import load_probe_set
from repro.manifest.training import Full
from repro.plan.budget import READ, Range
from repro.plan.memory import ADAM, FLOAT, adapter_parameters, fused, linear_parameters, parameters
from repro.plan.run import Run
from repro.plan.work import CAPTURES, TEXT_LENGTH, capture_operations, penalty_passes, step_operations, step_tokens

PRODUCTS = {"bfloat16": 1.2, "float32": 0.65}
"""Speed of a pass's products by their precision, as a share of one core's speed in float32."""
PLAIN = 0.7
"""Share of that speed where peft's own layers do the work."""
START = 10.0
"""Seconds until a worker has imported its libraries and made its first step."""
QUANTISE = 35e-9
"""Seconds to bring one weight to 4 bits."""
UPDATE = 10e-9
"""Seconds of the optimizer for one trained weight."""
WRITE = 2e-9
"""Seconds to write and flush one byte of the state."""
BLOCK = 0.015
"""Seconds one block adds to a pass and its backward pass however few tokens there are."""
CHARACTERS = 3.8
"""Characters of a probe text behind one token."""
SPREAD = 1.5
"""How far a run of this kind may be from what is computed, either way."""
UNKNOWN = 25_000
"""Characters of a probe set whose texts are not here yet."""


@dataclass(frozen=True)
class Seconds:
    """Seconds of one core by part."""

    loading: float
    training: float
    regularising: float
    measuring: float
    saving: float

    @property
    def total(self) -> float:
        """All parts together."""
        return float(sum(getattr(self, part.name) for part in fields(self)))


def processor_seconds(run: Run, operations: float, length: int) -> Seconds:
    """What a run takes of one core that does `operations` per second, when texts have `length` tokens before the cut."""
    shape, training = run.model.architecture, run.training
    linear, trained = linear_parameters(shape), adapter_parameters(shape, training) if run.steps else 0
    speed = PRODUCTS[training.compute] * operations
    quantised = training.quantisation.format != "none"
    captured = capture_operations(run, _probe_tokens(run)) / (PRODUCTS[CAPTURES] * operations)
    held = 2 * parameters(shape) * training.heldout * len(run.domains) * min(length, training.max_length) / speed
    saves = run.steps // training.checkpoint_every + 1
    return Seconds(
        loading=START + READ * FLOAT * parameters(shape) + (QUANTISE * linear if quantised else 0.0),
        training=run.steps * _step(run, speed, min(length, training.max_length)),
        regularising=_penalties(run, captured),
        measuring=len(run.measured_steps()) * (captured + held + 1.0),
        saving=saves * WRITE * trained * FLOAT * (1 + ADAM) if run.steps else 0.0,
    )


def cpu_hours(run: Run, operations: float) -> Range:
    """Hours of one core, from the shorter to the longer mean length of texts, and as far off as the constants may be."""
    low, high = (processor_seconds(run, operations, length).total / 3600 for length in TEXT_LENGTH)
    return Range(low / SPREAD, high * SPREAD)


def _step(run: Run, speed: float, length: int) -> float:
    """Seconds of one optimizer step."""
    shape, training = run.model.architecture, run.training
    passes = -(-step_tokens(run, length) // max(training.tokens_per_forward, length))
    share = 1.0 if fused(training) or isinstance(training.trained, Full) else PLAIN
    computing = step_operations(run, length) / (share * speed)
    return computing + UPDATE * adapter_parameters(shape, training) + BLOCK * shape.layers * passes


def _penalties(run: Run, captured: float) -> float:
    """Seconds that complement-subspace regularisation takes: the base model's probes once, then every penalty."""
    if run.condition.csr is None:
        return 0.0
    return captured * (1 + penalty_passes(run) * PRODUCTS[CAPTURES] / PRODUCTS[run.training.compute])


def _probe_tokens(run: Run) -> float:
    """Tokens of all the texts that each measurement reads."""
    return sum(_characters(name) for name in (run.probe_set, *run.also_probe_sets)) / CHARACTERS


@cache
def _characters(name: str) -> int:
    try:
        return sum(map(len, load_probe_set(name).texts()))
    except ManifestError:
        return UNKNOWN  # declared, its texts not fetched yet
