"""`repro evaluate` as a user meets it: a model completes a benchmark's problems and is scored."""

import json
from pathlib import Path

import pytest

from repro.cli import main
from repro.manifest.benchmark import load_benchmark

Said = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REPRO_CACHE", str(tmp_path / "cache"))


@pytest.mark.worker
def test_a_tiny_model_solves_nothing_and_every_problem_has_a_verdict(
    tiny_llama: Path, capsys: Said
) -> None:
    """Asked again, completions and scores are the same."""
    asked = ["evaluate", "--model", str(tiny_llama), "--benchmark", "dozen", "--tokens", "2"]
    assert main([*asked, "--sandbox", "none", "--json"]) == 0
    out, err = capsys.readouterr()
    found = json.loads(out)
    benchmark = load_benchmark("dozen")
    assert set(found["benchmarks"]) == set(benchmark.names)
    for one in found["benchmarks"].values():
        assert one["counts"]["failed"] == one["problems"] == benchmark.problems
        assert one["pass_at_k"] == {"1": 0.0}
    assert "tokens were decided without their batch" in err
    folder = Path(
        next(line for line in err.splitlines() if " are in " in line).split(" are in ")[1]
    )
    kept = {path: path.read_bytes() for path in folder.parent.rglob("*.jsonl")}
    assert kept
    assert main([*asked, "--sandbox", "none", "--json"]) == 0
    again = json.loads(capsys.readouterr().out)
    assert again["samples"] == found["samples"]
    assert {path: path.read_bytes() for path in folder.parent.rglob("*.jsonl")} == kept


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--benchmark", "dozn"], "benchmark dozn: found no such benchmark, nearest is dozen"),
        (["--benchmark", "dozen", "--samples", "0"], "samples"),
        (["--benchmark", "dozen", "--samples", "2"], "need a temperature above 0"),
        (["--benchmark", "dozen", "--top-p", "1.5"], "top_p"),
        (["--benchmark", "dozen", "--tokens", "0"], "max_new_tokens"),
    ],
)
def test_settings_that_cannot_be_are_refused_before_a_model_is_read(
    tmp_path: Path, capsys: Said, options: list[str], words: str
) -> None:
    assert main(["evaluate", "--model", str(tmp_path / "absent"), *options]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    (line,) = err.splitlines()
    assert line.startswith("repro evaluate: ")
    assert words in line


def test_a_folder_that_is_not_there_is_one_line(tmp_path: Path, capsys: Said) -> None:
    asked = ["evaluate", "--benchmark", "dozen", "--sandbox", "none", "--model"]
    assert main([*asked, str(tmp_path / "absent")]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "absent: found no folder, expected the model's" in line
