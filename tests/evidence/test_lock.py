"""A folder has one holder at a time; who comes second is told who the first is, or waits."""

import os
import platform
import re
import threading
from pathlib import Path

import pytest

from repro.errors import SetupError
from repro.evidence.lock import exclusive, take


def test_a_second_holder_is_refused_and_told_who_the_first_is(tmp_path: Path) -> None:
    with exclusive(tmp_path / "results", "run"):
        words = (
            rf"{tmp_path}/results: another repro is at work here \(run\), "
            rf"process {os.getpid()} on {re.escape(platform.node())}; wait for it, end it, or "
            r"choose another folder \(REPRO_CACHE\)"
        )
        with (
            pytest.raises(SetupError, match=words),
            exclusive(tmp_path / "results", "run", variable="REPRO_CACHE"),
        ):
            pytest.fail("two hold it")
        with exclusive(tmp_path / "results", "other name"):
            pass


def test_a_lock_is_free_again_however_its_holder_ended(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), exclusive(tmp_path, "run"):
        _ = 1 / 0
    with exclusive(tmp_path, "run"):
        pass


def test_who_is_patient_comes_in_after_the_first(tmp_path: Path) -> None:
    order: list[str] = []
    held, leave = threading.Event(), threading.Event()

    def first() -> None:
        with exclusive(tmp_path, "run"):
            held.set()
            leave.wait(30)
            order.append("first leaves")

    holder = threading.Thread(target=first)
    holder.start()
    assert held.wait(30)
    threading.Timer(0.05, leave.set).start()
    with exclusive(tmp_path, "run", patience=30):
        order.append("second is in")
    holder.join()
    assert order == ["first leaves", "second is in"]


def test_a_folder_that_cannot_be_is_refused_with_its_variable(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with (
        pytest.raises(SetupError, match=r"file/x: cannot be written \(Not a directory\).*HERE"),
        exclusive(tmp_path / "file" / "x", "run", variable="HERE"),
    ):
        pytest.fail("it is held")


@pytest.mark.skipif(not hasattr(os, "O_PATH"), reason="needs a descriptor that cannot be locked")
def test_without_locks_nothing_is_held(tmp_path: Path) -> None:
    """Linux locks no descriptor that only names a file: the call fails as without locks."""
    (tmp_path / "file").touch()
    with os.fdopen(os.open(tmp_path / "file", os.O_PATH)) as file:
        words = rf"{tmp_path}: its file system cannot lock files .*\(REPRO_RESULTS\)"
        with pytest.raises(SetupError, match=words):
            take(file, tmp_path, "REPRO_RESULTS")
