"""Find files that come with the project: manifests, papers, probe sets, recipes of images, locks.

In a checkout they lie beside the package. An installed package carries them inside (pyproject.toml
says which), so that every command works in any folder. Files of the same name in the working folder
come first.
"""

import os
import sys
from importlib.metadata import PackageNotFoundError, version
from importlib.resources import files
from pathlib import Path

PACKAGE = Path(str(files("repro")))
IN_CHECKOUT = (PACKAGE.parent / "pyproject.toml").is_file() and (
    PACKAGE.parent / "manifests"
).is_dir()
ROOT = PACKAGE.parent if IN_CHECKOUT else PACKAGE / "_shipped"
"""The folder that holds manifests/, probes/, docker/ and requirements/."""


def places(folder: str) -> list[Path]:
    """Return where files of `folder` (such as "manifests") are looked for, in order."""
    own = ROOT / folder
    here = Path.cwd() / folder
    return [here, own] if here.is_dir() and here.resolve() != own.resolve() else [own]


def find(folder: str, name: str) -> Path | None:
    """Return the first file or folder `name` among the places of `folder`.

    None where there is none.
    """
    return next((place / name for place in places(folder) if os.path.exists(place / name)), None)


def lock_in_use() -> Path:
    """Return the lock that this environment was made from, by the build of torch that it holds."""
    try:
        cuda = sys.platform == "linux" and not version("torch").endswith("+cpu")
    except PackageNotFoundError:
        # A host without a worker plans for the build that needs no GPU.
        cuda = False
    return ROOT / "requirements" / ("cuda.lock" if cuda else "cpu.lock")
