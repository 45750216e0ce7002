"""Fetching from a hub, tried against a small one on loopback: what is taken, what is refused, what
goes on.
"""

import hashlib
import json
import os
import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

CONFIG = json.dumps({
    "model_type": "llama", "hidden_size": 256, "num_hidden_layers": 2, "num_attention_heads": 4,
    "num_key_value_heads": 2, "intermediate_size": 512, "vocab_size": 11000,
}).encode()  # fmt: skip
EMPTY = (2).to_bytes(8, "little") + b"{}"
LOST = {
    "model.safetensors.index.json": b'{"metadata": {}, "weight_map": {"x": "a.safetensors", "y": "b.safetensors"}}',
    "a.safetensors": EMPTY,
}
Fetch = Callable[..., subprocess.CompletedProcess[str]]


def test_safetensors_and_settings_are_taken_and_nothing_that_runs(
    fetch: Fetch, hub: Any, folder: Path
) -> None:
    """The model folder holds the weights bit for bit, and their digests; no pickle, no code, no
    second copy.
    """
    done = fetch()
    assert done.returncode == 0, done.stderr
    assert {path.name for path in folder.iterdir()} == {
        "model.safetensors",
        "config.json",
        "identity.json",
    }
    assert (folder / "model.safetensors").read_bytes() == hub.files["model.safetensors"]
    identity = json.loads((folder / "identity.json").read_text())
    assert (
        identity["files"]["model.safetensors"]
        == hashlib.sha256(hub.files["model.safetensors"]).hexdigest()
    )
    hub.asked.clear()
    assert fetch().returncode == 0
    assert hub.asked == []  # what is there is not fetched again


def test_a_download_that_broke_off_goes_on_where_it_stopped(
    fetch: Fetch, hub: Any, folder: Path
) -> None:
    """The second request for the weights begins after the bytes already here."""
    hub.cut = 15 << 20
    done = fetch()
    if done.returncode:
        done = fetch()
    assert done.returncode == 0, done.stderr
    assert (folder / "model.safetensors").read_bytes() == hub.files["model.safetensors"]
    ranges = [wanted for name, wanted in hub.asked if name == "model.safetensors" and wanted]
    assert any(int(wanted.removeprefix("bytes=").split("-")[0]) > 0 for wanted in ranges)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"revision": "f" * 40}, "the hub answers with revision ffffffffffff"),
        (
            {"published": {"model.safetensors": "0" * 64}},
            "the hub publishes 000000000000; it was removed",
        ),
        ({"published": {"config.json": "0" * 40}}, "config.json has digest"),
        ({"missing": "RevisionNotFound"}, "the hub has no such revision any more"),
        ({"missing": "RepoNotFound"}, "no such repository, or HF_TOKEN may not see it"),
        ({"sizes": {"model.safetensors": 1 << 60}}, "needs 1073741824.0 GiB more"),
        ({"gated": True}, "gated; accept its terms on the hub and set HF_TOKEN"),
        (
            {"files": {"config.json": b"{}", "pytorch_model.bin": b"a pickle"}},
            "the hub has no safetensors for it",
        ),
        (
            {"files": {"adapter_config.json": b"{}", "adapter_model.safetensors": b"x"}},
            "an adapter lies in it",
        ),
        (
            {"files": {"config.json": CONFIG, "model.safetensors": b"x" * 64}},
            "no whole safetensors file",
        ),
        (
            {"files": {"config.json": CONFIG, **LOST}},
            "names b.safetensors, of 2 shards, which is not there",
        ),
        (
            {"files": {"config.json": CONFIG, "model.safetensors": EMPTY}},
            "21 of 21 weights are in no file",
        ),
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
        "an adapter",
        "a file that is none",
        "a shard that was not uploaded",
        "a model without weights",
    ],
)
def test_what_is_not_as_pinned_stops_with_one_line(
    fetch: Fetch, hub: Any, folder: Path, change: Any, words: str
) -> None:
    """Exit code 2, one line that says why, no model folder."""
    for name, value in change.items():
        setattr(hub, name, value)
    done = fetch()
    assert done.returncode == 2
    assert words in done.stderr
    last = done.stderr.strip().splitlines()[-1]  # after progress bars
    assert last.startswith("repro fetch: model small (")
    assert "Traceback" not in done.stderr
    assert not folder.exists()


def test_a_hub_that_cannot_be_reached_is_one_line(fetch: Fetch) -> None:
    """Nothing listens there."""
    done = fetch("http://127.0.0.1:9")
    assert done.returncode == 2
    assert "could not be fetched" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


PAGE = b"<html>please sign in</html>"


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ((200, {"Content-Type": "text/html"}, PAGE), "what answered is no model hub"),
        ((200, {"Content-Type": "application/json"}, b"[1]"), "what answered is no model hub"),
        ((401, {}, b'{"error": "Invalid username or password."}'), "correct HF_TOKEN"),
        ((407, {}, b""), "a proxy refuses who asks"),
        ((503, {}, b""), "could not be fetched"),
    ],
    ids=["a page", "another record", "a wrong token", "a proxy", "out of service"],
)
def test_what_answers_in_a_hub_s_place_is_named_in_one_line(
    fetch: Fetch, helper: Callable[[str], Any], answer: Any, words: str
) -> None:
    with helper("fetch/loopback.py").serving(lambda _: answer) as address:
        done = fetch(address)
    assert done.returncode == 2
    assert words in done.stderr
    assert "Traceback" not in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_what_was_refused_is_fetched_once_the_hub_is_right(
    fetch: Fetch, hub: Any, folder: Path
) -> None:
    """The file that differed was removed, so that it comes again."""
    hub.published["config.json"] = "0" * 40
    assert fetch().returncode == 2
    hub.published.clear()
    assert fetch().returncode == 0
    assert (folder / "config.json").read_bytes() == hub.files["config.json"]


def test_fetching_again_verifies_what_is_there(fetch: Fetch, folder: Path) -> None:
    """One changed byte in the cache is found; nothing is downloaded for it."""
    assert fetch().returncode == 0
    weights = folder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1] + b"x")
    done = fetch()
    assert done.returncode == 2
    assert "as fetched; remove" in done.stderr


def test_a_killed_fetch_of_a_model_is_made_up_for_by_the_next(
    begin: Callable[[], subprocess.Popen[str]], fetch: Fetch, hub: Any, folder: Path
) -> None:
    """kill -9 at moments of its time: a model's folder is there whole or not at all."""
    began = time.monotonic()
    assert fetch().returncode == 0
    whole, killed = time.monotonic() - began, 0
    moments = int(os.environ.get("REPRO_MOMENTS", "3"))
    for number in range(moments):
        shutil.rmtree(folder, ignore_errors=True)
        process = begin()
        try:
            process.communicate(timeout=whole * (0.4 + 0.6 * number / moments))
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            killed += 1
        if folder.exists():
            assert (folder / "model.safetensors").read_bytes() == hub.files["model.safetensors"]
            assert (folder / "identity.json").exists()
    assert killed, "the control: a fetch was killed"
    done = fetch()
    assert done.returncode == 0, done.stderr
    assert (folder / "model.safetensors").read_bytes() == hub.files["model.safetensors"]
    assert [path.name for path in folder.parent.iterdir() if path.name.endswith(".partial")] == []
