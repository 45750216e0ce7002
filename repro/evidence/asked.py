"""asked/MANIFEST.json: the runs a manifest asks for now, kept current by `repro run`.

A run belongs to no manifest. Its folder lies where the manifest that first made it put it; this
list is how another manifest refers to it, and how the store knows which of several runs of one slot
counts.
"""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationError

from repro.errors import EvidenceError
from repro.evidence.reading import read_content
from repro.files import write_json
from repro.frozen import Frozen
from repro.manifest.names import Name
from repro.plan.run import Run

ASKED_FOLDER = "asked"


class Asked(Frozen):
    """One run, under the names of the manifest that asks for it."""

    id: str = Field(pattern=r"^[0-9a-f]{64}$")
    slot: str
    model: Name
    condition: Name
    seed: int | None


class Asking(Frozen):
    """The whole list of one manifest."""

    format: Literal[1] = 1
    manifest: Name
    runs: tuple[Asked, ...]


def write_asked(results: Path, manifest: str, runs: Iterable[Run]) -> None:
    """Write the list of runs a manifest asks for.

    A list that is up to date keeps its bytes and its time.
    """
    asked = tuple(
        Asked(
            id=run.id, slot=run.slot, model=run.model.id, condition=run.condition_id, seed=run.seed
        )
        for run in runs
    )
    path, content = (
        results / ASKED_FOLDER / f"{manifest}.json",
        Asking(manifest=manifest, runs=asked).model_dump(mode="json"),
    )
    try:
        known = json.loads(path.read_bytes())
    except (OSError, ValueError):
        known = None
    if known != content:
        write_json(path, content)


def read_asked(results: Path) -> Mapping[str, tuple[Asked, ...]]:
    """Read the runs that each manifest asks for.

    Raises EvidenceError for a list that cannot be read.
    """
    found = {}
    for path in sorted((results / ASKED_FOLDER).glob("*.json")):
        data, _ = read_content(path.parent, path.name)
        try:
            asking = Asking.model_validate_json(data)
        except ValidationError:
            raise EvidenceError(
                f"{path}: is no list of runs; `repro run {path.stem}` writes it again"
            ) from None
        if asking.manifest == path.stem:
            found[path.stem] = asking.runs
    return found
