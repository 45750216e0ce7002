"""seals/: the claims as they stood, hashed, before a run started.

A seal holds the digest of every claim's judging rule by the manifest that measures it, its time,
and the digest of the seal before it. A run names the newest seal at its start (run.json, which its
marker holds), so this chain, and no clock, tells which came first: a claim existed before a run if
the run's own seal has it.
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

from pydantic import ValidationError

from repro.claims.claim import Claim
from repro.errors import ReproError
from repro.evidence.marker import Moment
from repro.evidence.reading import read_content
from repro.files import canonical_json, write_bytes
from repro.frozen import Frozen

SEALS_FOLDER = "seals"
Sealed = dict[str, dict[str, str]]
"""Manifest → claim → digest of its judging rule."""


class Seal(Frozen):
    """One seal, as stored in seals/TIME-DIGEST.json."""

    format: int = 1
    sealed: Moment
    before: str | None
    """Digest of the previous seal; None for the first."""
    claims: Sealed


def seal_claims(results: Path, claims: Iterable[Claim]) -> str:
    """Seal the claims if they differ from the newest seal. Return the digest of the newest seal."""
    wanted: Sealed = {}
    for claim in claims:
        if claim.measured_by is not None:
            wanted.setdefault(claim.measured_by, {})[claim.id] = claim.digest
    known = read_seals(results)
    newest = next(reversed([*known]), None)
    if newest is not None and known[newest].claims == wanted:
        return newest
    sealed = datetime.now(UTC).isoformat(timespec="seconds")
    content = canonical_json(
        Seal(sealed=sealed, before=newest, claims=wanted).model_dump(mode="json")
    ).encode()
    return _write(results, sealed, content)


def read_seals(results: Path) -> Mapping[str, Seal]:
    """Return the seals by their digests, each after the one it names as previous.

    An edited seal has another digest than its name and is left out, with all seals after it.
    """
    found: dict[str, Seal] = {}
    for path in sorted((results / SEALS_FOLDER).glob("*.json")):
        try:
            data, state = read_content(path.parent, path.name)
            seal = Seal.model_validate_json(data)
        except (ReproError, ValidationError):
            continue
        if path.stem.endswith(f"-{state.sha256[:12]}"):
            found[state.sha256] = seal
    chain: dict[str, Seal] = {}
    last: str | None = None
    while following := [
        digest for digest, seal in found.items() if seal.before == last and digest not in chain
    ]:
        last = following[0]
        chain[last] = found[last]
    return chain


def counting_seals(results: Path) -> list[Path]:
    """Return the files of the seals that count."""
    known = {digest[:12] for digest in read_seals(results)}
    found = sorted((results / SEALS_FOLDER).glob("*.json"))
    return [path for path in found if path.stem.rpartition("-")[2] in known]


def edited_seals(results: Path) -> list[str]:
    """Return a line for each seal that is not what it was, or that no other leads to."""
    kept = {digest[:12] for digest in read_seals(results)}
    return [
        f"{path}: is no seal any more: it was edited, or one before it was edited or is gone; "
        "claims of runs that name it are at best inconclusive: restore the file"
        for path in sorted((results / SEALS_FOLDER).glob("*.json"))
        if path.stem.rpartition("-")[2] not in kept or not _is_own(path)
    ]


def _is_own(path: Path) -> bool:
    """Return whether a seal's content is that of its name."""
    try:
        _, state = read_content(path.parent, path.name)
    except ReproError:
        return False
    return path.stem.endswith(f"-{state.sha256[:12]}")


def _write(results: Path, sealed: str, content: bytes) -> str:
    """Write a seal, named by its time and digest. Return the digest."""
    digest = sha256(content).hexdigest()
    time = sealed.split("+")[0].replace(":", "").replace("-", "")
    write_bytes(results / SEALS_FOLDER / f"{time}-{digest[:12]}.json", content)
    return digest
