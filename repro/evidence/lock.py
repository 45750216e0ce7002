"""One host at a time in a results folder, one worker in a run's: two would do the same work twice."""

import fcntl
import os
import platform
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from repro.errors import SetupError

PAUSE = 0.2  # seconds between two tries


@contextmanager
def exclusive(folder: Path, name: str, patience: float = 0.0, variable: str = "REPRO_RESULTS") -> Iterator[None]:
    """Hold folder/.NAME.lock; the lock ends with the process, however that ends.

    `patience`: seconds to wait for whoever holds it; `variable`: what names another place for such folders. Raises
    SetupError when it is held, and where there is no holding it.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        file = (folder / f".{name}.lock").open("a+")
    except OSError as error:
        raise SetupError(
            f"{folder}: cannot be written ({error.strerror}); choose another folder ({variable})"
        ) from error
    with file:
        end = time.monotonic() + patience
        while not take(file, folder, variable):
            if time.monotonic() >= end:
                raise SetupError(
                    f"{folder}: another repro is at work here ({name}){_holder(file)}; wait for it, end it, or choose "
                    f"another folder ({variable})"
                )
            time.sleep(PAUSE)
        file.truncate(0)
        file.write(f"process {os.getpid()} on {platform.node()}")
        file.flush()
        yield


def take(file: IO[str], folder: Path, variable: str) -> bool:
    """Take the lock on an open file; False while somebody else has it. Raises SetupError where files have no locks."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as error:
        raise SetupError(
            f"{folder}: its file system cannot lock files ({error.strerror}), and without that two processes could "
            f"write the same files; choose a folder on another file system ({variable})"
        ) from error
    return True


def _holder(file: IO[str]) -> str:
    """Who said to hold the lock; empty where nobody did."""
    file.seek(0)
    words = file.read(200).strip()
    return f", {words}" if words.startswith("process ") else ""
