"""A clock that went back: files and times from the future are as good as any."""

import os
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from repro.store.database import query
from repro.store.ingest import ingest

Command = Callable[..., subprocess.CompletedProcess[str]]
EVERY = "SELECT run_id, step, quantity, value FROM measurements ORDER BY ALL"


def from_the_future(folder: Path, seconds: float) -> None:
    """Let everything in a folder have been written by a clock that was ahead."""
    ahead = time.time() + seconds
    for path in folder.rglob("*"):
        os.utime(path, (ahead, ahead))


@pytest.mark.worker
@pytest.mark.parametrize(
    "seconds", [60.0, 86_400.0, 30 * 365 * 86_400.0], ids=["a minute", "a day", "thirty years"]
)
def test_evidence_of_a_clock_that_was_ahead_is_read_and_kept(
    repro: Command, results: Path, seconds: float
) -> None:
    before = query(results, EVERY)
    from_the_future(results, seconds)
    ingest(results)
    assert query(results, EVERY) == before
    verdicts = repro("verify", "smoke", "--json", results=results)
    assert verdicts.returncode != 2, verdicts.stderr
    assert repro("status", results=results).returncode == 0
    assert repro("clean", "--yes", results=results).returncode == 0
    assert repro("ingest", results=results).returncode == 0
    assert query(results, EVERY) == before
    assert repro("verify", "smoke", "--json", results=results).stdout == verdicts.stdout


@pytest.mark.worker
def test_a_store_of_the_future_is_still_compared_with_its_evidence(
    repro: Command, results: Path
) -> None:
    """The positive control: a file that was changed by an older clock, to the same size, is named."""
    from_the_future(results, 86_400.0)
    ingest(results)
    assert repro("verify", "smoke", results=results).returncode != 2
    table = next(results.glob("runs/*/*/steps/*.parquet"))
    whole = table.read_bytes()
    table.write_bytes(whole)
    assert repro("verify", "smoke", results=results).returncode != 2, (
        "another time alone is no change"
    )
    table.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))  # today's time, before the store's
    done = repro("verify", "smoke", results=results)
    assert done.returncode == 2
    assert table.parent.parent.name in done.stderr
