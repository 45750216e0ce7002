"""`repro score` as a user meets it: counts first, and no share where a verdict is uncertain."""

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from repro.cli import main
from repro.cli.score import show, summaries_of
from repro.manifest.benchmark import Problem, load_benchmark, load_problems
from repro.score.outcomes import Outcome, Scored

Said = pytest.CaptureFixture[str]
DOZEN = load_benchmark("dozen")


@pytest.fixture(scope="module")
def problems() -> Mapping[str, Problem]:
    return load_problems(DOZEN, Path("/nowhere"))


def scored(problems: Mapping[str, Problem], *plus: str) -> list[Scored]:
    """All problems passed on their base inputs, and so on all inputs but for the first ones."""
    results = [*plus, *["passed"] * (len(problems) - len(plus))]
    return [
        Scored(0, task, Outcome("passed", ""), Outcome(result, "why"))  # type: ignore[arg-type]
        for task, result in zip(problems, results, strict=True)
    ]


def test_the_benchmark_s_own_solutions_pass_and_a_wrong_one_fails(
    problems: Mapping[str, Problem], tmp_path: Path, capsys: Said
) -> None:
    """Code of this project's own: it needs no sandbox."""
    lines = [
        {"task_id": task, "completion": one.canonical_solution} for task, one in problems.items()
    ]
    lines[0]["completion"] = "    return 'wrong'\n"
    path = tmp_path / "samples.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    asked = ["score", str(path), "--sandbox", "none", "--json"]
    assert main(asked) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["isolation"]["sandbox"] == "none"
    for name in DOZEN.names:
        counts = found["benchmarks"][name]["counts"]
        assert (counts["passed"], counts["failed"]) == (len(problems) - 1, 1)
    failed = [one["task_id"] for one in found["samples"] if one[DOZEN.id]["outcome"] == "failed"]
    assert failed == [next(iter(problems))]


def test_summaries_are_of_base_inputs_and_of_all(problems: Mapping[str, Problem]) -> None:
    base, plus = summaries_of(DOZEN, scored(problems, "failed", "flaky"))
    assert (base.benchmark, plus.benchmark) == DOZEN.names
    assert (base.counts["passed"], plus.counts["passed"]) == (12, 10)
    assert (base.whole, plus.whole) == (True, False)


def test_an_uncertain_verdict_is_named_and_ends_with_3(
    problems: Mapping[str, Problem], capsys: Said
) -> None:
    assert show(DOZEN, scored(problems, "flaky"), {"sandbox": "none"}, False) == 3
    out = capsys.readouterr().out
    first = next(iter(problems))
    assert f"{first}, sample 0, {DOZEN.id}: flaky: why" in out
    assert out.endswith("sandbox: none\n") or out.endswith("sandbox: sandbox none\n")
    assert show(DOZEN, scored(problems, "failed"), {"sandbox": "none"}, False) == 0
    assert "sample 0" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "samples.jsonl"),
        ('{"task_id": "Nobody/0", "completion": "x"}\n', "Nobody/0"),
        ("{\n", "samples.jsonl"),
    ],
)
def test_samples_that_cannot_be_read_are_one_line(
    tmp_path: Path, capsys: Said, content: str, words: str
) -> None:
    path = tmp_path / "samples.jsonl"
    path.write_text(content)
    assert main(["score", str(path), "--benchmark", "dozen", "--sandbox", "none"]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    (line,) = err.splitlines()
    assert words in line
    assert main(["score", str(path), "--benchmark", "dozn"]) == 2
    assert "nearest is dozen" in capsys.readouterr().err
