"""What a run needs is loaded before anything is trained, or what is missing is named."""

import json
import shutil
from pathlib import Path

import pytest
from peft import PeftModel

from repro.errors import InputError, SetupError
from repro.evidence.request import read_request
from repro.train.model import trainable
from repro.worker.load import load
from tests.worker.conftest import Make


def test_a_trained_run_has_its_adapter_its_steps_and_what_is_held_out(
    make: Make, cache: Path
) -> None:
    run, folder = make("B1")
    session = load(read_request(folder.path), folder, cache)
    assert isinstance(session.model, PeftModel)
    assert {"lora_A" in name or "lora_B" in name for name in trainable(session.model)} == {True}
    assert [len(sequences) for sequences in session.steps] == [2] * run.steps
    assert all(len(ids) <= 24 for sequences in session.steps for ids in sequences)
    assert {domain: len(held) for domain, held in session.heldout.items()} == {"code": 2}
    assert [probes.id for probes in session.probes] == ["factorial_48"]
    assert session.regularizer is None
    assert session.windows == []
    record = json.loads((folder.path / "provenance.json").read_text())
    assert record["run"] == run.id


def test_an_untrained_run_has_the_base_model_as_it_is(make: Make, cache: Path) -> None:
    _, folder = make("B0")
    session = load(read_request(folder.path), folder, cache)
    assert not isinstance(session.model, PeftModel)
    assert trainable(session.model) == {}
    assert session.steps == []


def test_further_sets_and_windows_are_there_where_the_manifest_asks(
    make: Make, cache: Path
) -> None:
    wanted = "also: [attention_entropy], attention: {lengths: [4, 8, 16], windows: 1}"
    change = (
        "diagnostics: {every: 3",
        f"also_probe_sets: [core_60]\ndiagnostics: {{{wanted}, every: 3",
    )
    _, folder = make("B0", change=change)
    session = load(read_request(folder.path), folder, cache)
    assert [probes.id for probes in session.probes] == ["factorial_48", "core_60"]
    assert [len(window) for window in session.windows] == [16]


def test_a_penalty_is_around_the_base_model_of_a_condition_that_has_one(
    make: Make, cache: Path
) -> None:
    _, folder = make("B1", change=("title: code,", "title: code, csr: {strength: 0.1},"))
    session = load(read_request(folder.path), folder, cache)
    assert session.regularizer is not None
    assert session.regularizer.probes == 48


def test_a_model_that_is_not_whole_is_refused_before_provenance_is_written(
    make: Make, tiny_llama: Path, tmp_path: Path
) -> None:
    run, folder = make("B0")
    model = tmp_path / "cache" / "models" / run.model.folder
    shutil.copytree(tiny_llama, model)
    (model / "model.safetensors").write_bytes(b"cut")
    with pytest.raises(SetupError, match=r"model\.safetensors: found"):
        load(read_request(folder.path), folder, tmp_path / "cache")
    shutil.rmtree(model)
    with pytest.raises(SetupError, match=r"identity\.json: cannot be read"):
        load(read_request(folder.path), folder, tmp_path / "cache")
    assert not (folder.path / "provenance.json").exists()


def test_a_token_without_an_embedding_is_named_with_its_set(
    make: Make, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A tokenizer that gives an id beyond the model's vocabulary."""
    _, folder = make("B0")
    monkeypatch.setattr("repro.worker.load.tokenise_probe", lambda *_: ([5000], [0]))
    with pytest.raises(InputError, match=r"^probe set factorial_48: .*5000"):
        load(read_request(folder.path), folder, cache)
