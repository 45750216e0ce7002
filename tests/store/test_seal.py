"""A store is whole and sealed at every moment: before, while and after another takes its place."""

import os
from pathlib import Path

import pytest

from repro.errors import EvidenceError
from repro.store.database import NAME
from repro.store.seal import SEAL, check_seal, new_store, remove_leftovers, seal_store


@pytest.fixture
def sealed(tmp_path: Path) -> Path:
    """A folder with a sealed store. No database is needed: a seal is over bytes."""
    (tmp_path / NAME).write_bytes(b"old")
    seal_store(tmp_path)
    return tmp_path


def names(folder: Path) -> set[str]:
    """What lies in a folder."""
    return {path.name for path in folder.iterdir()}


def test_an_edit_or_a_missing_seal_is_named_with_the_command_that_mends_it(sealed: Path) -> None:
    check_seal(sealed)
    words = rf"{NAME}: was edited since repro wrote it, or its seal .* is gone; `repro ingest`"
    (sealed / NAME).write_bytes(b"odd")
    with pytest.raises(EvidenceError, match=words):
        check_seal(sealed)
    (sealed / NAME).write_bytes(b"old")
    check_seal(sealed)
    for spoilt in ("", "{}", '{"stores": 1}'):
        (sealed / SEAL).write_text(spoilt)
        with pytest.raises(EvidenceError, match=words):
            check_seal(sealed)
    (sealed / SEAL).unlink()
    with pytest.raises(EvidenceError, match=words):
        check_seal(sealed)


def test_a_new_store_takes_the_place_of_the_old_one_and_of_its_log(sealed: Path) -> None:
    (sealed / f"{NAME}.wal").write_bytes(b"the old one's")
    with new_store(sealed) as path:
        assert (sealed / NAME).read_bytes() == b"old"
        path.write_bytes(b"new")
        Path(f"{path}.wal").write_bytes(b"the new one's")
    check_seal(sealed)
    assert (sealed / NAME).read_bytes() == b"new"
    assert names(sealed) == {NAME, SEAL}
    (sealed / NAME).write_bytes(b"old")
    with pytest.raises(EvidenceError):
        check_seal(sealed)


def test_a_store_that_could_not_be_made_leaves_the_old_one_as_it_was(sealed: Path) -> None:

    def fail() -> None:
        with new_store(sealed) as path:
            path.write_bytes(b"half")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    check_seal(sealed)
    assert (sealed / NAME).read_bytes() == b"old"
    assert names(sealed) == {NAME, SEAL}


def test_between_the_seal_and_the_rename_both_stores_are_sealed(
    sealed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The process ends there: the store that is there is the old one, and counts."""
    replace = os.replace

    def end_before_the_store(beside: Path, target: Path) -> None:
        if Path(target).name == NAME:
            raise KeyboardInterrupt
        replace(beside, target)

    monkeypatch.setattr(os, "replace", end_before_the_store)
    with pytest.raises(KeyboardInterrupt), new_store(sealed) as path:
        path.write_bytes(b"new")
    assert (sealed / NAME).read_bytes() == b"old"
    check_seal(sealed)
    (sealed / NAME).write_bytes(b"new")
    check_seal(sealed)


def test_a_seal_may_be_read_by_whom_the_store_may(sealed: Path) -> None:
    (sealed / NAME).chmod(0o640)
    seal_store(sealed)
    assert (sealed / SEAL).stat().st_mode & 0o777 == 0o640


def test_what_killed_processes_left_goes_and_the_store_stays(sealed: Path) -> None:
    for name in (f".{NAME}.77.tmp", f".{NAME}.77.tmp.wal", ".other.tmp"):
        (sealed / name).write_bytes(b"half")
    remove_leftovers(sealed)
    assert names(sealed) == {NAME, SEAL, ".other.tmp"}
