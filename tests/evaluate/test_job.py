"""A generation writes each completion as it ends, so that a kill loses only what had not ended."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import psutil
import pytest

from repro.errors import SetupError
from repro.evaluate.generate import Completion
from repro.evaluate.job import complete, read_completions
from repro.execute.complete import CompletionJob, complete_prompts
from repro.manifest.benchmark import Problem, load_benchmark, load_problems
from repro.manifest.evaluation import Generation
from repro.manifest.training import Training


@pytest.fixture(scope="module")
def dozen() -> Mapping[str, Problem]:
    return load_problems(load_benchmark("dozen"), Path("/nowhere"))


@pytest.fixture
def one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    """Workers of one thread: on a busy machine threads that share tiny products wait for each
    other.
    """
    monkeypatch.setattr(os, "cpu_count", lambda: 1)


@pytest.mark.worker
@pytest.mark.usefixtures("one_thread")
def test_a_torn_file_is_gone_on_with(
    dozen: Mapping[str, Problem], tiny_llama: Path, tmp_path: Path
) -> None:
    """Half a file with a torn line: what is whole is kept, the rest is made, and the file is that
    of one call.
    """
    generation = Generation(max_new_tokens=8)
    job = CompletionJob(tiny_llama, None, None, generation, dict(list(dozen.items())[:4]))
    whole = complete_prompts(job, tmp_path / "whole.jsonl", print)
    lines = (tmp_path / "whole.jsonl").read_text().splitlines()
    marked = json.dumps({**json.loads(lines[1]), "completion": "kept"})
    (tmp_path / "half.jsonl").write_text(f"{marked}\n{lines[0][:30]}")
    found = complete_prompts(job, tmp_path / "half.jsonl", print)
    assert found[1] == json.loads(marked)
    assert list(map(told, found[:1] + found[2:])) == list(map(told, whole[:1] + whole[2:]))
    assert len(read_completions(tmp_path / "half.jsonl")) == 4


@pytest.mark.worker
@pytest.mark.usefixtures("one_thread")
@pytest.mark.parametrize("sign", ["\u2028", "\u2029", "\u0085", "\x0c", "\r", "\x1e"])
def test_a_sign_that_elsewhere_ends_a_line_stays_inside_a_completion(
    dozen: Mapping[str, Problem], tiny_llama: Path, tmp_path: Path, sign: str
) -> None:
    """Models write any sign of their vocabulary, and JSON leaves some of these as they are."""
    task = next(iter(dozen))
    job = CompletionJob(tiny_llama, None, None, Generation(max_new_tokens=8), {task: dozen[task]})
    wrote = Completion(task, 0, f"    return '{sign}'\n", 8, "length", 0, None, 0.0)
    path = tmp_path / "kept.jsonl"
    path.write_text(json.dumps(asdict(wrote), ensure_ascii=False) + "\n", encoding="utf-8")
    assert complete_prompts(job, path, print) == [asdict(wrote)]
    assert read_completions(path) == {(task, 0): wrote}


def told(completion: Mapping[str, Any]) -> tuple[Any, ...]:
    """What no batch and no kill changes of a completion."""
    return tuple(
        completion[name] for name in ("task_id", "sample", "completion", "tokens", "ended")
    )


HOST = """
import os
import sys
from pathlib import Path
os.cpu_count = lambda: 1
from repro.execute.complete import CompletionJob, complete_prompts
from repro.manifest.benchmark import load_benchmark, load_problems
from repro.manifest.evaluation import Generation
problems = load_problems(load_benchmark("dozen"), Path("/nowhere"))
job = CompletionJob(Path(sys.argv[1]), None, None, Generation.model_validate_json(sys.argv[2]), problems)
complete_prompts(job, Path(sys.argv[3]), print)
"""


@pytest.mark.worker
@pytest.mark.usefixtures("one_thread")
def test_a_killed_generation_loses_only_what_had_not_ended(
    dozen: Mapping[str, Problem], tiny_llama: Path, tmp_path: Path
) -> None:
    """The host is killed while the only batch is under way, and its worker ends too. What had ended
    is kept, and the texts are those of one call.
    """
    generation = Generation(max_new_tokens=120, samples=2, temperature=1.0)
    job = CompletionJob(tiny_llama, None, None, generation, dozen)
    total = len(dozen) * generation.samples
    assert total <= generation.batch
    whole = complete_prompts(job, tmp_path / "whole.jsonl", print)
    killed = tmp_path / "killed.jsonl"
    command = [
        sys.executable,
        "-c",
        HOST,
        str(tiny_llama),
        generation.model_dump_json(),
        str(killed),
    ]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as host:
        while host.poll() is None and not lines_of(killed):
            time.sleep(0.002)
        workers = psutil.Process(host.pid).children()
        host.kill()
    assert len(workers) == 1
    assert psutil.wait_procs(workers, 30)[1] == []
    kept = read_completions(killed)
    assert 0 < len(kept) < total
    found = complete_prompts(job, killed, print)
    assert list(map(told, found)) == list(map(told, whole))
    by_key = {(one["task_id"], one["sample"]): one for one in found}
    assert {key: asdict(one) for key, one in kept.items()}.items() <= by_key.items()


def lines_of(path: Path) -> int:
    """Whole lines of a file."""
    return path.read_bytes().count(b"\n") if path.exists() else 0


WROTE = Completion("a", 0, "x", 1, "length", 0, None, 0.0)


def test_of_several_lines_for_one_completion_the_last_counts_and_a_torn_one_goes(
    tmp_path: Path,
) -> None:
    path = tmp_path / "x.jsonl"
    assert read_completions(path) == {}
    second = asdict(WROTE) | {"completion": "y"}
    whole = json.dumps(asdict(WROTE)) + "\n" + json.dumps(second) + "\n"
    path.write_text(whole + json.dumps(second)[:-3])
    assert read_completions(path) == {("a", 0): Completion(**second)}
    assert path.read_text() == whole


@pytest.mark.parametrize("line", ["{", "3", "{}", '{"task_id": "a"}', "[" * 100_000, ""])
def test_a_line_that_is_no_completion_is_named_by_its_place(tmp_path: Path, line: str) -> None:
    path = tmp_path / "x.jsonl"
    path.write_text(json.dumps(asdict(WROTE)) + f"\n{line}\n")
    with pytest.raises(SetupError, match=r"x\.jsonl:2: is no completion; remove the file"):
        read_completions(path)


def spec(model: Path, destination: Path, **update: Any) -> dict[str, Any]:
    """A job of one prompt."""
    job = CompletionJob(model, None, None, Generation(max_new_tokens=2), {})
    given = {"threads": 1, "prompts": [["a", "def f():"]], **update}
    return job.spec(destination, "cpu") | given


def test_a_file_that_is_whole_needs_no_model(tmp_path: Path) -> None:
    """It is put in the order of the prompts."""
    other = asdict(WROTE) | {"task_id": "b"}
    path = tmp_path / "x.jsonl"
    path.write_text("".join(json.dumps(one) + "\n" for one in (other, asdict(WROTE))))
    complete(spec(Path("/no/model"), path, prompts=[["a", ""], ["b", ""]]))
    assert [json.loads(line) for line in path.read_text().splitlines()] == [asdict(WROTE), other]


@pytest.mark.worker
def test_what_does_not_fit_the_model_is_one_line(tiny_llama: Path, tmp_path: Path) -> None:
    """A folder without weights, one without an adapter in it, and an adapter of nothing."""
    (tmp_path / "empty").mkdir()
    (tmp_path / "odd").mkdir()
    (tmp_path / "odd" / "adapter_model.safetensors").write_bytes(b"")
    training = Training().model_dump(mode="json")
    for update, told in (
        (
            {"model": str(tmp_path / "empty")},
            r"empty: the model could not be loaded \(.+\); give a",
        ),
        (
            {"adapter": str(tmp_path / "empty")},
            r"empty: found neither adapter_model\.safetensors nor",
        ),
        (
            {"adapter": str(tmp_path / "odd")},
            r"odd: the adapter does not fit .* \(.+\); give the mo",
        ),
    ):
        given = spec(tiny_llama, tmp_path / "x.jsonl", training=training) | update
        if "model" in update:
            given["training"] = None
        with pytest.raises(SetupError, match=told):
            complete(given)
