"""The package's records of architectures: each holds for one model, one shape and one adapter."""

from pathlib import Path

import pytest

from repro.machine.record_structures import everything
from repro.machine.structures import Wanted
from repro.manifest.adapters import BlockDiagonal, Lora
from repro.manifest.load import load_models
from repro.manifest.training import Training
from repro.plan.built import BUILT_FILE, built_key, read_packaged, write_packaged

MODEL = load_models()["qwen2.5-coder-7b"]


@pytest.mark.parametrize(
    "update",
    [
        {"weights": MODEL.weights.model_copy(update={"revision": "0" * 40})},
        {"weights": MODEL.weights.model_copy(update={"repository": "someone/else"})},
        {"architecture": MODEL.architecture.model_copy(update={"layers": 27})},
    ],
    ids=["revision", "repository", "layers"],
)
def test_a_record_holds_for_one_revision_and_one_shape(update: dict[str, object]) -> None:
    assert built_key(MODEL, Training(), ()) in read_packaged(), "the control"
    assert built_key(MODEL.model_copy(update=update), Training(), ()) not in read_packaged()


def test_another_adapter_is_not_known_and_rates_are_no_matter() -> None:
    assert built_key(MODEL, Training(lora=Lora(rank=63)), ()) not in read_packaged()
    assert built_key(MODEL, Training(lora=Lora(dropout=0.4, alpha=1)), ()) in read_packaged()


def test_the_file_is_small_and_written_the_same_from_its_own_records(
    tmp_path: Path, monkeypatch
) -> None:
    before = BUILT_FILE.read_bytes()
    assert len(before) < 80_000
    monkeypatch.setattr("repro.plan.built.BUILT_FILE", tmp_path / "structures.json")
    known: dict[str, Wanted] = everything()
    write_packaged((one.model, key, read_packaged()[key]) for key, one in known.items())
    assert (tmp_path / "structures.json").read_bytes() == before


def test_sizes_of_groups_name_a_block_diagonal_adapter_and_no_other() -> None:
    """The other adapters have no groups, so that any sizes name the same record."""
    blocks = Training(adapter=BlockDiagonal(grouping="aligned"))
    assert built_key(MODEL, blocks, (2, 3)) != built_key(MODEL, blocks, (3, 2))
    assert built_key(MODEL, Training(), (2, 3)) == built_key(MODEL, Training(), ())
