"""The worker's command line, and what is remembered of what it says."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from repro.execute import worker_command as commands
from repro.execute.worker_command import (
    LEASH,
    call_worker,
    hear_worker,
    is_worker,
    last_words,
    run_command,
    run_inside,
)


def test_a_run_is_carried_out_by_the_same_words_here_and_in_a_container() -> None:
    here = run_command("/evidence", "/cache")
    assert here == [sys.executable, "-m", "repro.worker", "run", "/evidence", "--cache", "/cache"]
    assert run_inside() == ["/opt/venv/bin/python", *here[1:]]
    assert run_command(Path("/evidence"), "/cache", LEASH) == [*here, LEASH]
    assert is_worker(here)
    assert not is_worker(["python", "-m", "repro"])
    assert not is_worker(None)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("one\nrepro.worker: two\n\n", "two"),
        ("repro.worker: a\nb", "b"),
        (" \n", "nothing"),
    ],
)
def test_the_last_words_are_the_last_line_without_the_workers_name(text: str, said: str) -> None:
    assert last_words(text, "nothing") == said


def speaking(monkeypatch: pytest.MonkeyPatch, code: str) -> None:
    """Let a few lines of Python run as the worker, with the verb, the description and the leash."""

    def command(verb: str, *arguments: object) -> list[str]:
        return [sys.executable, "-c", code, verb, *map(str, arguments)]

    monkeypatch.setattr(commands, "worker_command", command)


def test_a_worker_is_heard_line_by_line_and_reads_what_it_is_to_do(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    speaking(
        monkeypatch,
        "import sys\n"
        "print(sys.argv[1], sys.argv[3], file=sys.stderr)\n"
        "print('', open(sys.argv[2]).read(), sep='\\n \\n', file=sys.stderr)\n",
    )
    lines: list[str] = []
    spec: Any = {"a": [1, "two"]}
    assert hear_worker("complete", spec, lines.append) is None
    assert lines[0] == f"complete {LEASH}"
    assert json.loads(lines[1]) == spec
    assert len(lines) == 2, "empty lines are not heard"


@pytest.mark.parametrize(
    ("code", "told"),
    [
        ("import sys; sys.exit('repro.worker: no model')", "no model"),
        ("import sys; sys.exit(4)", "ended with code 4"),
        (
            "import os, sys; print('step 1', file=sys.stderr, flush=True); os.kill(os.getpid(), 9)",
            "the worker was killed by signal 9; its last words: step 1; the same command goes on",
        ),
    ],
)
def test_what_went_wrong_is_one_line(monkeypatch: pytest.MonkeyPatch, code: str, told: str) -> None:
    speaking(monkeypatch, code)
    problem = hear_worker("complete", {}, lambda _: None)
    assert problem is not None
    assert problem.startswith(told)
    assert "\n" not in problem


def test_a_worker_ends_with_whoever_stops_listening(monkeypatch: pytest.MonkeyPatch) -> None:
    """The error of the listener is what is raised."""
    speaking(
        monkeypatch, "import sys, time; print('x', file=sys.stderr, flush=True); time.sleep(600)"
    )

    def stop(_: str) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        hear_worker("complete", {}, stop)


def test_the_real_worker_says_in_one_line_why_it_did_nothing(tmp_path: Path) -> None:
    """The hub is not asked: the source is a file that is not there."""
    data = {"kind": "file", "path": str(tmp_path / "none.jsonl"), "sha256": "0" * 64}
    source = json.dumps({"id": "mine", "data": data})
    problem = call_worker("texts", {"source": source, "destination": str(tmp_path / "x.jsonl")})
    assert problem is not None
    assert problem.startswith(f"{tmp_path}/none.jsonl: found no file, expected the records")
    library = json.dumps({"id": "topics", "data": {"kind": "python_topics"}})
    there = tmp_path / "topics.jsonl"
    assert call_worker("texts", {"source": library, "destination": str(there)}) is None
    assert there.stat().st_size > 0
