"""Fetching from a hub, tried against a small one on loopback: what is taken, what is refused, what goes on."""

import hashlib
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from repro.manifest.load import load_models

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


@dataclass
class Hub:
    """What the small hub holds, what it answers with, and what it was asked for."""

    files: dict[str, bytes]
    revision: str = REVISION
    gated: bool = False
    published: dict[str, str] = field(default_factory=dict)
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
        return {"rfilename": name, "size": size, "blobId": digest[:40], **lfs}

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
        elif "/tree/" in self.path:
            entries = [{"type": "file", "path": name, **self.hub.entry(name)} for name in self.hub.files]
            self.reply(200, json.dumps(entries).encode(), body)
        elif self.path.startswith("/api/"):
            siblings = [self.hub.sibling(name) for name in self.hub.files]
            self.reply(
                200, json.dumps({"id": REPOSITORY, "sha": self.hub.revision, "siblings": siblings}).encode(), body
            )
        else:
            self.file(self.path.rsplit("/", 1)[1].split("?")[0], body)

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

    def run() -> Any:
        given = {
            "HF_ENDPOINT": hub.address,
            "HF_HUB_OFFLINE": "0",
            "HF_HUB_DISABLE_XET": "1",
            "REPRO_CACHE": str(tmp_path),
        }
        return repro("fetch", str(path), **given)

    return run


def test_safetensors_and_settings_are_taken_and_nothing_that_runs(fetch: Any, hub: Hub, tmp_path: Path):
    """The model folder holds the weights bit for bit, and their digests; neither pickle nor code."""
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
        ({"gated": True}, "gated; accept its terms on the hub and set HF_TOKEN"),
        ({"files": {"config.json": b"{}", "pytorch_model.bin": b"a pickle"}}, "the hub has no safetensors for it"),
    ],
    ids=["a revision that moved", "another hash", "gated", "pickles only"],
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
