"""run.json: what the host asks of a worker, and what must not change once evidence exists."""

import json
from pathlib import Path
from typing import Any, Literal

from pydantic import ValidationError

from repro.errors import EvidenceError
from repro.evidence.folder import read_json, unreadable
from repro.evidence.reading import read_content
from repro.files import digest, write_json
from repro.frozen import Frozen
from repro.plan.run import ABSENT, KEY_VERSION, Run, differences

FORMAT = 1


class Request(Frozen):
    """One run, and the claims that were bound to it before it started."""

    format: int = FORMAT
    id: str
    slot: str
    run: Run
    claims: dict[str, str]
    """Digest of the judging rule of every claim this manifest measures, by claim id."""
    threads: int
    """Processor threads: sums depend on how they are split, so a resumed run keeps them."""
    device: Literal["cpu", "cuda"] | None = None
    """What the run was planned for; a worker that finds none refuses. None: its node decides."""


def write_request(folder: Path, request: Request) -> None:
    """Write run.json, with the key spelled out for whoever asks later what differs."""
    write_json(folder / "run.json", {**request.model_dump(mode="json"), "key": request.run.key()})


def read_request(folder: Path) -> Request:
    """Read run.json. Raises EvidenceError for another format, or when id, key and content disagree."""
    data, _ = read_content(folder, "run.json")
    return request_of(data, folder)


def request_of(data: bytes, folder: Path) -> Request:
    """The request in the bytes of a run.json that lies in `folder`. Raises EvidenceError as `read_request`."""
    try:
        content = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise unreadable(folder / "run.json", error) from None
    stored = content.pop("key", None) if isinstance(content, dict) else None
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        found = content.get("format") if isinstance(content, dict) else type(content).__name__
        raise EvidenceError(
            f"{folder / 'run.json'}: found format {found}, expected {FORMAT}; it was written by another version of "
            "repro: use that version, or another folder (--results)"
        )
    try:
        request = Request.model_validate(content)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        field = ".".join(map(str, first["loc"]))
        raise EvidenceError(
            f"{folder / 'run.json'}: field {field}: {first['msg']}; it was written by another version of repro or "
            "edited: use that version, or another folder (--results)"
        ) from None
    if not isinstance(stored, dict) or digest(stored) != request.id:
        raise EvidenceError(f"{folder / 'run.json'}: the id is not that of its key; the file was edited: run again")
    if apart := _apart(stored, request):
        raise EvidenceError(f"{folder / 'run.json'}: key and run disagree ({apart}); the file was edited: run again")
    return request


def _apart(stored: dict[str, Any], request: Request) -> str:
    """Where the run is not what its key says. A field that the key does not know came with a later version."""
    if request.slot != request.run.slot:
        return f"slot: {request.slot} → {request.run.slot}"
    if stored.get("key_version") != KEY_VERSION:
        return ""  # the keys of another version are made otherwise
    lines = differences(stored, request.run.key())
    return next((line for line in lines if f": {ABSENT} → " not in line), "")


def stored_key(folder: Path) -> dict[str, Any]:
    """The key inputs kept beside a result."""
    content = read_json(folder / "run.json")
    key = content.get("key") if isinstance(content, dict) else None
    return key if isinstance(key, dict) else {"key_version": f"not {KEY_VERSION}"}
