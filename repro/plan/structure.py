"""Records of a model's architecture with its adapter, built without weights.

The worker builds them (`repro.train.structure`). Hosts read these records and never need torch.
"""

from repro.frozen import Frozen


class BuiltAdapter(Frozen):
    """The parameters trained on top of the frozen model."""

    modules: dict[str, int]
    """Target → number of modules of that name; empty where the model itself is trained."""
    matrices: int
    """Trained matrices of the adapter: A and B of every adapted module; 0 where the model
    itself is trained.
    """
    parameters: int
    """Trained parameters."""
    shapes: dict[str, int]
    """Shape of a trained tensor, as rows×columns → number of such tensors."""


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
    """Tokens that attention reaches back; None: all."""
    adapter: BuiltAdapter

    @property
    def grouped_query_attention(self) -> bool:
        """Return whether several query heads share keys and values."""
        return self.kv_heads < self.heads

    @property
    def absent(self) -> tuple[str, ...]:
        """Return the targets that some block does not have.

        peft skips those silently where others match.
        """
        return tuple(name for name, count in self.adapter.modules.items() if count != self.layers)
