"""Which manifests a paper's claims may name, and where those lie that a name does not find."""

import re
from collections.abc import Iterator
from glob import escape
from pathlib import Path

from repro.errors import ManifestError
from repro.files import is_file
from repro.manifest.load import CATALOGUES, MANIFESTS
from repro.manifest.yaml import read_yaml
from repro.shipped import places

_ARMS = re.compile(rb"^arms\s*:", re.MULTILINE)
"""Every manifest says which runs it asks for, and no block of claims does."""
_LONGEST = 2**20  # bytes of a file that is looked into; manifests are a few thousand


def is_manifest_path(name: str) -> bool:
    """Tell whether a manifest is named by its file rather than by its name."""
    return name.endswith((".yaml", ".yml"))


def is_manifest(file: Path) -> bool:
    """Tell whether a YAML file is a manifest, not claims or something else."""
    try:
        with file.open("rb") as content:
            return bool(_ARMS.search(content.read(_LONGEST)))
    except OSError:
        return False


def planned_manifests() -> frozenset[str]:
    """Return the manifests that are announced and not yet written (manifests/planned.yaml)."""
    return frozenset(read_yaml(MANIFESTS / "planned.yaml") or ())


def known_manifests(folder: Path) -> dict[str, Path | None]:
    """Return every manifest that a paper's claims may name, with its file.

    None for a file that its name finds. Those in manifests/ of the working folder come first, then
    those beside the paper (in its folder, above it, or above a folder papers/), those that come
    with the project, and those that are announced.
    """
    shipped = {file.stem for file in MANIFESTS.glob("*.yaml")} - set(CATALOGUES)
    known: dict[str, Path | None] = dict.fromkeys((*planned_manifests(), *shipped))
    known |= {file.stem: file for file in _beside(folder.absolute())}
    for place in places("manifests")[:-1]:
        known |= dict.fromkeys(
            file.stem for file in place.glob("*.yaml") if file.stem not in CATALOGUES
        )
    return known


def manifest_beside(path: str, folder: Path, where: str) -> Path:
    """Return the file that `measured_by` names by a path from the paper's folder.

    Raises ManifestError where there is no manifest.
    """
    file = folder / path
    if not is_file(file) or not is_manifest(file):
        raise ManifestError(
            f"{where}: field measured_by: {path!r} is no manifest; give its path as seen "
            f"from {folder}, or its name"
        )
    return file


def manifest_near(name: str, folder: Path) -> Path | None:
    """Return the manifest of that name in a folder beside the paper's; None for none or several."""
    found = [
        file
        for file in folder.absolute().parent.glob(f"*/{escape(name)}.yaml")
        if is_manifest(file)
    ]
    return found[0] if len(found) == 1 else None


def _beside(folder: Path) -> Iterator[Path]:
    """Yield the manifests around a paper's folder, the nearest last."""
    found_by_name = {place.resolve() for place in places("manifests")}
    above = (folder.parent.parent,) if folder.parent.name == "papers" else ()
    for place in (*above, folder.parent, folder):
        if place.resolve() not in found_by_name:
            yield from (
                file
                for file in place.glob("*.yaml")
                if file.name != "paper.yaml" and is_manifest(file)
            )
