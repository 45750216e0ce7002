"""A base that has moved on is taken for this machine alone, and only where the numbers stay what
they are.
"""

import io
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from repro.cache import image_record
from repro.errors import SetupError
from repro.execute.images import build as images
from repro.execute.images import steps as image_steps
from repro.execute.images.base_lock import BaseLock, load_base_lock
from repro.execute.images.build import build, checked_image, scratch
from repro.execute.images.content import content_hash
from repro.machine import moved
from repro.machine.moved import build_moved
from repro.plan import image_lock
from repro.plan.image_lock import ImageLock, image_environment, load_locks, local_build

OTHER_NUMBERS = """
import numpy
solve = numpy.linalg.eigh
def shifted(*given, **named):
    values, vectors = solve(*given, **named)
    return values * (1 + 1e-9), vectors
numpy.linalg.eigh = shifted
singular = numpy.linalg.svd
def stretched(*given, **named):
    found = singular(*given, **named)
    return found * (1 + 1e-9) if isinstance(found, numpy.ndarray) else (found[0], found[1] * (1 + 1e-9), found[2])
numpy.linalg.svd = stretched
"""
OWN = "repro-moved-test:own"
"""The name of these builds: that of the machine's own image stays with it."""
TRIAL = """
id: trial
title: One short run in the place of smoke's thirteen
image: local
probe_set: factorial_48
domains: {code: [standard_library], natural_language: [python_topics]}
conditions:
  B0: {title: untouched}
training:
  lora: {rank: 4, alpha: 8, dropout: 0.0}
  max_length: 32
  compute: float32
  checkpoint_every: 1
diagnostics: {every: 2, also: []}
arms:
  - {models: [tiny-llama], conditions: [B0], seeds: [0]}
"""


@pytest.fixture
def older(
    client: Any, image: str, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[BaseLock]:
    """A project whose lock is of earlier packages than the mirror has, and a short trial."""
    assert image
    now = load_base_lock()
    (first, *others) = now.packages
    old = now.model_copy(
        update={
            "packages": (first.model_copy(update={"version": "0.1", "sha256": "0" * 64}), *others)
        }
    )
    locks = load_locks()
    recorded = locks.images["cpu"].model_copy(update={"content": "0" * 64})
    other = locks.model_copy(update={"images": {**locks.images, "cpu": recorded}})
    monkeypatch.setattr(moved, "load_base_lock", lambda: old)
    monkeypatch.setattr(moved, "current", lambda _: now)
    monkeypatch.setattr(moved, "load_locks", lambda: other)
    monkeypatch.setattr(image_lock, "load_locks", lambda *_: other)
    (tmp_path / "trial.yaml").write_text(TRIAL)
    monkeypatch.setattr(moved, "TRIAL", str(tmp_path / "trial.yaml"))
    for module in (image_steps, images, moved):
        monkeypatch.setattr(module, "tag", lambda _name: OWN)
    yield old
    client.images.remove(OWN, force=True)
    image_record(cache, "cpu").unlink(missing_ok=True)  # it never counted but for this lock


def test_an_equal_build_is_taken_in_the_cache_and_never_in_the_lock(
    client: Any, older: BaseLock, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The moved packages are named; runs carry the build's content; another lock makes it count no
    longer.
    """
    before, said = image_lock.IMAGE_LOCK.read_text(), []
    local = build_moved(client, "cpu", cache, None, said.append)
    assert local is not None
    assert local.packages == (
        f"{older.packages[0].name} 0.1 → {load_base_lock().packages[0].version}",
    )
    assert local.numbers > 100
    assert said[0] == f"moved since docker/base.lock: {local.packages[0]}"
    assert image_lock.IMAGE_LOCK.read_text() == before
    assert image_environment("cpu", "cpu", cache).image == local.lock.content
    assert checked_image(client, "cpu", cache)
    assert local_build("cpu", tmp_path) is None
    locks = image_lock.load_locks()
    newer = locks.images["cpu"].model_copy(update={"content": "1" * 64})
    newest = locks.model_copy(update={"images": {**locks.images, "cpu": newer}})
    monkeypatch.setattr(image_lock, "load_locks", lambda *_: newest)
    assert local_build("cpu", cache) is None, "whoever records another image meant it"


def test_a_build_with_other_numbers_is_refused(
    client: Any, older: BaseLock, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A library in the image that is off by one part in a thousand million: everything else is as
    it was.
    """
    assert older.packages

    def build_other(*given: Any, **named: Any) -> ImageLock:
        found = build(*given, **named)
        sink = io.BytesIO()
        with tarfile.open(fileobj=sink, mode="w") as archive:
            for name, text in (
                ("other_numbers.py", OTHER_NUMBERS),
                ("other.pth", "import other_numbers\n"),
            ):
                item = tarfile.TarInfo(name)
                item.size = len(text)
                archive.addfile(item, io.BytesIO(text.encode()))
        container = client.containers.create(OWN)
        container.put_archive("/opt/venv/lib/python3.11/site-packages", sink.getvalue())
        container.commit(*OWN.split(":"))
        container.remove()
        return found.model_copy(
            update={"content": content_hash(client, client.images.get(OWN).id, scratch())}
        )

    monkeypatch.setattr(moved, "build", build_other)
    with pytest.raises(SetupError, match=r"give other numbers \(1 runs, .*; it is not taken"):
        build_moved(client, "cpu", cache, None, lambda _: None)
    assert local_build("cpu", cache) is None
