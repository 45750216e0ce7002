"""What a run computes: operations of its steps, captures and penalties, counted on the tokens they read.

P parameters. A token takes 2P operations forward and 2P backward to the activations. Full fine-tuning takes another 2P
for the gradients of the weights; an adapter's own parameters take 6 operations each. Gradient checkpointing computes
the linear modules of the blocks once more.
"""

from repro.manifest.training import Full
from repro.plan.memory import adapter_parameters, linear_parameters, parameters
from repro.plan.run import Run

TEXT_LENGTH = (250, 700)
"""Mean tokens of a training text before the cut at the protocol's maximum, shortest and longest."""
CAPTURES = "float32"
"""Precision of the passes that capture activations."""


def step_tokens(run: Run, length: int) -> int:
    """Tokens of one optimizer step when texts have `length` tokens before the cut."""
    return run.training.sequences_per_step * min(length, run.training.max_length)


def step_operations(run: Run, length: int) -> float:
    """Operations of one optimizer step when texts have `length` tokens before the cut."""
    shape, training = run.model.architecture, run.training
    frozen = 0 if isinstance(training.trained, Full) else parameters(shape)
    again = 2 * linear_parameters(shape) if training.gradient_checkpointing else 0
    return float(step_tokens(run, length) * (4 * frozen + 6 * adapter_parameters(shape, training) + again))


def capture_operations(run: Run, tokens: float) -> float:
    """Operations of one pass over the probes: forward, without the output embedding."""
    return 2 * linear_parameters(run.model.architecture) * tokens


def penalty_passes(run: Run) -> int:
    """Passes over the probes behind the penalties of CSR; an attached one has a backward pass too."""
    if run.condition.csr is None:
        return 0
    return run.steps // run.training.csr.every * (2 if run.condition.csr.gradient == "attached" else 1)
