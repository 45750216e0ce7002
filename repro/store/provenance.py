"""Turn a run's provenance into one row.

Common questions have columns of their own; `content` holds the whole record.
"""

import json
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from repro.errors import EvidenceError
from repro.evidence.folder import RunFolder
from repro.evidence.marker import Moment
from repro.evidence.reading import read_content
from repro.manifest.explain import explain


class _Known(BaseModel):
    """The part of a record that the store reads. A worker of another version may write more."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class _Host(_Known):
    commit: str | None = None
    dirty: bool | str | None = None
    runner: str | None = None


class _Gpu(_Known):
    name: str


class _Hardware(_Known):
    processor: str
    gpus: tuple[_Gpu, ...]
    gpu_driver: str


class _Isolation(_Known):
    network: str
    root: str


class _Kernels(_Known):
    system: str


class _Attempt(_Known):
    started: Moment
    sources: dict[str, str] = Field(default={})
    packages: dict[str, str] = Field(default={})
    host: _Host
    hardware: _Hardware
    isolation: _Isolation
    kernels: _Kernels


class _Edition(_Known):
    code: int
    packages: int


class _Environment(_Known):
    code: str
    lock: str
    image: str | None = None
    device: str | None = None
    edition: _Edition | None = None


class _Weights(_Known):
    kind: str


class _Model(_Known):
    weights: _Weights


class _Identity(_Known):
    model: _Model


class _Stored(_Known):
    identity: _Identity
    stored_as: tuple[str, ...]


class _Record(_Known):
    """provenance.json, as far as the store reads it."""

    run: str | None = None
    environment: _Environment
    model: _Stored
    attempts: tuple[_Attempt, ...] = Field(min_length=1)


class Provenance(_Known):
    """A checked record, and all of it as JSON."""

    record: _Record | None = None
    """None for a run that no worker has begun."""
    content: str = "{}"

    @property
    def started(self) -> str | None:
        """Return when the first attempt began."""
        return self.record.attempts[0].started if self.record else None

    @property
    def runner(self) -> str | None:
        """Return the name of the runner of the last attempt."""
        return self.record.attempts[-1].host.runner if self.record else None


def read_provenance(folder: RunFolder, run: str) -> Provenance:
    """Read the provenance.json of the run with this id.

    Raises EvidenceError for a record of another version or another run.
    """
    path = folder.path / "provenance.json"
    if not path.exists():
        return Provenance()
    data, _ = read_content(folder.path, path.name)
    try:
        record = _Record.model_validate_json(data)
        content = json.dumps(json.loads(data))
    except ValidationError as error:
        raise EvidenceError(
            f"{path}: not a record of attempts: {explain(error, _Record)}; it was written by "
            "another version of repro or "
            "edited: restore it, use that version, or another folder (--results)"
        ) from None
    if record.run not in (None, run):
        raise EvidenceError(
            f"{path}: is that of run {str(record.run)[:12]}, this folder's is {run[:12]}; "
            "restore the file"
        )
    return Provenance(record=record, content=content)


def provenance_row(run_id: str, provenance: Provenance) -> dict[str, Any]:
    """Return the row of one run. Fields that differ between attempts come from the last one."""
    record = provenance.record
    row: dict[str, Any] = {"run_id": run_id, "attempts": 0, "content": provenance.content}
    if record is None:
        return row
    last = record.attempts[-1]
    return {
        **row,
        "attempts": len(record.attempts),
        "git_commit": last.host.commit,
        "dirty": None if last.host.dirty is None else str(last.host.dirty).lower(),
        "device": record.environment.device,
        "edition": f"{edition.code}.{edition.packages}"
        if (edition := record.environment.edition)
        else None,
        "code": record.environment.code,
        "sources": json.dumps(last.sources),
        "lock": record.environment.lock,
        "image": record.environment.image,
        "packages": json.dumps(last.packages),
        "weights": record.model.identity.model.weights.kind,
        "stored_as": ", ".join(record.model.stored_as),
        "network": last.isolation.network,
        "root": last.isolation.root,
        "system": last.kernels.system,
        "processor": last.hardware.processor,
        "gpus": ", ".join(gpu.name for gpu in last.hardware.gpus) or "none",
        "gpu_driver": last.hardware.gpu_driver,
    }
