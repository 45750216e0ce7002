"""A job of completions: what it is called, where they lie, and what is refused before it begins."""

import json
import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from repro.errors import SetupError
from repro.execute.complete import CompletionJob, complete_prompts, read_lines
from repro.manifest.benchmark import Problem, load_benchmark, load_problems
from repro.manifest.evaluation import Generation
from repro.manifest.training import Training


@pytest.fixture
def dozen() -> Mapping[str, Problem]:
    """The packaged benchmark."""
    return load_problems(load_benchmark("dozen"), Path("/nowhere"))


@pytest.fixture
def job(tmp_path: Path, dozen: Mapping[str, Problem]) -> CompletionJob:
    """A job of a folder that no worker could load."""
    for name in ("model", "adapter"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "weights").write_bytes(b"one")
    return CompletionJob(tmp_path / "model", None, None, Generation(), dozen)


def test_whatever_can_change_a_completion_gives_another_file(
    job: CompletionJob, dozen: Mapping[str, Problem], tmp_path: Path
) -> None:
    first = dict(list(dozen.items())[:1])
    others = [
        replace(job, adapter=tmp_path / "adapter"),
        replace(job, training=Training()),
        replace(job, generation=Generation(max_new_tokens=3)),
        replace(job, generation=Generation(temperature=0.5, seed=2)),
        replace(job, problems=first),
    ]
    names = [one.name() for one in (job, *others)]
    assert len(set(names)) == len(names)
    assert job.destination(tmp_path) == tmp_path / "completions" / f"{names[0]}.jsonl"


def test_a_batch_and_the_number_of_cores_are_in_no_name(
    job: CompletionJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = job.name()
    monkeypatch.setattr(os, "cpu_count", lambda: 99)
    assert replace(job, generation=Generation(batch=3)).name() == name
    assert job.spec(Path("x"), "cpu")["threads"] == 99


def test_another_file_of_the_model_is_another_job(job: CompletionJob) -> None:
    """Told apart by size and by time."""
    names, weights = [job.name()], job.model / "weights"
    weights.write_bytes(b"three")
    names.append(job.name())
    os.utime(weights, ns=(0, 0))
    names.append(job.name())
    (job.model / "more").touch()
    assert len({*names, job.name()}) == 4


def test_a_folder_that_is_not_there_is_refused_before_a_worker_is_started(
    job: CompletionJob, tmp_path: Path
) -> None:
    gone = tmp_path / "gone"
    with pytest.raises(SetupError, match=r"gone: found no folder, expected the model's; correct"):
        complete_prompts(replace(job, model=gone), tmp_path / "x.jsonl", print)
    with pytest.raises(SetupError, match=r"gone: found no folder, expected the adapter's; correct"):
        complete_prompts(replace(job, adapter=gone), tmp_path / "x.jsonl", print)


def test_completions_are_read_by_lines_that_only_a_newline_ends(tmp_path: Path) -> None:
    path, wrote = tmp_path / "x.jsonl", [{"completion": "a\u2028b\x0cc"}, {"completion": ""}]
    text = "".join(json.dumps(one, ensure_ascii=False) + "\n" for one in wrote)
    path.write_text(text, encoding="utf-8")
    assert read_lines(path) == wrote
    path.write_text("", encoding="utf-8")
    assert read_lines(path) == []
