"""One claim in plain words: its print, measurement, rule and verdict, and what would change it."""

from collections.abc import Iterator, Sequence

from repro.claims.claim import Basis, Claim
from repro.report.terminal.operands import operand_sentences
from repro.report.terminal.words import (
    SYMBOLS,
    estimate_text,
    from_files,
    phrase_grade,
    phrase_verdict,
)
from repro.verify.assess import GRADE_WORDS
from repro.verify.facts.meaning import estimate_words
from repro.verify.needs import instead
from repro.verify.verdict import Outcome, Verdict

BASIS: dict[Basis, str] = {
    "measured": "measurements",
    "definition": "a definition or an architecture; nothing is measured",
    "setting": "a setting of the manifest; nothing is measured",
}
MEANING: dict[Outcome, str] = {
    "reproduced": "what was measured equals the print within the margin fixed beforehand",
    "consistent": "the measurement lies where a repetition would, and could have told the claimed effect "
    "from none",
    "contradicted": "a repetition of the paper's own process would hardly ever give what was measured",
    "inconclusive": "the evidence allows the claim and its opposite",
    "not_run": "nothing that could decide it has been measured; it has not passed",
    "unverifiable": "no experiment of this project could decide it",
    "holds": "no result: it follows from the architecture or the definition, whatever is measured",
    "fails": "no measurement: the architecture or the definition says otherwise",
    "as_printed": "no result: the manifest is set as the paper says, which says nothing of what its runs "
    "will show",
    "differs": "runs of this manifest are not the paper's in this respect",
    "not_set": "the manifest does not say, so nothing vouches for its runs in this respect",
}
FILES_MEAN: dict[Outcome, str] = {
    "consistent": "what the authors sent agrees with what they print; nothing was repeated, so this "
    "reproduces nothing",
    "contradicted": "what the authors sent does not give what they print",
    "inconclusive": "what the authors sent allows the claim and its opposite",
    "not_run": "the authors sent nothing that could decide it",
}
"""The same of verdicts by what a paper's authors sent."""
_CHANGE: dict[Outcome, str] = {
    "reproduced": "A run that moves the measured value out of the margin.",
    "consistent": "More runs: they narrow the interval until it shows equality or a difference.",
    "contradicted": "Runs whose value falls into the interval. The tolerance cannot be widened for this "
    "evidence.",
    "inconclusive": "More runs, or a printed spread to compare with.",
    "not_run": "Running a manifest that measures it, and `repro ingest`.",
    "unverifiable": "A manifest that measures it, named under measured_by in the paper's YAML; or values "
    "of your own (`repro judge`).",
    "holds": "No run: only other facts about the model in manifests/models.yaml, should those there "
    "be wrong.",
    "fails": "No run: only other facts about the model in manifests/models.yaml, should those there "
    "be wrong.",
    "as_printed": "No run: another setting in the manifest.",
    "differs": "No run: the printed setting in the manifest.",
    "not_set": "No run: a manifest that sets it.",
}


def named(claim: Claim, verdict: Verdict) -> str:
    """Return a claim in one line: its verdict, its id, and where it is printed in which words."""
    words = claim.says or claim.printed
    return (
        f"{SYMBOLS[verdict.outcome][0]} {claim.id}  ({claim.locator}, "
        f'{phrase_verdict(verdict)}: "{" ".join(words.split())}")'
    )


def explanation(claim: Claim, verdict: Verdict, paper: Sequence[Claim] = ()) -> str:
    """Return the whole text; `paper`: all claims, for what is printed of the claim's operands."""
    return "\n".join(_lines(claim, verdict, paper)) + "\n"


def _lines(claim: Claim, verdict: Verdict, paper: Sequence[Claim]) -> Iterator[str]:
    yield f"{SYMBOLS[verdict.outcome][0]} {phrase_verdict(verdict).upper()}: {claim.id}"
    yield ""
    yield f"Printed    {claim.printed!r} in {claim.source}, {claim.locator}"
    if claim.says and claim.says != claim.printed:
        yield f'           "{claim.says}"'
    yield f"Read as    {_value(claim)}"
    yield f"Means      {_means(claim)}"
    if claim.note:
        yield f"Note       {claim.note}"
    yield f"Basis      {BASIS[verdict.basis]}"
    yield _found(claim, verdict)
    for place, sentence in enumerate(operand_sentences(claim, verdict, paper)):
        yield f"{'' if place else 'Compares':10} {sentence}"
    if verdict.grade:
        yield f"Grade      {phrase_grade(verdict)}: {GRADE_WORDS[verdict.grade]}"
    yield f"Rule       {verdict.tolerance}: {claim.tolerance.reason}"
    yield f"Why        {_why(claim, verdict)}"
    yield from _numbers(verdict)
    yield from _could_tell(verdict)
    yield from _artefacts(verdict)
    if verdict.audit:
        yield (
            f"Audit      disagrees with the paper's own other prints: {', '.join(verdict.audit)} "
            "(see `repro audit`)"
        )
    yield f"To change  {_change(claim, verdict)}"


def _found(claim: Claim, verdict: Verdict) -> str:
    """Say what was measured, or found without measuring, and where."""
    if verdict.basis == "measured":
        by = f" by {claim.measured_by}" if claim.measured_by else ""
        if verdict.estimate is None:
            return f"Measured   nothing yet{f'; {claim.measured_by} would' if by else ''}"
        if sent := verdict.artefacts.get("supplied"):
            return f"Sent       {estimate_text(verdict)} by {sent['by']}; nothing was run here"
        return f"Measured   {estimate_text(verdict)}{by}"
    found = "nothing" if verdict.estimate is None else estimate_words(verdict.estimate)
    return f"Found      {found}; no run is needed"


def _why(claim: Claim, verdict: Verdict) -> str:
    if claim.kind in ("structural", "vendor_label") and verdict.outcome == "fails":
        return f"{verdict.reason}: the real architecture is otherwise"
    if from_files(verdict):
        return f"{verdict.reason}: {FILES_MEAN[verdict.outcome]}"
    return f"{verdict.reason}: {MEANING[verdict.outcome]}"


def _value(claim: Claim) -> str:
    if not claim.is_number:
        return str(claim.value)
    low, high = ("open" if bound is None else f"{bound:g}" for bound in (claim.low, claim.high))
    exact = claim.low == claim.high == claim.value
    unit = f" {claim.unit}" if claim.unit else ""
    return f"{claim.value:g}{unit}" + (
        "" if exact else f", which its decimals allow to be {low} to {high}"
    )


def _means(claim: Claim) -> str:
    """Say what the claim takes of which cells: a statistic of one, or of two against each other."""
    term = claim.term
    if term.of is not None and term.against is not None:
        axis = f" over {term.over}" if term.over else ""
        return f"{term.statistic}{axis}: {term.of.label} against {term.against.label}"
    return f"{claim.statistic} of {claim.quantity}{_where(claim)}"


def _where(claim: Claim) -> str:
    selected = [f"{key} {value}" for key, value in claim.term.first_cell.selector.items()]
    if claim.term.over:
        selected.append(
            f"over {claim.term.over}"
            + (f" {', '.join(map(str, claim.term.among))}" if claim.term.among else "")
        )
    return f" ({', '.join(selected)})" if selected else ""


def _numbers(verdict: Verdict) -> Iterator[str]:
    if verdict.p is not None:
        shown = f"p {verdict.p:.3g}"
        if verdict.z is not None:
            shown += f", z {verdict.z:.2f}"
        if verdict.p_holm is not None:
            shown += f"; {verdict.p_holm:.3g} after Holm's adjustment in its family of tests"
        yield f"Numbers    {shown}"
    if verdict.minimum_detectable is not None:
        yield (
            f"Detectable a difference of {verdict.minimum_detectable:.3g} would have been found "
            "in four cases of five"
        )


def _could_tell(verdict: Verdict) -> Iterator[str]:
    """Yield how often these runs would have decided the claim, and how many runs would."""
    told = verdict.could_tell
    if not told:
        return
    opposite = "reversed" if "contradicted_if_reversed" in told else "absent"
    rates = told["reproduced_if_true"], told[f"contradicted_if_{opposite}"]
    yield (
        f"Could tell with these runs a true claim is reproduced in {rates[0]:.0%}, an effect "
        f"that is {opposite} contradicted in"
    )
    tests = f", after correction for {told['tests']} tests" if told["tests"] > 1 else ""
    yield f"           {rates[1]:.0%}{tests}; {_runs_needed(told['runs_a_side'])}"


def _runs_needed(runs: int | None) -> str:
    return (
        f"{runs} runs a side would decide it at 80 %"
        if runs
        else "no number of runs would decide it at 80 %"
    )


def _artefacts(verdict: Verdict) -> Iterator[str]:
    tests = verdict.artefacts
    if sent := tests.get("supplied"):
        earlier = (
            f"; {sent['earlier_folders']} earlier set aside" if sent["earlier_folders"] else ""
        )
        yield f"Supplied   by {sent['by']}, {sent['supplied']} UTC, {sent['folder']}{earlier}"
        yield from (f"           told then: {line}" for line in sent["told"])
    if sealed := tests.get("sealed"):
        first = "the claim" if sealed["first"] == "claim" else "the evidence"
        what = "files" if from_files(verdict) else "first run"
        times = f"claim {sealed['claim']}, {what} {sealed['evidence']} UTC"
        yield f"Sealed     {first} came first ({times})"
        if from_files(verdict):
            yield "           when the files came here; when they were made, no seal tells"
    if health := tests.get("health"):
        runs = ", ".join(f"{count} {status}" for status, count in health["runs"].items()) or "none"
        left = f"; left out: {'; '.join(health['left_out'])}" if health["left_out"] else ""
        yield f"Health     runs of the manifest: {runs}{left}"
        if rms := health.get("activation_rms"):
            yield (
                f"           activation RMS {rms['least']:.3g} to {rms['most']:.3g} times that "
                "of step 0"
            )
    for cell, value in tests.get("random", {}).items():
        yield f"Random     {value:.4g} in random matrices of the same shape and rank: {cell}"
    if scale := tests.get("scale"):
        agrees = (
            "the same outcome"
            if scale["agrees"]
            else f"{scale['outcome']}: an effect of activation scale cannot be excluded"
        )
        yield f"Scale      anchored twin: {agrees}"
    if readings := tests.get("specifications"):
        share, of = readings["share"], readings["of"]
        yield (
            f"Readings   the statement holds under {share:.0%} of {of} measured readings of the "
            "definition"
        )


def _change(claim: Claim, verdict: Verdict) -> str:
    if claim.kind == "by_construction" and verdict.outcome in ("holds", "fails"):
        return "No run: only another definition."
    if verdict.outcome == "not_run" and (other := instead(claim)):
        return other
    if from_files(verdict):
        return "Runs of the manifest: they count before anything that authors sent."
    if verdict.outcome == "not_run" and claim.measured_by:
        name = claim.measured_by
        return f"`repro run {name}`, then `repro ingest`; `repro plan {name}` says what it costs."
    change = _CHANGE[verdict.outcome]
    if verdict.outcome == "inconclusive" and verdict.minimum_detectable is not None:
        return (
            f"{change} As it is, only a difference above {verdict.minimum_detectable:.3g} would "
            "show."
        )
    return change
