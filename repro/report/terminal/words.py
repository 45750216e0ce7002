"""How a verdict is put to a reader: a symbol an outcome, counts in words, what whose runs gave."""

from collections import Counter
from collections.abc import Sequence

from repro.audit import Audited
from repro.verify.assess import GRADE_WORDS, counts
from repro.verify.verdict import FILES_SAY, Outcome, Verdict

SYMBOLS: dict[Outcome, tuple[str, str]] = {
    "reproduced": ("✓", "green"),
    "consistent": ("≈", "cyan"),
    "contradicted": ("✗", "bold red"),
    "inconclusive": ("?", "yellow"),
    "not_run": ("·", "dim"),
    "unverifiable": ("–", "dim"),
    "holds": ("=", "dim"),
    "fails": ("≠", "bold red"),
    "as_printed": ("∘", "dim"),
    "differs": ("△", "yellow"),
    "not_set": ("○", "dim"),
}
"""Outcome → (symbol, colour). The tick is for measurements alone."""
_OWN_VALUES = "values of your own"
"""What `repro judge` judges by: nobody's files, and nothing that is kept."""


def headline_text(verdicts: Sequence[Verdict], audit: Audited) -> str:
    """Say the truth of all verdicts in one line.

    What was measured, what rests on less, what the prints contradict.
    """
    parts = (_measured(verdicts), _defined(verdicts), _set(verdicts), _audited(verdicts, audit))
    return " · ".join(part for part in parts if part)


def was_measured(verdict: Verdict) -> bool:
    """Tell whether some run of the claim's own cells gave a number."""
    return verdict.grade is not None


def phrase(outcome: Outcome) -> str:
    """Write an outcome as words of a sentence."""
    return outcome.replace("_", " ")


def phrase_verdict(verdict: Verdict) -> str:
    """Write a verdict as words of a sentence; one by what authors sent says whose files those are.

    Nothing of it is ever called reproduced.
    """
    if from_files(verdict):
        return FILES_SAY[verdict.outcome]
    return phrase(verdict.outcome)


def from_files(verdict: Verdict) -> bool:
    """Tell whether a verdict rests on files that the paper's authors sent."""
    return "supplied" in verdict.artefacts and verdict.outcome in FILES_SAY


def phrase_grade(verdict: Verdict) -> str:
    """Write the grade of a verdict's evidence as it stands beside the outcome."""
    return (verdict.grade or "").replace("_", " ")


def estimate_text(verdict: Verdict) -> str:
    """Write what was measured, with its own interval and runs."""
    value = verdict.estimate
    if value is None:
        return "–"
    text = (
        f"{value:.4g}" if isinstance(value, float) and not isinstance(value, bool) else str(value)
    )
    if verdict.low is not None and verdict.high is not None:
        text += f" [{verdict.low:.4g}, {verdict.high:.4g}]"
    return f"{text} (n = {verdict.n})" if verdict.n else text


def short_name(verdict: Verdict) -> str:
    """Return the part of the id that tells a claim from the others of its table.

    `repro explain` takes it too.
    """
    return verdict.id.split("/", 2)[-1]


def count_noun(number: int, one: str, many: str) -> str:
    """Write a number with its noun: "1 claim", "1,377 claims"."""
    return f"{number:,} {one if number == 1 else many}"


def _measured(verdicts: Sequence[Verdict]) -> str:
    empirical = [verdict for verdict in verdicts if verdict.basis == "measured"]
    if not empirical:
        return "no empirical claim"
    measured = [verdict for verdict in empirical if was_measured(verdict)]
    line = (
        f"{len(measured):,} of {count_noun(len(empirical), 'empirical claim', 'empirical claims')} "
        "measured"
    )
    if measured:
        on = Counter(map(_evidence_words, measured))
        order = [*GRADE_WORDS.values(), _OWN_VALUES]
        whose = [f"{on[words]:,} on {words}" for words in order if on[words]]
        found = counts([verdict for verdict in measured if not from_files(verdict)])["measured"]
        said = {phrase(name): number for name, number in found.items() if number}  # type: ignore[arg-type]  # the keys are outcomes
        said |= Counter(phrase_verdict(verdict) for verdict in measured if from_files(verdict))
        told = ", ".join(f"{number:,} {words}" for words, number in said.items())
        line += f" ({', '.join(whose)}): {told}"
    silent = sum(
        verdict.outcome == "inconclusive" and not was_measured(verdict) for verdict in empirical
    )
    return line + (f", {silent:,} more run without a number" if silent else "")


def _evidence_words(verdict: Verdict) -> str:
    """Say whose evidence a verdict rests on."""
    if verdict.grade == "supplied" and not from_files(verdict):
        return _OWN_VALUES
    return GRADE_WORDS[verdict.grade] if verdict.grade else ""


def _defined(verdicts: Sequence[Verdict]) -> str:
    found = counts(verdicts)["definition"]
    words = {"holds": ("holds", "hold"), "fails": ("does not", "do not")}
    return _told(found, "by definition", {**words, "unverifiable": ("cannot be verified",) * 2})


def _set(verdicts: Sequence[Verdict]) -> str:
    found = counts(verdicts)["setting"]
    noun = "setting" if sum(found.values()) == 1 else "settings"
    words = {
        "as_printed": ("as printed",) * 2,
        "differs": ("differs", "differ"),
        "not_set": ("not set",) * 2,
    }
    return _told(found, noun, {**words, "unverifiable": ("cannot be verified",) * 2})


def _told(found: dict[str, int], noun: str, words: dict[str, tuple[str, str]]) -> str:
    if not (whole := sum(found.values())):
        return ""
    told = ", ".join(
        f"{found[name]:,} {one if found[name] == 1 else many}"
        for name, (one, many) in words.items()
        if found[name]
    )
    return f"{whole:,} {noun}: {told}"


def _audited(verdicts: Sequence[Verdict], audit: Audited) -> str:
    ids = {verdict.id for verdict in verdicts}
    checked = count_noun(len(ids & audit.checked), "claim", "claims")
    subjects = [claim for claim in audit.substantive if claim in ids]
    severe = count_noun(len(subjects), "inconsistency", "inconsistencies")
    different = len(set(subjects))
    of = f" of {count_noun(different, 'claim', 'claims')}" if different < len(subjects) else ""
    return (
        f"audit: {checked} checked against another print, "
        f"{severe.replace(' ', ' substantive ', 1)}{of}"
    )
