"""Choose what is evaluated, and how completions are generated (docs/SCIENCE.md §10)."""

from typing import Any, Literal, Self

from pydantic import Field, model_validator

from repro.frozen import Frozen
from repro.manifest.names import Name


class Generation(Frozen):
    """Settings of generation.

    The defaults are the papers' and EvalPlus's: greedy, 768 new tokens.
    """

    max_new_tokens: int = Field(768, gt=0, le=8192)
    samples: int = Field(1, gt=0, le=1000)
    """Completions of each problem."""
    temperature: float = Field(0.0, ge=0, le=10)
    """0: greedy."""
    top_p: float = Field(1.0, gt=0, le=1)
    seed: int = Field(0, ge=0, lt=2**63)
    """Each sample of each problem draws from its own random sequence, derived from this seed."""
    batch: int = Field(64, gt=0, le=1024)
    """Most problems at once. No completion depends on it."""

    @property
    def way(self) -> dict[str, Any]:
        """Return what can change a completion: all settings but the batch."""
        return self.model_dump(exclude={"batch"})

    @model_validator(mode="after")
    def _samples_differ(self) -> Self:
        """Require a temperature for several samples of a problem."""
        if self.samples > 1 and self.temperature == 0:
            raise ValueError(
                "samples above 1 need a temperature above 0: greedy completions of a "
                "problem are all the same"
            )
        return self


class Evaluation(Frozen):
    """The part of a manifest that asks for benchmarks.

    It is in no run's name: completions and scores are made after the run.
    """

    benchmarks: tuple[Name, ...] = Field(min_length=1)
    """Names from manifests/benchmarks.yaml.

    Base and further inputs of a file are scored together.
    """
    steps: tuple[Literal["base", "last"], ...] = ("last",)
    """`last`: the trained adapter (the base model, for a condition that trains nothing);
    `base`: the model before training.
    """
    generation: Generation = Generation()
