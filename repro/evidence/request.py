"""run.json: what the host asks of a worker, and what must not change once evidence exists."""

import json
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from repro.errors import EarlierEvidenceError, EvidenceError
from repro.evidence.folder import read_json, unreadable
from repro.evidence.reading import read_content
from repro.files import digest, write_json
from repro.frozen import Frozen
from repro.plan.run import ABSENT, KEY_VERSION, Run, differences, folder_name

_FORMAT = 2
EARLIER = 1


class Request(Frozen):
    """One run, and the newest seal of the claims when it was made."""

    format: int = _FORMAT
    id: str
    slot: str
    run: Run
    seal: str | None = None
    """Digest of the newest seal of the claims at that time (`repro.evidence.seals`); None:
    nothing was sealed.
    """

    @property
    def folder(self) -> str:
        """Return the name of its folder, from the name the run had then."""
        return folder_name(self.slot, self.id)


def write_request(folder: Path, request: Request) -> None:
    """Write run.json, with the key in full so that a later difference can be named."""
    write_json(folder / "run.json", {**request.model_dump(mode="json"), "key": request.run.key()})


def read_request(folder: Path) -> Request:
    """Read run.json.

    Raises EvidenceError for another format, or when id, key and content disagree.
    """
    data, _ = read_content(folder, "run.json")
    return request_of(data, folder)


def request_of(data: bytes, folder: Path) -> Request:
    """Return the request in the bytes of a run.json in `folder`.

    Raises EvidenceError as `read_request`.
    """
    try:
        content = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise unreadable(folder / "run.json", error) from None
    stored = content.pop("key", None) if isinstance(content, dict) else None
    found = content.get("format") if isinstance(content, dict) else type(content).__name__
    if found == EARLIER:
        raise EarlierEvidenceError(
            f"{folder}: was made by an earlier version of repro, which named runs by their "
            "sources; run its manifest again, or "
            "read it with that version"
        )
    if found != _FORMAT:
        raise EvidenceError(
            f"{folder / 'run.json'}: found format {found}, expected {_FORMAT}; it was written "
            "by another version of "
            "repro: use that version, or another folder (--results)"
        )
    try:
        request = Request.model_validate(content)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        field = ".".join(map(str, first["loc"]))
        raise EvidenceError(
            f"{folder / 'run.json'}: field {field}: {first['msg']}; it was written by "
            "another version of repro or "
            "edited: use that version, or another folder (--results)"
        ) from None
    if not isinstance(stored, dict) or digest(stored) != request.id:
        raise EvidenceError(
            f"{folder / 'run.json'}: the id is not that of its key; the file was edited: run again"
        )
    if apart := _apart(stored, request):
        raise EvidenceError(
            f"{folder / 'run.json'}: key and run disagree ({apart}); the file was edited: run again"
        )
    return request


def _apart(stored: dict[str, Any], request: Request) -> str:
    """Return where the run differs from its key; empty where it does not.

    A field that the key does not have came with a later version, and is no difference.
    """
    if request.slot != request.run.slot:
        return f"slot: {request.slot} → {request.run.slot}"
    if stored.get("key_version") != KEY_VERSION:
        return ""  # Keys of another version are made differently.
    lines = differences(stored, request.run.key())
    return next((line for line in lines if f": {ABSENT} → " not in line), "")


def lies_right(path: Path, request: Request) -> bool:
    """Return whether a folder lies where its run was made, under its own name."""
    return (path.parent.name, path.name) == (request.run.experiment, request.folder)


def stored_key(folder: Path) -> dict[str, Any]:
    """Return the key stored beside a result."""
    content = read_json(folder / "run.json")
    key = content.get("key") if isinstance(content, dict) else None
    return key if isinstance(key, dict) else {"key_version": f"not {KEY_VERSION}"}
