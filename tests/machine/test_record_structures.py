"""What the package says models are built of is what transformers and peft build, and all that its
manifests may ask for.
"""

from pathlib import Path

import pytest

from repro.machine.record_structures import built_anew, everything
from repro.machine.structures import Wanted, structures
from repro.manifest.adapters import Lora
from repro.manifest.load import load_models
from repro.manifest.training import Training
from repro.plan.built import BUILT_FILE, built_key, read_packaged, write_packaged

MODEL = load_models()["qwen2.5-coder-7b"]


def test_the_packages_records_are_what_is_built_here() -> None:
    """Every model at its pinned revision under every adapter of every manifest; `make structures`
    writes them anew.
    """
    anew = {key: record for key, (_, record) in built_anew().items()}
    assert anew.keys() == read_packaged().keys()
    assert anew == read_packaged()


def test_a_known_model_is_built_by_nobody(tmp_path: Path) -> None:
    wanted = list(everything().values())
    assert structures(wanted, tmp_path, pytest.fail) == [
        read_packaged()[one.key()] for one in wanted
    ]
    assert list(tmp_path.iterdir()) == []


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
