"""A user's matrix (npy), or the updates of a saved LoRA adapter (safetensors), without torch.

Definition: docs/SCIENCE.md §12.
"""

import fnmatch
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from repro.errors import InputError, SetupError
from repro.files import is_file
from repro.geometry.undefined import Array
from repro.measure.npz import read_npy
from repro.measure.tensors import read_tensor
from repro.plan.safetensors_header import Tensor, read_header, read_json_whole

ADAPTER_WEIGHTS, SETTINGS, BLOCKS = (
    "adapter_model.safetensors",
    "adapter_config.json",
    "blocks.safetensors",
)
_FIRST, _SECOND = ".lora_A.weight", ".lora_B.weight"
PREFIX = "base_model.model."


class Update(NamedTuple):
    """ΔW = (α / r) B·A of one linear layer, but for the factor, which no entropy depends on."""

    layer: str
    B: Array
    """out × r."""
    A: Array
    """r × in."""


def read_matrix(path: Path) -> Array:
    """Read the matrix (p × q) of an npy file, in float64. Raises `InputError`."""
    if not is_file(path):
        raise InputError(f"{path}: no such file; expected a matrix saved with np.save.")
    found = read_npy(path)
    if found.ndim != 2 or found.dtype.kind not in "fiu":
        raise InputError(
            f"{path}: found an array of shape {found.shape} and type {found.dtype}; expected "
            "a matrix of real numbers."
        )
    if not np.isfinite(found).all():
        raise InputError(f"{path}: holds values that are not finite; an entropy needs all of them.")
    return found.astype(np.float64)


def read_updates(folder: Path, layers: str = "*") -> Iterator[Update]:
    """Yield the updates of layers whose name, or its end, fits a pattern, in order of names.

    Numbers in names count as numbers: layer 2 before layer 10. Raises `InputError`.
    """
    try:
        tensors = _tensors(folder)
    except SetupError as error:
        raise InputError(str(error)) from None
    names = sorted(
        (name.removesuffix(_FIRST) for name in tensors if name.endswith(_FIRST)), key=_natural
    )
    chosen = [name for name in names if _fits(name.removeprefix(PREFIX), layers)]
    if not chosen:
        known = ", ".join(sorted({name.rpartition(".")[2] for name in names}))
        raise InputError(
            f"{folder}: no layer is named like {layers!r}; expected one of "
            f"{known or 'none'}, or a pattern."
        )
    for name in chosen:
        if name + _SECOND not in tensors:
            raise InputError(
                f"{folder / ADAPTER_WEIGHTS}: {name} has an A and no B; save the adapter again with peft."
            )
        A, B = (read_tensor(tensors[name + end]) for end in (_FIRST, _SECOND))
        if A.ndim != 2 or B.ndim != 2 or A.shape[0] != B.shape[1]:
            raise InputError(
                f"{folder / ADAPTER_WEIGHTS}: {name} has A of shape {A.shape} and B of {B.shape}; "
                "expected (r, in) and (out, r)."
            )
        yield Update(name.removeprefix(PREFIX), B, A)


def _tensors(folder: Path) -> dict[str, Tensor]:
    """Return what lies in an adapter's folder. Raises InputError for one that is no plain LoRA."""
    for name in (SETTINGS, ADAPTER_WEIGHTS):
        if not is_file(folder / name):
            raise InputError(
                f"{folder / name}: no such file; expected the folder of a LoRA adapter as peft "
                "saves it."
            )
    settings: Any = read_json_whole(folder / SETTINGS, str(folder))
    if not isinstance(settings, dict):
        raise InputError(
            f"{folder / SETTINGS}: holds no settings by name; save the adapter with peft again."
        )
    if (kind := settings.get("peft_type")) != "LORA":
        raise InputError(
            f"{folder / SETTINGS}: peft_type is {kind!r}; give an adapter of kind LORA, whose update "
            "is B·A."
        )
    if settings.get("use_dora"):
        raise InputError(
            f"{folder / SETTINGS}: use_dora is set, whose update is no B·A; give a plain LoRA "
            "adapter."
        )
    return read_header(folder / ADAPTER_WEIGHTS, str(folder))


def _natural(name: str) -> list[tuple[int, str]]:
    """Return a key that sorts layer 2 before layer 10."""
    return [(int(part), "") if part.isdigit() else (0, part) for part in name.split(".")]


def _fits(name: str, pattern: str) -> bool:
    return any(fnmatch.fnmatchcase(name, form) for form in (pattern, f"*.{pattern}"))
