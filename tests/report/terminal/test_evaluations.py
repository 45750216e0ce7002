"""Scores for a reader: every run beside its own model before training, and no other."""

from pathlib import Path

import pytest

from repro.evidence.folder import RunFolder
from repro.evidence.scores import Sample, Scores, Verdict, write_scores
from repro.files import digest, write_json
from repro.manifest.benchmark import load_benchmark
from repro.manifest.evaluation import Generation
from repro.proportions import wilson
from repro.report.terminal.evaluations import evaluation_lines

TASKS = 12


def scored(path: Path, step: int, solved: set[int], **way: int) -> RunFolder:
    """Write a finished run with scores of our twelve problems, of which it solves some."""
    path.mkdir(exist_ok=True)
    folder = RunFolder(path)
    if folder.done() is None:
        write_json(path / "run.json", {"id": digest(path.name)})
        folder.finish("done")
    verdicts = [
        Verdict(outcome="passed" if task in solved else "failed", reason="")
        for task in range(TASKS)
    ]
    samples = tuple(
        Sample(
            task_id=f"dozen/{task}", sample=0, tokens=9, ended="stop", decided_alone=0, base=one, plus=one
        )
        for task, one in enumerate(verdicts)
    )  # fmt: skip
    scores = Scores(
        run=digest(path.name), step=step, benchmark=load_benchmark("dozen"), generation=Generation.model_validate(way),
        isolation={}, samples=samples,
    )  # fmt: skip
    marker = folder.done()
    assert marker is not None
    folder.finish_second([*marker.later, write_scores(path, scores)])
    return folder


def test_a_run_is_compared_with_its_own_model(tmp_path: Path) -> None:
    """Two models whose bases solve other problems: flips are of the model's own base, by name."""
    runs = {
        "one-B0": ("one", scored(tmp_path / "a", 0, {1, 2, 3})),
        "two-B0": ("two", scored(tmp_path / "b", 0, {7})),
        "one-B1": ("one", scored(tmp_path / "c", 100, {2, 3, 4})),
        "two-B1": ("two", scored(tmp_path / "d", 100, {7, 8})),
    }
    lines = list(evaluation_lines(runs))
    share = wilson(3, TASKS)
    assert f"one-B0 step 0 dozen: 3/12 [{share.low:.3f}, {share.high:.3f}]" in lines
    assert sum("against the base model" in line for line in lines) == 4
    at = lines.index(f"one-B1 step 100 dozen: 3/12 [{share.low:.3f}, {share.high:.3f}]")
    assert lines[at + 2] == "  won 1 (dozen/4) · lost 1 (dozen/1)"
    at = next(at for at, line in enumerate(lines) if line.startswith("two-B1"))
    assert lines[at + 2] == "  won 1 (dozen/8) · lost 0"


def test_a_run_that_was_scored_before_training_is_its_own_base(tmp_path: Path) -> None:
    """`steps: [base, last]` without a condition that trains nothing."""
    scored(tmp_path / "a", 0, {1})
    lines = list(evaluation_lines({"one-B1": ("one", scored(tmp_path / "a", 100, {1, 2}))}))
    assert [line.split(":")[0] for line in lines if line.startswith("one")] == [
        f"one-B1 step {step} {name}" for step in (0, 100) for name in ("dozen", "dozen_plus")
    ]
    assert lines.count("  won 1 (dozen/2) · lost 0") == 2


@pytest.mark.parametrize(
    ("way", "compared"), [({"batch": 7}, True), ({"max_new_tokens": 9}, False)]
)
def test_only_completions_made_in_the_same_way_are_compared(
    tmp_path: Path, way: dict[str, int], compared: bool
) -> None:
    runs = {
        "one-B0": ("one", scored(tmp_path / "a", 0, {1})),
        "one-B1": ("one", scored(tmp_path / "b", 100, {1, 2}, **way)),
    }
    lines = list(evaluation_lines(runs))
    assert ("  won 1 (dozen/2) · lost 0" in lines) is compared
    assert any("made in another way" in line for line in lines) is not compared
