"""Every claim to its verdict: fetch the evidence once, estimate, judge, adjust for many tests."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from repro.manifest.claim import Claim, Term
from repro.verify.artefacts import NULL_ENDS, RMS, artefacts, quantities
from repro.verify.cells import Context
from repro.verify.estimate import NO_RUN_NEEDED, estimate
from repro.verify.evidence import Evidence
from repro.verify.gather import Connection, Wanted, gather
from repro.verify.holm import holm
from repro.verify.judge import judge
from repro.verify.judge_numbers import Judgement
from repro.verify.measured import INTENSITY
from repro.verify.prints import TRAJECTORIES, Prints
from repro.verify.sealed import AFTERWARDS, Seals, read_seals, refuse_changed, stated_afterwards
from repro.verify.structure import Structures
from repro.verify.verdict import OUTCOMES, Estimate, Verdict

Findings = Mapping[str, Sequence[str]]
"""Claim id → ids of the audit checks that find it inconsistent."""
Needs = Callable[[Claim], str]
"""What measuring a claim would take, in words; empty when that is not known."""


def assess(
    claims: Sequence[Claim],
    connection: Connection | None,
    *,
    everything: Sequence[Claim] = (),
    audit: Findings | None = None,
    needs: Needs = lambda _: "",
    built: Structures | None = None,
) -> list[Verdict]:
    """A verdict for every claim, in their order. `everything`: all claims of their papers, whose other prints matter.

    `connection` is the open store, None when nothing has been run; `built`: what models are built of, by manifest and
    model. Raises EvidenceError for a claim that was changed after its evidence was planned.
    """
    evidence, seals = _evidence(claims, connection)
    refuse_changed(claims, seals)
    context = Context(evidence, prints_by_source([*everything] or claims), built or {})
    verdicts = [_verdict(claim, context, seals, audit or {}, needs) for claim in claims]
    return _adjusted(verdicts)


def counts(verdicts: Iterable[Verdict]) -> dict[str, int]:
    """How many claims have each outcome; every outcome is named."""
    found = dict.fromkeys(map(str, OUTCOMES), 0)
    for verdict in verdicts:
        found[verdict.outcome] += 1
    return found


def exit_code(verdicts: Iterable[Verdict]) -> int:
    """1 when something is contradicted (wins), 3 when something was not run, else 0."""
    found = counts(verdicts)
    return 1 if found["contradicted"] else 3 if found["not_run"] else 0


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
        if claim.measured_by is not None and claim.tolerance.rule not in NO_RUN_NEEDED:
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


def _evidence(claims: Sequence[Claim], connection: Connection | None) -> tuple[Evidence, Seals]:
    if connection is None:
        return Evidence(), {}
    cells = wanted(claims)
    bases = {
        quantity for claim in claims if claim.tolerance.rule == "probe_sets" for quantity in quantities(claim.term)
    }
    return gather(connection, cells, bases), read_seals(connection, {experiment for experiment, _, _ in cells})


def _verdict(claim: Claim, context: Context, seals: Seals, audit: Findings, needs: Needs) -> Verdict:
    found = estimate(claim, context)
    judged = judge(claim, found)
    if judged.outcome == "not_run" and (cost := needs(claim)):
        judged = Judgement("not_run", f"{judged.reason}; {cost}")
    if (
        judged.outcome in ("reproduced", "consistent", "contradicted")
        and claim.tolerance.rule not in NO_RUN_NEEDED
        and stated_afterwards(claim, seals)
    ):
        judged = Judgement("inconclusive", f"{AFTERWARDS} ({judged.outcome}: {judged.reason})", judged.comparison)
    return Verdict(**_fields(claim, found, judged, context), audit=tuple(audit.get(claim.id, ())))


def _fields(claim: Claim, found: Estimate, judged: Judgement, context: Context) -> dict[str, Any]:
    comparison = judged.comparison
    return {
        "id": claim.id,
        "source": claim.source,
        "locator": claim.locator,
        "printed": claim.printed,
        "value": claim.value,
        "kind": claim.kind,
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
