"""The seal of the store: the digest of the database as repro wrote it, and the one way a database takes its place.

A store is never changed where it lies. A new one is written beside it, its digest goes into the seal beside the old
one's, then one rename puts it in place: whenever a process is killed, the store that is there is whole and sealed.
The seal protects against mishaps and silent edits; who edits store and seal together is not noticed (docs/threat_model.md).
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pydantic import ValidationError

from repro.errors import EvidenceError
from repro.files import file_digest, sync_folder, write_bytes
from repro.frozen import Frozen
from repro.store.database import INGEST, NAME, logs_beside

SEAL = f"{NAME}.seal"


class Seal(Frozen):
    """What lies in repro.duckdb.seal."""

    stores: tuple[str, ...]
    """sha256 of the database; of two while one takes the other's place."""


def check_seal(results: Path) -> None:
    """Raise EvidenceError when the store is not what repro wrote."""
    store = results / NAME
    if file_digest(store) not in _sealed(results):
        raise EvidenceError(f"{store}: was edited since repro wrote it, or its seal {SEAL} is gone; {INGEST}")


@contextmanager
def new_store(results: Path) -> Iterator[Path]:
    """A path to write a database to; when the block ends well it takes the place of the store, else it is removed."""
    beside = results / f".{NAME}.{os.getpid()}.tmp"
    remove_leftovers(results)
    try:
        yield beside
        _put_in_place(beside, results)
    finally:
        for path in (beside, *logs_beside(beside)):
            path.unlink(missing_ok=True)


def seal_store(results: Path) -> None:
    """Seal a store that was written where it lies."""
    _write(results, (file_digest(results / NAME),), (results / NAME).stat().st_mode & 0o777)


def remove_leftovers(results: Path) -> None:
    """Remove what processes that were killed had begun to write."""
    for path in results.glob(f".{NAME}.*"):
        path.unlink(missing_ok=True)


def _put_in_place(beside: Path, results: Path) -> None:
    with beside.open("rb") as file:
        os.fsync(file.fileno())
    new, before, mode = file_digest(beside), _sealed(results), beside.stat().st_mode & 0o777
    _write(results, (new, *before), mode)
    for log in logs_beside(results / NAME):  # of the store that goes: a stale log would make the new one unreadable
        log.unlink()
    os.replace(beside, results / NAME)
    sync_folder(results)
    _write(results, (new,), mode)


def _sealed(results: Path) -> tuple[str, ...]:
    try:
        return Seal.model_validate_json((results / SEAL).read_bytes()).stores
    except (OSError, ValidationError):
        return ()


def _write(results: Path, stores: tuple[str, ...], mode: int) -> None:
    """Write the seal, for everybody to read who may read the store."""
    write_bytes(results / SEAL, Seal(stores=stores[:2]).model_dump_json().encode() + b"\n")
    (results / SEAL).chmod(mode)
