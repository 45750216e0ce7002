"""A small hub on loopback that holds one model, and `repro fetch` of that model from it."""

import hashlib
import json
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
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
Answer = tuple[int, dict[str, str], bytes]


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
        return {"type": "file", "path": name, "size": listed["size"], "oid": listed["blobId"], **lfs}

    def answer(self, request: Any) -> Answer:
        """Model information under /api, its tree under /tree, files (or the part a Range header asks for) under /resolve."""
        if self.gated:
            return 403, {"X-Error-Code": "GatedRepo"}, b""
        if self.missing:
            return 404, {"X-Error-Code": self.missing}, b""
        if "/tree/" in request.path:
            return 200, {}, json.dumps([self.entry(name) for name in self.files]).encode()
        if request.path.startswith("/api/"):
            siblings = [self.sibling(name) for name in self.files]
            return 200, {}, json.dumps({"id": REPOSITORY, "sha": self.revision, "siblings": siblings}).encode()
        name = request.path.split(f"/resolve/{REVISION}/")[1].split("?")[0]
        if request.wanted:
            self.asked.append((name, request.part))
        return self.file(name, request.part, request.wanted)

    def file(self, name: str, part: str | None, wanted: bool) -> Answer:
        """One file, from where the caller asks; broken off midway, once, where the hub is told to."""
        whole = self.files[name]
        start = int(part.removeprefix("bytes=").split("-")[0]) if part else 0
        content = whole[start:]
        headers = {
            "ETag": f'"{hashlib.sha256(whole).hexdigest()}"',
            "X-Repo-Commit": REVISION,
            "Accept-Ranges": "bytes",
            "Content-Length": str(len(content)),
        }
        if part:
            headers["Content-Range"] = f"bytes {start}-{len(whole) - 1}/{len(whole)}"
        if wanted and self.cut is not None and name.endswith(".safetensors"):
            content, self.cut = content[: self.cut], None
        return 206 if part else 200, headers, content


@pytest.fixture
def hub(helper: Callable[[str], ModuleType]) -> Iterator[Hub]:
    """A hub with one model: weights, configuration, and what must not be taken."""
    held = Hub({
        "model.safetensors": bytes(range(256)) * 98304,  # 24 MiB: a broken download keeps whole chunks of 10
        "config.json": b"{}",
        "pytorch_model.bin": b"a pickle",
        "modeling_own.py": b"raise SystemExit",
        "consolidated.safetensors": b"the same weights again",
        "original/params.json": b"{}",
    })  # fmt: skip
    with helper("execute/fetch/loopback.py").serving(held.answer) as held.address:
        yield held


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where that model comes to lie."""
    return tmp_path / "models" / MODEL.folder


@pytest.fixture
def fetch(repro: Any, hub: Hub, tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """`repro fetch` of that model from that hub, or from another address."""
    path = tmp_path / "fetched.yaml"
    path.write_text(MANIFEST)

    def run(address: str = "") -> subprocess.CompletedProcess[str]:
        given = {
            "HF_ENDPOINT": address or hub.address,
            "HF_HUB_OFFLINE": "0",
            "HF_HUB_DISABLE_XET": "1",
            "REPRO_CACHE": str(tmp_path),
        }
        done: subprocess.CompletedProcess[str] = repro("fetch", str(path), **given)
        return done

    return run
