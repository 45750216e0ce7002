"""The content of an image is what decides: the same inputs give the same hash, and any other image is refused."""

import io
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from repro.errors import SetupError
from repro.execute.images import checked_image, content_hash
from repro.files import file_digest, write_json
from repro.manifest.load import ROOT
from repro.plan import image_lock
from repro.plan.image_lock import load_locks, locked


def base(client: Any, files: dict[str, str], when: int) -> str:
    """A small image with these files, all of the given time; its id."""
    sink = io.BytesIO()
    with tarfile.open(fileobj=sink, mode="w") as archive:
        for name, content in files.items():
            item = tarfile.TarInfo(name)
            item.size, item.mtime = len(content), when
            archive.addfile(item, io.BytesIO(content.encode()))
    reply = client.api.import_image_from_data(sink.getvalue(), changes=["CMD /nothing"])
    return str(reply).split("sha256:")[1][:64]


@pytest.fixture
def images(client: Any) -> Iterator[list[str]]:
    """Images of a test; removed after it."""
    made: list[str] = []
    yield made
    for image in set(made):
        client.images.remove(image, force=True)


FILES = {"etc/setting": "one", "opt/repro/repro/worker.py": "ours"}


@pytest.mark.parametrize(
    ("files", "when", "same"),
    [
        (FILES, 2_000_000_000, True),
        ({**FILES, "opt/repro/repro/worker.py": "newer"}, 1_000_000_000, True),
        ({**FILES, "etc/setting": "two"}, 1_000_000_000, False),
        ({**FILES, "etc/added": ""}, 1_000_000_000, False),
    ],
    ids=["other times", "other source of ours", "a changed file", "an added file"],
)
def test_content_is_files_and_not_times_nor_our_own_source(
    client: Any, images: list[str], files: dict[str, str], when: int, same: bool
):
    """Two images of equal files have one content hash; one changed byte or file gives another."""
    images += [base(client, FILES, 1_000_000_000), base(client, files, when)]
    assert (content_hash(client, images[0]) == content_hash(client, images[1])) is same


def test_an_image_of_other_content_is_refused(client: Any, image: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    """The built image passes against docker/images.lock, and not against a lock that says something else."""
    assert checked_image(client, "cpu") == image
    other = load_locks().model_dump(mode="json")
    other["images"]["cpu"]["content"] = "0" * 64
    write_json(tmp_path / "images.lock", other)
    monkeypatch.setattr("repro.execute.images.locked", lambda name: locked(name, tmp_path / "images.lock"))
    with pytest.raises(SetupError, match=r"expected 000000000000 .* it is refused"):
        checked_image(client, "cpu")


def test_a_lock_made_with_other_packages_is_refused(tmp_path: Path):
    """Who changes the packages must build and record the image again."""
    locks = load_locks().model_dump(mode="json")
    locks["images"]["cpu"].update(content="0" * 64, requirements_sha256="0" * 64)
    write_json(tmp_path / "images.lock", locks)
    with pytest.raises(SetupError, match=r"recorded with another docker/cpu.lock .* --relock"):
        locked("cpu", tmp_path / "images.lock")
    locks["images"]["cpu"]["requirements_sha256"] = file_digest(ROOT / "docker" / "cpu.lock")
    write_json(tmp_path / "images.lock", locks)
    assert locked("cpu", tmp_path / "images.lock").content == "0" * 64


def test_an_image_nobody_built_yet_says_how(tmp_path: Path):
    """The CUDA image is described, and cannot be made where no registry answers."""
    locks = load_locks().model_dump(mode="json")
    locks["images"]["cuda"]["content"] = None
    write_json(tmp_path / "images.lock", locks)
    with pytest.raises(SetupError, match="image cuda has no recorded content; build it where its base can be had"):
        locked("cuda", tmp_path / "images.lock")


@pytest.mark.parametrize("name", ["cpu", "cuda"])
def test_an_image_holds_a_part_of_the_locked_packages_and_no_others(name: str):
    """docker/NAME.lock repeats requirements/NAME.lock line by line: the same pins and hashes."""
    whole = set((ROOT / "requirements" / f"{name}.lock").read_text().splitlines())
    part = (ROOT / "docker" / f"{name}.lock").read_text().splitlines()
    assert {line.rstrip(" \\") for line in part} <= {line.rstrip(" \\") for line in whole}
    assert any(line.startswith("torch==") for line in part)
    assert image_lock.LOCK == ROOT / "docker" / "images.lock"
