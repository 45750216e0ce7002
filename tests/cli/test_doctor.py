"""`repro doctor` and `repro clean` as a user meets them: codes, forms, and two words to delete."""

import csv
import io
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from repro.cli import main

Command = Callable[..., subprocess.CompletedProcess[str]]
Said = pytest.CaptureFixture[str]
NOWHERE = Path("/proc/nowhere")


def test_a_machine_that_can_run_manifests_says_so(repro: Command) -> None:
    """Exit 0, every ability named, the smoke manifest among those that fit."""
    done = repro("doctor")
    assert done.returncode == 0, done.stdout + done.stderr
    for what in ("processor", "disk", "worker", "GPU", "model hub", "containers", "cluster"):
        assert what in done.stdout
    assert "smoke (" in done.stdout
    assert (
        "this machine can run manifests; the smallest: make reproduce MANIFEST=smoke" in done.stdout
    )
    assert "(1 runs)" not in done.stdout


def test_what_nothing_runs_without_is_exit_2(repro: Command) -> None:
    """A folder for results on a full disk: named as what is missing, with the way out."""
    done = repro("doctor", "--results", str(NOWHERE))
    assert done.returncode == 2
    assert done.stdout.strip().endswith("nothing runs here without: disk for results")
    assert "REPRO_RESULTS" in done.stdout


def test_cleaning_waits_for_nobody_and_asks_for_both_words(repro: Command, tmp_path: Path) -> None:
    """--cache alone is refused; while runs are at work nothing is touched."""
    from repro.evidence.lock import exclusive

    alone = repro("clean", "--cache")
    assert (alone.returncode, alone.stdout) == (2, "")
    assert "found without --yes" in alone.stderr
    with exclusive(tmp_path / "results", "run"):
        held = repro("clean", "--yes")
    assert held.returncode == 2
    assert "another repro is at work here" in held.stderr


def test_only_what_is_named_leftover_goes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Said
) -> None:
    """A run that was given up goes with --yes; looking removes nothing, in any form."""
    monkeypatch.setenv("REPRO_CACHE", str(tmp_path / "cache"))
    (tmp_path / "cache").mkdir()
    results = tmp_path / "results"
    (results / "runs").mkdir(parents=True)
    asked = ["clean", "--results", str(results)]
    assert main([*asked, "--format", "csv"]) == 0
    header, *rows = csv.reader(io.StringIO(capsys.readouterr().out))
    assert header == ["MiB", "can go", "why", "path"]
    assert not any(row[1] == "no" for row in rows)
    assert main([*asked, "--yes"]) == 0
    out = capsys.readouterr().out
    assert "removed: 0 MiB" in out
    assert (results / "runs").is_dir()
