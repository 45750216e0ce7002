"""Files of a run's folder are read whole, and never through a link."""

import hashlib
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from repro.errors import EvidenceError
from repro.evidence.reading import LARGEST_RECORD, State, opened_plain, read_content, read_run_state

CONTENT = b"what was measured"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a file in a folder."""
    (tmp_path / "run" / "steps").mkdir(parents=True)
    (tmp_path / "run" / "steps" / "file").write_bytes(CONTENT)
    return tmp_path / "run"


def test_the_state_is_that_of_what_was_read(folder: Path) -> None:
    os.utime(folder / "steps" / "file", ns=(1, 1_234_567_890))
    state = State(hashlib.sha256(CONTENT).hexdigest(), len(CONTENT), 1_234_567_890)
    assert read_run_state(folder, "steps/file") == state
    assert read_content(folder, "steps/file") == (CONTENT, state)


def a_link(folder: Path) -> None:
    (folder / "steps" / "file").rename(folder / "other")
    (folder / "steps" / "file").symlink_to(folder / "other")


def a_linked_folder(folder: Path) -> None:
    (folder / "steps").rename(folder / "other")
    (folder / "steps").symlink_to(folder / "other")


def a_pipe(folder: Path) -> None:
    (folder / "steps" / "file").unlink()
    os.mkfifo(folder / "steps" / "file")


def a_folder(folder: Path) -> None:
    (folder / "steps" / "file").unlink()
    (folder / "steps" / "file").mkdir()


def no_file(folder: Path) -> None:
    (folder / "steps" / "file").unlink()


def a_file_above(folder: Path) -> None:
    (folder / "steps" / "file").unlink()
    (folder / "steps").rmdir()
    (folder / "steps").write_bytes(CONTENT)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (a_link, "is a link, or lies in a linked folder, expected a file of the run's own"),
        (a_linked_folder, "is a link, or lies in a linked folder"),
        (a_pipe, "no plain file; remove it, or restore"),
        (a_folder, "no plain file; remove it, or restore"),
        (no_file, "found no file; restore it, or remove the run's folder and run again"),
        (a_file_above, r"cannot be read \(Not a directory\); correct that"),
    ],
    ids=lambda given: getattr(given, "__name__", ""),
)
def test_what_is_no_plain_file_of_the_folder_is_refused_at_once(
    folder: Path, change: Callable[[Path], None], words: str
) -> None:
    change(folder)
    for read in (read_run_state, read_content):
        with pytest.raises(EvidenceError, match=f"^{folder}/steps/file: {words}"):
            read(folder, "steps/file")


def test_a_folder_that_is_a_link_is_refused(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(folder)
    with pytest.raises(EvidenceError, match=r"link/steps/file: is a link, or lies in"):
        read_run_state(tmp_path / "link", "steps/file")


def test_a_file_that_no_memory_should_hold_is_only_hashed(folder: Path) -> None:
    """It is sparse: it takes no room."""
    with (folder / "large").open("wb") as file:
        file.truncate(LARGEST_RECORD + 1)
    words = f"large: found {LARGEST_RECORD + 1} bytes, expected at most {LARGEST_RECORD}"
    with pytest.raises(EvidenceError, match=words):
        read_content(folder, "large")
    assert read_run_state(folder, "large").size == LARGEST_RECORD + 1


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="counts descriptors in /proc")
def test_nothing_stays_open_after_a_file_was_read_or_refused(folder: Path) -> None:
    before = len(os.listdir("/proc/self/fd"))
    with opened_plain(folder, "steps/file") as (file, _):
        assert file.read() == CONTENT
        assert len(os.listdir("/proc/self/fd")) > before
    for name in ("steps", "absent/file", "steps/absent"):
        with pytest.raises(EvidenceError):
            read_run_state(folder, name)
    assert len(os.listdir("/proc/self/fd")) == before
