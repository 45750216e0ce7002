"""Judge claims: settle what needs no run, gather the evidence of the rest once, estimate, judge, correct for many tests.

A verdict is never better than its evidence (docs/SCIENCE.md §13): what rests on a definition or a
setting has words of its own, and evidence of a lesser grade than the claim asks for decides nothing.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any

from repro.manifest.claim import Basis, Claim, Grade, Term
from repro.manifest.experiment import Experiment
from repro.verify.artefacts import NULL_ENDS, RMS, artefacts, quantities
from repro.verify.cells import Context
from repro.verify.definition import settle
from repro.verify.estimate import estimate
from repro.verify.evidence import Evidence
from repro.verify.gather import Connection, Wanted, gather
from repro.verify.grade import Protocols, grade_run
from repro.verify.holm import holm
from repro.verify.judge import judge
from repro.verify.judge_numbers import Judgement
from repro.verify.measured import INTENSITY
from repro.verify.prints import TRAJECTORIES, Prints
from repro.verify.sealed import AFTERWARDS, Seals, read_seals, refuse_changed, stated_afterwards
from repro.verify.setting import compare_setting
from repro.verify.settings import Settings, settings_of
from repro.verify.structure import Structures
from repro.verify.verdict import JUDGING, OUTCOMES, Estimate, Graded, Outcome, Printed, Verdict

Findings = Mapping[str, Sequence[str]]
"""Claim id → ids of the audit checks that find it inconsistent."""
Needs = Callable[[Claim], str]
"""What measuring a claim would take, in words; empty when that is not known."""


Counts = dict[Basis, dict[str, int]]
"""Basis → outcome → claims."""
JUDGED: tuple[Outcome, ...] = ("reproduced", "consistent", "contradicted")
GRADE_WORDS: dict[Grade, str] = {
    "own": "the paper's own models and settings",
    "other_settings": "other settings than printed",
    "twin": "a smaller twin",
    "random": "random weights",
    "supplied": "the author's own files",
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
) -> list[Verdict]:
    """Give every claim a verdict, in their order. `everything`: all claims of their papers, whose other prints matter.

    `connection` is the open store, None when nothing has been run; `built`: what models are built of, by manifest and
    model; `manifests`: those that were read from a path. Raises EvidenceError for a claim that was changed after its
    evidence was planned.
    """
    known, findings = [*everything] or claims, audit or {}
    protocols = Protocols.of(known, [claim for claim, checks in findings.items() if checks])
    measured = [claim for claim in claims if claim.basis == "measured"]
    evidence, seals = _evidence(measured, connection, protocols)
    refuse_changed(claims, seals)
    context = Context(evidence, prints_by_source(known))
    given = {name: Settings.of_manifest(found) for name, found in (manifests or {}).items()}
    verdicts = []
    for claim in claims:
        if claim.basis == "setting":
            name = claim.measured_by
            compared = compare_setting(claim, given.get(name or "") or settings_of(name))
            verdicts.append(_unmeasured(claim, compared.outcome, compared.value, compared.reason, findings))
        elif claim.basis == "definition":
            settled = settle(claim, built or {}, context.prints)
            verdicts.append(_unmeasured(claim, settled.outcome, settled.value, settled.reason, findings))
        else:
            verdicts.append(_verdict(claim, context, seals, findings, needs))
    return _adjusted(verdicts)


def counts(verdicts: Iterable[Verdict]) -> Counts:
    """Count the claims of each basis by outcome; every basis and every outcome is named."""
    found: Counts = {basis: dict.fromkeys(outcomes, 0) for basis, outcomes in OUTCOMES.items()}
    for verdict in verdicts:
        found[verdict.basis][verdict.outcome] += 1
    return found


def exit_code(verdicts: Iterable[Verdict]) -> int:
    """Return 1 if any claim is contradicted or fails by definition, else 3 if any was not run, else 0."""
    found = counts(verdicts)
    if found["measured"]["contradicted"] or found["definition"]["fails"]:
        return 1
    return 3 if found["measured"]["not_run"] else 0


def prints_by_source(claims: Iterable[Claim]) -> dict[str, Prints]:
    """The printed numbers of each paper among the claims."""
    papers: dict[str, list[Claim]] = {}
    for claim in claims:
        papers.setdefault(claim.source, []).append(claim)
    return {source: Prints(found) for source, found in papers.items()}


def wanted(claims: Iterable[Claim]) -> set[Wanted]:
    """Every (manifest, quantity, step) that some claim needs measurements of."""
    found: set[Wanted] = set()
    for claim in claims:
        if claim.measured_by is not None and claim.basis == "measured":
            cells = _cells(claim.term, None)
            if claim.tolerance.rule == "seed_spread":  # judged by its change where the paper prints no spread
                cells |= {(quantity, 0) for quantity, _ in cells}
            intensities = {step for quantity, step in cells if quantity == INTENSITY}
            cells |= {(further, step) for step in intensities for further in (*NULL_ENDS, RMS)}
            cells |= {(RMS, 0)} if intensities else set()
            found |= {(claim.measured_by, quantity, step) for quantity, step in cells}
    return found


def _cells(term: Term, axis: str | None) -> set[tuple[str, int | None]]:
    """(quantity, step) of every cell below a term; step None where all steps are needed."""
    along = "step" if "step" in (axis, term.over) else None
    if term.selector.get("step") == "collapse" or {term.statistic, term.quantity} & set(TRAJECTORIES):
        return {(INTENSITY, None), *((quantity, None) for quantity in quantities(term))}
    inner = [operand for operand in (term.of, term.against) if operand is not None]
    if inner:
        return set().union(*(_cells(operand, along) for operand in inner))
    step = term.selector.get("step")
    base = 0 if term.selector.get("condition") == "B0" else None
    known = step if isinstance(step, int) and along is None else None
    return {(term.quantity, known)} | ({(term.quantity, base)} if base is not None and known is not None else set())


def _evidence(claims: Sequence[Claim], connection: Connection | None, protocols: Protocols) -> tuple[Evidence, Seals]:
    if connection is None:
        return Evidence(), {}
    cells = wanted(claims)
    bases = {
        quantity for claim in claims if claim.tolerance.rule == "probe_sets" for quantity in quantities(claim.term)
    }
    grading = partial(grade_run, printed=protocols)
    evidence = gather(connection, cells, bases, grading)
    return evidence, read_seals(connection, {experiment for experiment, _, _ in cells})


def _unmeasured(claim: Claim, outcome: Outcome, value: Printed | None, reason: str, audit: Findings) -> Verdict:
    """The verdict of a claim that no run bears on."""
    return Verdict(
        id=claim.id, source=claim.source, locator=claim.locator, printed=claim.printed, value=claim.value,
        kind=claim.kind, basis=claim.basis, outcome=outcome, estimate=value, tolerance=tolerance_text(claim),
        reason=reason, audit=tuple(audit.get(claim.id, ())),
    )  # fmt: skip


def _verdict(claim: Claim, context: Context, seals: Seals, audit: Findings, needs: Needs) -> Verdict:
    found = estimate(claim, context)
    judged = judge(claim, found)
    if judged.outcome == "not_run" and (cost := needs(claim)):
        judged = Judgement("not_run", f"{judged.reason}; {cost}")
    judged = _capped(claim, found, judged)
    if judged.outcome in JUDGED and stated_afterwards(claim, seals):
        judged = _undecided(AFTERWARDS, judged)
    return Verdict(**_fields(claim, found, judged, context), audit=tuple(audit.get(claim.id, ())))


def _capped(claim: Claim, found: Estimate, judged: Judgement) -> Judgement:
    """Lower a judgement to what its evidence can bear: its grade, and probes that are not the paper's."""
    if judged.outcome not in JUDGED:
        return judged
    if found.graded is None or found.graded.grade not in JUDGING | {claim.evidence}:
        return _undecided(f"measured on {_rests_on(found.graded)}, which judges no published claim", judged)
    if claim.kind == "base_model" and judged.outcome == "reproduced":
        reason = f"{judged.reason}; at best consistent, the probes are not the paper's"
        return Judgement("consistent", reason, judged.comparison, judged.p)
    return judged


def _undecided(why: str, judged: Judgement) -> Judgement:
    """An inconclusive judgement that says what it would have been."""
    return Judgement("inconclusive", f"{why} ({judged.outcome}: {judged.reason})", judged.comparison)


def _rests_on(graded: Graded | None) -> str:
    if graded is None:
        return "runs of unknown settings"
    return GRADE_WORDS[graded.grade] + (f" ({'; '.join(graded.other)})" if graded.other else "")


def _fields(claim: Claim, found: Estimate, judged: Judgement, context: Context) -> dict[str, Any]:
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
        "z": comparison.z if comparison else None,
        "p": comparison.p if comparison else judged.p,
        "minimum_detectable": comparison.detectable if comparison else None,
        "tolerance": tolerance_text(claim),
        "reason": judged.reason,
        "artefacts": artefacts(claim, context, found, judged.outcome),
    }


def tolerance_text(claim: Claim) -> str:
    """The rule with its parameters: "prediction_interval (level 0.05, margin_share 0.25)"."""
    given = ", ".join(f"{key} {value:g}" for key, value in sorted(claim.tolerance.parameters.items()))
    return f"{claim.tolerance.rule} ({given})" if given else claim.tolerance.rule


def _adjusted(verdicts: list[Verdict]) -> list[Verdict]:
    """The same verdicts with Holm's p over all contradiction p-values."""
    tested = [i for i, verdict in enumerate(verdicts) if verdict.p is not None]
    for i, p_holm in zip(tested, holm([verdicts[i].p or 0.0 for i in tested]), strict=True):
        verdicts[i] = verdicts[i].model_copy(update={"p_holm": p_holm})
    return verdicts
