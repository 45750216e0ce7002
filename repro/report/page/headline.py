"""The report's first paragraphs, in plain words: what was claimed, found, and left to pay for."""

from collections import Counter
from collections.abc import Collection, Sequence

from repro.report.page.costs import Price
from repro.report.page.findings import Finding
from repro.report.terminal.words import count_noun, from_files, phrase_verdict, was_measured
from repro.verify.assess import GRADE_WORDS, JUDGED
from repro.verify.verdict import Verdict

PLAIN = {
    "reproduced": "reproduced", "consistent": "consistent with the print", "contradicted": "contradicted",
    "inconclusive": "inconclusive",
}  # fmt: skip


def claimed(verdicts: Sequence[Verdict], papers: int, own: Collection[str]) -> str:
    """Say what the papers print; `own`: ids of claims about the papers' own models."""
    mine = [verdict for verdict in verdicts if verdict.id in own]
    empirical = sum(verdict.basis == "measured" for verdict in mine)
    if not verdicts:
        return "No published claim is bound to this manifest: the page shows what was measured."
    rest = len(verdicts) - len(mine)
    words = (
        f"{count_noun(papers, 'source prints', 'sources print')} "
        f"{count_noun(len(mine), 'number or statement', 'numbers and statements')}; "
        f"{empirical:,} of them only runs can check."
    )
    own_words = (
        f" Beside them stand {count_noun(rest, 'statement', 'statements')} of this project "
        "about small models."
        if rest
        else ""
    )
    return words + own_words


def found(
    verdicts: Sequence[Verdict],
    runs: int,
    own: Collection[str],
    findings: Sequence[Finding],
    compared: int = 0,
) -> list[str]:
    """Say what runs and prints show, each in a sentence; never more than the evidence bears.

    `compared`: how many of the claims the audit could compare with another print.
    """
    return [
        _measured(verdicts, runs, own),
        *_sent(verdicts),
        *_small(verdicts, own),
        *_without_runs(verdicts, findings, compared),
    ]


def _measured(verdicts: Sequence[Verdict], runs: int, own: Collection[str]) -> str:
    mine = [
        verdict
        for verdict in verdicts
        if verdict.id in own and verdict.basis == "measured" and not from_files(verdict)
    ]
    if mine and all(verdict.outcome == "unverifiable" for verdict in mine):
        return (
            f"Nothing here can measure the {count_noun(len(mine), 'claim', 'claims')} that only "
            "runs can check: they have neither passed nor failed."
        )
    if not runs:
        by = " by a run" if any(map(from_files, verdicts)) else ""
        return (
            f"Nothing has been run here yet, so no empirical claim is judged{by}. Not run is not "
            "passed."
        )
    judged = [verdict for verdict in mine if verdict.outcome in JUDGED]
    lesser = [
        verdict for verdict in mine if was_measured(verdict) and verdict.outcome not in JUDGED
    ]
    ran = count_noun(runs, "run is", "runs are")
    if not mine:
        return f"{ran} in the store."
    if not judged:
        told = (
            f"{len(lesser):,} were measured on lesser evidence and stay open."
            if lesser
            else "Not run is not passed."
        )
        return f"{ran} in the store; none of the papers' empirical claims is judged by them. {told}"
    return (
        f"{ran} in the store. Of the papers' {len(mine):,} empirical claims {len(judged):,} are "
        f"judged: {_outcomes(judged)}."
    )


def _sent(verdicts: Sequence[Verdict]) -> list[str]:
    """Say what files that authors sent show of their claims, in words of their own."""
    sent = [verdict for verdict in verdicts if from_files(verdict)]
    if not sent:
        return []
    said = Counter(phrase_verdict(verdict) for verdict in sent)
    return [
        f"Of {count_noun(len(sent), 'claim', 'claims')} the authors sent files, nothing of which was "
        f"repeated here: {', '.join(f'{number} {words}' for words, number in said.items())}."
    ]


def _small(verdicts: Sequence[Verdict], own: Collection[str]) -> list[str]:
    """Say what runs of small models show of the statements about them."""
    small = [
        verdict
        for verdict in verdicts
        if verdict.id not in own and was_measured(verdict) and not from_files(verdict)
    ]
    if not small:
        return []
    grades = Counter(verdict.grade for verdict in small if verdict.grade)
    whose = ", ".join(f"{number} on {GRADE_WORDS[grade]}" for grade, number in grades.items())
    return [
        f"Of the statements about small models {len(small)} were measured ({whose}): "
        f"{_outcomes(small)}."
    ]


def _outcomes(verdicts: Sequence[Verdict]) -> str:
    counts = Counter(verdict.outcome for verdict in verdicts)
    return ", ".join(f"{counts[name]} {words}" for name, words in PLAIN.items() if counts[name])  # type: ignore[index]  # the keys are outcomes


def _without_runs(
    verdicts: Sequence[Verdict], findings: Sequence[Finding], compared: int
) -> list[str]:
    """Say what needs no run: definitions, and the prints against each other."""
    fails = sum(verdict.outcome == "fails" for verdict in verdicts)
    differs = sum(verdict.outcome == "differs" for verdict in verdicts)
    severe = [finding for finding in findings if finding.severity == "substantive"]
    words = []
    if fails:
        words.append(
            f"{count_noun(fails, 'claim does', 'claims do')} not follow from the architectures "
            "and definitions they speak of."
        )
    if differs:
        words.append(
            f"{count_noun(differs, 'printed setting is', 'printed settings are')} set otherwise in "
            "the manifest."
        )
    said = f"{count_noun(compared, 'print was', 'prints were')} compared with others" * bool(
        compared
    )
    if findings:
        words.append(
            f"{f'{said}: t' if said else 'T'}he papers' own prints disagree with each other in "
            f"{count_noun(len(findings), 'place', 'places')}, "
            f"{len(severe)} substantively."
        )
    elif said:
        words.append(f"{said}, and none disagrees.")
    return words


def to_know_more(prices: Sequence[Price]) -> str:
    """Say what the runs would take that claims wait for."""
    if not prices:
        return "No claim here waits for a run."
    full, small = (
        [price for price in prices if not price.small],
        [price for price in prices if price.small],
    )
    words = []
    if full:
        low, high = sum(price.low for price in full), sum(price.high for price in full)
        runs, claims = sum(price.to_do for price in full), sum(price.claims for price in full)
        cheap = max(full, key=lambda price: price.claims / max(price.high, 0.1))
        words.append(
            f"{count_noun(claims, 'published claim waits', 'published claims wait')} for "
            f"{count_noun(runs, 'run', 'runs')} of "
            f"{count_noun(len(full), 'manifest', 'manifests')}: {hours(low, high)} on an H100. "
            "The most for the least: "
            f"{cheap.manifest}, {count_noun(cheap.claims, 'claim', 'claims')} for "
            f"{hours(cheap.low, cheap.high)}."
        )
    if small:
        claims, names = (
            sum(price.claims for price in small),
            ", ".join(price.manifest for price in small[:3]),
        )
        words.append(
            f"{count_noun(claims, 'statement', 'statements')} about small models "
            f"{'waits' if claims == 1 else 'wait'} for "
            f"manifests that two cores can run ({names}{' …' if len(small) > 3 else ''})."
        )
    return " ".join(words)


def hours(low: float, high: float) -> str:
    """Return a range of GPU-hours."""
    if high < 0.1:
        return "under 0.1 GPU-hours"
    return (
        f"{low:,.2g} to {high:,.2g} GPU-hours"
        if high < 10
        else f"{low:,.0f} to {high:,.0f} GPU-hours"
    )
