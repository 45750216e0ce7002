"""The header of a safetensors file is read without torch, and a file with a gap is refused."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes
from safetensors import safe_open
from safetensors.numpy import save, save_file

from repro.errors import SetupError
from repro.plan.safetensors_header import (
    PIECE,
    equal_bytes,
    read_header,
    read_json_whole,
)

NOT_WHOLE = r"^here: a\.safetensors is no whole safetensors file; fetch or save it again$"


def file_of(path: Path, header: Any, numbers: bytes) -> Path:
    """Write a file by hand: length of the header, header, numbers."""
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    path.write_bytes(len(text).to_bytes(8, "little") + text + numbers)
    return path


def entry(start: int, stop: int, shape: tuple[Any, ...] = (2,), dtype: str = "F32") -> Any:
    """One tensor as a header names it."""
    return {"dtype": dtype, "shape": list(shape), "data_offsets": [start, stop]}


@given(
    st.dictionaries(st.text("abc.", min_size=1), array_shapes(min_dims=0, min_side=0), min_size=1),
    st.sampled_from([np.float64, np.float32, np.float16, np.int8]),
)
def test_tensors_are_where_and_what_the_library_says(
    tmp_path_factory: pytest.TempPathFactory, shapes: dict[str, tuple[int, ...]], kind: type
) -> None:
    """The oracle is the library itself: names, shapes, and the very bytes."""
    path = tmp_path_factory.mktemp("whole") / "a.safetensors"
    stored = {
        name: np.random.default_rng(index).normal(size=shape).astype(kind)
        for index, (name, shape) in enumerate(shapes.items())
    }
    save_file(stored, path, metadata={"format": "pt"})
    whole, found = path.read_bytes(), read_header(path, "here")
    with safe_open(path, "numpy") as library:
        assert set(found) == set(library.keys())
    for name, tensor in found.items():
        assert tensor.shape == shapes[name]
        assert whole[tensor.start : tensor.stop] == stored[name].tobytes()


@pytest.mark.parametrize(
    ("header", "numbers"),
    [
        ({"a": entry(0, 8), "b": entry(9, 17)}, 17),
        ({"a": entry(0, 8), "b": entry(4, 12)}, 12),
        ({"a": entry(0, 8)}, 9),
        ({"a": entry(0, 8)}, 7),
        ({"a": entry(0, 4)}, 4),
        ({"a": entry(0, 8, (-2,))}, 8),
        ({"a": entry(0, 4, (True,))}, 4),
        ({"a": entry(8, 0)}, 8),
        ({"a": entry(0, 4, (1,) * 9)}, 4),
        ({"a": {"dtype": "F32", "shape": [2]}}, 8),
        ([], 0),
    ],
    ids=["gap", "overlap", "rest", "short", "few bytes", "negative", "true", "turned", "dimensions",
         "no offsets", "list"],
)  # fmt: skip
def test_a_file_with_a_gap_or_a_malformed_tensor_is_refused(
    tmp_path: Path, header: Any, numbers: int
) -> None:
    path = file_of(tmp_path / "a.safetensors", header, bytes(numbers))
    with pytest.raises(SetupError, match=NOT_WHOLE):
        read_header(path, "here")


@pytest.mark.parametrize("length", [0, 7, 8, 9, 40])
def test_a_file_that_ends_early_is_refused(tmp_path: Path, length: int) -> None:
    path = tmp_path / "a.safetensors"
    path.write_bytes(save({"a": np.ones(2, np.float32)})[:length])
    with pytest.raises(SetupError, match=NOT_WHOLE):
        read_header(path, "here")


def test_a_header_that_is_no_json_and_a_missing_file_are_one_line(tmp_path: Path) -> None:
    path = file_of(tmp_path / "a.safetensors", b"{]", b"")
    with pytest.raises(SetupError, match=r"^here: a\.safetensors cannot be read \(Expecting"):
        read_header(path, "here")
    with pytest.raises(SetupError, match=r"b\.safetensors cannot be read \(No such file"):
        read_header(tmp_path / "b.safetensors", "here")


def test_tensors_are_equal_by_format_shape_and_every_bit(tmp_path: Path) -> None:
    """The last byte counts too, in a tensor longer than what is compared at a time."""
    long = np.zeros(PIECE + 3, np.int8)
    other = long.copy()
    other[-1] = 1
    zero = np.zeros(2, np.float32)
    stored = {"a": long, "b": long.copy(), "c": other, "zero": zero, "minus": -zero}
    stored |= {"row": zero.reshape(1, 2), "integers": zero.astype(np.int32)}
    save_file(stored, tmp_path / "a.safetensors")
    found = read_header(tmp_path / "a.safetensors", "here")
    assert equal_bytes(found["a"], found["b"])
    assert not equal_bytes(found["a"], found["c"])
    for name in ("minus", "row", "integers"):
        assert not equal_bytes(found["zero"], found[name]), name


def test_a_file_larger_than_any_configuration_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "config.json"
    path.write_text('{"a": 1}', encoding="utf-8")
    assert read_json_whole(path, "here") == {"a": 1}
    with path.open("wb") as file:
        file.truncate((64 << 20) + 1)
    with pytest.raises(SetupError, match=r"^here: found config\.json larger than 64 MiB, expected"):
        read_json_whole(path, "here")
    path.write_text("[" * 100_000, encoding="utf-8")
    with pytest.raises(SetupError, match=r"^here: config\.json cannot be read \(.+\); fetch"):
        read_json_whole(path, "here")
