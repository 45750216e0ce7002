"""Read names, formats, shapes and positions of tensors from a safetensors file, without torch.

Layout: 8 bytes give the length of a JSON header, then comes the header, then the numbers of every
tensor without a gap.
"""

import json
from pathlib import Path
from typing import Any, NamedTuple

from repro.errors import SetupError, first_line

STORED = {"F64": 8, "F32": 4, "F16": 2, "BF16": 2}
"""Bytes of a number in the formats weights may be stored in.

Others need a scale stored elsewhere.
"""
_LARGEST = 64 << 20
"""Most bytes of a header, an index or a configuration; those of a 32B model take 90 kB."""
DIMENSIONS, LARGEST_SIDE = 8, 2**48
PIECE = 1 << 22  # bytes compared at a time


class Tensor(NamedTuple):
    """One tensor as a file's header describes it."""

    file: Path
    dtype: str
    shape: tuple[int, ...]
    start: int
    """Position of its first byte in the file."""
    stop: int


def read_header(path: Path, where: str) -> dict[str, Tensor]:
    """Return the tensors of one safetensors file.

    Raises SetupError for a file that is not complete, or has a gap or an overlap.
    """
    broken = SetupError(
        f"{where}: {path.name} is no whole safetensors file; fetch or save it again"
    )
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            length = int.from_bytes(file.read(8), "little")
            if not 2 <= length <= min(_LARGEST, size - 8):
                raise broken
            listed = _parsed(file.read(length), path, where)
    except OSError as error:
        raise SetupError(f"{where}: {path.name} cannot be read ({error.strerror})") from None
    if not isinstance(listed, dict):
        raise broken
    found = {
        name: _tensor(path, entry, 8 + length)
        for name, entry in listed.items()
        if name != "__metadata__"
    }
    tensors = {name: tensor for name, tensor in found.items() if tensor is not None}
    reach = 8 + length
    for tensor in sorted(tensors.values(), key=lambda tensor: (tensor.start, tensor.stop)):
        if tensor.start != reach or not _fits(tensor):
            raise broken
        reach = tensor.stop
    if len(tensors) < len(found) or reach != size:
        raise broken
    return tensors


def _tensor(path: Path, entry: Any, begin: int) -> Tensor | None:
    """Return a header's entry as a tensor; None where it is malformed."""
    match entry:
        case {"dtype": str(dtype), "shape": list(shape), "data_offsets": [int(start), int(stop)]}:
            sides = all(type(side) is int and 0 <= side < LARGEST_SIDE for side in shape)
            if sides and len(shape) <= DIMENSIONS and 0 <= start <= stop:
                return Tensor(path, dtype, tuple(shape), begin + start, begin + stop)
    return None


def _fits(tensor: Tensor) -> bool:
    """Return whether a tensor has the number of bytes its shape needs."""
    bytes_needed = STORED.get(tensor.dtype)
    for side in tensor.shape:
        bytes_needed = None if bytes_needed is None else bytes_needed * side
    return bytes_needed is None or bytes_needed == tensor.stop - tensor.start


def equal_bytes(one: Tensor, other: Tensor) -> bool:
    """Return whether two tensors hold the same bits in the same format.

    They are read piece by piece.
    """
    if (one.dtype, one.shape) != (other.dtype, other.shape):
        return False
    with one.file.open("rb") as first, other.file.open("rb") as second:
        first.seek(one.start)
        second.seek(other.start)
        left = one.stop - one.start
        while left:
            piece = min(left, PIECE)
            if first.read(piece) != second.read(piece):
                return False
            left -= piece
    return True


def read_json_whole(path: Path, where: str) -> Any:
    """Read a JSON file of a model's folder.

    Raises SetupError when it is not JSON, or is larger than any such file.
    """
    if path.stat().st_size > _LARGEST:
        raise SetupError(
            f"{where}: found {path.name} larger than {_LARGEST >> 20} MiB, expected a small JSON file; "
            "use another copy of the model or adapter"
        )
    return _parsed(path.read_bytes(), path, where)


def _parsed(content: bytes, path: Path, where: str) -> Any:
    """Parse JSON. Raises SetupError for content that is not JSON."""
    try:
        return json.loads(content)
    except (ValueError, RecursionError) as error:
        problem = first_line(error)
        raise SetupError(
            f"{where}: {path.name} cannot be read ({problem}); fetch or save it again"
        ) from None
