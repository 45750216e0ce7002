"""The marker of a finished run: how it ended, and the digest of every file that is its evidence.

done.json is written last, by the worker. A second part, done.second.json, may follow later (scores
that are given after generation): it lists further files and holds the digest of the first part, so
that neither can be changed alone. Files of numbers must exist. Weights may be absent: evidence is
shared without them.
"""

import os
import re
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from pydantic import AfterValidator, Field, ValidationError, model_validator

from repro.errors import EvidenceError
from repro.evidence.reading import read_content
from repro.frozen import Frozen
from repro.manifest.explain import explain

FIRST = "done.json"
SECOND = "done.second.json"
FORMAT = 2
WEIGHTS = re.compile(r"(^|/)adapter/[^/]+$")
"""Matches the weights in a marker of format 1, which does not name them."""
INSIDE = re.compile(r"[A-Za-z0-9_+-][A-Za-z0-9._+-]*(/[A-Za-z0-9_+-][A-Za-z0-9._+-]*)*")
Status = Literal["done", "diverged"]


def _inside(path: str) -> str:
    """Return the path.

    Raises ValueError for one that could lead out of its folder, or that no run writes.
    """
    if not INSIDE.fullmatch(path) or len(path) > 240:
        raise ValueError(f"{path!r} is no path of a file inside a run's folder")
    return path


Inside = Annotated[str, AfterValidator(_inside)]
Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


def _moment(text: str) -> str:
    """Return the text. Raises ValueError when it is not a date and time."""
    datetime.fromisoformat(text)
    return text


Moment = Annotated[str, AfterValidator(_moment)]


class _Part(Frozen):
    """The fields that both parts of a marker have."""

    format: Literal[1, 2] = 1
    finished: Moment
    files: dict[Inside, Digest]
    """sha256 by path."""
    weights: tuple[Inside, ...] = ()
    """Which of `files` may be absent."""

    @model_validator(mode="after")
    def _weights_are_listed(self) -> "_Part":
        """Require that `files` lists every weight."""
        if unlisted := sorted(set(self.weights) - self.files.keys()):
            raise ValueError(f"weights names {unlisted[0]}, which files does not list")
        return self


class First(_Part):
    """The content of done.json."""

    run: Digest | None = None
    """The run's id; None in format 1."""
    status: Status
    reason: str | None = None


class Second(_Part):
    """The content of done.second.json."""

    first: Digest
    """sha256 of done.json."""


class Marker(Frozen):
    """Both parts together."""

    run: str | None
    status: Status
    reason: str | None
    finished: str
    files: dict[str, str]
    weights: frozenset[str]
    later: frozenset[str]
    """The files of the second part."""
    digests: dict[str, str]
    """sha256 of each part, by its name."""

    def is_weights(self, path: str) -> bool:
        """Return whether a listed file may be absent."""
        return path in self.weights


_P = TypeVar("_P", bound=_Part)


def read_marker(folder: Path) -> Marker | None:
    """Read the marker of a run; None while the run is not finished.

    Raises EvidenceError when a part is not complete, not what a worker writes, or does not
    belong to the other part.
    """
    if not os.path.lexists(folder / FIRST):
        return None
    first, digest = _read_part(First, folder / FIRST)
    weights = set(first.weights)
    if first.format == 1:
        weights |= {path for path in first.files if WEIGHTS.search(path)}
    files, digests = dict(first.files), {FIRST: digest}
    if os.path.lexists(folder / SECOND):
        second, digests[SECOND] = _read_part(Second, folder / SECOND)
        _check_second(second, files, digest, folder / SECOND)
        files |= second.files
        weights |= set(second.weights)
    return Marker(
        run=first.run,
        status=first.status,
        reason=first.reason,
        finished=first.finished,
        files=files,
        weights=frozenset(weights),
        later=frozenset(files.keys() - first.files.keys()),
        digests=digests,
    )


def _check_second(second: Second, files: dict[str, str], digest: str, path: Path) -> None:
    """Raise EvidenceError unless the second part belongs to the first and lists no file again."""
    if second.first != digest:
        raise EvidenceError(
            f"{path}: belongs to a {FIRST} of sha256 {second.first[:12]}, found "
            f"{digest[:12]}; one of the two was "
            "changed: restore it, or remove the folder and run again"
        )
    if twice := sorted(second.files.keys() & files.keys()):
        raise EvidenceError(
            f"{path}: lists {twice[0]}, which {FIRST} lists already; restore the marker, or "
            f"remove {path.name}"
        )


def _read_part(record: type[_P], path: Path) -> tuple[_P, str]:
    """Return one part, checked by its schema, and the digest of the bytes that were read."""
    data, state = read_content(path.parent, path.name)
    way = f"restore it, or remove the folder {path.parent} and run again"
    try:
        return record.model_validate_json(data), state.sha256
    except ValidationError as error:
        if error.errors(include_url=False)[0]["type"] == "json_invalid":
            raise EvidenceError(f"{path}: cannot be read (not whole JSON); {way}") from None
        raise EvidenceError(
            f"{path}: not a marker of this version: {explain(error, record)}; {way}"
        ) from None


def part(files: dict[str, str], weights: list[str], **fields: Any) -> dict[str, Any]:
    """Return the content of a part for writing."""
    return {"format": FORMAT, **fields, "files": files, "weights": weights}
