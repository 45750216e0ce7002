"""Tensors of safetensors files without torch, beside the library's own reading."""

from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from repro.errors import InputError
from repro.measure.inputs import is_half, read_activations
from repro.measure.tensors import find_tensor, read_tensor

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("kind", ["float64", "float32", "float16"])
def test_numbers_are_those_that_were_saved(tmp_path: Path, kind: str) -> None:
    X = RNG.normal(size=(6, 4)).astype(kind)
    save_file({"activations": X, "other": X[:1]}, tmp_path / "x.safetensors")
    found = read_tensor(find_tensor(tmp_path / "x.safetensors", "activations"))
    assert np.array_equal(found, X.astype(np.float64))
    assert np.array_equal(read_activations(tmp_path / "x.safetensors"), found)
    assert is_half(tmp_path / "x.safetensors") == (kind == "float16")
    np.savez(tmp_path / "x.npz", activations=X)
    assert is_half(tmp_path / "x.npz") == (kind == "float16")


@pytest.mark.parametrize(
    ("tensors", "words"),
    [
        ({"X": np.ones((2, 2))}, "keys are .'X'.; expected 'activations'"),
        ({"activations": np.array([[1.0, np.nan]])}, "not finite"),
        ({"activations": np.ones((2, 2), dtype=np.int64)}, "stored as I64"),
        ({"activations": RNG.normal(size=4)}, "shape"),
    ],
)
def test_what_cannot_be_measured_is_one_line(
    tmp_path: Path,
    tensors: dict[str, np.ndarray[tuple[int, ...], np.dtype[np.float64]]],
    words: str,
) -> None:
    save_file(tensors, tmp_path / "x.safetensors")
    with pytest.raises(InputError, match=words):
        read_activations(tmp_path / "x.safetensors")


def test_a_file_that_was_cut_is_one_line(tmp_path: Path) -> None:
    save_file({"activations": np.ones((8, 8))}, tmp_path / "x.safetensors")
    content = (tmp_path / "x.safetensors").read_bytes()
    (tmp_path / "x.safetensors").write_bytes(content[:-9])
    with pytest.raises(InputError, match="no whole safetensors file"):
        read_activations(tmp_path / "x.safetensors")
