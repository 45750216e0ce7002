"""One host at a time in a results folder, one worker in a run's: two would do the same work twice."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from repro.errors import SetupError


@contextmanager
def exclusive(folder: Path, name: str) -> Iterator[None]:
    """Hold folder/.NAME.lock; the lock ends with the process, however that ends. Raises SetupError when it is held."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        file = (folder / f".{name}.lock").open("w")
    except OSError as error:
        raise SetupError(
            f"{folder}: cannot be written ({error.strerror}); choose another folder (--results)"
        ) from error
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise SetupError(
                f"{folder}: another repro is at work here ({name}); wait for it, or use --results"
            ) from None
        yield
