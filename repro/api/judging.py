"""Judge claims: by a store of evidence, or by per-seed values. `verify`, `judge`, `report` call it."""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from repro.api.asked import asked_claims
from repro.plain import Say

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import duckdb

    from repro.audit import Audited
    from repro.claims.claim import Claim
    from repro.claims.papers import Paper
    from repro.claims.tolerance import Basis
    from repro.manifest.experiment import Experiment
    from repro.store.check import FolderState
    from repro.verify.facts.structure import Structures
    from repro.verify.verdict import Verdict


def keep_silent(_: str) -> None:
    """Say nothing of what a command would note."""


@dataclass(frozen=True)
class JudgedClaims:
    """The verdicts of the claims that were asked about."""

    verdicts: "tuple[Verdict, ...]"
    """In the papers' order."""
    notes: tuple[str, ...]
    """What a reader of verdicts should know: what of the evidence was left out, and why."""

    @property
    def counts(self) -> "dict[Basis, dict[str, int]]":
        """Return how many verdicts have each basis and outcome, as the JSON of `repro verify`."""
        from repro.verify.assess import counts

        return counts(self.verdicts)

    @property
    def code(self) -> int:
        """Return 1 where a claim is contradicted or fails, else 3 where one was not run, else 0."""
        from repro.verify.assess import exit_code

        return exit_code(self.verdicts)


@dataclass(frozen=True)
class Judged:
    """The verdicts, and what they came from."""

    verdicts: "list[Verdict]"
    audit: "Audited"
    states: "list[FolderState]"
    """What is to be remembered of the folders that the store was compared with."""
    connection: "duckdb.DuckDBPyConnection | None"
    """The open store; None where there is none."""
    notes: tuple[str, ...]
    """What a reader of verdicts should know."""


@contextmanager
def verdicts_of(
    claims: "Sequence[Claim]",
    everything: "Sequence[Claim]",
    results: Path,
    given: "Mapping[str, Experiment]",
    deep: bool = False,
    trust: bool = False,
    exact: bool = False,
    whole: bool = False,
    tell: Say = keep_silent,
    key: Path | None = None,
) -> Iterator[Judged]:
    """Judge claims by the store, which stays open meanwhile.

    `given`: manifests by id that no name finds; `deep`, `trust`, `exact`: as the options of
    `repro verify`; `whole`: with artefact tests and what each verdict could have told, as `--json`
    says them and no screen does; `tell` takes what a reader of verdicts should know;
    `key`: a file with the public key that must have signed all evidence, which is then read anew
    and no store is asked. Raises EvidenceError where the store is not what its folders say.
    """
    from repro.audit import audit_claims
    from repro.execute.folders import passing_cache
    from repro.files import digest
    from repro.plan.code import worker_code
    from repro.store.check import Compared, compare_with_folders, refuse_without_store
    from repro.store.database import NAME, connect
    from repro.verify.assess import assess
    from repro.verify.evidence.kept import kept_notes
    from repro.verify.needs import needs

    audit = audit_claims(everything, remembered=passing_cache() / "audit.json")
    if key is None:
        refuse_without_store(results)
    stored = connect(results) if (results / NAME).exists() else nullcontext()
    covered: list[str] = []
    with _signed(results, key, covered.append) if key else stored as connection:
        compared = (
            compare_with_folders(results, connection, deep)
            if connection and not trust and key is None
            else Compared()
        )
        notes = (*covered, *compared.notes())
        if connection:
            notes += tuple(kept_notes(connection, claims))
        for note in notes:
            tell(note)
        found = assess(
            claims, connection, everything=everything, audit=audit.findings, needs=needs, built=structures_of(claims, tell),
            manifests=given, code=digest(worker_code()) if exact else None,
            tests=whole, power=whole,
        )  # fmt: skip
        yield Judged(found, audit, compared.states, connection, notes)


@contextmanager
def _signed(results: Path, key: Path, tell: Say) -> "Iterator[duckdb.DuckDBPyConnection]":
    """Build the index anew, in memory, and yield it where a key signed all that is in it.

    `tell` hears which statements cover it. Raises EvidenceError for a folder that cannot be trusted, or that no statement covers.
    """
    from repro.errors import EvidenceError
    from repro.share.dsse import read_public
    from repro.share.trust import refuse_unsigned
    from repro.store.ingest import build_index

    public = read_public(key)
    with build_index(results) as (connection, found):
        if found.refused:
            more = f" (and {len(found.refused) - 1} more)" if len(found.refused) > 1 else ""
            raise EvidenceError(f"{found.refused[0]}{more}")
        rows = connection.execute("SELECT folder, marker FROM folders WHERE marker IS NOT NULL")
        for line in refuse_unsigned(results, public, dict(rows.fetchall())):
            tell(line)
        yield connection


def judge_asked(name: str | None, results: Path | None, papers: Path | None) -> JudgedClaims:
    """Judge what NAME means among the known papers and those of a folder. Raises ReproError."""
    from repro.execute.folders import results_to_read

    folder = results_to_read(None if results is None else str(results))
    asked, notes = asked_claims(name, papers), list[str]()
    with verdicts_of(
        asked.claims, asked.everything, folder, asked.given, whole=True, tell=notes.append
    ) as found:
        return JudgedClaims(tuple(found.verdicts), tuple(notes))


def judge_by_values(
    paper: "Paper", values: Path, power: bool = False, tell: Say = keep_silent
) -> "tuple[list[Verdict], Audited]":
    """Judge a paper's claims on per-seed values in a CSV file; return verdicts and audit.

    No store is read, nothing is run. `tell` takes what no claim speaks of. Raises InputError for
    values that cannot be read, and where none is of a claim's cell.
    """
    from repro.audit import audit_claims
    from repro.verify.assess import assess
    from repro.verify.evidence.axes import axes_of
    from repro.verify.evidence.repetition import with_seeds
    from repro.verify.evidence.supplied import (
        judged_on_values,
        supplied_evidence,
        without_values,
    )
    from repro.verify.evidence.unmatched import named_levels, refuse_unmatched, unspoken
    from repro.verify.evidence.values import read_values

    given = read_values(values, axes_of(paper.claims, paper.aliases))
    written, used = with_seeds(paper.claims, given)
    claims = judged_on_values(written, used)
    audit = audit_claims(paper.claims)
    evidence, built = supplied_evidence(used, claims), structures_of(claims, tell)

    def judged(claims: "Sequence[Claim]") -> "list[Verdict]":
        return assess(
            claims, None, everything=claims, audit=audit.findings, built=built, supplied=evidence,
            power=power,
        )  # fmt: skip

    verdicts = judged(claims)
    if left := without_values(written, claims, verdicts):
        verdicts = judged(left)
    levels = named_levels(paper.claims)
    refuse_unmatched(verdicts, given, levels, paper.id)
    for _, line in unspoken(given, levels, paper.id):
        tell(line)
    return verdicts, audit


def structures_of(claims: "Sequence[Claim]", tell: Say) -> "Structures":
    """Return what the models of structural claims are built of.

    Where that cannot be found out here, a note says why.
    """
    from repro.errors import SetupError
    from repro.execute.folders import passing_cache
    from repro.machine.structures import Wanted, structures
    from repro.verify.facts.settings import manifest
    from repro.verify.facts.structure import structural_pairs

    pairs = structural_pairs(
        claims, lambda name: found.training if (found := manifest(name)) else None
    )
    wanted = [Wanted(model, training) for model, training in pairs.values()]
    try:
        return dict(zip(pairs, structures(wanted, passing_cache(), tell), strict=True))
    except SetupError as problem:
        tell(str(problem))
        return {}
