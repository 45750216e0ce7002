"""One host at a time in a results folder: two would start the same run twice."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from repro.errors import SetupError


@contextmanager
def exclusive(results: Path, name: str) -> Iterator[None]:
    """Hold results/.NAME.lock; the lock ends with the process, however that ends."""
    try:
        results.mkdir(parents=True, exist_ok=True)
        file = (results / f".{name}.lock").open("w")
    except OSError as error:
        raise SetupError(
            f"{results}: cannot be written ({error.strerror}); choose another folder (--results)"
        ) from error
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise SetupError(
                f"{results}: another repro is at work here ({name}); wait for it, or use --results"
            ) from None
        yield
