"""How a model is fine-tuned: everything the papers print, and every default they do not (docs/SCIENCE.md §9)."""

from typing import Annotated, Literal, Self

from pydantic import Field, field_validator, model_validator

from repro.frozen import Frozen

MOST_STEPS = 1_000_000
"""Optimizer steps of one run at most, 200 times those of the papers: its texts are drawn before its first step."""
MOST_SEQUENCES = 100_000_000
"""Training sequences of one run at most."""
MOST = 1 << 30
"""Any other count at most."""
ALL_LINEAR = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")


class Quantisation(Frozen):
    """bitsandbytes storage of the frozen weights (consolidated paper §2.2)."""

    format: Literal["nf4", "none"] = "nf4"
    double: bool = True
    """Whether the quantisation constants are themselves quantised."""


class Lora(Frozen):
    """Low-rank adapters: ΔW = (alpha / rank) · B·A on each target (consolidated paper §2.2)."""

    kind: Literal["lora"] = "lora"
    rank: int = Field(64, gt=0, le=MOST)
    alpha: float = Field(128, gt=0)
    dropout: float = Field(0.05, ge=0, lt=1)
    targets: tuple[str, ...] = Field(ALL_LINEAR, min_length=1)


class Full(Frozen):
    """Every parameter of the base model is trained, in float32.

    4-bit weights cannot be trained, so the base is then loaded without quantisation, whatever `quantisation` says: step 0
    measures those weights, not their NF4 version.
    """

    kind: Literal["full"] = "full"


class BlockDiagonal(Frozen):
    """LoRA that writes the residual stream along groups of the base model's own directions alone (summary page; §9).

    On o_proj and down_proj ΔW = (alpha / rank) · Σ_g U_g B_g A_g: U_g holds the informative directions of group g on the
    manifest's probes and stays fixed. A group's rank is `rank`, or its number of directions where that is smaller. While
    every group has as much rank as directions, `aligned` and `isolated` can express the same updates; the default lies
    below the usual size of a group (two or three directions, joined ones more), so that they differ as models.
    """

    kind: Literal["block_diagonal"] = "block_diagonal"
    grouping: Literal["aligned", "isolated"]
    """`isolated`: one group per concept. `aligned`: concepts that damage one another share a group."""
    rank: int = Field(2, gt=0, le=MOST)
    alpha: float = Field(4, gt=0)
    dropout: float = Field(0.05, ge=0, lt=1)


Other = Annotated[Full | BlockDiagonal, Field(discriminator="kind")]
Adapter = Annotated[Lora | Full | BlockDiagonal, Field(discriminator="kind")]


class Optimizer(Frozen):
    """AdamW; the papers print the rate only, the rest is our default."""

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
    """Complement-subspace regularisation, for the conditions that ask for it (consolidated paper §6.1)."""

    target: str = "code"
    """Domain of the probes whose activations span the target subspace."""
    variance: float = Field(0.9, gt=0, le=1)
    """Share of the centred target activations' variance that the subspace holds."""
    every: int = Field(50, gt=0, le=MOST)
    """The penalty is added at every so-many-th step."""
    probe_set: str | None = None
    """Whose activations are held; None: the manifest's own set."""


class Training(Frozen):
    """One fine-tuning protocol."""

    quantisation: Quantisation = Quantisation()
    lora: Lora = Lora()
    """What is trained, unless `adapter` or a condition says otherwise."""
    adapter: Other | None = None
    """What is trained instead of `lora`; a condition's own comes before it."""
    optimizer: Optimizer = Optimizer()
    csr: Csr = Csr()
    batch_size: int = Field(1, gt=0, le=MOST)
    """Sequences per micro-batch."""
    accumulation: int = Field(16, gt=0, le=MOST)
    """Micro-batches per optimizer step."""
    tokens_per_forward: int = Field(2048, gt=0, le=MOST)
    """Padded tokens that share one forward pass at most, sequences of similar length together; a longer sequence has one
    of its own. The gradient is that of one sequence at a time, with dropout off (§9, fusing)."""
    dequantise: Literal["each_time", "once"] = "each_time"
    """Whether 4-bit weights are brought back at each product or kept, in the precision of the products, beside their 4
    bits: the same numbers, faster, for two or four bytes a weight."""
    loss_normalisation: Literal["tokens", "sequences"] = "tokens"
    """Mean over all tokens of a step, or mean over its sequences' means."""
    max_length: int = Field(2048, gt=1, le=131_072)
    """Longest sequence in tokens, at most what models of these families read; the rest of a text is cut off."""
    gradient_checkpointing: bool = True
    compute: Literal["bfloat16", "float32"] = "bfloat16"
    """Precision of the matrix products; adapters, optimizer and loss stay in float32."""
    append_eos: bool = True
    checkpoint_every: int = Field(50, gt=0, le=MOST)
    """Steps between saved states; a killed run loses at most these."""
    heldout: int = Field(0, ge=0, le=MOST)
    """Texts per domain kept out of training, on which the loss is measured at each diagnostic."""

    @field_validator("adapter", mode="before")
    @classmethod
    def _lora_has_its_own_field(cls, given: object) -> object:
        if isinstance(given, dict) and given.get("kind") == "lora":
            raise ValueError("found kind 'lora', which has a field of its own; write it as training.lora, without kind")
        return given

    @property
    def sequences_per_step(self) -> int:
        """Sequences behind one optimizer step."""
        return self.batch_size * self.accumulation

    @property
    def trained(self) -> Lora | Full | BlockDiagonal:
        """What is trained."""
        return self.adapter or self.lora

    def under(self, condition: "Condition") -> "Training":
        """The protocol as `condition` follows it: with its adapter, and float32 weights where all of them are trained."""
        adapter = condition.adapter or self.trained
        if isinstance(adapter, Lora):
            return self.model_copy(update={"lora": adapter, "adapter": None})
        if isinstance(adapter, Full):
            whole = Quantisation(format="none", double=False)
            return self.model_copy(update={"adapter": adapter, "quantisation": whole})
        return self.model_copy(update={"adapter": adapter})


class Phase(Frozen):
    """A stretch of steps on one mixture of domains."""

    steps: int = Field(gt=0, le=MOST_STEPS)
    mixture: dict[str, float] = Field(min_length=1)
    """Share of each domain; the shares add up to 1."""


class Penalty(Frozen):
    """How strongly a condition is regularised: λ(1/N)Σ‖P⊥(hᵗ − h⁰)‖² over N probes (consolidated paper, equation 1)."""

    strength: float = Field(gt=0)
    """λ; the papers try 0.03, 0.1 and 0.3."""
    gradient: Literal["attached", "detached"] = "attached"
    """Whether the activations pass a gradient; detached, the penalty is a number in the log and trains nothing."""


class Condition(Frozen):
    """One way to fine-tune: B0 trains nothing, B1 to B6 are mixtures or sequences of domains (consolidated paper §2.3)."""

    title: str
    phases: tuple[Phase, ...] = ()
    mixing: Literal["examples", "tokens"] = "examples"
    """What the shares count: texts, or the tokens of texts after the cut to the protocol's length."""

    csr: Penalty | None = None
    """Complement-subspace regularisation; None: none."""
    continues: str | None = None
    """The condition whose trained adapter it goes on from, same model and seed, under a fresh schedule; None: the base."""
    adapter: Adapter | None = None
    """What it trains; None: what the manifest's `training` says."""

    @model_validator(mode="after")
    def _ends(self) -> Self:
        if self.steps > MOST_STEPS:
            raise ValueError(f"has {self.steps:,} steps in all, expected {MOST_STEPS:,} at most; train in fewer")
        return self

    @model_validator(mode="after")
    def _trains_what_it_adapts(self) -> Self:
        if self.adapter and not self.phases:
            raise ValueError(
                f"has the adapter {self.adapter.kind} but trains nothing; give it phases or drop the adapter"
            )
        return self

    @property
    def steps(self) -> int:
        """Optimizer steps in all; 0 when nothing is trained."""
        return sum(phase.steps for phase in self.phases)
