"""A run's provenance as one row: what people ask for first in columns of its own, the whole record beside."""

import json
from typing import Any

from repro.errors import EvidenceError
from repro.evidence.folder import RunFolder, read_json

Record = dict[str, Any]


def read_provenance(folder: RunFolder) -> Record:
    """provenance.json, empty for a run that no worker has begun. Raises EvidenceError for a record of another version."""
    path = folder.path / "provenance.json"
    if not path.exists():
        return {}
    record = read_json(path)
    attempts = record.get("attempts") if isinstance(record, dict) else None
    if not isinstance(attempts, list) or not all(isinstance(item, dict) and "host" in item for item in attempts):
        raise EvidenceError(
            f"{path}: not a record of attempts; it was written by another version of repro: use that version, or "
            "another folder (--results)"
        )
    return dict(record)


def provenance_row(run_id: str, record: Record) -> dict[str, Any]:
    """The row of one run; what differs between attempts is that of the last."""
    row: dict[str, Any] = {"run_id": run_id, "attempts": len(record.get("attempts", ())), "content": json.dumps(record)}
    if not row["attempts"]:
        return row
    last = record["attempts"][-1]
    host, hardware, isolation = last["host"], last["hardware"], last["isolation"]
    return {
        **row,
        "git_commit": host["commit"],
        "dirty": str(host["dirty"]).lower(),
        "code": record["environment"]["code"],
        "lock": record["environment"]["lock"],
        "weights": record["model"]["identity"]["model"]["weights"]["kind"],
        "stored_as": ", ".join(record["model"]["stored_as"]),
        "network": isolation["network"],
        "root": isolation["root"],
        "system": last["kernels"]["system"],
        "processor": hardware["processor"],
        "gpus": ", ".join(gpu["name"] for gpu in hardware["gpus"]) or "none",
        "gpu_driver": hardware["gpu_driver"],
    }
