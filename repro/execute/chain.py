"""Chain runs: when one may start from another's adapter, and what is copied for it.

A worker sees only its own folder (in a container nothing else is mounted), so the host copies there
what the run starts from: the parent's adapter, its measurements of the base model (the anchor of
the whole chain, docs/SCIENCE.md §5), and origin.json, which names their run. All of it is evidence
of the run.
"""

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from repro.errors import EvidenceError
from repro.evidence.folder import RunFolder, read_json
from repro.files import file_digest, write_bytes, write_json
from repro.plan.run import Parent, Run

ANCHOR = "steps/000000.parquet"


@dataclass(frozen=True)
class Hold:
    """Why a run may not start."""

    reason: str
    kind: Literal["not yet", "never"]


def hold_reason(run: Run, folder: RunFolder) -> Hold | None:
    """Return why a run may not start; None when it may."""
    if run.parent is None or (folder.start.path / "origin.json").exists():
        return None
    try:
        marker = _parent_folder(run.parent, folder).done()
    except EvidenceError as error:
        return Hold(
            f"starts from {run.parent.slot}, whose marker cannot be trusted: {error}", "never"
        )
    if marker is None:
        return Hold(
            f"starts from {run.parent.slot}, which is not finished; run it too, or see above "
            "why it failed",
            "not yet",
        )
    if marker.status != "done":
        fix = (
            "change what that run trains with (a lower learning rate, say), or leave this one's "
            "condition out"
        )
        return Hold(f"starts from {run.parent.slot}, which {marker.reason}; {fix}", "never")
    return None


def bring_start(run: Run, folder: RunFolder) -> None:
    """Copy what a chained run starts from into its folder, checked against the parent's marker.

    origin.json is written last: it says that the copy is complete.
    """
    if run.parent is None:
        return
    parent = _parent_folder(run.parent, folder)
    parent.check()
    start = folder.start.path
    for path in sorted((parent.path / "adapter").iterdir()):
        (start / "adapter").mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, start / "adapter" / path.name)
    first = parent.start.path / ANCHOR
    write_bytes(start / ANCHOR, (first if first.exists() else parent.path / ANCHOR).read_bytes())
    write_json(start / "origin.json", _origin(run.parent, parent, start))


def _origin(parent: Parent, folder: RunFolder, start: Path) -> dict[str, Any]:
    """Return whose adapter it is, the digest of each file, and the same of every run before it."""
    marker = folder.done()
    assert marker is not None
    copied = {
        f"adapter/{path.name}": file_digest(path) for path in sorted((start / "adapter").iterdir())
    }
    for name, found in copied.items():
        if marker.files.get(name) != found:
            raise EvidenceError(
                f"{start / name}: differs from what {parent.slot} left; remove "
                f"{start.parent} and run again"
            )
    before = folder.start.path / "origin.json"
    return {
        "run": parent.id,
        "slot": parent.slot,
        "finished": marker.finished,
        "files": copied,
        "origin": read_json(before) if before.exists() else None,
    }


def _parent_folder(parent: Parent, folder: RunFolder) -> RunFolder:
    """Return the parent's folder: beside the run's own, or where another manifest made it."""
    from repro.execute.folders import by_name, find_run

    return RunFolder(
        find_run(parent.id, folder.path.parent / parent.folder, by_name(folder.path.parents[2]))
    )
