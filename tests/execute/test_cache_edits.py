"""Edits of every kind of file in the cache: the next run refuses it by name, ends in the bits of an
honest one, or leaves its trace.
"""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from repro.evidence.compare import compare_folders
from repro.files import file_digest

Command = Callable[..., CompletedProcess[str]]
Edit = Callable[[Path], None]
MANIFEST = """
id: edited
title: one run
image: local
probe_set: factorial_48
domains: {code: [standard_library]}
conditions: {B1: {title: code, phases: [{steps: 2, mixture: {code: 1.0}}]}}
training: {lora: {rank: 4, alpha: 8}, accumulation: 2, max_length: 32, compute: float32}
diagnostics: {every: 2}
arms: [{models: [tiny-llama], conditions: [B1], seeds: [0]}]
"""
FILES = {
    "weights": "models/*/model.safetensors",
    "configuration": "models/*/config.json",
    "tokenizer": "models/*/tokenizer.json",
    "identity": "models/*/identity.json",
    "texts": "data/*.jsonl",
    "digest of texts": "data/*.sha256",
}


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-20])


def flip(path: Path) -> None:
    """One bit of the last byte but nine: a weight, a character of a text, a digit of a digest."""
    content = bytearray(path.read_bytes())
    content[-10] ^= 1
    path.write_bytes(bytes(content))


def drop(path: Path) -> None:
    path.unlink()


def forge(path: Path) -> None:
    """The weights are others, and their identity says so too, as if they had come like this."""
    before = file_digest(path)
    flip(path)
    identity = path.with_name("identity.json")
    identity.write_text(identity.read_text().replace(before, file_digest(path)))


def other_shape(path: Path) -> None:
    """A valid configuration of another model."""
    content = json.loads(path.read_text())
    path.write_text(json.dumps({**content, "rms_norm_eps": 0.5}))


EDITS: dict[str, tuple[str, Edit]] = {
    **{f"{name} cut": (name, cut) for name in FILES},
    **{f"{name} flipped": (name, flip) for name in FILES},
    **{f"{name} gone": (name, drop) for name in FILES},
    "weights and their identity": ("weights", forge),
    "configuration of another model": ("configuration", other_shape),
}


@pytest.fixture(scope="module")
def honest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a manifest, a cache, and results made from it before anybody edited anything."""
    return tmp_path_factory.mktemp("honest")


@pytest.fixture
def own(repro: Command, honest: Path, tmp_path: Path) -> Path:
    """A copy of it for one test."""
    if not (honest / "results").exists():
        (honest / "edited.yaml").write_text(MANIFEST)
        given = {"results": honest / "results", "REPRO_CACHE": str(honest / "cache")}
        assert repro("fetch", str(honest / "edited.yaml"), **given).returncode == 0
        done = repro("run", str(honest / "edited.yaml"), **given)
        assert done.returncode == 0, done.stdout + done.stderr
    return Path(shutil.copytree(honest, tmp_path / "own"))


def names(results: Path) -> list[str]:
    """What names the runs of a results folder."""
    return sorted(path.name for path in results.glob("runs/*/*"))


def weights(results: Path) -> str:
    """The digest of the weights that the only run was made with, as its worker recorded it."""
    (path,) = results.glob("runs/*/*/provenance.json")
    return str(json.loads(path.read_text())["model"]["files"]["model.safetensors"])


@pytest.mark.parametrize("name", EDITS)
def test_an_edit_of_the_cache_is_refused_or_changes_no_bit(
    repro: Command, own: Path, name: str
) -> None:
    kind, edit = EDITS[name]
    (path,) = (own / "cache").glob(FILES[kind])
    edit(path)
    given = {"results": own / "again", "REPRO_CACHE": str(own / "cache")}
    done = repro("run", str(own / "edited.yaml"), **given)
    said = done.stdout + done.stderr
    assert "Traceback" not in said
    if done.returncode:
        assert done.returncode in (2, 3), said
        assert any(
            part in said
            for part in (path.name, path.stem, path.parent.name, "tiny-llama", "standard_library")
        )
        assert not list((own / "again").glob("runs/*/*/done.json"))
        return
    if name == "weights and their identity":
        came, used = (weights(own / name) for name in ("results", "again"))
        assert came != used, (
            "what docs/evidence.md leaves to trust is still seen in the record of the run"
        )
        return
    assert names(own / "again") == names(own / "results")
    found = compare_folders("edited", own / "results", own / "again")
    assert found.numbers > 50, "the control: something was compared"
    assert not found.apart


def test_a_run_from_an_unedited_cache_has_the_same_bits(repro: Command, own: Path) -> None:
    """The control."""
    done = repro(
        "run", str(own / "edited.yaml"), results=own / "again", REPRO_CACHE=str(own / "cache")
    )
    assert done.returncode == 0, done.stdout + done.stderr
    found = compare_folders("edited", own / "results", own / "again")
    assert found.numbers > 50
    assert not found.apart
