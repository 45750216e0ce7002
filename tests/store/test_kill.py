"""kill -9 at many moments of every command that writes store or cache: the next one works, and
nothing is lost.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from repro.files import file_digest
from repro.store.database import query

Command = Callable[..., subprocess.CompletedProcess[str]]
MOMENTS = int(os.environ.get("REPRO_MOMENTS", "3"))
"""How often each command is killed; 20 before a release."""
EVERY = "SELECT run_id, step, quantity, value FROM measurements ORDER BY ALL"


def struck(verb: list[str], results: Path, **environment: str) -> int:
    """Kill a command at moments spread over its time; how many ends were kills."""
    command = [sys.executable, "-m", "repro", *verb]
    given = {**os.environ, "REPRO_RESULTS": str(results), **environment}
    began = time.monotonic()
    subprocess.run(command, env=given, capture_output=True, check=False)
    whole, killed = time.monotonic() - began, 0
    for number in range(MOMENTS):
        process = subprocess.Popen(
            command, env=given, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        try:
            process.wait(whole * (0.3 + 0.7 * number / MOMENTS))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        killed += process.returncode == -signal.SIGKILL
        check_what_is_there(results)
    return killed


def check_what_is_there(results: Path) -> None:
    """After each kill: the store that is there is whole, sealed, and holds what it held."""
    from repro.store.check import compare_with_folders
    from repro.store.database import connect

    with connect(results) as connection:
        compare_with_folders(results, connection)
    assert query(results, "SELECT count(*) FROM runs")[1] == [(3,)]


@pytest.mark.worker
@pytest.mark.parametrize("verb", ["ingest", "verify", "clean"])
def test_a_killed_command_leaves_a_store_that_the_next_one_reads(
    repro: Command, cache: Path, results: Path, verb: str
) -> None:
    before = query(results, EVERY)
    evidence = {path: file_digest(path) for path in (results / "runs").rglob("*") if path.is_file()}
    words = {"ingest": ["ingest"], "verify": ["verify", "smoke"], "clean": ["clean", "--yes"]}[verb]
    assert struck(words, results, REPRO_CACHE=str(cache)) > 0, "the control: something was killed"
    assert query(results, EVERY) == before
    assert repro("verify", "smoke", results=results).returncode != 2
    assert repro("ingest", results=results).returncode == 0
    assert query(results, EVERY) == before
    assert {path: file_digest(path) for path in evidence} == evidence
    assert [path.name for path in results.glob(".repro.duckdb.*")] == []


def test_a_store_is_whole_at_every_single_step_of_taking_its_place(
    results: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The process dies before each system call that changes the folder, in turn: no timing is
    needed.
    """
    from repro.store import seal
    from repro.store.ingest import ingest

    class Killed(BaseException):
        """The end of a process, as far as files are concerned."""

    calls = (("_write", seal), ("replace", os), ("sync_folder", seal))
    for name, module in calls:
        for nth in range(2):
            real, count = getattr(module, name), [0]

            def dying(
                *given: object,
                real: Callable[..., object] = real,
                count: list[int] = count,
                nth: int = nth,
            ) -> object:
                count[0] += 1
                if count[0] == nth + 1:
                    raise Killed
                return real(*given)

            with monkeypatch.context() as patch:
                patch.setattr(module, name, dying)
                with suppress(Killed):
                    ingest(results)
            check_what_is_there(results)


@pytest.mark.worker
def test_a_killed_fetch_is_made_up_for_by_the_next(
    repro: Command, cache: Path, tmp_path: Path
) -> None:
    """Texts come whole or not at all."""
    own = tmp_path / "cache"
    own.mkdir()
    (own / "models").symlink_to(cache / "models")
    assert repro("fetch", "smoke", REPRO_CACHE=str(own)).returncode == 0
    texts = {path.name: file_digest(path) for path in (own / "data").iterdir()}
    command = [sys.executable, "-m", "repro", "fetch", "smoke"]
    for number in range(MOMENTS):
        for path in (own / "data").iterdir():
            path.unlink()
        process = subprocess.Popen(
            command,
            env={**os.environ, "REPRO_CACHE": str(own)},
            stdout=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            process.wait(1 + 4 * number / MOMENTS)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        for path in (own / "data").glob("*.jsonl"):
            assert file_digest(path) == texts[path.name], "what is there is whole"
    assert repro("fetch", "smoke", REPRO_CACHE=str(own)).returncode == 0
    assert {
        path.name: file_digest(path) for path in (own / "data").iterdir() if path.name[0] != "."
    } == texts
