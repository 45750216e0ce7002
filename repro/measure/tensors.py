"""Numbers of a safetensors file, without torch: one tensor, in float64."""

from pathlib import Path

import numpy as np
import numpy.typing as npt

from repro.errors import InputError, SetupError
from repro.geometry.undefined import Array
from repro.plan.safetensors_header import Tensor, read_header


def read_tensor(tensor: Tensor) -> Array:
    """Return a tensor's numbers. Raises InputError for a format or a value that is no number."""
    found = stored_numbers(tensor).astype(np.float64)
    if not np.isfinite(found).all():
        raise InputError(
            f"{tensor.file}: holds values that are not finite; all of them are needed."
        )
    return found


def stored_numbers(tensor: Tensor) -> npt.NDArray[np.floating]:
    """Return a tensor's numbers as they are stored, finite or not; 16 bits as 32.

    Raises InputError for a format of no numbers.
    """
    stored = {"F64": "<f8", "F32": "<f4", "F16": "<f2", "BF16": "<u2"}.get(tensor.dtype)
    if stored is None:
        raise InputError(
            f"{tensor.file}: a tensor is stored as {tensor.dtype}; expected F64, F32, F16 or BF16: "
            "save it again as one of these."
        )
    with tensor.file.open("rb") as file:
        file.seek(tensor.start)
        raw = np.frombuffer(file.read(tensor.stop - tensor.start), dtype=stored)
    # bfloat16, which NumPy lacks, is the upper half of a float32.
    values = (raw.astype("<u4") << 16).view("<f4") if tensor.dtype == "BF16" else raw
    return np.asarray(values.reshape(tensor.shape))


def find_tensor(path: Path, key: str) -> Tensor:
    """Return one tensor of a file by its name.

    Raises InputError for a file that is not whole, and where there is no such tensor.
    """
    try:
        tensors = read_header(path, str(path.parent))
    except SetupError:
        raise InputError(
            f"{path}: no whole safetensors file; save it again with "
            f"save_file({{{key!r}: X}}, file)."
        ) from None
    if key not in tensors:
        raise InputError(
            f"{path}: keys are {sorted(tensors)[:20]}; expected {key!r}. Save it with that name."
        )
    return tensors[key]
