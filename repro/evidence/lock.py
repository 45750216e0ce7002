"""Lock a results folder for one process, and a run's folder for one worker.

Two would do the same work twice. Where other hosts may write there too and locks may not reach
them, `repro.evidence.hosts` keeps them apart.
"""

import fcntl
import os
import platform
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import IO

from repro.errors import SetupError
from repro.evidence.hosts import holding, is_shared

PAUSE = 0.2  # seconds between two tries


@contextmanager
def exclusive(
    folder: Path, name: str, patience: float = 0.0, variable: str = "REPRO_RESULTS"
) -> Iterator[None]:
    """Hold folder/.NAME.lock. The lock ends with the process, however that ends.

    `patience`: seconds to wait for another holder; `variable`: names another place for such
    folders. Raises SetupError when the lock is held, or cannot be taken at all.
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
                    f"{folder}: another repro is at work here ({name}){_holder(file)}; wait "
                    "for it, end it, or choose "
                    f"another folder ({variable})"
                )
            time.sleep(PAUSE)
        file.truncate(0)
        file.write(f"process {os.getpid()} on {platform.node()}")
        file.flush()
        with holding(folder, name) if is_shared(folder) else nullcontext():
            yield


def take(file: IO[str], folder: Path, variable: str) -> bool:
    """Take the lock on an open file; return False while another process holds it.

    Raises SetupError where files have no locks.
    """
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as error:
        raise SetupError(
            f"{folder}: its file system cannot lock files ({error.strerror}), and without "
            "that two processes could "
            f"write the same files; choose a folder on another file system ({variable})"
        ) from error
    return True


def _holder(file: IO[str]) -> str:
    """Return who holds the lock, as written in the file; empty where nothing is."""
    file.seek(0)
    words = file.read(200).strip()
    return f", {words}" if words.startswith("process ") else ""
