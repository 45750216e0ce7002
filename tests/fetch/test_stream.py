"""A shard's place is kept while its numbers are away."""

import json
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from repro.cache import WANTED_FILE
from repro.errors import SetupError
from repro.fetch.stream import Stream, empty
from repro.manifest.load import load_models
from repro.manifest.model import HubWeights
from repro.plan.safetensors_header import read_header


def test_an_emptied_shard_keeps_header_and_size_and_takes_no_disk(tmp_path: Path) -> None:
    path = tmp_path / "model-1.safetensors"
    save_file({"a": np.ones((512, 512), np.float32), "b": np.ones(7, np.float32)}, path)
    before, size, taken = read_header(path, "here"), path.stat().st_size, path.stat().st_blocks
    assert taken * 512 >= size, "the control"
    empty(path)
    assert read_header(path, "here") == before
    assert path.stat().st_size == size
    assert path.stat().st_blocks * 512 <= 8192
    assert not load_file(path)["a"].any()
    assert [one.name for one in tmp_path.iterdir()] == [path.name]


@pytest.mark.parametrize(
    ("failure", "words"),
    [
        (SetupError("no room"), "no room"),
        (OSError(5, "Input/output error"), "Input/output error"),
        (KeyError("shard"), "could not be streamed"),
    ],
)
def test_whatever_keeps_a_shard_from_coming_is_known(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failure: Exception, words: str
) -> None:
    """The worker would wait for ever, and so would its host."""
    weights = HubWeights(kind="hub", repository="somebody/small", revision="a" * 40)
    shards: dict[str, object] = {"model-1.safetensors": object()}
    stream = Stream(load_models()["tiny-llama"], weights, tmp_path, shards)  # type: ignore[arg-type]
    (tmp_path / WANTED_FILE).write_text(json.dumps([*shards]))

    def fail(_: object, name: str) -> None:
        assert name in shards
        raise failure

    monkeypatch.setattr(Stream, "_bring", fail)
    stream.feed()
    assert words in stream.problem
