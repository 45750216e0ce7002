"""What was pushed arrives with the same bits, whatever is killed or damaged on the way."""

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from repro.evidence.folder import RunFolder
from repro.share.arrive import ARRIVING
from repro.share.parcel import blob
from repro.share.pull import pull_results
from repro.share.push import push_results
from repro.share.shelf import open_shelf
from repro.store.database import query
from repro.store.ingest import ingest

Command = Callable[..., subprocess.CompletedProcess[str]]
TABLES = ("runs", "measurements", "artifacts", "provenance", "seals", "sealed_claims", "noted", "collapses")  # fmt: skip


def files(results: Path) -> dict[str, bytes]:
    """What lies in a results folder, without locks."""
    found = (path for path in results.rglob("*") if path.is_file() and path.name[0] != ".")
    return {str(path.relative_to(results)): path.read_bytes() for path in found}


def push(results: Path, url: str) -> tuple[int, int, list[str]]:
    """Push everything; return folders, contents sent, and what was left out."""
    with open_shelf(url, new=True) as shelf:
        done = push_results(results, shelf, None, lambda _: None)
    return done.parcels, done.sent, done.refused


def pull(results: Path, url: str, manifest: str | None = None) -> tuple[int, int, list[str]]:
    """Pull; return new folders, known ones, and what was left out."""
    with open_shelf(url) as shelf:
        done = pull_results(results, shelf, manifest, lambda _: None)
    return done.new, done.known, done.refused


@pytest.mark.worker
def test_what_is_pulled_is_what_was_pushed_and_gives_the_same_store(
    carried: Path, url: str, tmp_path: Path
) -> None:
    assert push(carried, url)[0] == 3
    assert push(carried, url) == (3, 0, []), "nothing is sent twice"
    target = tmp_path / "target"
    assert pull(target, url) == (3, 0, [])
    assert files(target) == files(carried)
    assert pull(target, url) == (0, 3, [])
    assert not (target / ARRIVING).exists()
    for results in (carried, target):
        assert ingest(results).refused == ()
    for table in TABLES:
        asked = f"SELECT * FROM {table} ORDER BY ALL"
        assert query(carried, asked) == query(target, asked), table


@pytest.mark.worker
def test_two_who_push_at_once_lose_nothing(carried: Path, url: str, tmp_path: Path) -> None:
    other = Path(shutil.copytree(carried, tmp_path / "other"))
    gone = sorted((carried / "runs/canary_entropies").iterdir())
    shutil.rmtree(gone[0])
    shutil.rmtree(other / gone[2].relative_to(carried))
    code = "import sys; from repro.cli import main; sys.exit(main(sys.argv[1:]))"
    at_once = [
        subprocess.Popen([sys.executable, "-c", code, "push", url, "--results", str(results)])
        for results in (carried, other)
    ]
    assert [process.wait() for process in at_once] == [0, 0]
    assert pull(tmp_path / "target", url, "canary_entropies") == (3, 0, [])
    assert files(tmp_path / "target") == files(carried) | files(other)


@pytest.mark.worker
@pytest.mark.parametrize("verb", ["push", "pull"])
def test_a_kill_at_any_moment_loses_nothing(carried: Path, tmp_path: Path, verb: str) -> None:
    url, target = str(tmp_path / "shelf"), tmp_path / "target"
    if verb == "pull":
        push(carried, url)
    source = carried if verb == "push" else target
    chance, before = random.Random(35), files(carried)
    for _ in range(2):
        command = [sys.executable, "-m", "repro", verb, url, "--results", str(source)]
        process = subprocess.Popen(command, stdout=subprocess.PIPE)
        assert process.stdout
        process.stdout.readline()  # in the middle
        time.sleep(chance.random() * 0.02)
        os.kill(process.pid, signal.SIGKILL)
        process.communicate()
        for path in target.glob("runs/*/*"):
            RunFolder(path).check(without_weights=True)
    push(carried, url)
    assert pull(target, url)[2] == []
    assert files(target) == files(carried) == before


def test_a_content_that_was_damaged_there_is_named_and_nothing_of_its_run_arrives(
    carried: Path, tmp_path: Path
) -> None:
    url, target = tmp_path / "shelf", tmp_path / "target"
    push(carried, str(url))
    path = min((carried / "runs/canary_entropies").iterdir())
    marker = RunFolder(path).done()
    assert marker
    harmed = url / blob(marker.files["steps/000002.parquet"])
    data = harmed.read_bytes()
    for content in (data[:-1], bytes([data[0] ^ 1]) + data[1:], data + b"x", None):
        harmed.unlink() if content is None else harmed.write_bytes(content)
        new, known, refused = pull(target, str(url))
        assert new + known == 2
        assert len(refused) == 1
        assert harmed.name in refused[0]
        assert not (target / path.relative_to(carried)).exists()
    assert push(carried, str(url))[1] == 1, "who has it whole sends it again"
    assert pull(target, str(url)) == (1, 2, [])
    assert files(target) == files(carried)


def test_what_lies_here_is_never_replaced(carried: Path, tmp_path: Path) -> None:
    url, target = str(tmp_path / "shelf"), tmp_path / "target"
    push(carried, url)
    pull(target, url)
    begun, damaged, _ = sorted((target / "runs/canary_entropies").iterdir())
    (begun / "done.json").unlink()
    (damaged / "usage.json").write_text("{}")
    before = files(target)
    new, known, refused = pull(target, url)
    assert (new, known) == (0, 1)
    assert "is begun here" in refused[0]
    assert f"{damaged}/usage.json: found" in refused[1]
    assert files(target) == before
