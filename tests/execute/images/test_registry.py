"""An image goes from one machine to another by digest, and is taken for its content alone. The
registry is Debian's own.

The image is small: the real base, whose Python stands in for the worker's, and one file that only
it has.
"""

import io
import os
import shutil
import socket
import subprocess
import tarfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from repro.errors import SetupError
from repro.execute.images import build as images
from repro.execute.images import registry
from repro.execute.images import steps as image_steps
from repro.execute.images.base_lock import load_base_lock
from repro.execute.images.build import scratch
from repro.execute.images.content import content_hash
from repro.execute.images.steps import with_worker
from repro.files import digest
from repro.plan.code import worker_code
from repro.plan.image_lock import ImageLock

OWN = "repro-registry-test:small"
CONFIG = """
version: 0.1
storage: {{filesystem: {{rootdirectory: {root}}}}}
http: {{addr: 127.0.0.1:{port}}}
"""


@pytest.fixture
def base(client: Any, image: str) -> str:
    """The base that the checked image was built on; in stages that need one it is there."""
    assert image
    name = f"repro-base:{load_base_lock().sha256[:12]}"
    if not client.images.list(name):
        pytest.skip(f"{name} is not here: the image was pulled or built with a moved base")
    return name


class Locked:
    """What docker/images.lock says in this test: of the small image, wherever it is asked."""

    def __init__(self, content: str) -> None:
        self.lock = ImageLock(requirements="docker/cpu.lock", content=content)

    def write(self, _name: str, lock: ImageLock) -> None:
        """Record, as --push does."""
        self.lock = lock


def make(client: Any, base: str, text: str) -> None:
    """Make the small image, with a file of this text that no other image has."""
    sink = io.BytesIO()
    with tarfile.open(fileobj=sink, mode="w") as archive:
        for name, link, content in (
            ("venv/bin/python", "/usr/bin/python3.11", ""),
            ("own", "", text),
        ):
            item = tarfile.TarInfo(name)
            item.type, item.linkname, item.size = (
                (tarfile.SYMTYPE, link, 0) if link else (tarfile.REGTYPE, "", len(content))
            )
            archive.addfile(item, io.BytesIO(content.encode()))
    container = client.containers.create(base, entrypoint=["/none"])
    container.put_archive("/opt", sink.getvalue())
    made = container.commit("repro-registry-test", "packages")
    container.remove()
    with_worker(client, "cpu", made.id)
    client.images.remove("repro-registry-test:packages")


@pytest.fixture
def small(client: Any, base: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Locked]:
    """The small image under a name of its own, and a lock that says it is right."""
    for module in (image_steps, images, registry):
        monkeypatch.setattr(module, "tag", lambda _name: OWN)
    make(client, base, "one" * 100_000)
    locked = Locked(content_hash(client, client.images.get(OWN).id, scratch()))
    records = type("Locks", (), {"images": property(lambda _: {"cpu": locked.lock})})()
    monkeypatch.setattr("repro.plan.image_lock.read_image_lock", lambda _name: locked.lock)
    monkeypatch.setattr(registry, "read_image_lock", lambda _name: locked.lock)
    monkeypatch.setattr(registry, "load_locks", lambda: records)
    monkeypatch.setattr(registry, "write_lock", locked.write)
    yield locked
    remove(client)


def remove(client: Any) -> None:
    """Every name of the small image, and with the last one its layers."""
    for image in client.images.list():
        for name in image.tags:
            if name.startswith("repro-registry-test:") or "/repro-registry-test" in name:
                client.images.remove(name, force=True)
    for image in client.images.list():
        if any("/repro-registry-test@" in name for name in image.attrs["RepoDigests"] or ()):
            client.images.remove(image.id, force=True)


@pytest.fixture
def storage(tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """A registry on loopback: the name to push to, and the folder of its blobs."""
    if shutil.which("docker-registry") is None:
        pytest.skip("Debian's docker-registry is not installed")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    (tmp_path / "registry.yml").write_text(CONFIG.format(root=tmp_path / "registry", port=port))
    command = ["docker-registry", "serve", str(tmp_path / "registry.yml")]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        for _ in range(100):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.1)
        yield (
            f"127.0.0.1:{port}/repro-registry-test",
            tmp_path / "registry" / "docker" / "registry" / "v2" / "blobs",
        )
    finally:
        process.terminate()
        process.wait()


def say(_line: str) -> None:
    """Nothing to the test's output."""


def test_an_image_is_pushed_removed_and_pulled_by_digest(
    client: Any, small: Locked, storage: tuple[str, Path]
) -> None:
    """The digest is recorded beside the content; what comes back has that content and this
    checkout's worker.
    """
    repository, _ = storage
    pinned = registry.push(client, "cpu", repository, say)
    assert pinned == small.lock.registry
    assert pinned.startswith(f"{repository}@sha256:")
    remove(client)
    assert not client.images.list(OWN)
    for given in (None, repository, pinned):
        registry.pull(client, "cpu", given, say)
        found = client.images.get(OWN)
        assert found.labels["repro.code"] == digest(worker_code())
        assert content_hash(client, found.id, scratch()) == small.lock.content
        remove(client)


@pytest.mark.usefixtures("small")
def test_a_tampered_layer_is_refused_by_the_engine(client: Any, storage: tuple[str, Path]) -> None:
    """One byte of one layer in the registry's own storage; put right, it is taken."""
    repository, blobs = storage
    registry.push(client, "cpu", repository, say)
    layers = client.api.inspect_image(OWN)["RootFS"]["Layers"]
    assert len(layers) == 3
    remove(client)
    files = [
        path
        for path in blobs.rglob("data")
        if path.read_bytes()[:2] == b"\x1f\x8b" and path.stat().st_size < 10_000
    ]
    assert files, "the layer of the small file compresses well"
    kept = {path: path.read_bytes() for path in files}
    for path, content in kept.items():
        path.write_bytes(content[:-30] + bytes(byte ^ 1 for byte in content[-30:]))
    with pytest.raises(
        SetupError, match=r"the engine refused it \(.*(digest|checksum|gzip|flate|EOF)"
    ) as refused:
        registry.pull(client, "cpu", None, say)
    assert len(str(refused.value).splitlines()) == 1
    assert not client.images.list(OWN)
    for path, content in kept.items():
        path.write_bytes(content)
    registry.pull(client, "cpu", None, say)
    assert client.images.list(OWN)


def test_another_image_under_a_digest_of_its_own_is_refused_for_its_content(
    client: Any, base: str, small: Locked, storage: tuple[str, Path]
) -> None:
    """The engine has nothing against it; its content is not that of the lock, and it does not stay."""
    repository, _ = storage
    right = small.lock.content
    make(client, base, "two" * 100_000)
    small.lock = small.lock.model_copy(
        update={"content": content_hash(client, client.images.get(OWN).id, scratch())}
    )
    pinned = registry.push(client, "cpu", repository, say)
    remove(client)
    small.lock = small.lock.model_copy(update={"content": right})
    with pytest.raises(
        SetupError,
        match=rf"found content .* expected {str(right)[:12]} .* it is refused and removed",
    ):
        registry.pull(client, "cpu", pinned, say)
    assert not any(pinned in (image.attrs["RepoDigests"] or ()) for image in client.images.list())


def test_an_image_goes_through_a_file(client: Any, small: Locked, tmp_path: Path) -> None:
    """Written whole or not at all; loaded, it has the same content. A broken and an absent file are
    one line each.
    """
    file = tmp_path / "image.tar"
    registry.save(client, "cpu", file, say)
    assert os.listdir(tmp_path) == ["image.tar"]
    remove(client)
    registry.load_image(client, "cpu", file, say)
    assert content_hash(client, client.images.get(OWN).id, scratch()) == small.lock.content
    file.write_bytes(file.read_bytes()[:1000])
    with pytest.raises(SetupError, match="is no image that the engine can load"):
        registry.load_image(client, "cpu", file, say)
    with pytest.raises(
        SetupError, match="no such file; expected what repro images cpu --save FILE wrote"
    ):
        registry.load_image(client, "cpu", tmp_path / "absent.tar", say)


@pytest.mark.parametrize("given", [None, "127.0.0.1:5/other", "127.0.0.1:5/other:latest"])
def test_what_is_pulled_is_named_by_digest(client: Any, small: Locked, given: str | None) -> None:
    """A name alone, or a version that anybody may move, is refused before the registry is asked."""
    assert small.lock.registry is None
    with pytest.raises(SetupError, match=r"--pull: found .*, expected REGISTRY/NAME@sha256:"):
        registry.pull(client, "cpu", given, say)


def test_a_registry_that_does_not_answer_is_one_line(client: Any, small: Locked) -> None:
    assert small.lock.content
    with pytest.raises(
        SetupError, match=r"127\.0\.0\.1:9/x: (the engine refused it|could not be pushed)"
    ) as refused:
        registry.push(client, "cpu", "127.0.0.1:9/x", say)
    assert len(str(refused.value).splitlines()) == 1
