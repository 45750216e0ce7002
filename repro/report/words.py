"""How a verdict is put to a reader: one symbol an outcome, counts in words, what was measured and by whose runs."""

from collections.abc import Sequence

from repro.verify.assess import GRADE_WORDS, counts
from repro.verify.audit import Audited
from repro.verify.verdict import Outcome, Verdict

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


def first_line(verdicts: Sequence[Verdict], audit: Audited) -> str:
    """Say the truth of all verdicts in one line: what was measured, what rests on less, what the prints contradict."""
    parts = (_measured(verdicts), _defined(verdicts), _set(verdicts), _audited(verdicts, audit))
    return " · ".join(part for part in parts if part)


def was_measured(verdict: Verdict) -> bool:
    """Whether some run of the claim's own cells gave a number."""
    return verdict.grade is not None


def phrase(outcome: Outcome) -> str:
    """An outcome as a word of a sentence."""
    return outcome.replace("_", " ")


def phrase_grade(verdict: Verdict) -> str:
    """The grade of a verdict's evidence as it stands beside the outcome."""
    return (verdict.grade or "").replace("_", " ")


def estimate_text(verdict: Verdict) -> str:
    """What was measured, with its own interval and runs."""
    value = verdict.estimate
    if value is None:
        return "–"
    text = f"{value:.4g}" if isinstance(value, float) and not isinstance(value, bool) else str(value)
    if verdict.low is not None and verdict.high is not None:
        text += f" [{verdict.low:.4g}, {verdict.high:.4g}]"
    return f"{text} (n = {verdict.n})" if verdict.n else text


def short_name(verdict: Verdict) -> str:
    """The part of the id that tells a claim from the others of its table; `repro explain` takes it too."""
    return verdict.id.split("/", 2)[-1]


def counted(number: int, one: str, many: str) -> str:
    """A number with its noun: "1 claim", "1,377 claims"."""
    return f"{number:,} {one if number == 1 else many}"


def _measured(verdicts: Sequence[Verdict]) -> str:
    empirical = [verdict for verdict in verdicts if verdict.basis == "measured"]
    if not empirical:
        return "no empirical claim"
    measured = [verdict for verdict in empirical if was_measured(verdict)]
    line = f"{len(measured):,} of {counted(len(empirical), 'empirical claim', 'empirical claims')} measured"
    if measured:
        grades = [verdict.grade for verdict in measured if verdict.grade]
        whose = [f"{grades.count(grade):,} on {words}" for grade, words in GRADE_WORDS.items() if grade in grades]
        found = counts(measured)["measured"]
        told = ", ".join(f"{number:,} {phrase(name)}" for name, number in found.items() if number)  # type: ignore[arg-type]  # the keys are outcomes
        line += f" ({', '.join(whose)}): {told}"
    silent = sum(verdict.outcome == "inconclusive" and not was_measured(verdict) for verdict in empirical)
    return line + (f", {silent:,} more run without a number" if silent else "")


def _defined(verdicts: Sequence[Verdict]) -> str:
    found = counts(verdicts)["definition"]
    words = {"holds": ("holds", "hold"), "fails": ("does not", "do not")}
    return _told(found, "by definition", {**words, "unverifiable": ("cannot be verified",) * 2})


def _set(verdicts: Sequence[Verdict]) -> str:
    found = counts(verdicts)["setting"]
    noun = "setting" if sum(found.values()) == 1 else "settings"
    words = {"as_printed": ("as printed",) * 2, "differs": ("differs", "differ"), "not_set": ("not set",) * 2}
    return _told(found, noun, {**words, "unverifiable": ("cannot be verified",) * 2})


def _told(found: dict[str, int], noun: str, words: dict[str, tuple[str, str]]) -> str:
    if not (whole := sum(found.values())):
        return ""
    told = ", ".join(
        f"{found[name]:,} {one if found[name] == 1 else many}" for name, (one, many) in words.items() if found[name]
    )
    return f"{whole:,} {noun}: {told}"


def _audited(verdicts: Sequence[Verdict], audit: Audited) -> str:
    ids = {verdict.id for verdict in verdicts}
    checked = counted(len(ids & audit.checked), "claim", "claims")
    severe = counted(sum(claim in ids for claim in audit.substantive), "inconsistency", "inconsistencies")
    return f"audit: {checked} checked against another print, {severe.replace(' ', ' substantive ', 1)}"
