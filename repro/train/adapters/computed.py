"""LoRA with a computed matrix: peft's own layers, with a parametrization on A or on B.

The layers are registered as peft's custom modules, one for each kind of storage: forward, merging
and scaling are peft's, and what is saved loads as the plain LoRA that it equals. (peft's
`register_peft_method` takes only the names of its own closed list.)
"""

from collections.abc import Callable
from typing import Any

from peft import LoraConfig
from peft.tuners import lora
from peft.tuners.lora.bnb import Linear4bit as LoraLinear4bit
from torch import nn

from repro.train.fused import FusedLinear4bit

Compute = Callable[[nn.Linear, nn.Linear], None]
"""Makes A's weight or B's, given both of a layer, a computed one."""


class ComputedConfig(LoraConfig):
    """peft's configuration of an equal LoRA, and what computes its matrices.

    Its fields, those that are saved, are LoRA's.
    """

    compute: Compute


class Layer(lora.Linear):
    """A LoRA layer over float weights."""

    # peft passes the configuration by name.
    def update_layer(  # type: ignore[override]
        self, adapter_name: str, *args: Any, config: ComputedConfig, **kwargs: Any
    ) -> None:
        """Make A and B as LoRA does, then compute one of them."""
        super().update_layer(adapter_name, *args, config=config, **kwargs)  # type: ignore[misc]  # the same
        config.compute(self.lora_A[adapter_name], self.lora_B[adapter_name])  # type: ignore[arg-type]  # linear modules


class Layer4bit(LoraLinear4bit):
    """The same over 4-bit weights."""

    # peft passes the configuration by name.
    def update_layer(  # type: ignore[override]
        self, adapter_name: str, *args: Any, config: ComputedConfig, **kwargs: Any
    ) -> None:
        """Make A and B as LoRA does, then compute one of them."""
        super().update_layer(adapter_name, *args, config=config, **kwargs)  # type: ignore[misc]  # the same
        config.compute(self.lora_A[adapter_name], self.lora_B[adapter_name])  # type: ignore[arg-type]  # linear modules


class FusedLayer4bit(FusedLinear4bit):
    """The same over 4-bit weights, as one operation."""

    # peft passes the configuration by name.
    def update_layer(  # type: ignore[override]
        self, adapter_name: str, *args: Any, config: ComputedConfig, **kwargs: Any
    ) -> None:
        """Make A and B as LoRA does, then compute one of them."""
        super().update_layer(adapter_name, *args, config=config, **kwargs)  # type: ignore[misc]  # the same
        config.compute(self.lora_A[adapter_name], self.lora_B[adapter_name])  # type: ignore[arg-type]  # linear modules
