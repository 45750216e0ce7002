"""Check the digests of a model's files before they are used.

The digests are recorded in identity.json when the files arrive. On arrival a hub's files are
compared with what it publishes, a packaged file with models.yaml; random weights are drawn here.
From then on every file that a loader may read must be the one that arrived, and none may be added.
"""

from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, Field

from repro.cache import IDENTITY
from repro.errors import SetupError
from repro.files import file_digest
from repro.manifest.model import Model
from repro.plan.weight_files import check_weights

FileName = Annotated[str, Field(pattern=r"^[A-Za-z0-9_+-][A-Za-z0-9._+-]{0,199}$")]
"""Name of a file beside identity.json: not a path, and of limited length."""


class Identity(BaseModel):
    """The part of identity.json that is read: name and sha256 of each of the model's files."""

    files: dict[FileName, str] = Field(min_length=1)


def check_model(folder: Path, model: Model) -> dict[str, str]:
    """Check a folder for the files that were fetched, and for every weight of the model.

    Return the files' digests. Raises SetupError.
    """
    noted = check_files(folder)
    check_weights(folder, model)
    return noted


def check_streamed(folder: Path, model: Model) -> dict[str, str]:
    """Check a folder whose shards come later: its other files, and the headers of the shards.

    Return the digests of all files; the host compares each shard's as it comes. Raises
    SetupError.
    """
    noted = pinned_files(folder)
    for name, expected in noted.items():
        if not name.endswith(".safetensors"):
            _check_file(folder, name, expected)
    check_weights(folder, model)
    return noted


def check_files(folder: Path) -> dict[str, str]:
    """Compare a model's files with their recorded digests, and return these.

    Raises SetupError naming the first file that differs, is absent, or was added: a loader
    would read it too.
    """
    noted = pinned_files(folder)
    for name, expected in noted.items():
        _check_file(folder, name, expected)
    there = {
        path.name for path in folder.iterdir() if path.is_file() and not path.name.startswith(".")
    }
    if added := sorted(there - noted.keys() - {IDENTITY}):
        raise SetupError(
            f"{folder / added[0]}: did not come with the model, and a loader would read it; {_mend(folder)}"
        )
    return noted


def _check_file(folder: Path, name: str, expected: str) -> None:
    """Compare a file with its digest. Raises SetupError."""
    found = file_digest(folder / name) if (folder / name).is_file() else "no file"
    if found != expected:
        raise SetupError(
            f"{folder / name}: found {found[:12]}, expected sha256 {expected[:12]} as "
            f"fetched; {_mend(folder)}"
        )


def _mend(folder: Path) -> str:
    return f"remove {folder} and fetch again"


def pinned_files(folder: Path) -> dict[str, str]:
    """Return the digests in identity.json. Raises SetupError when it cannot be read."""
    try:
        return Identity.model_validate_json((folder / IDENTITY).read_bytes()).files
    except (OSError, ValueError):
        raise SetupError(
            f"{folder / IDENTITY}: cannot be read; remove {folder} and fetch again"
        ) from None
