"""A run killed at any moment goes on from its last checkpoint and ends with the same measurements
and adapter.
"""

import json
import os
import random
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from itertools import cycle, islice
from pathlib import Path

import duckdb
import pyarrow.parquet as pq
import pytest

from repro.store.database import query

Start = Callable[..., subprocess.Popen[str]]
Kill = Callable[[Path], list[int]]
Bits = Callable[[Path], dict[str, str]]
PATIENCE = 90.0
MOMENTS = int(os.environ.get("REPRO_MOMENTS", "5"))


def finish(start: Start, manifest: Path, results: Path) -> str:
    """Run to the end."""
    process = start("run", str(manifest), "--max-parallel", "2", results=results)
    output, _ = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, output
    return output


@pytest.fixture(scope="module")
def finished() -> list[Path]:
    """Where the one whole run lies that the tests here share; empty until it was made."""
    return []


@pytest.fixture
def whole(
    start: Start, manifest: Path, finished: list[Path], tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """The results of a run that nobody disturbed, to be copied by whoever changes them."""
    if not finished:
        finished.append(tmp_path_factory.mktemp("whole") / "results")
        finish(start, manifest, finished[0])
    return finished[0]


def moments() -> Iterator[tuple[str, Callable[[Path, float], bool]]]:
    """Moments to kill at: while a file is being written, during a capture, and at random."""
    chance = random.Random(20)
    for kind in islice(cycle(["write", "capture", "random", "write", "random"]), MOMENTS):
        wait = chance.uniform(0.0, 2.5)
        yield (
            kind,
            {"write": _writing, "capture": _capturing}.get(
                kind, lambda _, begun, w=wait: time.time() - begun > w
            ),
        )


def _writing(folder: Path, _: float) -> bool:
    return any(
        name.endswith(".tmp")
        for sub in ("", "steps", "activations")
        for name in _names(folder / sub)
        if name[0] == "."
    )


def _names(folder: Path) -> list[str]:
    try:
        return os.listdir(folder)
    except FileNotFoundError:
        return []


def _capturing(folder: Path, _: float) -> bool:
    return _progress(folder).get("phase") == "measuring"


def _progress(folder: Path) -> dict[str, object]:
    try:
        content: dict[str, object] = json.loads((folder / "progress.json").read_text())
    except (OSError, ValueError):
        return {}
    return content


def strike(
    results: Path, process: subprocess.Popen[str], due: Callable[[Path, float], bool], kill: Kill
) -> bool:
    """Wait until the worker is at work and the moment has come; kill -9. Whether there was anything
    to kill.
    """
    runs = results / "runs" / "killed"
    known = {
        folder: _progress(folder).get("pid") for folder in (runs.iterdir() if runs.exists() else [])
    }

    def at_work() -> bool:
        folder = next(iter(runs.iterdir()), None) if runs.exists() else None
        now = _progress(folder) if folder else {}
        return bool(now) and now.get("pid") != known.get(folder) and now.get("phase") != "loading"

    if not wait_for(at_work, process):
        return False
    folder, begun = next(runs.iterdir()), time.time()
    return wait_for(lambda: due(folder, begun), process) and bool(kill(results))


def wait_for(condition: Callable[[], bool], process: subprocess.Popen[str]) -> bool:
    """Whether the condition came true before the process ended."""
    end = time.time() + PATIENCE
    while time.time() < end and process.poll() is None:
        if condition():
            return True
        time.sleep(0.0002)
    return False


def test_a_run_killed_at_many_moments_ends_with_the_bits_of_one_that_was_not(
    start: Start, kill_workers: Kill, manifest: Path, tmp_path: Path, bits: Bits, whole: Path
) -> None:
    broken = tmp_path / "broken"
    for kind, due in moments():
        while True:  # a run that ended before its moment came is compared, and another one begins
            process = start("run", str(manifest), "--max-parallel", "2", results=broken)
            hit = strike(broken, process, due, kill_workers)
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            if hit:
                break
            finish(start, manifest, broken)
            assert bits(broken) == bits(whole), f"before {kind}"
            shutil.rmtree(broken)
    finish(start, manifest, broken)
    assert bits(broken) == bits(whole)


def test_an_ingest_killed_at_any_moment_leaves_a_whole_store(
    start: Start, whole: Path, tmp_path: Path
) -> None:
    results = Path(shutil.copytree(whole, tmp_path / "results"))
    assert start("ingest", results=results).wait() == 0
    expected = query(results, "SELECT * FROM measurements ORDER BY ALL")[1]
    struck = 0
    for delay in (0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.55, 0.6):
        process = start("ingest", results=results)
        time.sleep(delay)
        struck += process.poll() is None
        os.killpg(process.pid, signal.SIGKILL) if process.poll() is None else None
        process.wait()
        assert query(results, "SELECT * FROM measurements ORDER BY ALL")[1] == expected
    assert struck, "no ingest was killed while it worked"
    assert start("ingest", results=results).wait() == 0
    assert [path.name for path in results.iterdir() if path.suffix == ".tmp"] == []
    assert query(results, "SELECT * FROM measurements ORDER BY ALL")[1] == expected


def test_ctrl_c_stops_cleanly_and_a_finished_run_is_never_redone(
    start: Start, manifest: Path, tmp_path: Path
) -> None:
    results = tmp_path / "results"
    process = start("run", str(manifest), "--max-parallel", "2", results=results)
    runs = results / "runs" / "killed"
    assert wait_for(lambda: any(runs.glob("*/state.safetensors")), process)
    os.kill(process.pid, signal.SIGINT)
    output, _ = process.communicate(timeout=PATIENCE)
    assert process.returncode == 130
    assert "Traceback" not in output
    folder = next(runs.iterdir())
    assert not (folder / "done.json").exists()
    assert "Traceback" not in (folder / "log.txt").read_text()
    assert "goes on from its last checkpoint" in finish(start, manifest, results)
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*")}
    assert "finished already" in finish(start, manifest, results)
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*")} == before


def test_a_changed_run_says_which_field_changed(
    start: Start, manifest: Path, whole: Path, tmp_path: Path
) -> None:
    results = Path(shutil.copytree(whole, tmp_path / "results"))
    manifest.write_text(manifest.read_text().replace("learning_rate: 0.01", "learning_rate: 0.02"))
    output = finish(start, manifest, results)
    assert "training.optimizer.learning_rate: 0.01 → 0.02" in output
    rows = next((results / "runs" / "killed").glob("*/steps/000016.parquet"))
    assert pq.read_table(rows).num_rows > 0
    assert start("ingest", results=results).wait() == 0
    statuses = query(results, "SELECT status FROM runs ORDER BY status")[1]
    assert statuses == [("done",), ("superseded",)]


def test_a_locked_results_folder_is_left_to_whoever_holds_it(
    start: Start, manifest: Path, tmp_path: Path
) -> None:
    results = tmp_path / "results"
    first = start("run", str(manifest), "--max-parallel", "2", results=results)
    assert wait_for(
        lambda: (results / ".run.lock").exists() and any((results / "runs").glob("*/*")), first
    )
    second = start("run", str(manifest), "--max-parallel", "2", results=results)
    output, _ = second.communicate(timeout=PATIENCE)
    assert second.returncode == 2
    assert "another repro is at work here" in output
    os.kill(first.pid, signal.SIGINT)
    first.wait()


def test_an_open_store_does_not_stop_an_ingest(start: Start, tmp_path: Path) -> None:
    results = tmp_path / "results"
    assert start("ingest", results=results).wait() == 0
    with duckdb.connect(str(results / "repro.duckdb"), read_only=True) as reader:
        assert start("ingest", results=results).wait() == 0
        assert reader.execute("SELECT count(*) FROM runs").fetchone() == (0,)


def test_two_workers_never_share_a_run(
    start: Start, kill_workers: Kill, manifest: Path, tmp_path: Path
) -> None:
    """The first worker, whose host is dead, is held still until the second has been turned away."""
    results = tmp_path / "results"
    first = start("run", str(manifest), "--max-parallel", "2", results=results)
    runs = results / "runs" / "killed"
    assert wait_for(lambda: any(runs.glob("*/steps/000001.parquet")), first)
    orphan = _progress(next(runs.iterdir()))["pid"]
    assert isinstance(orphan, int)
    os.kill(orphan, signal.SIGSTOP)
    os.kill(first.pid, signal.SIGKILL)  # the host alone
    second = start("run", str(manifest), "--max-parallel", "2", results=results)
    output, _ = second.communicate(timeout=PATIENCE)
    assert (second.returncode, "another repro is at work here (worker)" in output) == (3, True), (
        output
    )
    assert kill_workers(results) == [orphan]
    assert "goes on from its last checkpoint" in finish(start, manifest, results)


def test_a_packed_run_killed_in_its_training_ends_with_the_bits_of_one_that_was_not(
    start: Start, kill_workers: Kill, tmp_path: Path, bits: Bits, packed_manifest: Path
) -> None:
    """Its texts do not fit one pass, and dropout is on."""
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    finish(start, packed_manifest, whole)
    process = start("run", str(packed_manifest), "--max-parallel", "2", results=broken)
    assert strike(
        broken, process, lambda folder, _: "state.safetensors" in _names(folder), kill_workers
    )
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    (folder,) = (broken / "runs" / "killed").iterdir()
    assert not (folder / "done.json").exists()
    assert "goes on from its last checkpoint" in finish(start, packed_manifest, broken)
    assert bits(broken) == bits(whole)
