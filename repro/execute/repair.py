"""Set a damaged run's folder aside, whole, so that the run is made again where it lay.

Nothing is deleted: what is left of the evidence stays below set_aside/, for whoever wants to know
what happened to it, and no command reads it there.
"""

import os
from datetime import UTC, datetime
from pathlib import Path

from repro.errors import SetupError
from repro.evidence.lock import exclusive
from repro.execute.folders import RunPlace
from repro.files import sync_folder, way_out

ASIDE = "set_aside"


def set_aside(place: RunPlace, results: Path) -> Path:
    """Move the folder of a damaged run out of runs/, by one rename; return where it lies now.

    Raises SetupError where it cannot be moved, or a worker is still in it.
    """
    path = place.folder.path
    now = datetime.now(UTC).strftime("%Y%m%dT%H%M%S%f")
    target = results / ASIDE / path.parent.name / f"{path.name}.{now}"
    if not path.is_symlink():
        with exclusive(path, "worker"):
            pass
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        os.rename(path, target)
        sync_folder(target.parent)
        sync_folder(path.parent)
    except OSError as error:
        raise SetupError(
            f"{path}: could not be set aside ({error.strerror}); {way_out(error)}"
        ) from error
    return target
