"""A run's provenance as one row: what people ask for first in columns of its own, the whole record beside."""

import json
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from repro.errors import EvidenceError
from repro.evidence.folder import RunFolder
from repro.evidence.marker import Moment
from repro.evidence.reading import read_content
from repro.manifest.explain import explain


class _Known(BaseModel):
    """The part of a record that the store reads; a worker of another version may write more."""

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
    host: _Host
    hardware: _Hardware
    isolation: _Isolation
    kernels: _Kernels


class _Environment(_Known):
    code: str
    lock: str


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
    """provenance.json, as far as it is read here."""

    run: str | None = None
    environment: _Environment
    model: _Stored
    attempts: tuple[_Attempt, ...] = Field(min_length=1)


class Provenance(_Known):
    """A record that was checked, and the whole of it as JSON."""

    record: _Record | None = None
    """None for a run that no worker has begun."""
    content: str = "{}"

    @property
    def started(self) -> str | None:
        """When the first attempt began."""
        return self.record.attempts[0].started if self.record else None

    @property
    def runner(self) -> str | None:
        """What carried out the last attempt."""
        return self.record.attempts[-1].host.runner if self.record else None


def read_provenance(folder: RunFolder, run: str) -> Provenance:
    """provenance.json of the run with this id. Raises EvidenceError for a record of another version or run."""
    path = folder.path / "provenance.json"
    if not path.exists():
        return Provenance()
    data, _ = read_content(folder.path, path.name)
    try:
        record = _Record.model_validate_json(data)
        content = json.dumps(json.loads(data))
    except ValidationError as error:
        raise EvidenceError(
            f"{path}: not a record of attempts: {explain(error, _Record)}; it was written by another version of repro or "
            "edited: restore it, use that version, or another folder (--results)"
        ) from None
    if record.run not in (None, run):
        raise EvidenceError(
            f"{path}: is that of run {str(record.run)[:12]}, this folder's is {run[:12]}; restore the file"
        )
    return Provenance(record=record, content=content)


def provenance_row(run_id: str, provenance: Provenance) -> dict[str, Any]:
    """The row of one run; what differs between attempts is that of the last."""
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
        "code": record.environment.code,
        "lock": record.environment.lock,
        "weights": record.model.identity.model.weights.kind,
        "stored_as": ", ".join(record.model.stored_as),
        "network": last.isolation.network,
        "root": last.isolation.root,
        "system": last.kernels.system,
        "processor": last.hardware.processor,
        "gpus": ", ".join(gpu.name for gpu in last.hardware.gpus) or "none",
        "gpu_driver": last.hardware.gpu_driver,
    }
