"""Which finished folders are a manifest's, after every byte of them was read."""

from dataclasses import dataclass
from pathlib import Path

from repro.errors import EvidenceError
from repro.evidence.asked import read_asked
from repro.evidence.request import Request, read_request
from repro.store.faults import fault_of, noted_folders
from repro.store.ingest import run_folders


@dataclass(frozen=True)
class FinishedFolders:
    """The finished runs of a manifest."""

    folders: tuple[tuple[Path, Request], ...]
    """Runs that others go on from come first."""
    faults: tuple[str, ...]
    """A line for each folder that is not what it says."""
    absent: int
    """Runs that the manifest asks for and that are not among them."""


def finished_folders(results: Path, manifest: str) -> FinishedFolders:
    """Return a manifest's finished runs: those it asks for, and those in its folder."""
    asked = {one.id for one in read_asked(results).get(manifest, ())}
    noted = noted_folders(results)
    found: list[tuple[int, Path, Request]] = []
    faults: list[str] = []
    for path in run_folders(results):
        try:
            request = read_request(path)
        except EvidenceError as error:
            faults += [str(error)] if path.parent.name == manifest else []
            continue
        if request.id not in asked and path.parent.name != manifest:
            continue
        if fault := fault_of(path, noted.get(f"{path.parent.name}/{path.name}"), deep=True):
            faults.append(fault)
        elif (path / "done.json").exists():
            parent = request.run.parent
            found.append((parent.depth + 1 if parent else 0, path, request))
    found.sort(key=lambda one: one[:2])
    absent = asked - {request.id for _, _, request in found}
    return FinishedFolders(
        tuple((path, request) for _, path, request in found), tuple(faults), len(absent)
    )
