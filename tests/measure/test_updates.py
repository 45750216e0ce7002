"""`repro entropy` on matrices and adapters as they lie on disk, whole, broken and of other kinds."""

import json
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save_file

from repro.errors import InputError
from repro.geometry.entropy import profile
from repro.geometry.undefined import Undefined
from repro.measure.entropy import of_update, record
from repro.measure.updates import read_matrix, read_updates

Command = Callable[..., CompletedProcess[str]]
NAME = "base_model.model.model.layers.{}.self_attn.{}_proj.lora_{}.weight"


def write(
    folder: Path, settings: dict[str, Any], dtype: str = "float32", layers: int = 11
) -> dict[str, np.ndarray]:
    """An adapter as peft saves it, of rank 4 on 16 × 24 matrices; B of layer 0's v_proj is zero, as
    before training.
    """
    random = np.random.default_rng(0)
    tensors = {}
    for layer in range(layers):
        for module in ("q", "v"):
            tensors[NAME.format(layer, module, "A")] = random.normal(size=(4, 24)).astype(dtype)
            tensors[NAME.format(layer, module, "B")] = random.normal(size=(16, 4)).astype(dtype)
    tensors[NAME.format(0, "v", "B")][:] = 0
    folder.mkdir(parents=True, exist_ok=True)
    save_file(tensors, folder / "adapter_model.safetensors")
    (folder / "adapter_config.json").write_text(json.dumps(settings))
    return tensors


LORA = {"peft_type": "LORA", "r": 4, "lora_alpha": 8}


@pytest.mark.parametrize("dtype", ["float64", "float32", "float16"])
def test_updates_are_read_in_their_order_and_have_the_profile_of_their_product(
    tmp_path: Path, dtype: str
) -> None:
    tensors = write(tmp_path, LORA, dtype)
    found = list(read_updates(tmp_path, "q_proj"))
    assert [update.layer for update in found] == [
        f"model.layers.{n}.self_attn.q_proj" for n in range(11)
    ]
    B, A = (tensors[NAME.format(10, "q", part)].astype(float) for part in "BA")
    measured = of_update(found[10])
    assert not isinstance(measured, Undefined)
    assert measured.entropy == pytest.approx(profile(B @ A), abs=1e-10)
    said = record(measured)
    assert (said["sites"], said["row_sites"], said["rank"], said["unit"]) == (
        [2] * 4 + [2, 2, 2, 3],
        4,
        4,
        "nat",
    )
    assert len(said["entropy"]) == len(said["baseline"]["entropy"]) == 7
    assert (np.array(said["entropy"]) <= np.array(said["bound"]) + 1e-9).all()


def test_bfloat16_is_the_upper_half_of_a_float32(tmp_path: Path) -> None:
    """NumPy has no such type: its bytes are written by hand, beside the same numbers in float32."""
    tensors = write(tmp_path, LORA, layers=1)
    exact = {name: (array.view("<u4") & 0xFFFF0000).view("<f4") for name, array in tensors.items()}
    header, place, body = {}, 0, b""
    for name, array in exact.items():
        piece = (array.view("<u4") >> 16).astype("<u2").tobytes()
        header[name] = {
            "dtype": "BF16",
            "shape": list(array.shape),
            "data_offsets": [place, place + len(piece)],
        }
        place, body = place + len(piece), body + piece
    listed = json.dumps(header).encode()
    (tmp_path / "adapter_model.safetensors").write_bytes(
        len(listed).to_bytes(8, "little") + listed + body
    )
    (found,) = read_updates(tmp_path, "*q_proj")
    assert (exact[NAME.format(0, "q", "B")] == found.B).all()
    assert (exact[NAME.format(0, "q", "A")] == found.A).all()


def test_an_update_of_zeros_is_undefined_and_the_others_are_not(
    repro: Command, tmp_path: Path
) -> None:
    write(tmp_path / "adapter", LORA, layers=1)
    done = repro("entropy", "--adapter", str(tmp_path / "adapter"), "--json")
    assert done.returncode == 0, done.stderr
    content = json.loads(done.stdout)
    assert [layer["name"] for layer in content["layers"]] == ["model.layers.0.self_attn.q_proj"]
    assert content["undefined"] == {
        "model.layers.0.self_attn.v_proj": "the update is zero, as before training"
    }
    shown = repro("entropy", "--adapter", str(tmp_path / "adapter"))
    assert shown.returncode == 0
    assert "rows | columns" in shown.stdout
    assert "v_proj: undefined, the update is zero" in shown.stdout


def test_a_matrix_is_measured_with_the_contracts_keys(repro: Command, tmp_path: Path) -> None:
    M = np.random.default_rng(1).normal(size=(12, 10))
    np.save(tmp_path / "M.npy", M)
    assert (read_matrix(tmp_path / "M.npy") == M).all()
    content = json.loads(repro("entropy", "--matrix", "M.npy", "--json").stdout)
    assert content["sites"] == [2, 2, 3, 2, 5]
    assert content["entropy"] == pytest.approx(list(profile(M)))
    assert (content["unit"], content["rank"]) == ("nat", 10)


def test_a_product_that_is_zero_leaves_the_other_layers_theirs(
    repro: Command, tmp_path: Path
) -> None:
    tensors = write(tmp_path / "adapter", LORA, layers=2)
    A, B = tensors[NAME.format(1, "q", "A")], tensors[NAME.format(1, "q", "B")]
    A[2:], B[:, :2] = 0, 0
    save_file(tensors, tmp_path / "adapter" / "adapter_model.safetensors")
    content = json.loads(
        repro(
            "entropy", "--adapter", str(tmp_path / "adapter"), "--layer", "q_proj", "--json"
        ).stdout
    )
    assert [layer["name"] for layer in content["layers"]] == ["model.layers.0.self_attn.q_proj"]
    assert "a matrix of zeros" in content["undefined"]["model.layers.1.self_attn.q_proj"]
    np.save(tmp_path / "none.npy", np.zeros((0, 5)))
    done = repro("entropy", "--matrix", "none.npy")
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (np.zeros(4), "expected a matrix of real numbers"),
        (np.zeros((2, 2), dtype=complex), "expected a matrix of real numbers"),
        (np.array([["a", "b"]]), "expected a matrix of real numbers"),
        (np.array([[1.0, np.nan], [1.0, 2.0]]), "not finite"),
        (b"PK\x03\x04", "no array of NumPy's"),
        (b"", "no array of NumPy's"),
        (None, "no such file"),
    ],
    ids=lambda value: str(value)[:20],
)
def test_what_is_no_matrix_is_one_line(tmp_path: Path, content: Any, words: str) -> None:
    path = tmp_path / "M.npy"
    if isinstance(content, bytes):
        path.write_bytes(content)
    elif content is not None:
        np.save(path, content)
    with pytest.raises(InputError, match=words) as caught:
        read_matrix(path)
    assert str(caught.value).isprintable()


def test_a_file_that_was_cut_or_holds_objects_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "M.npy"
    np.save(path, np.ones((40, 40)))
    path.write_bytes(path.read_bytes()[:-8])
    with pytest.raises(InputError, match="12,800 bytes, 12,792 are there"):
        read_matrix(path)
    np.save(path, np.array([[{}, {}]], dtype=object), allow_pickle=True)
    with pytest.raises(InputError, match="cannot be read as npy"):
        read_matrix(path)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"peft_type": "IA3"}, "peft_type is 'IA3'; give an adapter of kind LORA"),
        ([], "holds no settings by name"),
        ({**LORA, "use_dora": True}, "use_dora"),
    ],
)
def test_another_kind_of_adapter_is_refused(tmp_path: Path, settings: Any, words: str) -> None:
    write(tmp_path, settings, layers=1)
    with pytest.raises(InputError, match=words):
        list(read_updates(tmp_path))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda t: t.pop(NAME.format(0, "q", "B")), "has an A and no B"),
        (
            lambda t: t.update({NAME.format(0, "q", "B"): np.ones((16, 5))}),
            "expected \\(r, in\\) and \\(out, r\\)",
        ),
        (lambda t: t.update({NAME.format(0, "q", "B"): np.full((16, 4), np.inf)}), "not finite"),
        (
            lambda t: t.update({NAME.format(0, "q", "A"): np.ones((4, 24), dtype=np.int8)}),
            "stored as I8",
        ),
        (lambda t: t.clear(), "no layer is named like"),
    ],
)
def test_an_adapter_that_does_not_fit_is_one_line(tmp_path: Path, change: Any, words: str) -> None:
    tensors = write(tmp_path, LORA, layers=1)
    change(tensors)
    save_file(tensors or {"other": np.ones(2)}, tmp_path / "adapter_model.safetensors")
    with pytest.raises(InputError, match=words):
        list(read_updates(tmp_path, "*q_proj"))
    (tmp_path / "adapter_model.safetensors").write_bytes(b"\x08")
    with pytest.raises(InputError, match="no whole safetensors file"):
        list(read_updates(tmp_path))


def test_layer_goes_with_an_adapter(repro: Command, tmp_path: Path) -> None:
    np.save(tmp_path / "M.npy", np.eye(4))
    done = repro("entropy", "--matrix", "M.npy", "--layer", "q_proj")
    assert (done.returncode, done.stdout) == (2, "")
    assert "expected it with --adapter" in done.stderr
