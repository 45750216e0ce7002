"""`repro measure` as a user meets it: two ways to give activations, and what else is refused."""

import csv
import json
import re
from pathlib import Path

import numpy as np
import pytest

from repro.cli import main

Said = pytest.CaptureFixture[str]


@pytest.fixture
def files(tmp_path: Path) -> dict[str, str]:
    """Activations of twelve texts, and their labels, by the option that takes them."""
    random = np.random.default_rng(0)
    np.savez(tmp_path / "x.npz", activations=random.normal(size=(12, 5)))
    with (tmp_path / "l.csv").open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["mood", "shape"])
        rows.writerows([("glad", "sad")[n % 2], ("long", "short")[n % 3 == 0]] for n in range(12))
    return {"--activations": str(tmp_path / "x.npz"), "--labels": str(tmp_path / "l.csv")}


def refusal(capsys: Said, *options: str) -> str:
    assert main(["measure", *options]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    (line,) = err.splitlines()
    return line


def test_the_record_and_the_tables_say_the_same(files: dict[str, str], capsys: Said) -> None:
    given = [word for pair in files.items() for word in pair]
    assert main(["measure", *given, "--quick", "--json"]) == 0
    record = json.loads(capsys.readouterr().out)
    assert "model" not in record, "no hub's model was measured"
    assert main(["measure", *given, "--quick"]) == 0
    shown = capsys.readouterr().out
    assert "12 probes × 5 features" in shown
    assert all(f"{value:.3f}" in shown for value in record["accuracy"].values())


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ([], "found neither activations nor a model, expected --activations X.npz with --labels"),
        (["--activations", "x"], "found --activations, expected .* --labels is missing"),
        (["--probes", "p"], "found --probes, expected .* --model is missing"),
        (["--activations", "x", "--probes", "p"], "found --activations and --probes, expected"),
        (["--model", "m", "--probes", "p", "--labels", "l"], "found --labels and --model and"),
    ],
)
def test_one_pair_of_options_is_asked_for(capsys: Said, options: list[str], words: str) -> None:
    assert re.search(words, refusal(capsys, *options))


def test_a_revision_is_of_a_model_on_the_hub_alone(
    files: dict[str, str], tmp_path: Path, capsys: Said
) -> None:
    given = [word for pair in files.items() for word in pair]
    assert "leave it out beside --activations" in refusal(capsys, *given, "--revision", "main")
    model = ["--model", str(tmp_path), "--probes", "factorial_48"]
    assert "is a folder here" in refusal(capsys, *model, "--revision", "main")
    assert "--revision: is empty" in refusal(capsys, *model, "--revision", " ")


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("", "is empty"),
        (__file__, "is a file"),
        ("https://huggingface.co/somebody/small", "found an address"),
        ("Qwen2.5-Coder-7B", "is Qwen/Qwen2.5-Coder-7B on the hub"),
    ],
)
def test_what_is_neither_a_folder_nor_a_name_on_the_hub_is_told(
    given: str, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Said
) -> None:
    """Each with what to give instead; a folder of a manifest's name is still taken for a folder."""
    monkeypatch.chdir(tmp_path)
    probes = ["--probes", "factorial_48"]
    assert words in refusal(capsys, "--model", given, *probes)
    (tmp_path / "qwen2.5-coder-7b").mkdir()
    assert "on the hub" not in refusal(capsys, "--model", "qwen2.5-coder-7b", *probes)
