"""One claim in plain words: what was printed, where, what was measured, which rule, why this verdict, what would change it."""

from collections.abc import Iterator

from repro.manifest.claim import Basis, Claim
from repro.report.words import SYMBOLS, estimate_text, phrase, phrase_grade
from repro.verify.assess import GRADE_WORDS
from repro.verify.facts import shown
from repro.verify.needs import instead
from repro.verify.verdict import Outcome, Verdict

BASIS: dict[Basis, str] = {
    "measured": "measurements",
    "definition": "a definition or an architecture; nothing is measured",
    "setting": "a setting of the manifest; nothing is measured",
}
MEANING: dict[Outcome, str] = {
    "reproduced": "what was measured equals the print within the margin fixed beforehand",
    "consistent": "the measurement lies where a repetition would, and could have told the claimed effect from none",
    "contradicted": "a repetition of the paper's own process would hardly ever give what was measured",
    "inconclusive": "the evidence allows the claim and its opposite",
    "not_run": "nothing that could decide it has been measured; it has not passed",
    "unverifiable": "no experiment of this project could decide it",
    "holds": "no result: it follows from the architecture or the definition, whatever is measured",
    "fails": "no measurement: the architecture or the definition says otherwise",
    "as_printed": "no result: the manifest is set as the paper says, which says nothing of what its runs will show",
    "differs": "runs of this manifest are not the paper's in this respect",
    "not_set": "the manifest does not say, so nothing vouches for its runs in this respect",
}
CHANGE: dict[Outcome, str] = {
    "reproduced": "A run that moves the measured value out of the margin.",
    "consistent": "More runs: they narrow the interval until it shows equality or a difference.",
    "contradicted": "Runs whose value falls into the interval. The tolerance cannot be widened for this evidence.",
    "inconclusive": "More runs, or a printed spread to compare with.",
    "not_run": "Running the manifest and `repro ingest`.",
    "unverifiable": "A manifest that measures it, named under measured_by in the paper's YAML.",
    "holds": "No run: only other facts about the model in manifests/models.yaml, should those there be wrong.",
    "fails": "No run: only other facts about the model in manifests/models.yaml, should those there be wrong.",
    "as_printed": "No run: another setting in the manifest.",
    "differs": "No run: the printed setting in the manifest.",
    "not_set": "No run: a manifest that sets it.",
}


def explanation(claim: Claim, verdict: Verdict) -> str:
    """The whole text."""
    return "\n".join(_lines(claim, verdict)) + "\n"


def _lines(claim: Claim, verdict: Verdict) -> Iterator[str]:
    yield f"{SYMBOLS[verdict.outcome][0]} {phrase(verdict.outcome).upper()}: {claim.id}"
    yield ""
    yield f"Printed    {claim.printed!r} in {claim.source}, {claim.locator}"
    if claim.says and claim.says != claim.printed:
        yield f'           "{claim.says}"'
    yield f"Read as    {_value(claim)}"
    yield f"Means      {claim.statistic} of {claim.quantity}{_where(claim)}"
    if claim.note:
        yield f"Note       {claim.note}"
    yield f"Basis      {BASIS[verdict.basis]}"
    yield _found(claim, verdict)
    if verdict.grade:
        yield f"Grade      {phrase_grade(verdict)}: {GRADE_WORDS[verdict.grade]}"
    yield f"Rule       {verdict.tolerance}: {claim.tolerance.reason}"
    yield f"Why        {_why(claim, verdict)}"
    yield from _numbers(verdict)
    yield from _artefacts(verdict)
    if verdict.audit:
        yield f"Audit      disagrees with the paper's own other prints: {', '.join(verdict.audit)} (see `repro audit`)"
    yield f"To change  {_change(claim, verdict)}"


def _found(claim: Claim, verdict: Verdict) -> str:
    """What was measured, or found without measuring, and where."""
    if verdict.basis == "measured":
        return f"Measured   {estimate_text(verdict)}" + (f" by {claim.measured_by}" if claim.measured_by else "")
    found = "nothing" if verdict.estimate is None else shown(verdict.estimate)
    return f"Found      {found}; no run is needed"


def _why(claim: Claim, verdict: Verdict) -> str:
    if claim.kind in ("structural", "vendor_label") and verdict.outcome == "fails":
        return f"{verdict.reason}: the real architecture is otherwise"
    return f"{verdict.reason}: {MEANING[verdict.outcome]}"


def _value(claim: Claim) -> str:
    if not claim.is_number:
        return str(claim.value)
    low, high = ("open" if bound is None else f"{bound:g}" for bound in (claim.low, claim.high))
    exact = claim.low == claim.high == claim.value
    unit = f" {claim.unit}" if claim.unit else ""
    return f"{claim.value:g}{unit}" + ("" if exact else f", which its decimals allow to be {low} to {high}")


def _where(claim: Claim) -> str:
    term, selected = claim.term, []
    while term.of is not None:
        term = term.of
    selected += [f"{key} {value}" for key, value in term.selector.items()]
    if claim.term.over:
        selected.append(
            f"over {claim.term.over}" + (f" {', '.join(map(str, claim.term.among))}" if claim.term.among else "")
        )
    return f" ({', '.join(selected)})" if selected else ""


def _numbers(verdict: Verdict) -> Iterator[str]:
    if verdict.p is not None:
        shown = f"p {verdict.p:.3g}"
        if verdict.z is not None:
            shown += f", z {verdict.z:.2f}"
        if verdict.p_holm is not None:
            shown += f"; {verdict.p_holm:.3g} after Holm's adjustment for all claims judged together"
        yield f"Numbers    {shown}"
    if verdict.minimum_detectable is not None:
        yield f"Detectable a difference of {verdict.minimum_detectable:.3g} would have been found in four cases of five"


def _artefacts(verdict: Verdict) -> Iterator[str]:
    tests = verdict.artefacts
    if health := tests.get("health"):
        runs = ", ".join(f"{count} {status}" for status, count in health["runs"].items()) or "none"
        left = f"; left out: {'; '.join(health['left_out'])}" if health["left_out"] else ""
        yield f"Health     runs of the manifest: {runs}{left}"
        if rms := health.get("activation_rms"):
            yield f"           activation RMS {rms['least']:.3g} to {rms['most']:.3g} times that of step 0"
    if scale := tests.get("scale"):
        agrees = (
            "the same outcome"
            if scale["agrees"]
            else f"{scale['outcome']}: an effect of activation scale cannot be excluded"
        )
        yield f"Scale      anchored twin: {agrees}"
    if readings := tests.get("specifications"):
        share, of = readings["share"], readings["of"]
        yield f"Readings   the statement holds under {share:.0%} of {of} measured readings of the definition"


def _change(claim: Claim, verdict: Verdict) -> str:
    if claim.kind == "by_construction" and verdict.outcome in ("holds", "fails"):
        return "No run: only another definition."
    if verdict.outcome == "not_run" and (other := instead(claim)):
        return other
    change = CHANGE[verdict.outcome]
    if verdict.outcome == "inconclusive" and verdict.minimum_detectable is not None:
        return f"{change} As it is, only a difference above {verdict.minimum_detectable:.3g} would show."
    return change
