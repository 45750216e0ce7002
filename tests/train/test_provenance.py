"""What a worker writes down about itself, and that it refuses to go on as something else than it
was named for.
"""

import hashlib
import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from safetensors.numpy import save_file
from transformers import PreTrainedModel

from repro.cache import IDENTITY, model_folder
from repro.errors import EvidenceError
from repro.evidence.folder import RunFolder
from repro.evidence.request import read_request
from repro.execute.folders import place_run, prepare
from repro.fetch.texts import fetch_texts
from repro.files import digest
from repro.manifest.load import load_experiment
from repro.plan.code import worker_code
from repro.plan.expand import expand, local_environment
from repro.plan.run import Run
from repro.train.model import load_base
from repro.train.provenance import write_provenance

Write = Callable[[], dict[str, Any]]


@pytest.fixture
def run() -> Run:
    """A run of the smoke manifest that trains on texts."""
    return next(run for run in expand(load_experiment("smoke"), local_environment()) if run.steps)


@pytest.fixture
def own_cache(run: Run, cache: Path, tmp_path: Path, tiny_llama: Path) -> Path:
    """A copy of the cache that a test may spoil, holding what `run` needs."""
    fetch_texts([source for domain in run.domains.values() for source in domain], cache, print)
    shutil.copytree(cache / "data", tmp_path / "cache" / "data")
    shutil.copytree(tiny_llama, tmp_path / "cache" / "models" / run.model.folder)
    return tmp_path / "cache"


@pytest.fixture
def folder(run: Run, tmp_path: Path) -> RunFolder:
    """The run's folder, ready for its worker."""
    return prepare(place_run(run, tmp_path / "results"))


@pytest.fixture
def base(run: Run, tiny_llama: Path) -> PreTrainedModel:
    """A loaded model."""
    return load_base(tiny_llama, run.training)


@pytest.fixture
def write(folder: RunFolder, own_cache: Path, base: PreTrainedModel) -> Write:
    """Note an attempt; the whole record after it."""

    def note() -> dict[str, Any]:
        request = read_request(folder.path)
        model = model_folder(own_cache, request.run.model.folder)
        digests = {
            path.name: sha256(path)
            for path in model.iterdir()
            if path.is_file() and path.name != IDENTITY
        }
        write_provenance(folder.path, request, own_cache, base, model, digests)
        record: dict[str, Any] = json.loads((folder.path / "provenance.json").read_text())
        return record

    return note


def sha256(path: Path) -> str:
    """Of a file's bytes."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_the_record_says_what_ran_on_what(
    write: Write, own_cache: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Weights and texts by their bytes, packages as pip lists them, the processor as the system
    names it.
    """
    monkeypatch.setenv("CUBLAS_WORKSPACE_CONFIG", ":16:8")
    record = write()
    weights = own_cache / "models" / run.model.folder / "model.safetensors"
    assert record["model"]["files"]["model.safetensors"] == sha256(weights)
    assert record["model"]["stored_as"] == ["F32"]
    used = {source.id for domain in run.domains.values() for source in domain}
    assert record["texts"]["sha256"].keys() == used
    assert set(record["texts"]["sha256"].values()) <= {
        sha256(path) for path in own_cache.glob("data/*.jsonl")
    }
    assert record["environment"].items() >= run.environment.model_dump(mode="json").items()
    (attempt,) = record["attempts"]
    listed = subprocess.run(
        [sys.executable, "-m", "pip", "list", "--format=json"], capture_output=True, check=True
    )
    assert attempt["packages"] == {
        item["name"]: item["version"] for item in json.loads(listed.stdout)
    }
    assert attempt["sources"] == worker_code()
    assert record["environment"]["code"] == digest(attempt["sources"])
    assert attempt["kernels"]["cublas_workspace"] == ":16:8"
    assert attempt["hardware"]["processor"] in Path("/proc/cpuinfo").read_text()
    assert attempt["host"]["commit"] == "unknown", "no host started this worker"


def test_an_attempt_is_added_with_what_its_host_said(write: Write, folder: RunFolder) -> None:
    """The first attempt stays as it was; neither says anything about the run's name."""
    first, identity = write(), read_request(folder.path).id
    (folder.path / "host.json").write_text('{"commit": "0", "dirty": true, "runner": "docker"}')
    second = write()
    assert second["attempts"][0] == first["attempts"][0]
    assert second["attempts"][1]["host"]["runner"] == "docker"
    assert second["run"] == first["run"] == identity


def test_other_weights_or_texts_than_the_run_began_with_are_refused(
    write: Write, own_cache: Path, run: Run
) -> None:
    """The same bytes pass; one changed file is named; an attempt that is refused leaves no trace."""
    write()
    assert len(write()["attempts"]) == 2
    weights = own_cache / "models" / run.model.folder / "model.safetensors"
    whole = weights.read_bytes()
    save_file({}, weights)
    with pytest.raises(
        EvidenceError, match=r"model: model.safetensors has sha256 \w+, the run began with"
    ):
        write()
    weights.write_bytes(whole)
    for path in own_cache.glob("data/*.sha256"):
        path.write_text("0" * 64)
    with pytest.raises(
        EvidenceError, match=r"texts: .* has sha256 000000000000, the run began with"
    ):
        write()


def test_every_state_of_the_sources_that_worked_on_a_run_is_recorded(
    write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A queue may start a worker hours later, from another state of the checkout; the edition is
    what must be the same.
    """
    first = write()["environment"]["code"]
    monkeypatch.setattr("repro.train.provenance.worker_code", lambda: {"repro.worker": "0" * 16})
    assert write()["environment"]["code"].split() == [first, digest({"repro.worker": "0" * 16})]
