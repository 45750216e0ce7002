"""Settings of fine-tuning: the papers' printed values and our defaults (docs/SCIENCE.md §9)."""

from collections.abc import Sequence
from typing import Literal, Self

from pydantic import Field, field_validator, model_validator

from repro.frozen import Frozen
from repro.manifest.adapters import MOST, Adapter, Lora, Other

Precision = Literal["bfloat16", "float32"]
MOST_STEPS = 1_000_000
"""Most optimizer steps of one run, 200 times the papers': its texts are drawn before its first
step.
"""
MOST_SEQUENCES = 100_000_000
"""Most training sequences of one run."""


class Quantisation(Frozen):
    """bitsandbytes storage of the frozen weights (consolidated paper §2.2)."""

    format: Literal["nf4", "none"] = "nf4"
    double: bool = True
    """Whether the quantisation constants are themselves quantised."""


class Optimizer(Frozen):
    """AdamW. The papers print only the rate; the rest are our defaults."""

    learning_rate: float = Field(1e-4, gt=0)
    """Peak rate, reached after warm-up."""
    beta1: float = Field(0.9, ge=0, lt=1)
    beta2: float = Field(0.999, ge=0, lt=1)
    epsilon: float = Field(1e-8, gt=0)
    weight_decay: float = Field(0.0, ge=0)
    clip_norm: float = Field(1.0, gt=0)
    """Largest global gradient norm before a step."""
    schedule: Literal["cosine"] = "cosine"
    warmup: float = Field(0.03, ge=0, lt=1)
    """Share of the steps over which the rate rises linearly from 0."""


class Csr(Frozen):
    """Complement-subspace regularisation (consolidated paper §6.1).

    It applies to conditions that ask for it.
    """

    target: str = "code"
    """Domain of the probes whose activations span the target subspace."""
    variance: float = Field(0.9, gt=0, le=1)
    """Share of the centred target activations' variance that the subspace holds."""
    every: int = Field(50, gt=0, le=MOST)
    """The penalty is added at every multiple of this step number."""
    probe_set: str | None = None
    """The set whose activations are held; None: the manifest's own."""


class Training(Frozen):
    """One fine-tuning protocol."""

    quantisation: Quantisation = Quantisation()
    lora: Lora = Lora()
    """What is trained, unless `adapter` or a condition says otherwise."""
    adapter: Other | None = None
    """What is trained instead of `lora`. A condition's own adapter comes first."""
    optimizer: Optimizer = Optimizer()
    csr: Csr = Csr()
    batch_size: int = Field(1, gt=0, le=MOST)
    """Sequences per micro-batch."""
    accumulation: int = Field(16, gt=0, le=MOST)
    """Micro-batches per optimizer step."""
    tokens_per_forward: int = Field(2048, gt=0, le=MOST)
    """Most tokens in one forward pass, padding included. A longer sequence has one of its own.

    With dropout off the gradient is that of one sequence at a time (§9, fusing).
    """
    packing: Literal["padded", "packed"] = "padded"
    """How sequences share a forward pass.

    Padded to the longest, those of similar length together; or packed end to end without padding,
    each attending to itself alone. The same numbers but for rounding, and other dropout masks.
    """
    dequantise: Literal["each_time", "once"] = "each_time"
    """Whether 4-bit weights are dequantised at each product, or kept dequantised as well.

    Kept, they have the products' precision: the same numbers, faster, for two or four more
    bytes a weight.
    """
    kernels: Literal["torch", "counted"] = "torch"
    """What computes LoRA's product with dropout: torch's operations, with masks from its generator;
    or kernels that count the masks.

    Counted, a mask is never stored, and is the same however sequences share passes; on a card
    Triton's kernels compute it, elsewhere the plain formulas. Other numbers than torch's.
    """
    loss_normalisation: Literal["tokens", "sequences"] = "tokens"
    """Mean over all tokens of a step, or mean over its sequences' means."""
    max_length: int = Field(2048, gt=1, le=131_072)
    """Longest sequence in tokens; the rest of a text is cut off.

    The bound is what models of these families can read.
    """
    gradient_checkpointing: bool = True
    compute: Precision = "bfloat16"
    """Precision of the matrix products; adapters, optimizer and loss stay in float32."""
    append_eos: bool = True
    checkpoint_every: int = Field(50, gt=0, le=MOST)
    """Steps between saved states; a killed run loses at most these."""
    heldout: int = Field(0, ge=0, le=MOST)
    """Texts per domain that are not trained on; their loss is measured at each diagnostic."""

    @field_validator("adapter", mode="before")
    @classmethod
    def _lora_has_its_own_field(cls, given: object) -> object:
        """Refuse LoRA under `adapter`: it has a field of its own."""
        if isinstance(given, dict) and given.get("kind") == "lora":
            raise ValueError(
                "found kind 'lora', which has a field of its own; write it as training.lora, "
                "without kind"
            )
        return given

    @property
    def sequences_per_step(self) -> int:
        """Return the number of sequences per optimizer step."""
        return self.batch_size * self.accumulation

    def passes(self, lengths: Sequence[int]) -> list[list[int]]:
        """Return which sequences of a step share a forward pass.

        The largest pass comes first: it takes the most memory.
        """
        rows = sorted(range(len(lengths)), key=lambda row: (-lengths[row], row))
        if self.packing == "packed":
            return _packed(rows, lengths, self.tokens_per_forward)
        found: list[list[int]] = []
        for row in rows:
            if found and lengths[found[-1][0]] * (len(found[-1]) + 1) <= self.tokens_per_forward:
                found[-1].append(row)
            else:
                found.append([row])
        return found

    def computed(self, lengths: Sequence[int]) -> int:
        """Return the tokens that a forward pass of these sequences computes, padding included."""
        return sum(lengths) if self.packing == "packed" else len(lengths) * max(lengths)

    @property
    def trained(self) -> Adapter:
        """Return the adapter that is trained."""
        return self.adapter or self.lora

    def under(self, condition: "Condition") -> "Training":
        """Return the protocol with a condition's adapter and rate.

        Float32 weights where all of them are trained.
        """
        adapter, rate = condition.adapter or self.trained, condition.learning_rate
        own = {} if rate is None else {"learning_rate": rate}
        optimizer = self.optimizer.model_copy(update=own)
        if isinstance(adapter, Lora):
            return self.model_copy(
                update={"lora": adapter, "adapter": None, "optimizer": optimizer}
            )
        whole = (
            {}
            if adapter.base_is_frozen
            else {"quantisation": Quantisation(format="none", double=False)}
        )
        return self.model_copy(update={"adapter": adapter, "optimizer": optimizer, **whole})


def _packed(rows: Sequence[int], lengths: Sequence[int], most: int) -> list[list[int]]:
    """Return passes of at most so many tokens: each row goes into the first that has room for it.

    Rows come longest first. A row longer than that has a pass of its own.
    """
    found: list[list[int]] = []
    held: list[int] = []
    for row in rows:
        place = next(
            (at for at, tokens in enumerate(held) if tokens + lengths[row] <= most), len(held)
        )
        if place == len(held):
            found.append([])
            held.append(0)
        found[place].append(row)
        held[place] += lengths[row]
    return [found[at] for at in sorted(range(len(held)), key=lambda at: (-held[at], at))]


class Phase(Frozen):
    """A stretch of steps on one mixture of domains."""

    steps: int = Field(gt=0, le=MOST_STEPS)
    mixture: dict[str, float] = Field(min_length=1)
    """Share of each domain; the shares add up to 1."""


class Penalty(Frozen):
    """The penalty λ(1/N)Σ‖P⊥(hᵗ − h⁰)‖² over N probes (consolidated paper, equation 1)."""

    strength: float = Field(gt=0)
    """λ; the papers try 0.03, 0.1 and 0.3."""
    gradient: Literal["attached", "detached"] = "attached"
    """Whether the activations pass a gradient.

    Detached, the penalty is only logged and trains nothing.
    """


class Condition(Frozen):
    """One way to fine-tune.

    B0 trains nothing, B1 to B6 are mixtures or sequences of domains (consolidated paper §2.3).
    """

    title: str
    phases: tuple[Phase, ...] = ()
    mixing: Literal["examples", "tokens"] = "examples"
    """What the shares count: texts, or the tokens of texts after the cut to the protocol's
    length.
    """

    csr: Penalty | None = None
    """Complement-subspace regularisation; None: none."""
    continues: str | None = None
    """The condition whose trained adapter it starts from (same model and seed, new schedule);
    None: the base model.
    """
    adapter: Adapter | None = None
    """The adapter it trains; None: the one in the manifest's `training`."""
    learning_rate: float | None = Field(None, gt=0)
    """Its peak rate; None: that of the manifest's `training.optimizer`."""
    variant_of: str | None = None
    """The condition that papers call this one, with a λ or a number of steps; None: its own name.

    Claims find it by that name and its λ. It decides no number, so it is in no run's name.
    """

    @model_validator(mode="after")
    def _ends(self) -> Self:
        """Require a number of steps within bounds."""
        if self.steps > MOST_STEPS:
            raise ValueError(
                f"has {self.steps:,} steps in all, expected {MOST_STEPS:,} at most; train in fewer"
            )
        return self

    @model_validator(mode="after")
    def _trains_what_it_adapts(self) -> Self:
        """Require phases where there is an adapter or a rate."""
        if self.adapter and not self.phases:
            raise ValueError(
                f"has the adapter {self.adapter.kind} but trains nothing; give it phases or "
                "drop the adapter"
            )
        if self.learning_rate is not None and not self.phases:
            raise ValueError(
                "has a learning_rate but trains nothing; give it phases or drop the rate"
            )
        return self

    @property
    def steps(self) -> int:
        """Return the total number of optimizer steps; 0 when nothing is trained."""
        return sum(phase.steps for phase in self.phases)
