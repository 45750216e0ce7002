"""A small hub on loopback that holds one model, and `repro fetch` of that model from it."""

import hashlib
import json
import math
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from repro.manifest.model import Model
from repro.plan.weight_files import expected_tensors

REPOSITORY, REVISION = "somebody/small", "a" * 40
WEIGHTS = {"kind": "hub", "repository": REPOSITORY, "revision": REVISION}
SHAPE = {
    "family": "llama",
    "hidden": 256,
    "layers": 2,
    "heads": 4,
    "kv_heads": 2,
    "intermediate": 512,
}
MODEL = Model.model_validate(
    {
        "id": "small",
        "title": "Small",
        "weights": WEIGHTS,
        "architecture": {**SHAPE, "vocabulary": 11000},
    }
)
CONFIG = {
    "model_type": "llama",
    "hidden_size": 256,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "intermediate_size": 512,
    "vocab_size": 11000,
}
OWN_MODELS = Path(__file__).parents[1] / "own_models.py"
MANIFEST = """
id: fetched
title: One base model from a hub
image: local
probe_set: factorial_48
conditions: {B0: {title: base model}}
arms: [{models: [small], conditions: [B0], seeds: [0]}]
"""
Answer = tuple[int, dict[str, str], bytes]


def git_name(content: bytes) -> str:
    """What git itself calls this content: how a hub publishes small files."""
    done = subprocess.run(
        ["git", "hash-object", "--stdin"], input=content, capture_output=True, check=True
    )
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
    before: Callable[[str], None] = lambda _: None
    """Called with the name of each file before it is sent."""
    cut: int | None = None
    """Bytes after which the first download of the weights breaks off."""
    address: str = ""

    def sibling(self, name: str) -> dict[str, Any]:
        """A file as the hub lists it."""
        digest = self.published.get(name, hashlib.sha256(self.files[name]).hexdigest())
        size = len(self.files[name])
        lfs = (
            {"lfs": {"sha256": digest, "size": size, "pointerSize": 100}}
            if name.endswith(".safetensors")
            else {}
        )
        blob = self.published.get(name, git_name(self.files[name]))
        return {"rfilename": name, "size": self.sizes.get(name, size), "blobId": blob, **lfs}

    def entry(self, name: str) -> dict[str, Any]:
        """A file as the hub's tree has it."""
        listed = self.sibling(name)
        lfs = {"lfs": {**listed["lfs"], "oid": listed["lfs"]["sha256"]}} if "lfs" in listed else {}
        return {
            "type": "file",
            "path": name,
            "size": listed["size"],
            "oid": listed["blobId"],
            **lfs,
        }

    def answer(self, request: Any) -> Answer:
        """Model information under /api, its tree under /tree, files (or the part a Range header
        asks for) under /resolve.
        """
        if self.gated:
            return 403, {"X-Error-Code": "GatedRepo"}, b""
        if self.missing:
            return 404, {"X-Error-Code": self.missing}, b""
        if "/tree/" in request.path:
            return 200, {}, json.dumps([self.entry(name) for name in self.files]).encode()
        if request.path.startswith("/api/"):
            siblings = [self.sibling(name) for name in self.files]
            return (
                200,
                {},
                json.dumps({"id": REPOSITORY, "sha": self.revision, "siblings": siblings}).encode(),
            )
        name = request.path.split(f"/resolve/{REVISION}/")[1].split("?")[0]
        if request.wanted:
            self.asked.append((name, request.part))
            self.before(name)
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


def weights() -> bytes:
    """A safetensors file of the model's tensors, 24 MiB of them: a broken download keeps whole
    chunks of 10.
    """
    header: dict[str, Any] = {}
    end = 0
    for name, shape in expected_tensors(MODEL.architecture).items():
        size = 4 * math.prod(shape)
        header[name] = {"dtype": "F32", "shape": shape, "data_offsets": [end, end + size]}
        end += size
    described = json.dumps(header).encode()
    return (
        len(described).to_bytes(8, "little")
        + described
        + (bytes(range(251)) * (end // 251 + 1))[:end]
    )


@pytest.fixture
def serve(helper: Callable[[str], ModuleType]) -> Iterator[Callable[[dict[str, bytes]], Hub]]:
    """Give files a hub."""
    with ExitStack() as stack:

        def start(files: dict[str, bytes]) -> Hub:
            held = Hub(files)
            held.address = stack.enter_context(helper("fetch/loopback.py").serving(held.answer))
            return held

        yield start


@pytest.fixture
def hub(serve: Callable[[dict[str, bytes]], Hub]) -> Hub:
    """A hub with one model: weights, configuration, and what must not be taken."""
    return serve({
        "model.safetensors": weights(),
        "config.json": json.dumps(CONFIG).encode(),
        "pytorch_model.bin": b"a pickle",
        "modeling_own.py": b"raise SystemExit",
        "consolidated.safetensors": b"the same weights again",
        "original/params.json": b"{}",
    })  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where that model comes to lie."""
    return tmp_path / "models" / MODEL.folder


@pytest.fixture
def begin(hub: Hub, tmp_path: Path) -> Callable[..., subprocess.Popen[str]]:
    """Begin `repro fetch` of that model from that hub, or from another address."""
    path, models = tmp_path / "fetched.yaml", tmp_path / "models.yaml"
    path.write_text(MANIFEST)
    models.write_text(json.dumps({"small": MODEL.model_dump(mode="json", exclude={"id"})}))

    def start(address: str = "") -> subprocess.Popen[str]:
        given = {
            "HF_ENDPOINT": address or hub.address,
            "HF_HUB_OFFLINE": "0",
            "HF_HUB_DISABLE_XET": "1",
            "REPRO_CACHE": str(tmp_path),
        }
        command = [sys.executable, str(OWN_MODELS), str(models), "fetch", str(path)]
        environment, pipe = {**os.environ, **given}, subprocess.PIPE
        return subprocess.Popen(
            command, stdout=pipe, stderr=pipe, text=True, env=environment, cwd=tmp_path
        )

    return start


@pytest.fixture
def fetch(
    begin: Callable[..., subprocess.Popen[str]],
) -> Callable[..., subprocess.CompletedProcess[str]]:
    """`repro fetch` of that model to its end."""

    def run(address: str = "") -> subprocess.CompletedProcess[str]:
        process = begin(address)
        printed, said = process.communicate()
        return subprocess.CompletedProcess(process.args, process.returncode, printed, said)

    return run
