"""Decide which runs are measured block by block, and what memory that takes.

A run that only measures its base model need not hold it: the weights serve every forward pass block
by block and are dropped (`repro.diagnose.walk`). The numbers are the same bits, so this is no part
of a run's name; it is chosen where this machine's memory does not hold the model, and recorded.
"""

from typing import get_args

from repro.cost.lengths import probe_tokens
from repro.cost.memory import FLOAT, weight_bytes
from repro.cost.space import CAPTURE_GIB, FURTHER_GIB, gibibytes, program_gibibytes
from repro.files import GIB
from repro.manifest.experiment import Entropies
from repro.plan.run import Run

SHARE = 0.5
"""Share of the memory that a model loaded whole may take: a walk takes about as long, and something
else runs on the machine too.
"""
PASS = 2048
"""Tokens of a forward pass over probes, with padding."""
ROWS = 8192
"""Rows of the embedding that are read at a time."""
COPIES = 3
"""Times the hidden states exist at once: before a block, behind it, and as they are written."""
_STORED = 2
"""Bytes of a weight as a hub stores it."""


def can_walk(run: Run) -> bool:
    """Return whether a run can be measured block by block: it reads a base model's activations on
    probes and nothing else, on a CPU.
    """
    return not (
        run.steps
        or run.parent
        or run.condition.csr
        or run.training.heldout
        or {*get_args(Entropies)} & {*run.diagnostics.also}
        or run.environment.device != "cpu"
    )


def walks(run: Run, memory: float) -> bool:
    """Return whether a run is measured block by block on a machine with this memory, in GiB.

    That is where the whole model takes too large a share of it, and a block takes less.
    """
    whole = gibibytes(run)
    return can_walk(run) and whole > SHARE * memory and walked_gibibytes(run) < whole


def needed_gibibytes(run: Run, memory: float) -> float:
    """Return the peak memory of a run on the CPU of a machine with this memory, both in GiB."""
    return walked_gibibytes(run) if walks(run, memory) else gibibytes(run)


def walked_gibibytes(run: Run) -> float:
    """Return the peak memory of a run that is measured block by block.

    A block, its largest weight as it is read and quantised, the probes' hidden states, the
    embedding's rows that they read, and what one forward pass holds inside a block.
    """
    shape, tokens = run.model.architecture, probe_tokens(run)
    linear = shape.linear_parameters / shape.layers
    largest = max(rows * columns for rows, columns in shape.linear_sizes.values())
    block = linear * weight_bytes(run.training)
    read = largest * (_STORED + 2 * FLOAT)
    states = (COPIES + 1) * tokens * shape.hidden * FLOAT
    piece = ROWS * shape.hidden * (_STORED + FLOAT)
    inside = PASS * (3 * shape.intermediate + 6 * shape.hidden) * FLOAT
    extra = CAPTURE_GIB + (FURTHER_GIB if run.diagnostics.also else 0.0)
    return program_gibibytes(run) + extra + (block + read + states + max(piece, inside)) / GIB
