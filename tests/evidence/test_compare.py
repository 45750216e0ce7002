"""Two results folders are compared number by number, and only where both finished the same runs."""

from pathlib import Path

import pytest

from repro.errors import EvidenceError
from repro.evidence.compare import compare_folders
from repro.evidence.folder import RunFolder
from repro.evidence.measurement import Measurement
from repro.execute.folders import place_run, prepare
from repro.manifest.load import load_experiment
from repro.plan.expand import expand, local_environment
from repro.plan.run import Run


@pytest.fixture(scope="module")
def runs() -> tuple[Run, ...]:
    """Two runs of the smoke manifest."""
    return expand(load_experiment("smoke"), local_environment())[:2]


def made(results: Path, runs: tuple[Run, ...], *values: float | str) -> list[RunFolder]:
    """Finish each run with these values, one at each step; a word is why there is none."""
    folders = []
    for run in runs:
        folder = prepare(place_run(run, results))
        for step, value in enumerate(values):
            number, reason = (None, value) if isinstance(value, str) else (value, None)
            row = Measurement(step=step, quantity="loss", value=number, reason=reason, n=1)
            folder.append(step, [row])
        folder.finish("done")
        folders.append(folder)
    return folders


def test_equal_folders_have_every_number_in_common(tmp_path: Path, runs: tuple[Run, ...]) -> None:
    for name in ("one", "other"):
        made(tmp_path / name, runs, 0.0, 0.1, "diverged")
    found = compare_folders("smoke", tmp_path / "one", tmp_path / "other")
    assert (found.runs, found.numbers, found.same, found.worst, found.apart) == (2, 4, 4, 0.0, ())
    assert found.words() == ("2 runs, 4 numbers, 4 the same bits, largest relative gap 0.0e+00")


def test_a_gap_is_relative_to_the_larger_value(tmp_path: Path, runs: tuple[Run, ...]) -> None:
    """0.8 and −1 are 1.8 apart, 3 and 4 a quarter of the larger."""
    made(tmp_path / "one", runs[:1], 3.0, 0.8)
    made(tmp_path / "other", runs[:1], 4.0, -1.0)
    found = compare_folders("smoke", tmp_path / "one", tmp_path / "other", allowed=0.25)
    assert (found.numbers, found.same, found.worst) == (2, 0, 1.8)
    (line,) = found.apart
    assert line.startswith(runs[0].slot)
    assert line.endswith(": 0.8 and -1.0")
    strict = compare_folders("smoke", tmp_path / "one", tmp_path / "other", allowed=0.24)
    assert len(strict.apart) == 2


@pytest.mark.parametrize("other", [("diverged",), ("measured elsewhere", 1.0), (1.0,)])
def test_what_only_one_has_or_lacks_for_another_reason_is_apart(
    tmp_path: Path, runs: tuple[Run, ...], other: tuple[float | str, ...]
) -> None:
    made(tmp_path / "one", runs[:1], "diverged", 1.0)
    made(tmp_path / "other", runs[:1], *other)
    found = compare_folders("smoke", tmp_path / "one", tmp_path / "other", allowed=1.0)
    assert found.numbers == (len(other) == 2)
    assert len(found.apart) == (1 if other[0] != 1.0 else 2)


def test_other_runs_on_either_side_are_refused_and_so_are_none(
    tmp_path: Path, runs: tuple[Run, ...]
) -> None:
    made(tmp_path / "one", runs, 1.0)
    made(tmp_path / "other", runs[:1], 1.0)
    words = rf"smoke: .*one has finished runs .*{runs[1].slot}.*expected the same"
    with pytest.raises(EvidenceError, match=words):
        compare_folders("smoke", tmp_path / "one", tmp_path / "other")
    with pytest.raises(EvidenceError, match="expected the same"):
        compare_folders("smoke", tmp_path / "absent", tmp_path / "absent")


def test_a_changed_file_is_refused_and_not_compared(tmp_path: Path, runs: tuple[Run, ...]) -> None:
    (folder,) = made(tmp_path / "one", runs[:1], 1.0)
    made(tmp_path / "other", runs[:1], 1.0)
    folder.append(0, [Measurement(step=0, quantity="loss", value=2.0, n=1)])
    with pytest.raises(EvidenceError, match=r"000000\.parquet: found .*, expected sha256"):
        compare_folders("smoke", tmp_path / "one", tmp_path / "other")
