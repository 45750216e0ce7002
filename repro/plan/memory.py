"""What a run keeps in memory, part by part, from its architecture and protocol.

T tokens of one forward pass, H width, V vocabulary, P parameters. Weights of linear layers are held in the storage the
protocol asks for; embeddings, norms and biases in float32; adapters and their optimizer in float32. Counts of
parameters are exact; bytes per token are read off what each operation keeps for its backward pass.
"""

from dataclasses import dataclass, fields

from repro.manifest.model import Architecture
from repro.manifest.training import BlockDiagonal, Full, Lora, Training

FLOAT = 4  # bytes
NF4 = 0.5 + 4 / 64
"""Bytes of a 4-bit weight with a float32 constant for every 64."""
NF4_DOUBLE = 0.5 + 1 / 64 + 4 / (64 * 256)
"""The same with constants that are quantised in turn, in blocks of 256."""
ADAM = 2
"""Moments that AdamW keeps for each trained weight."""
LOGITS = 2**24
"""Entries of the logits that exist at once, at most (`repro.train.loss`)."""
CONCEPTS, DIRECTIONS = 3, 11
"""Groups and informative directions of a block-diagonal adapter at most: six_domain_480's 6 + 4 + 4 classes less 3."""


@dataclass(frozen=True)
class Memory:
    """Bytes by part."""

    weights: float
    adapter: float
    """What is trained beside the weights, the gradients of all that is trained and the optimizer's moments."""
    activations: float
    """What the backward pass needs, at its largest."""
    logits: float
    """A chunk of them with its gradient, and the output embedding as it is multiplied."""
    scratch: float
    """Weights as they are multiplied: the largest brought back from 4 bits, or all where they are kept; casts of float ones."""

    @property
    def total(self) -> float:
        """All parts together."""
        return float(sum(getattr(self, part.name) for part in fields(self)))


def linear_sizes(shape: Architecture) -> dict[str, tuple[int, int]]:
    """(in, out) of each linear module of a block."""
    inner, kv = _head(shape) * shape.heads, _head(shape) * shape.kv_heads
    return {
        "q_proj": (shape.hidden, inner),
        "k_proj": (shape.hidden, kv),
        "v_proj": (shape.hidden, kv),
        "o_proj": (inner, shape.hidden),
        "gate_proj": (shape.hidden, shape.intermediate),
        "up_proj": (shape.hidden, shape.intermediate),
        "down_proj": (shape.intermediate, shape.hidden),
    }


def linear_parameters(shape: Architecture) -> int:
    """Weights of all blocks' linear modules: what is quantised."""
    return shape.layers * sum(rows * columns for rows, columns in linear_sizes(shape).values())


def other_parameters(shape: Architecture) -> int:
    """Embeddings, norms, and Qwen2's biases on q, k and v: what is not."""
    sizes = linear_sizes(shape)
    biases = sum(sizes[name][1] for name in ("q_proj", "k_proj", "v_proj")) if shape.family == "qwen2" else 0
    embeddings = shape.vocabulary * shape.hidden * (1 if shape.tied else 2)
    return embeddings + shape.layers * (2 * shape.hidden + biases) + shape.hidden


def parameters(shape: Architecture) -> int:
    """All parameters of the base model, exact."""
    return linear_parameters(shape) + other_parameters(shape)


def adapter_parameters(shape: Architecture, training: Training) -> int:
    """Trained parameters: exact for LoRA (A and B on every target of every block) and for full fine-tuning.

    Of a block-diagonal adapter the largest number there can be: its groups are measured on the base model, and the
    worker records what they really give (`trainable_parameters` at step 0).
    """
    if isinstance(training.trained, Full):
        return parameters(shape)
    sizes, ranks = linear_sizes(shape), _ranks(training)
    if isinstance(training.trained, BlockDiagonal):
        blocks = DIRECTIONS * training.trained.rank
        return shape.layers * sum(rank * sizes[name][0] + blocks for name, rank in ranks.items())
    return shape.layers * sum(rank * sum(sizes[name]) for name, rank in ranks.items())


def rank_limit(shape: Architecture, training: Training) -> tuple[str, int] | None:
    """The adapted module with the smallest dimension, and that dimension: a higher rank adds nothing there.

    None for full fine-tuning, and where no target is a linear module of a block.
    """
    sizes = linear_sizes(shape)
    smallest = {name: min(sizes[name]) for name in _ranks(training) if name in sizes}
    return min(smallest.items(), key=lambda item: item[1], default=None)


def _ranks(training: Training) -> dict[str, int]:
    """Rows of A by the module they adapt, at most."""
    adapter = training.trained
    if isinstance(adapter, Full):
        return {}
    if isinstance(adapter, BlockDiagonal):
        return dict.fromkeys(("o_proj", "down_proj"), min(CONCEPTS * adapter.rank, DIRECTIONS))
    return dict.fromkeys(adapter.targets, adapter.rank)


def weight_bytes(training: Training) -> float:
    """Bytes of one weight of a linear module."""
    if training.quantisation.format == "none":
        return FLOAT
    return NF4_DOUBLE if training.quantisation.double else NF4


def training_memory(shape: Architecture, training: Training, tokens: float) -> Memory:
    """Peak bytes of a training step whose largest forward pass has `tokens` tokens."""
    compute = 2 if training.compute == "bfloat16" else FLOAT
    block = _block_bytes(shape, training, compute)
    kept = shape.hidden * FLOAT  # the input of a block, all that checkpointing keeps of it
    blocks = shape.layers * kept + block if training.gradient_checkpointing else shape.layers * block
    trained = adapter_parameters(shape, training)
    beside = 0 if isinstance(training.trained, Full) else trained
    chunk = min(tokens * shape.vocabulary, max(LOGITS, shape.vocabulary))
    head = shape.vocabulary * shape.hidden * compute if training.compute == "bfloat16" else 0
    return Memory(
        weights=linear_parameters(shape) * weight_bytes(training) + other_parameters(shape) * FLOAT,
        adapter=(beside + trained * (1 + ADAM)) * FLOAT + beside * (compute if training.compute == "bfloat16" else 0),
        activations=tokens * blocks,
        logits=chunk * (2 * compute + 2 * FLOAT) + head,
        scratch=_copies(shape, training, compute),
    )


def _copies(shape: Architecture, training: Training, compute: int) -> float:
    """Weights in the precision of the products, beside how they are stored."""
    if training.quantisation.format == "none":
        return _casts(shape, training)
    if training.dequantise == "once":
        return float(linear_parameters(shape) * compute)
    return float(max(rows * columns for rows, columns in linear_sizes(shape).values()) * (FLOAT + compute))


def _casts(shape: Architecture, training: Training) -> float:
    """Float weights in the compute precision: autocast leaves a copy of each for the backward pass."""
    if training.compute == "float32":
        return 0.0
    return 2.0 * (linear_parameters(shape) // (shape.layers if training.gradient_checkpointing else 1))


def _block_bytes(shape: Architecture, training: Training, compute: int) -> float:
    """Bytes a token leaves in one block for the backward pass.

    The residual stream before each norm; what attention and the gated product multiply; each module's input as it is
    multiplied, one for all modules that read the same; of LoRA dropout's mask and A's output (`repro.train.fused`). Where
    peft's own layers do the work, an adapted input is kept twice more in float32.
    """
    sizes, ranks = linear_sizes(shape), _ranks(training)
    inner = sizes["o_proj"][0]
    norms = 2 * shape.hidden * FLOAT
    attention = 4 * inner * compute  # queries, keys and values for every head, and the output
    wide = training.quantisation.format != "none" and not fused(training)  # bitsandbytes gives float32 back
    product = 4 * shape.intermediate * (FLOAT if wide else compute)  # gate, its activation, up, and the product
    inputs = 2 * shape.hidden * compute
    adapted = sum(sizes[name][0] + rank * compute for name, rank in ranks.items())
    if ranks and not fused(training):
        adapted += sum(sizes[name][0] * FLOAT for name in ranks)
    return float(norms + attention + product + inputs + adapted)


def fused(training: Training) -> bool:
    """Whether LoRA's layers are those of `repro.train.fused`."""
    return isinstance(training.trained, Lora) and training.quantisation.format != "none"


def _head(shape: Architecture) -> int:
    return shape.hidden // shape.heads
