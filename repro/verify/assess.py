"""Judge claims: gather their evidence once, estimate, judge, and correct for multiple tests.

Claims that need no run are settled first. A verdict is never better than its evidence
(docs/SCIENCE.md §13): a claim that rests on a definition or a setting has outcomes of its own, and
evidence of a lesser grade than the claim needs decides nothing.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any

from repro.claims.claim import Basis, Claim, Grade
from repro.claims.prints import Prints
from repro.manifest.experiment import Experiment
from repro.verify.artefacts import artefacts
from repro.verify.estimate.cells import Context
from repro.verify.estimate.estimate import estimate
from repro.verify.evidence.evidence import Evidence
from repro.verify.evidence.gather import Connection, gather_evidence
from repro.verify.evidence.grade import Protocols, grade_run
from repro.verify.evidence.kept import KeptFiles, read_kept
from repro.verify.evidence.lending import Plans, planned_bases
from repro.verify.facts.compare import ComparedSetting, compare_setting
from repro.verify.facts.definition import Settled, settle
from repro.verify.facts.settings import Settings, settings_of
from repro.verify.facts.structure import Structures
from repro.verify.judge import ALONE, Judgement, judge_alone
from repro.verify.judge.could_tell import could_tell
from repro.verify.judge.families import adjust, stands
from repro.verify.judge.recomputed import RECOMPUTED, recomputed
from repro.verify.seals import (
    Seals,
    read_claim_seals,
    refuse_changed_claims,
    stated_afterwards,
    which_came_first,
)
from repro.verify.verdict import (
    FILES_SAY,
    JUDGING,
    OUTCOMES,
    Estimate,
    Graded,
    Outcome,
    Verdict,
)
from repro.verify.wanted import wanted_cells

Findings = Mapping[str, Sequence[str]]
"""Claim id → ids of the audit checks that find it inconsistent."""
Needs = Callable[[Claim], str]
"""Function from a claim to what measuring it would take, in words; empty when that is unknown."""


_Counts = dict[Basis, dict[str, int]]
"""Basis → outcome → number of claims."""
JUDGED: tuple[Outcome, ...] = ("reproduced", "consistent", "contradicted")
GRADE_WORDS: dict[Grade, str] = {
    "own": "the paper's own models and settings",
    "other_settings": "other settings than printed",
    "twin": "a smaller twin",
    "random": "random weights",
    "supplied": "the authors' own files",
}


def assess(
    claims: Sequence[Claim],
    connection: Connection | None,
    *,
    everything: Sequence[Claim] = (),
    audit: Findings | None = None,
    needs: Needs = lambda _: "",
    built: Structures | None = None,
    manifests: Mapping[str, Experiment] | None = None,
    code: str | None = None,
    supplied: Evidence | None = None,
    tests: bool = True,
    power: bool = False,
) -> list[Verdict]:
    """Return a verdict for each claim, in the order given.

    `everything`: all claims of their papers, whose other printed numbers are needed;
    `connection`: the open store, None when nothing has been run; `built`: the architecture of
    models, by manifest and model; `manifests`: those that were read from a path; `code`: digest
    of the sources that the evidence must come from; `supplied`: values that replace the
    store's; `tests`: also test each value for being an artefact, which changes no outcome and takes
    as long as judging; `power`: also compute what each verdict could have told, which takes longer.

    Raises EvidenceError for a claim that was changed after its evidence was planned.
    """
    known, findings = [*everything] or claims, audit or {}
    protocols = Protocols.of(known, [claim for claim, checks in findings.items() if checks])
    measured = [claim for claim in claims if claim.basis == "measured"]
    plans = partial(planned_bases, given=manifests)
    evidence, seals = (
        (supplied, Seals()) if supplied else _evidence(measured, connection, protocols, plans, code)
    )
    refuse_changed_claims(claims, seals)
    context = Context(evidence, prints_by_source(known))
    kept = read_kept(connection, measured) if connection and not supplied and code is None else {}
    given = {name: Settings.of_manifest(found) for name, found in (manifests or {}).items()}
    verdicts = []
    for claim in claims:
        if claim.basis == "setting":
            name = claim.measured_by
            compared = compare_setting(claim, given.get(name or "") or settings_of(name))
            verdicts.append(_unmeasured(claim, compared, findings))
        elif claim.basis == "definition":
            settled = settle(claim, built or {}, context.prints)
            verdicts.append(_unmeasured(claim, settled, findings))
        else:
            verdict, found = _verdict(claim, context, seals, findings, needs, tests)
            sent = kept.get(claim.source)
            if (
                sent
                and not _by_runs(claim, verdict)
                and (theirs := _by_files(claim, sent, context, findings, tests))
            ):
                verdicts.append(theirs)
                continue
            told = could_tell(claim, found) if power else {}
            verdicts.append(verdict.model_copy(update={"could_tell": told}) if told else verdict)
    return _adjusted(verdicts, known)


def counts(verdicts: Iterable[Verdict]) -> _Counts:
    """Count the claims of each basis by outcome.

    Every basis and every outcome is listed, with 0 where it has none.
    """
    found: _Counts = {basis: dict.fromkeys(outcomes, 0) for basis, outcomes in OUTCOMES.items()}
    for verdict in verdicts:
        found[verdict.basis][verdict.outcome] += 1
    return found


def exit_code(verdicts: Iterable[Verdict]) -> int:
    """Return 1 if any claim is contradicted or fails, else 3 if any was not run, else 0."""
    found = counts(verdicts)
    if found["measured"]["contradicted"] or found["definition"]["fails"]:
        return 1
    return 3 if found["measured"]["not_run"] else 0


def prints_by_source(claims: Iterable[Claim]) -> dict[str, Prints]:
    """Return the printed numbers of each paper among the claims."""
    papers: dict[str, list[Claim]] = {}
    for claim in claims:
        papers.setdefault(claim.source, []).append(claim)
    return {source: Prints(found) for source, found in papers.items()}


def _evidence(
    claims: Sequence[Claim],
    connection: Connection | None,
    protocols: Protocols,
    plans: Plans,
    code: str | None,
) -> tuple[Evidence, Seals]:
    """Gather the evidence of the measured claims, and the seals they were judged under."""
    if connection is None:
        return Evidence(), Seals()
    cells = wanted_cells(claims)
    bases = {
        quantity
        for claim in claims
        if claim.tolerance.rule == "probe_sets"
        for quantity in claim.term.quantities()
    }
    grading = partial(grade_run, printed=protocols)
    evidence = gather_evidence(connection, cells, bases, grading, code, plans)
    return evidence, read_claim_seals(
        connection, {experiment for experiment, _, _ in cells}, evidence.lenders()
    )


def _unmeasured(claim: Claim, found: ComparedSetting | Settled, audit: Findings) -> Verdict:
    """Return the verdict of a claim that no run bears on."""
    return Verdict(
        id=claim.id, source=claim.source, locator=claim.locator, printed=claim.printed, value=claim.value,
        kind=claim.kind, basis=claim.basis, outcome=found.outcome, estimate=found.value,
        tolerance=tolerance_text(claim), reason=found.reason, audit=tuple(audit.get(claim.id, ())),
    )  # fmt: skip


def _verdict(
    claim: Claim, context: Context, seals: Seals, audit: Findings, needs: Needs, tests: bool
) -> tuple[Verdict, Estimate]:
    """Estimate and judge one claim. Return its verdict and the estimate behind it."""
    # The evidence collects the runs it borrows from; empty the list so that it holds this
    # claim's.
    context.evidence.borrowed.clear()
    found = estimate(claim, context)
    lenders = frozenset(context.evidence.borrowed)
    judged = judge_alone(claim, found)
    if judged.outcome == "not_run" and (cost := needs(claim)):
        judged = Judgement("not_run", f"{judged.reason}; {cost}")
    judged = _capped(claim, found, judged)
    if judged.outcome in JUDGED and (late := stated_afterwards(claim, seals, lenders)):
        judged = _undecided(late, judged)
    fields = _fields(claim, found, judged)
    if tests:
        fields["artefacts"] = artefacts(claim, context, found, judged.outcome)
    if judged.outcome != "not_run" and (sealed := which_came_first(claim, seals, lenders)):
        fields["artefacts"]["sealed"] = sealed
    if lenders:
        fields["artefacts"]["step_0_of_runs"] = sorted(lenders)
    return Verdict(**fields, audit=tuple(audit.get(claim.id, ()))), found


def _by_runs(claim: Claim, verdict: Verdict) -> bool:
    """Return whether runs of ours judge a claim, or could: then what authors sent does not."""
    return verdict.grade in ("own", claim.evidence) and verdict.outcome != "not_run"


def _by_files(
    claim: Claim, sent: KeptFiles, context: Context, audit: Findings, tests: bool
) -> Verdict | None:
    """Return the verdict by what the paper's authors sent; None where that has no value of it."""
    theirs = Context(sent.evidence, context.prints)
    verdict, found = _verdict(sent.claims[claim.id], theirs, sent.seals, audit, lambda _: "", tests)
    if verdict.grade is None:
        return None
    told = {"artefacts": {**verdict.artefacts, "supplied": sent.record}}
    by = {"tolerance": RECOMPUTED} if recomputed(claim, found) else {}
    return verdict.model_copy(update=told | by)


def _capped(claim: Claim, found: Estimate, judged: Judgement) -> Judgement:
    """Lower a judgement to what the evidence supports: its grade, and its probes."""
    if found.graded is not None and found.graded.by and judged.outcome != "unverifiable":
        judged = recomputed(claim, found) or judged
        outcome = found.graded.at_best(judged.outcome)
        said = f"{FILES_SAY[outcome]} ({'; '.join((found.graded.by, *found.graded.other))})"
        return Judgement(outcome, f"{said}: {judged.reason}", judged.comparison, judged.p)
    if judged.outcome not in JUDGED:
        return judged
    if found.graded is None or found.graded.grade not in JUDGING | {claim.evidence}:
        return _undecided(
            f"measured on {_rests_on(found.graded)}, which judges no published claim", judged
        )
    if claim.kind == "base_model" and judged.outcome == "reproduced":
        reason = f"{judged.reason}; at best consistent, the probes are not the paper's"
        return Judgement("consistent", reason, judged.comparison, judged.p)
    return judged


def _undecided(why: str, judged: Judgement) -> Judgement:
    """Return an inconclusive judgement that quotes the outcome it replaces."""
    return Judgement(
        "inconclusive", f"{why} ({judged.outcome}: {judged.reason})", judged.comparison
    )


def _rests_on(graded: Graded | None) -> str:
    """Return in words whose runs a value rests on."""
    if graded is None:
        return "runs of unknown settings"
    return GRADE_WORDS[graded.grade] + (f" ({'; '.join(graded.other)})" if graded.other else "")


def _fields(claim: Claim, found: Estimate, judged: Judgement) -> dict[str, Any]:
    """Return the fields of a measured claim's verdict."""
    comparison = judged.comparison
    return {
        "id": claim.id,
        "source": claim.source,
        "locator": claim.locator,
        "printed": claim.printed,
        "value": claim.value,
        "kind": claim.kind,
        "basis": claim.basis,
        "grade": found.graded.grade if found.graded else None,
        "outcome": judged.outcome,
        "estimate": found.value,
        "low": found.low,
        "high": found.high,
        "n": found.n,
        "z": comparison.z if comparison and judged.p is not None else None,
        "p": judged.p,
        "minimum_detectable": (comparison.detectable or None) if comparison else None,
        "tolerance": tolerance_text(claim),
        "reason": judged.reason,
        "cells": found.cells,
        "artefacts": {},
    }


def tolerance_text(claim: Claim) -> str:
    """Return the rule with its parameters: "prediction_interval (level 0.05)"."""
    given = ", ".join(
        f"{key} {value:g}" for key, value in sorted(claim.tolerance.parameters.items())
    )
    return f"{claim.tolerance.rule} ({given})" if given else claim.tolerance.rule


def _adjusted(verdicts: Sequence[Verdict], claims: Sequence[Claim] = ()) -> list[Verdict]:
    """Return the verdicts with p after Holm in their families.

    Only a contradiction that survives stays one. Without `claims` each verdict counts as the
    only one of its paper.
    """
    p_values = {verdict.id: verdict.p for verdict in verdicts if verdict.p is not None}
    known = {claim.id for claim in claims}
    corrected = {name: p for name, p in p_values.items() if name not in known} | adjust(
        claims, p_values
    )
    return [
        _in_family(verdict, corrected[verdict.id])
        if verdict.id in corrected and verdict.basis == "measured"
        else verdict
        for verdict in verdicts
    ]


def _in_family(verdict: Verdict, p_holm: float) -> Verdict:
    """Return a verdict that is contradicted only if it fails both alone and in its family."""
    found: dict[str, Any] = {"p_holm": p_holm}
    if verdict.outcome == "contradicted" and not stands(p_holm):
        found |= {"outcome": "inconclusive", "reason": verdict.reason + ALONE}
    return verdict.model_copy(update=found)
