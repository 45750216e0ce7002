"""A model's folder that is not whole, or whose tokenizer does not fit it, as `repro run` meets it."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from safetensors.torch import load_file, save_file

from repro.errors import InputError, SetupError
from repro.files import file_digest
from repro.manifest.training import Training
from repro.train.batches import tokenise
from repro.train.model import load_tokenizer

MANIFEST = """
id: short
title: Two steps on short texts
image: local
probe_set: factorial_48
sources: {short: {kind: file, path: short.jsonl}}
domains: {code: [short]}
conditions: {t: {title: two steps, phases: [{steps: 2, mixture: {code: 1.0}}]}}
training: {lora: {rank: 4, alpha: 8}, accumulation: 2, max_length: 32, compute: float32, heldout: 2}
diagnostics: {every: 2}
arms: [{models: [tiny-llama], conditions: [t], seeds: [0]}]
"""


@pytest.fixture
def run(repro: Any, tiny_llama: Path, tmp_path: Path) -> Callable[[Callable[[Path], None]], Any]:
    """`repro run` with a copy of the tiny model that was changed in the cache."""
    path = tmp_path / "short.yaml"
    path.write_text(MANIFEST)
    texts = (json.dumps({"text": f"self.x is {number}"}) for number in range(12))
    (tmp_path / "short.jsonl").write_text("\n".join(texts))

    def carry_out(change: Callable[[Path], None]) -> Any:
        folder = tmp_path / "cache" / "models" / tiny_llama.name
        shutil.copytree(tiny_llama, folder)
        change(folder)
        pin(folder)
        return repro("run", str(path), REPRO_CACHE=str(tmp_path / "cache"))

    return carry_out


def pin(folder: Path) -> None:
    """Note the files as if they had come so: what is changed afterwards is another test's."""
    path = folder / "identity.json"
    files = {one.name: file_digest(one) for one in folder.iterdir() if one != path}
    path.write_text(json.dumps(json.loads(path.read_text()) | {"files": files}))


def headless(folder: Path) -> None:
    """A model that was saved without its output matrix."""
    whole = load_file(folder / "model.safetensors")
    save_file(
        {key: value for key, value in whole.items() if key != "lm_head.weight"},
        folder / "model.safetensors",
    )


def without_end(folder: Path) -> None:
    """A tokenizer that names no end of text."""
    path = folder / "tokenizer_config.json"
    settings = json.loads(path.read_text())
    path.write_text(
        json.dumps(
            {key: settings[key] for key in settings if key not in ("eos_token", "pad_token")}
        )
    )


def with_a_token_beyond(folder: Path) -> None:
    """A tokenizer with one token more than the model has embeddings."""
    path = folder / "tokenizer.json"
    content = json.loads(path.read_text())
    flags = dict.fromkeys(("single_word", "lstrip", "rstrip", "normalized", "special"), False)
    content["added_tokens"].append({"id": 1024, "content": "self.x", **flags})
    path.write_text(json.dumps(content))


def without_tokenizer(folder: Path) -> None:
    """A model without its tokenizer."""
    (folder / "tokenizer.json").write_text("{}")


def test_a_missing_weight_is_refused_before_any_run_begins(run: Any, tmp_path: Path) -> None:
    """Exit code 2, the weight's name in one line, and no run's folder."""
    done = run(headless)
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert "1 of 21 weights are in no file (lm_head.weight)" in line
    assert not list((tmp_path / "results").glob("runs/*/*"))


@pytest.mark.parametrize(
    ("change", "code", "words"),
    [
        (lambda _: None, 0, "1 of 1 runs finished"),
        (
            with_a_token_beyond,
            3,
            "gives token 'self.x' the id 1024, but the model has 1024 embeddings",
        ),
    ],
    ids=["as it is", "a token beyond the embeddings"],
)
def test_a_tokenizer_that_does_not_fit_is_one_line(
    run: Any, tmp_path: Path, change: Any, code: int, words: str
) -> None:
    """Said before the first step; the model as it is runs to its end."""
    done = run(change)
    assert done.returncode == code, done.stderr
    assert words in done.stdout
    assert len(list((tmp_path / "results").glob("runs/*/*/steps/000000.parquet"))) == (code == 0)


def test_a_tokenizer_without_an_end_is_named(tiny_llama: Path, tmp_path: Path) -> None:
    """Where texts are to end with it; where they are not, nothing is asked of it."""
    folder = shutil.copytree(tiny_llama, tmp_path / "model")
    without_end(folder)
    tokenizer = load_tokenizer(folder)
    assert len(tokenise(tokenizer, "self.x", Training(append_eos=False))) > 1
    with pytest.raises(
        InputError, match=r"training\.append_eos: true, but .* has no end-of-text token"
    ):
        tokenise(tokenizer, "self.x", Training())
    assert tokenise(load_tokenizer(tiny_llama), "self.x", Training())[-1] == 0


def test_a_folder_without_a_tokenizer_is_named(tiny_llama: Path, tmp_path: Path) -> None:
    """In words of its own, not those of a hub that was never asked."""
    folder = shutil.copytree(tiny_llama, tmp_path / "model")
    without_tokenizer(folder)
    with pytest.raises(SetupError, match=r"no tokenizer can be read from it"):
        load_tokenizer(folder)
