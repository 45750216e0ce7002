"""What is trained: LoRA, every weight, block-diagonal LoRA, or LoRA as a matrix product state.

Definitions: docs/SCIENCE.md §9, §12. Each kind knows which modules it adapts, how many parameters
that trains, and whether the base model stays frozen below it. `repro.train.adapters.place` puts it
on a model.
"""

from math import isqrt
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from repro.frozen import Frozen
from repro.manifest.model import Architecture

MOST = 1 << 30
"""Largest count of a protocol."""
ALL_LINEAR = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")
WRITING = ("o_proj", "down_proj")
"""The projections that write the residual stream."""
CONCEPTS, DIRECTIONS = 3, 11
"""Groups and informative directions of a block-diagonal adapter at most: six_domain_480's 6 + 4 + 4
classes less 3.
"""


class Lora(Frozen):
    """Low-rank adapters: ΔW = (alpha / rank) · B·A on each target (consolidated paper §2.2)."""

    base_is_frozen: ClassVar = True
    grouped: ClassVar = False
    kind: Literal["lora"] = "lora"
    rank: int = Field(64, gt=0, le=MOST)
    alpha: float = Field(128, gt=0)
    dropout: float = Field(0.05, ge=0, lt=1)
    targets: tuple[str, ...] = Field(ALL_LINEAR, min_length=1)

    @property
    def ranks(self) -> dict[str, int]:
        """Return the rows of A by the module that they adapt."""
        return dict.fromkeys(self.targets, self.rank)

    def parameters(self, shape: Architecture) -> int:
        """Count the trained parameters, exactly: A and B on every target of every block."""
        return shape.layers * sum(
            rank * sum(shape.linear_sizes[name]) for name, rank in self.ranks.items()
        )


class Full(Frozen):
    """Every parameter of the base model is trained, in float32.

    4-bit weights cannot be trained, so the base is then loaded without quantisation, whatever
    `quantisation` says: step 0 measures those weights, not their NF4 version.
    """

    base_is_frozen: ClassVar = False
    grouped: ClassVar = False
    rank: ClassVar = 0
    kind: Literal["full"] = "full"

    @property
    def ranks(self) -> dict[str, int]:
        """Return the rows of A by the module that they adapt: nothing is adapted."""
        return {}

    def parameters(self, shape: Architecture) -> int:
        """Count the trained parameters, exactly: all there are."""
        return shape.parameters


class BlockDiagonal(Frozen):
    """LoRA that writes the residual stream along groups of the base model's own directions.

    Source: summary page; docs/SCIENCE.md §9. On o_proj and down_proj ΔW = (alpha / rank) · Σ_g U_g
    B_g A_g: U_g holds the informative directions of group g on the manifest's probes and stays
    fixed. A group's rank is `rank`, or its number of directions where that is smaller. While every
    group has as much rank as directions, `aligned` and `isolated` can express the same updates; the
    default lies below the usual size of a group (two or three directions, joined ones more), so
    that they differ as models.
    """

    base_is_frozen: ClassVar = True
    grouped: ClassVar = True
    kind: Literal["block_diagonal"] = "block_diagonal"
    grouping: Literal["aligned", "isolated"]
    """`isolated`: one group per concept; `aligned`: concepts that damage one another share one."""
    rank: int = Field(2, gt=0, le=MOST)
    alpha: float = Field(4, gt=0)
    dropout: float = Field(0.05, ge=0, lt=1)

    @property
    def ranks(self) -> dict[str, int]:
        """Return the most rows of A by module: the groups are measured on the base model."""
        return dict.fromkeys(WRITING, min(CONCEPTS * self.rank, DIRECTIONS))

    def parameters(self, shape: Architecture) -> int:
        """Count the trained parameters, at most: the worker records how many there really are."""
        blocks = DIRECTIONS * self.rank
        return shape.layers * sum(
            rank * shape.linear_sizes[name][0] + blocks for name, rank in self.ranks.items()
        )


def sites(inputs: int) -> tuple[int, int]:
    """Return the two sites d1 · d2 of a width: its nearest divisors, the smaller one first."""
    first = max(divisor for divisor in range(1, isqrt(inputs) + 1) if inputs % divisor == 0)
    return first, inputs // first


class Mps(Frozen):
    """LoRA whose A is a product of two cores: a matrix product state of three sites.

    Source: artificial entanglement paper; docs/SCIENCE.md §12. With in = d1·d2, A = first · second
    of cores (rank × d1 × bond) and (bond × d2), and ΔW = (alpha / rank) · B·A. Which d1 and d2 the
    paper takes is printed for no width; ours are the divisors nearest to one another.
    """

    base_is_frozen: ClassVar = True
    grouped: ClassVar = False
    kind: Literal["mps"] = "mps"
    rank: int = Field(64, gt=0, le=MOST)
    bond: int = Field(32, gt=0, le=MOST)
    """χ, the dimension between the two cores; one above d2 lets A be anything."""
    alpha: float = Field(128, gt=0)
    dropout: float = Field(0.05, ge=0, lt=1)
    targets: tuple[str, ...] = Field(ALL_LINEAR, min_length=1)

    @property
    def ranks(self) -> dict[str, int]:
        """Return the rows of A by the module that they adapt."""
        return dict.fromkeys(self.targets, self.rank)

    def parameters(self, shape: Architecture) -> int:
        """Count the trained parameters, exactly: two cores and B on every target of every block."""
        return shape.layers * sum(
            self.of_module(*shape.linear_sizes[name]) for name in self.targets
        )

    def of_module(self, inputs: int, outputs: int) -> int:
        """Count the trained parameters on one linear module."""
        first, second = sites(inputs)
        return self.rank * first * self.bond + self.bond * second + outputs * self.rank


Other = Annotated[Full | BlockDiagonal | Mps, Field(discriminator="kind")]
Adapter = Annotated[Lora | Full | BlockDiagonal | Mps, Field(discriminator="kind")]
