"""Refuse evidence that is not covered by a statement which a key signed.

What counts is a test result, because it names all that was there when it was signed: the markers of
every run, the list of what the manifest asks for, the seals. It covers them only together: where one
is other or gone, it covers nothing, or a seed that does not please could be left out.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from repro.errors import EvidenceError
from repro.evidence.asked import ASKED_FOLDER
from repro.evidence.marker import FIRST, INSIDE, SECOND
from repro.evidence.reading import read_content, read_run_state
from repro.evidence.seals import SEALS_FOLDER, counting_seals
from repro.evidence.supplied import supplied_folders
from repro.share.attest import STATEMENTS, TEST_RESULT, signed_manifest
from repro.share.dsse import SignedStatement, checked_statement

_RUNS = "runs"


@dataclass(frozen=True)
class Signed:
    """The test results that one key signed."""

    whole: frozenset[tuple[str, str]]
    """(path below results/, sha256) of all that whole statements name."""
    statements: int
    """Test results by this key."""
    broken: tuple[str, ...]
    """A line for each that names something which is other now, or gone."""
    others: int
    """Statements of other keys, or none at all."""
    names: tuple[str, ...] = ()
    """What whole statements are called: the digest of each."""
    manifests: frozenset[str] = frozenset()
    """Whose verdicts they state."""


def signed_evidence(results: Path, public: Any) -> Signed:
    """Read every statement, and say what those of this key cover."""
    whole, broken, statements, others = set[tuple[str, str]](), list[str](), 0, 0
    names, manifests = list[str](), set[str]()
    for path in sorted((results / STATEMENTS).glob("*/*.json")):
        statement = _read(path, public)
        if statement is None:
            others += 1
        elif statement.predicateType == TEST_RESULT:
            statements += 1
            pairs = {(one.name, one.digest.get("sha256", "")) for one in statement.subject}
            apart = [name for name, digest in sorted(pairs) if _digest(results, name) != digest]
            if apart:
                broken.append(f"{results / apart[0]}: was signed as another file, or is gone")
            else:
                whole |= pairs
                names.append(path.stem)
                manifests.add(signed_manifest(statement))
    return Signed(
        frozenset(whole), statements, tuple(broken), others, tuple(names), frozenset(manifests)
    )


def refuse_unsigned(results: Path, public: Any, markers: Mapping[str, str]) -> tuple[str, ...]:
    """Return what a reader should know of the statements that cover all evidence.

    `markers`: experiment/folder → the digests of the marker's parts, as they were read. Raises
    EvidenceError for evidence that no whole statement of a key covers.
    """
    signed = signed_evidence(results, public)
    uncovered = list(_uncovered(results, signed, markers))
    if uncovered:
        more = f" (and {len(uncovered) - 1} more)" if len(uncovered) > 1 else ""
        why = f"; {signed.broken[0]}" if signed.broken else ""
        raise EvidenceError(
            f"{uncovered[0]}: no valid statement covers it{more}{why}; found "
            f"{signed.statements} of this key on verdicts and {signed.others} of none or another: "
            "`repro attest NAME --key FILE` signs, `repro pull` brings statements too"
        )
    lent = sorted({folder.partition("/")[0] for folder in markers} - signed.manifests)
    covering = f"covered by the statements {', '.join(name[:12] for name in signed.names)}"
    return (
        *([covering] if signed.names else []),
        *(
            f"{one}: its runs are covered by other manifests' statements alone; runs that only it "
            "asks for may have been left out"
            for one in lent
        ),
    )


def _uncovered(results: Path, signed: Signed, markers: Mapping[str, str]) -> Iterator[Path]:
    """Yield each marker, list, seal and folder of supplied files that is not covered.

    A seal that was put before the true ones would cut them off, and all verdicts by them.
    """
    for folder, digests in markers.items():
        for part, digest in zip((FIRST, SECOND), digests.split(" "), strict=False):
            if (f"{_RUNS}/{folder}/{part}", digest) not in signed.whole:
                yield results / _RUNS / folder / part
    for path in sorted((results / ASKED_FOLDER).glob("*.json")):
        name = f"{ASKED_FOLDER}/{path.name}"
        if (name, _digest(results, name)) not in signed.whole:
            yield path
    for path in counting_seals(results):
        name = f"{SEALS_FOLDER}/{path.name}"
        if (name, _digest(results, name)) not in signed.whole:
            yield path
    yield from supplied_folders(results)


def _read(path: Path, public: Any) -> SignedStatement | None:
    """Return a statement that a key signed; None for any other file.

    One under another's name is none: who noted the names of statements knows them by these.
    """
    try:
        data, state = read_content(path.parent, path.name)
    except EvidenceError:
        return None
    return checked_statement(data, public) if path.stem == state.sha256 else None


def _digest(results: Path, name: str) -> str | None:
    """Return the sha256 of a file below a results folder; None where there is none."""
    try:
        return read_run_state(results.resolve(), name).sha256 if INSIDE.fullmatch(name) else None
    except EvidenceError:
        return None
