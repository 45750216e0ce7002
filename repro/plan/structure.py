"""What a model with its adapter is built of, as the worker finds it without any weights (`repro.train.structure`).

Hosts read these records and never need torch.
"""

from repro.frozen import Frozen


class Adapter(Frozen):
    """What is trained on top of the frozen model."""

    modules: dict[str, int]
    """Target → how many modules of that name there are; empty where the model itself is trained."""
    matrices: int
    """Trained matrices of the adapter: A and B of every adapted module; 0 where the model itself is trained."""
    parameters: int
    """Trained parameters."""
    shapes: dict[str, int]
    """Shape of a trained tensor, as rows×columns → how many there are."""


class Structure(Frozen):
    """A decoder as built."""

    parameters: int
    linear_parameters: int
    """Weights of the blocks' linear modules: what 4-bit storage quantises."""
    hidden_size: int
    layers: int
    heads: int
    kv_heads: int
    head_size: int
    sliding_window: int | None
    """Tokens that attention reaches back; None: all of them."""
    adapter: Adapter

    @property
    def grouped_query_attention(self) -> bool:
        """Whether several query heads share keys and values."""
        return self.kv_heads < self.heads

    @property
    def absent(self) -> tuple[str, ...]:
        """Targets that are not in every block: peft passes over them in silence where others match."""
        return tuple(name for name, count in self.adapter.modules.items() if count != self.layers)
