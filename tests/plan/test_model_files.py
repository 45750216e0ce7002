"""A model's files are those that were fetched: each is compared, and none may be added."""

import hashlib
import json
import shutil
from pathlib import Path

import pytest

from repro.cache import IDENTITY
from repro.errors import SetupError
from repro.manifest.load import load_models
from repro.plan.model_files import check_files, check_model, check_streamed, pinned_files

FILES = {"config.json": b"{}", "a.safetensors": b"numbers", "tokenizer.json": b"[]"}
DIGESTS = {name: hashlib.sha256(content).hexdigest() for name, content in FILES.items()}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder as a fetch leaves it."""
    for name, content in FILES.items():
        (tmp_path / name).write_bytes(content)
    (tmp_path / IDENTITY).write_text(json.dumps({"files": DIGESTS, "origin": "x"}))
    return tmp_path


def test_files_that_are_as_fetched_give_their_digests(folder: Path) -> None:
    assert check_files(folder) == DIGESTS
    (folder / ".lock").touch()
    (folder / "original").mkdir()
    assert check_files(folder) == DIGESTS, "no loader reads a hidden file or a folder"


@pytest.mark.parametrize("name", FILES)
def test_a_changed_and_a_lost_file_are_named_with_both_digests(folder: Path, name: str) -> None:
    (folder / name).write_bytes(b"other")
    other = hashlib.sha256(b"other").hexdigest()[:12]
    with pytest.raises(
        SetupError,
        match=rf"{name}: found {other}, expected sha256 {DIGESTS[name][:12]} as fetched; remove",
    ):
        check_files(folder)
    (folder / name).unlink()
    with pytest.raises(SetupError, match=rf"{name}: found no file, expected sha256"):
        check_files(folder)


def test_an_added_file_is_refused_since_a_loader_would_read_it(folder: Path) -> None:
    (folder / "added.json").write_text("{}")
    with pytest.raises(SetupError, match=r"added\.json: did not come with the model.*fetch again$"):
        check_files(folder)


@pytest.mark.parametrize(
    "content",
    ["{", "{}", '{"files": {}}', '{"files": {"../a": "0"}}', '{"files": {".a": "0"}}', None],
)
def test_a_record_of_no_files_or_of_paths_is_refused(folder: Path, content: str | None) -> None:
    (folder / IDENTITY).unlink()
    if content is not None:
        (folder / IDENTITY).write_text(content)
    with pytest.raises(SetupError, match=r"identity\.json: cannot be read; remove .* fetch again"):
        pinned_files(folder)


@pytest.mark.worker
def test_a_whole_model_passes_and_one_whose_shards_come_later_is_read_by_headers(
    tmp_path: Path, tiny_llama: Path
) -> None:
    """Numbers are compared with the digest where all files are there; else headers alone."""
    model, folder = load_models()["tiny-llama"], tmp_path / "model"
    shutil.copytree(tiny_llama, folder)
    assert check_model(folder, model) == check_streamed(folder, model) == pinned_files(folder)
    weights = folder / "model.safetensors"
    whole = weights.read_bytes()
    weights.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    with pytest.raises(SetupError, match=r"model\.safetensors: found"):
        check_model(folder, model)
    check_streamed(folder, model)
    weights.write_bytes(whole[:-1])
    with pytest.raises(SetupError, match="is no whole safetensors file"):
        check_streamed(folder, model)
    weights.write_bytes(whole)
    (folder / "config.json").write_text("{}")
    with pytest.raises(SetupError, match=r"config\.json: found"):
        check_streamed(folder, model)
