"""Entropies of what training did to the query and value projections, layer by layer
(docs/SCIENCE.md §12).

An adapter's update is B·A and is never formed; full fine-tuning's is the weight less the base
model's. Both are read over the same sites, beside Gaussian matrices of the same shape and rank. A
cut's number is the row's direction. p × q update, r rank.
"""

from collections.abc import Iterator, Mapping

import numpy as np
import numpy.typing as npt
from peft.tuners.lora import LoraLayer
from torch import Tensor, nn

from repro.diagnose.profiles import MODULES, UpdateProfile, of_product, profile_rows
from repro.evidence.measurement import Measurement
from repro.geometry.entropy import most, profile
from repro.geometry.gaussian import gaussian_profile
from repro.geometry.undefined import Array, Undefined

Weights = Mapping[str, npt.NDArray[np.float32]]
"""Module name → weight of the base model."""


def base_weights(model: nn.Module) -> dict[str, npt.NDArray[np.float32]]:
    """Copy the projections' weights, for what full fine-tuning is later measured against."""
    return {
        name: module.weight.detach().float().cpu().numpy().copy()
        for name, module in model.named_modules()
        if isinstance(module, nn.Linear) and name.rsplit(".", 1)[-1] in MODULES
    }


def update_rows(model: nn.Module, base: Weights, step: int) -> Iterator[Measurement]:
    """Yield rows of evidence on every layer's update and on their means. `base`: of full
    fine-tuning, else empty.
    """
    yield from profile_rows(_measured(model, base), step)


def _measured(model: nn.Module, base: Weights) -> Iterator[tuple[str, UpdateProfile | Undefined]]:
    for name, module in model.named_modules():
        if name.rsplit(".", 1)[-1] not in MODULES:
            continue
        if isinstance(module, LoraLayer) and "default" in module.lora_A:
            B, A = (_numbers(half["default"]) for half in (module.lora_B, module.lora_A))
            yield name, of_product(B, A)
        elif name in base:
            yield name, _of_whole(_numbers(module) - base[name])


def _numbers(module: nn.Module) -> Array:
    """Return the weight of a linear module."""
    weight: Tensor = module.weight  # type: ignore[assignment]  # a tensor, computed or not
    return np.asarray(weight.detach().double().cpu().numpy())


def _of_whole(update: Array) -> UpdateProfile | Undefined:
    p, q = update.shape
    if not update.any():
        return Undefined("the update is zero, as before training")
    return UpdateProfile(p, profile(update), gaussian_profile(p, q), most(p, q))
