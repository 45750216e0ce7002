"""`repro measure --model owner/name`: the numbers of the same folder, from a hub on loopback."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from repro.errors import SetupError
from repro.fetch.named import fetch_named, names_repository
from repro.manifest.load import load_models
from repro.manifest.model import HubWeights

NAME, REVISION = "somebody/small", "a" * 40
Measure = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def hub(serve: Callable[[dict[str, bytes]], Any], tiny_llama: Path) -> Any:
    """A hub with a tiny model, and files beside it that must not be taken."""
    own = {
        path.name: path.read_bytes()
        for path in tiny_llama.iterdir()
        if path.is_file() and path.name != "identity.json"
    }
    return serve({**own, "modeling_own.py": b"raise SystemExit", "pytorch_model.bin": b"a pickle"})


@pytest.fixture
def measure(hub: Any, tmp_path: Path) -> Measure:
    """Measure a model by its name, quickly and as JSON."""

    def run(name: str, *options: str, address: str = "") -> subprocess.CompletedProcess[str]:
        given = {"HF_ENDPOINT": address or hub.address, "HF_HUB_OFFLINE": "0",
                 "HF_HUB_DISABLE_XET": "1", "HF_HUB_DISABLE_PROGRESS_BARS": "1",
                 "REPRO_CACHE": str(tmp_path / "cache")}  # fmt: skip
        command = [sys.executable, "-m", "repro", "measure", "--model", name]
        command += ["--probes", "factorial_48", "--quick", "--json", *options]
        return subprocess.run(
            command, capture_output=True, text=True, env={**os.environ, **given}, cwd=tmp_path,
            check=False,
        )  # fmt: skip

    return run


def test_a_name_gives_the_numbers_of_the_folder(
    measure: Measure, hub: Any, tiny_llama: Path, tmp_path: Path
) -> None:
    """The newest commit is taken, said and recorded; what is there is not fetched again."""
    named, folder = measure(NAME), measure(str(tiny_llama))
    assert named.returncode == 0, named.stderr
    record, plain = json.loads(named.stdout), json.loads(folder.stdout)
    assert record.pop("model") == {"repository": NAME, "revision": REVISION}
    assert record == plain
    assert f"{NAME} at revision {REVISION}" in named.stderr
    (kept,) = (tmp_path / "cache" / "hub").glob("*/")
    taken = {path.name for path in kept.iterdir()}
    assert "model.safetensors" in taken
    assert not {"modeling_own.py", "pytorch_model.bin"} & taken
    assert (kept / "model.safetensors").read_bytes() == hub.files["model.safetensors"]
    hub.asked.clear()
    again = fetch_named(NAME, REVISION, tmp_path / "cache", print)
    assert again == (kept, NAME, REVISION)
    assert not hub.asked
    (kept / "config.json").write_bytes(b"{}")
    with pytest.raises(SetupError, match="as fetched"):
        fetch_named(NAME, REVISION, tmp_path / "cache", print)


def test_a_folder_of_the_name_wins(measure: Measure, hub: Any, tmp_path: Path) -> None:
    """The hub, which would give its model, is not asked; a folder has no revision."""
    (tmp_path / NAME).mkdir(parents=True)
    done = measure(NAME)
    assert done.returncode == 2
    assert "somebody/small: found no config.json" in done.stderr
    refused = measure(NAME, "--revision", "main")
    assert refused.returncode == 2
    assert "is a folder here" in refused.stderr
    assert not hub.asked


SIZES = {"hidden_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4,
         "intermediate_size": 128, "vocab_size": 1024}  # fmt: skip


def small(**fields: object) -> dict[str, bytes]:
    """The files of a repository whose configuration says this, beside some weights."""
    config = json.dumps({**SIZES, **fields}).encode()
    return {"config.json": config, "model.safetensors": b"x" * 64}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"missing": "RepoNotFound"}, "no such repository, or HF_TOKEN may not see it"),
        ({"gated": True}, "gated; accept its terms on the hub and set HF_TOKEN"),
        ({"revision": "main"}, "what answered is no model hub"),
        ({"files": small(model_type="gpt2")}, "found model_type 'gpt2', expected one of"),
        ({"files": small(model_type="llama")}, "no whole safetensors file"),
        ({"files": small(model_type="llama", hidden_size=0)}, "hidden_size: found 0; expected a"),
        ({"files": {"model.safetensors": b""}}, "found no config.json"),
        (
            {"files": {"adapter_config.json": b"{}", "adapter_model.safetensors": b""}},
            "an adapter lies in it",
        ),
        ({"published": {"model.safetensors": "0" * 64}}, "has digest"),
    ],
    ids=["nobody's", "gated", "no hub", "another family", "no weights", "no size", "no configuration",
         "an adapter", "another digest"],
)  # fmt: skip
def test_what_cannot_be_taken_is_one_line(
    measure: Measure, hub: Any, tmp_path: Path, change: dict[str, Any], words: str
) -> None:
    for name, value in change.items():
        setattr(hub, name, value)
    done = measure(NAME)
    assert done.returncode == 2
    assert words in done.stderr
    said = [line for line in done.stderr.splitlines() if "fetching" not in line]
    assert len(said) == 1
    assert said[0].startswith(f"repro measure: --model {NAME} (no such folder here")
    assert not [*(tmp_path / "cache").glob(f"hub/*-{REVISION[:12]}")]
    if "model_type" in words or "hidden_size" in words:
        assert [name for name, _ in hub.asked] == ["config.json"], "before its weights come"


def test_a_hub_that_cannot_be_reached_is_one_line(measure: Measure) -> None:
    done = measure(NAME, address="http://127.0.0.1:9")
    assert done.returncode == 2
    assert "could not be fetched" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_name_is_an_owner_and_a_name() -> None:
    ours = [
        model.weights.repository for model in load_models().values()
        if isinstance(model.weights, HubWeights)
    ]  # fmt: skip
    assert ours
    assert all(map(names_repository, ours))
    paths = ["nowhere", "/a/b", "./a/b", "../b", "a/../b", "a/b/c", "a/b/", "~/b", "https://h/a/b"]
    assert not any(map(names_repository, paths))
