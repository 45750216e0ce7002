"""`repro fetch --stream`: the evidence of the whole model, while the disk holds two of its files."""

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from safetensors.numpy import load_file, save

from repro.errors import InputError
from repro.fetch.stream_runner import require_streamable
from repro.files import file_digest
from repro.manifest.load import load_experiment, load_models
from repro.plan.environment import local_environment
from repro.plan.expand import expand
from repro.plan.weight_files import INDEX

OWN_MODELS = Path(__file__).parents[1] / "own_models.py"
REVISION = "a" * 40
MANIFEST = """
id: streamed
title: One base model, in shards
image: local
probe_set: factorial_48
training: {heldout: 0}
conditions: {B0: {title: base model}}
arms: [{models: [small], conditions: [B0], seeds: [0]}]
"""
PATIENCE = 240.0
Begin = Callable[..., subprocess.Popen[str]]


def shard(name: str) -> str:
    """In which of five shards a weight lies; the last one is never read by a walk."""
    if name.startswith("model.layers."):
        return f"model-{2 + int(name.split('.')[2])}.safetensors"
    last = {"model.embed_tokens.weight": 1, "model.norm.weight": 4, "lm_head.weight": 5}
    return f"model-{last[name]}.safetensors"


@pytest.fixture
def hub(serve: Callable[[dict[str, bytes]], Any], tiny_llama: Path) -> Any:
    """A hub with a tiny model in shards."""
    weights = load_file(tiny_llama / "model.safetensors")
    named = {name: shard(name) for name in weights}
    parts = {
        file: save({name: weights[name] for name in named if named[name] == file}, {"format": "pt"})
        for file in sorted(set(named.values()))
    }
    small = {
        path.name: path.read_bytes()
        for path in tiny_llama.iterdir()
        if path.suffix == ".json" and path.name != "identity.json"
    }
    index = json.dumps({"metadata": {}, "weight_map": named}).encode()
    return serve({**parts, **small, INDEX: index})


@pytest.fixture
def begin(hub: Any, tmp_path: Path) -> Begin:
    """Begin a verb on the manifest of that model."""
    path, models = tmp_path / "streamed.yaml", tmp_path / "models.yaml"
    path.write_text(MANIFEST)
    fields = load_models()["tiny-llama"].model_dump(mode="json", exclude={"id"})
    fields["weights"] = {"kind": "hub", "repository": "somebody/small", "revision": REVISION}
    models.write_text(json.dumps({"small": fields}))

    def start(verb: str, results: str, *options: str) -> subprocess.Popen[str]:
        given = {"HF_ENDPOINT": hub.address, "HF_HUB_OFFLINE": "0", "HF_HUB_DISABLE_XET": "1",
                 "REPRO_CACHE": str(tmp_path / "cache")}  # fmt: skip
        command = [sys.executable, str(OWN_MODELS), str(models), verb, str(path), *options]
        return subprocess.Popen(
            [*command, "--results", str(tmp_path / results)], env={**os.environ, **given},
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=tmp_path,
        )  # fmt: skip

    return start


def ended(process: subprocess.Popen[str], code: int) -> str:
    """What a command said, which ended with this code."""
    printed, said = process.communicate(timeout=PATIENCE)
    assert process.returncode == code, printed + said
    return printed + said


def numbers(results: Path) -> dict[str, str]:
    """Digests of what was measured, by run and file."""
    paths = [*results.glob("runs/*/*/steps/*"), *results.glob("runs/*/*/activations/*")]
    assert paths
    return {str(path.relative_to(results)): file_digest(path) for path in paths}


def provenance(results: Path) -> Any:
    """The record of the only run."""
    (path,) = results.glob("runs/*/*/provenance.json")
    return json.loads(path.read_text())


def shards_asked(hub: Any) -> list[str]:
    """The shards that were downloaded, their headers aside."""
    return [
        name for name, part in hub.asked
        if name.endswith(".safetensors") and part != "bytes=0-100000"
    ]  # fmt: skip


def full(path: Path) -> bool:
    """Whether a shard holds numbers, not only the header that says how many."""
    content = path.read_bytes()
    return any(content[8 + int.from_bytes(content[:8], "little") :])


def test_streamed_is_measured_as_whole(hub: Any, begin: Begin, tmp_path: Path) -> None:
    ended(begin("run", "whole", "--runner", "local"), 0)
    whole = [name for name in shards_asked(hub) if name.endswith("5.safetensors")]
    assert whole, "the control: a whole model brings every shard"
    hub.asked.clear()
    folders = tmp_path / "cache" / "models"
    assert len([path for path in folders.rglob("*.safetensors") if full(path)]) == 5, "the control"
    most: list[list[str]] = []

    def before(_: str) -> None:
        # by what they hold: some file systems count a file's blocks only once they are written out
        most.append([path.name for path in folders.glob("*.streamed/*.safetensors") if full(path)])

    hub.before = before
    said = ended(begin("fetch", "streamed", "--stream"), 0)
    assert "runner local: what is streamed" in said, "nobody asked for a runner"
    assert numbers(tmp_path / "streamed") == numbers(tmp_path / "whole")
    assert shards_asked(hub) == [f"model-{number}.safetensors" for number in (1, 2, 3, 4)]
    # none where the worker had read a shard before the next one was looked for
    assert max(map(len, most)) <= 1, "beside the one that is being fetched"
    streamed, plain = provenance(tmp_path / "streamed"), provenance(tmp_path / "whole")
    assert streamed["model"]["files"] == plain["model"]["files"]
    loaded = [one["attempts"][0]["host"]["loaded"] for one in (streamed, plain)]
    assert loaded == ["block by block, streamed", "whole"]
    assert not [*folders.glob("*.streamed")]


def test_a_killed_one_goes_on_where_it_was(hub: Any, begin: Begin, tmp_path: Path) -> None:
    """The last shard comes late; meanwhile the host is killed, and its worker ends with it."""
    late: list[str] = []

    def before(name: str) -> None:
        if name == "model-4.safetensors" and len(late) < 2:
            late.append(name)  # the first one is its header
            if len(late) == 2:
                time.sleep(PATIENCE)

    hub.before = before
    process = begin("fetch", "streamed", "--stream")
    begun = time.monotonic()
    while (
        not (found := [*(tmp_path / "streamed").glob("runs/*/*/walk.safetensors")])
        or int(load_file(found[0])["blocks"]) < 2
    ):
        assert process.poll() is None, process.communicate()
        assert time.monotonic() - begun < PATIENCE
        time.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    process.wait()
    hub.asked.clear()
    ended(begin("fetch", "streamed", "--stream"), 0)
    assert "model-1.safetensors" not in shards_asked(hub), "what the embeddings gave was kept"
    assert "model-2.safetensors" not in shards_asked(hub)
    ended(begin("run", "whole", "--runner", "local"), 0)
    assert numbers(tmp_path / "streamed") == numbers(tmp_path / "whole")


def test_a_shard_that_is_not_what_the_hub_publishes_is_not_read(hub: Any, begin: Begin) -> None:
    name, whole = "model-3.safetensors", hub.files["model-3.safetensors"]
    hub.published[name] = hashlib.sha256(whole).hexdigest()
    hub.files[name] = whole[:-1] + bytes([whole[-1] ^ 1])
    said = ended(begin("fetch", "streamed", "--stream"), 3)
    assert "model-3.safetensors has digest" in said
    assert "Traceback" not in said
    hub.files[name] = whole
    ended(begin("fetch", "streamed", "--stream"), 0)


def test_a_run_that_trains_is_not_streamed(begin: Begin, tmp_path: Path) -> None:
    path = tmp_path / "streamed.yaml"
    path.write_text(path.read_text().replace("heldout: 0", "heldout: 4"))
    said = ended(begin("fetch", "streamed", "--stream"), 2)
    assert "--stream: small-B0" in said
    assert "needs its whole model" in said


def test_a_run_that_is_planned_for_a_gpu_is_not_streamed() -> None:
    """Its machine may hold the model; and what is streamed is measured on the processor."""
    experiment = load_experiment("base_geometry")
    require_streamable(expand(experiment, local_environment()))
    with pytest.raises(InputError, match=r"is planned for a GPU.*set TORCH=cpu"):
        require_streamable(expand(experiment, local_environment("cuda")))


def test_a_hub_that_goes_away_ends_the_run(hub: Any, begin: Begin) -> None:
    """And it goes on once the hub is back."""

    def before(name: str) -> None:
        if name == "model-3.safetensors" and ("model-2.safetensors", None) in hub.asked:
            hub.missing = "RepoNotFound"

    hub.before = before
    said = ended(begin("fetch", "streamed", "--stream"), 3)
    assert "no such repository" in said
    assert "Traceback" not in said
    hub.before, hub.missing = (lambda _: None), ""
    ended(begin("fetch", "streamed", "--stream"), 0)
