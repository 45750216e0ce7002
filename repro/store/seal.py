"""Seal the store with the digest of the database, and put a new database in its place.

A store is never changed in place. A new one is written beside it, its digest is added to the seal
beside the old one's, then one rename puts it in place: whenever a process is killed, the store on
disk is whole and sealed. The seal protects against mishaps and silent edits; it does not notice
someone who edits both store and seal (docs/threat_model.md).
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


class StoreSeal(Frozen):
    """The content of repro.duckdb.seal."""

    stores: tuple[str, ...]
    """sha256 of the database; two of them while one replaces the other."""


def check_seal(results: Path) -> None:
    """Raise EvidenceError when the store is not what repro wrote."""
    store = results / NAME
    if file_digest(store) not in _sealed(results):
        raise EvidenceError(
            f"{store}: was edited since repro wrote it, or its seal {SEAL} is gone; {INGEST}"
        )


@contextmanager
def new_store(results: Path) -> Iterator[Path]:
    """Yield a path to write a database to.

    The database replaces the store when the block succeeds; else it is removed.
    """
    beside = results / f".{NAME}.{os.getpid()}.tmp"
    remove_leftovers(results)
    try:
        yield beside
        _put_in_place(beside, results)
    finally:
        for path in (beside, *logs_beside(beside)):
            path.unlink(missing_ok=True)


def seal_store(results: Path) -> None:
    """Seal a store that was written in place."""
    _write(results, (file_digest(results / NAME),), (results / NAME).stat().st_mode & 0o777)


def remove_leftovers(results: Path) -> None:
    """Remove the unfinished files of killed processes."""
    for path in results.glob(f".{NAME}.*"):
        path.unlink(missing_ok=True)


def _put_in_place(beside: Path, results: Path) -> None:
    """Seal the new database, rename it over the store, then drop the old one's seal."""
    with beside.open("rb") as file:
        os.fsync(file.fileno())
    new, before, mode = file_digest(beside), _sealed(results), beside.stat().st_mode & 0o777
    # Both digests first: a crash before or after the rename leaves a sealed store.
    _write(results, (new, *before), mode)
    # Of the old store: its log would make the new one unreadable.
    for log in logs_beside(results / NAME):
        log.unlink()
    os.replace(beside, results / NAME)
    sync_folder(results)
    _write(results, (new,), mode)


def _sealed(results: Path) -> tuple[str, ...]:
    """Return the digests in the seal; none when it is missing or unreadable."""
    try:
        return StoreSeal.model_validate_json((results / SEAL).read_bytes()).stores
    except (OSError, ValidationError):
        return ()


def _write(results: Path, stores: tuple[str, ...], mode: int) -> None:
    """Write the seal with the permissions of the store."""
    write_bytes(results / SEAL, StoreSeal(stores=stores[:2]).model_dump_json().encode() + b"\n")
    (results / SEAL).chmod(mode)
