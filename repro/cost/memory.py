"""Count what a run keeps in memory, part by part, from its architecture and protocol.

T tokens of one forward pass, H width, V vocabulary, P parameters. Weights of linear layers are held
in the storage the protocol asks for; embeddings, norms and biases in float32; adapters and their
optimizer in float32. Counts of parameters are exact; bytes per token follow from what each
operation keeps for its backward pass.
"""

from dataclasses import dataclass

from repro.manifest.model import Architecture
from repro.manifest.training import Training

FLOAT = 4  # bytes
NF4 = 0.5 + 4 / 64
"""Bytes of a 4-bit weight with a float32 constant for every 64."""
NF4_DOUBLE = 0.5 + 1 / 64 + 4 / (64 * 256)
"""The same with constants that are themselves quantised, in blocks of 256."""
ADAM = 2
"""Moments that AdamW keeps for each trained weight."""
_LOGITS = 2**24
"""Most entries of the logits that exist at once (`repro.train.loss`)."""


@dataclass(frozen=True)
class MemoryParts:
    """Bytes by part."""

    weights: float
    adapter: float
    """Trained weights besides the base, gradients of all trained weights, and the optimizer's
    moments.
    """
    activations: float
    """Most that the backward pass needs."""
    logits: float
    """One chunk of logits with its gradient, and the output embedding in the products'
    precision.
    """
    scratch: float
    """Weights in the products' precision: the largest dequantised one, or all if they are kept;
    casts of float ones.
    """

    @property
    def total(self) -> float:
        """Return the sum of all parts."""
        return self.weights + self.adapter + self.activations + self.logits + self.scratch


def weight_bytes(training: Training) -> float:
    """Return the bytes of one weight of a linear module."""
    if training.quantisation.format == "none":
        return FLOAT
    return NF4_DOUBLE if training.quantisation.double else NF4


def training_memory(shape: Architecture, training: Training, tokens: float) -> MemoryParts:
    """Return the peak bytes of a training step whose largest forward pass has `tokens` tokens.

    Padding is among them where sequences are padded.
    """
    compute = 2 if training.compute == "bfloat16" else FLOAT
    block = _block_bytes(shape, training, compute)
    kept = shape.hidden * FLOAT  # A block's input, which is all that checkpointing keeps.
    blocks = (
        shape.layers * kept + block if training.gradient_checkpointing else shape.layers * block
    )
    trained = training.trained.parameters(shape)
    beside = trained if training.trained.base_is_frozen else 0
    chunk = min(tokens * shape.vocabulary, max(_LOGITS, shape.vocabulary))
    head = shape.vocabulary * shape.hidden * compute if training.compute == "bfloat16" else 0
    return MemoryParts(
        weights=shape.linear_parameters * weight_bytes(training) + shape.other_parameters * FLOAT,
        adapter=(beside + trained * (1 + ADAM)) * FLOAT
        + beside * (compute if training.compute == "bfloat16" else 0),
        activations=tokens * blocks,
        logits=chunk * (2 * compute + 2 * FLOAT) + head,
        scratch=_copies(shape, training, compute),
    )


def _copies(shape: Architecture, training: Training, compute: int) -> float:
    """Return the bytes of weights in the products' precision, besides their storage."""
    if training.quantisation.format == "none":
        # Autocast keeps a copy of each float weight for the backward pass.
        cast = shape.linear_parameters // (shape.layers if training.gradient_checkpointing else 1)
        return 0.0 if training.compute == "float32" else 2.0 * cast
    if training.dequantise == "once":
        return float(shape.linear_parameters * compute)
    largest = max(rows * columns for rows, columns in shape.linear_sizes.values())
    return float(largest * (FLOAT + compute))


def _block_bytes(shape: Architecture, training: Training, compute: int) -> float:
    """Return the bytes a token leaves in one block for the backward pass.

    These are: the residual stream before each norm; what attention and the gated product
    multiply; each module's input in the products' precision, once for all modules that read the
    same; LoRA dropout's mask and A's output (`repro.train.fused`). Where peft's own layers do
    the work, an adapted input is kept once more in float32.
    """
    sizes, ranks = shape.linear_sizes, training.trained.ranks
    inner = sizes["o_proj"][0]
    norms = 2 * shape.hidden * FLOAT
    attention = 4 * inner * compute  # queries, keys and values for every head, and the output
    # bitsandbytes returns float32.
    wide = training.quantisation.format != "none" and not uses_fused_layers(training)
    # Gate, its activation, up, and their product.
    product = 4 * shape.intermediate * (FLOAT if wide else compute)
    inputs = 2 * shape.hidden * compute
    adapted = sum(sizes[name][0] + rank * compute for name, rank in ranks.items())
    if ranks and not uses_fused_layers(training):
        adapted += sum(sizes[name][0] * FLOAT for name in ranks)
    return float(norms + attention + product + inputs + adapted)


def uses_fused_layers(training: Training) -> bool:
    """Return whether the adapter's layers are those of `repro.train.fused`."""
    return training.trained.kind in ("lora", "mps") and training.quantisation.format != "none"
