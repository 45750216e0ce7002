"""The run folder: whole files or none, and any later change noticed."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from repro.errors import EvidenceError
from repro.evidence.folder import RunFolder
from repro.evidence.measurement import Measurement
from repro.files import write_bytes

numbers = st.floats(allow_nan=False, allow_infinity=False)
rows = st.lists(
    st.builds(
        lambda value, step, n, direction, concept: Measurement(
            step=step, quantity="q", value=value, reason=None if value is not None else "undefined here", n=n,
            direction=direction, concept=concept,
        ),
        st.none() | numbers, st.integers(0, 5000), st.integers(0, 10**9),
        st.none() | st.integers(0, 99), st.none() | st.text(max_size=8),
    ),
    min_size=1, max_size=20,
)  # fmt: skip


@pytest.mark.worker
@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows)
def test_measurements_come_back_as_they_went_in(tmp_path: Path, written: list[Measurement]) -> None:
    folder = RunFolder(tmp_path)
    folder.append(10, written)
    assert folder.measurements(10) == written


def finished(tmp_path: Path) -> RunFolder:
    folder = RunFolder(tmp_path / "run")
    write_bytes(folder.path / "run.json", b"{}")
    folder.append(0, [Measurement(step=0, quantity="q", value=1.0, n=1)])
    folder.finish("done")
    return folder


def test_a_finished_folder_passes_its_own_check(tmp_path: Path) -> None:
    finished(tmp_path).check()


@pytest.mark.parametrize("name", ["steps/000000.parquet", "run.json"])
def test_a_truncated_file_is_named_with_what_to_do(tmp_path: Path, name: str) -> None:
    folder = finished(tmp_path)
    path = folder.path / name
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(EvidenceError, match=rf"{name}: found .*, expected sha256 .*run again"):
        folder.check()


def test_a_removed_file_is_named(tmp_path: Path) -> None:
    folder = finished(tmp_path)
    folder.measurements_file(0).unlink()
    with pytest.raises(EvidenceError, match="found no file"):
        folder.check()


def test_a_broken_done_marker_is_an_error_and_not_an_unfinished_run(tmp_path: Path) -> None:
    folder = finished(tmp_path)
    (folder.path / "done.json").write_text('{"status": "do')
    with pytest.raises(EvidenceError, match=r"done\.json: cannot be read"):
        folder.done()
