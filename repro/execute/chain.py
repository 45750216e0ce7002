"""Runs that go on from another run's adapter: when they may start, and what they take with them.

A worker sees its own folder alone (in a container nothing else is mounted), so the host copies there what the run starts
from: the parent's adapter, its measurements of the base model (the anchor of the whole chain, docs/SCIENCE.md §5), and
origin.json, which says whose they are. All of it is evidence of the run.
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


def held(run: Run, folder: RunFolder) -> Hold | None:
    """None when the run may start. Raises EvidenceError for a parent whose marker cannot be read."""
    if run.parent is None or (folder.start.path / "origin.json").exists():
        return None
    marker = _parent_folder(run.parent, folder).done()
    if marker is None:
        return Hold(
            f"starts from {run.parent.slot}, which is not finished; run it too, or see above why it failed", "not yet"
        )
    if marker.status != "done":
        fix = "change what that run trains with (a lower learning rate, say), or leave this one's condition out"
        return Hold(f"starts from {run.parent.slot}, which {marker.reason}; {fix}", "never")
    return None


def bring_start(run: Run, folder: RunFolder) -> None:
    """Copy what a chained run starts from into its folder, checked against the parent's marker; origin.json last."""
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
    """Whose adapter it is, the digest of each file, and the same of every run before it."""
    marker = folder.done()
    assert marker is not None
    copied = {f"adapter/{path.name}": file_digest(path) for path in sorted((start / "adapter").iterdir())}
    for name, found in copied.items():
        if marker.files.get(name) != found:
            raise EvidenceError(
                f"{start / name}: differs from what {parent.slot} left; remove {start.parent} and run again"
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
    return RunFolder(folder.path.parent / parent.folder)
