"""Every claim as the page lists it: by paper and table, published beside measured."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from repro.claims.claim import Claim
from repro.report.terminal.explain import FILES_MEAN, MEANING
from repro.report.terminal.words import (
    SYMBOLS,
    estimate_text,
    phrase,
    phrase_grade,
    phrase_verdict,
    short_name,
)
from repro.verify.verdict import OUTCOMES, Outcome, Verdict

_ORDER: tuple[Outcome, ...] = tuple(
    dict.fromkeys(name for names in OUTCOMES.values() for name in names)
)


@dataclass(frozen=True)
class ClaimLine:
    """One claim with its verdict, as text."""

    id: str
    name: str
    says: str
    printed: str
    measured: str
    outcome: Outcome
    symbol: str
    words: str
    grade: str
    basis: str
    reason: str
    audit: tuple[str, ...]
    headline: bool
    source: str
    locator: str


@dataclass(frozen=True)
class PaperTable:
    """The claims of one place in a paper."""

    id: str
    source: str
    locator: str
    lines: tuple[ClaimLine, ...]

    @property
    def counts(self) -> list[tuple[str, str, int]]:
        """Return (outcome, its words, how many), in the order of the legend."""
        found = Counter((line.outcome, line.words) for line in self.lines)
        return [(name, words, found[name, words]) for name, words in _in_order(found)]


def tables(verdicts: Sequence[Verdict], claims: Mapping[str, Claim]) -> list[PaperTable]:
    """Return the claims by paper and place, in the papers' own order.

    What stands in one place is together.
    """
    return [
        PaperTable(
            f"table-{number}",
            source,
            locator,
            tuple(_line(verdict, claims[verdict.id]) for verdict in found),
        )
        for number, ((source, locator), found) in enumerate(
            groupby(verdicts, key=lambda verdict: (verdict.source, verdict.locator)), 1
        )
    ]


def legend(verdicts: Sequence[Verdict]) -> list[tuple[str, str, str, str, int]]:
    """Return (outcome, symbol, words, meaning, how many) of every outcome that occurs."""
    found = Counter((verdict.outcome, phrase_verdict(verdict)) for verdict in verdicts)
    return [
        (
            name,
            SYMBOLS[name][0],
            words,
            (MEANING if words == phrase(name) else FILES_MEAN)[name],
            found[name, words],
        )
        for name, words in _in_order(found)
    ]


def _in_order(found: Iterable[tuple[Outcome, str]]) -> list[tuple[Outcome, str]]:
    """Return pairs of outcome and words in the order of outcomes; what authors sent comes last."""
    return sorted(found, key=lambda pair: (_ORDER.index(pair[0]), pair[1] != phrase(pair[0])))


def _measured(verdict: Verdict) -> str:
    """Say what was measured or found; a truth in words."""
    if isinstance(verdict.estimate, bool):
        return ("holds" if verdict.estimate else "does not hold") + (
            f" (n = {verdict.n})" if verdict.n else ""
        )
    if isinstance(verdict.estimate, tuple):
        return ", ".join(map(str, verdict.estimate))
    return estimate_text(verdict)


def _line(verdict: Verdict, claim: Claim) -> ClaimLine:
    return ClaimLine(
        verdict.id, short_name(verdict), claim.says, verdict.printed, _measured(verdict), verdict.outcome,
        SYMBOLS[verdict.outcome][0], phrase_verdict(verdict), phrase_grade(verdict), verdict.basis, verdict.reason,
        verdict.audit, claim.headline, verdict.source, verdict.locator,
    )  # fmt: skip
