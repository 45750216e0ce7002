"""Write the tables of docs/calibration.md between two marks.

The text around them is written by hand.
"""

from collections.abc import Iterable, Iterator
from datetime import date
from pathlib import Path

from calibration.promises import UNKEPT, promises
from calibration.rates import ABSENT, PAPER, Rate
from calibration.seeds import CLUSTERED, LAWS

BEGIN, END = "<!-- tables: make calibrate -->", "<!-- end of tables -->"


def write_tables(rates: list[Rate], path: Path) -> None:
    """Replace the tables between the marks of a page."""
    text = path.read_text(encoding="utf-8")
    before, rest = text.split(BEGIN, 1)
    after = rest.split(END, 1)[1]
    path.write_text(
        f"{before}{BEGIN}\n{chr(10).join(_tables(rates))}\n{END}{after}", encoding="utf-8"
    )


def _tables(rates: list[Rate]) -> Iterator[str]:
    """Yield the lines of all tables."""
    judged = sum(rate.setting.repetitions for rate in rates if rate.setting.kind != PAPER)
    papers = sum(rate.setting.repetitions for rate in rates if rate.setting.kind == PAPER)
    most = max(rate.setting.repetitions for rate in rates)
    yield f"\n{date.today():%Y-%m-%d}, `python -m calibration --full {most}`, then `--tables`:"
    yield (
        f"{judged:,} claims and {papers:,} papers judged; {most} repetitions of a true claim "
        "with normal seeds,"
    )
    yield "half of them with another law, a quarter of an untrue claim, a fifth of a paper.\n"
    yield from _true(rates)
    yield from _untrue(rates)
    yield from _papers(rates)
    yield from _broken(rates)


def _kinds(rates: Iterable[Rate]) -> list[str]:
    """Return the kinds of claims, in order."""
    return list(
        dict.fromkeys(rate.setting.kind for rate in sorted(rates) if rate.setting.kind != PAPER)
    )


def _true(rates: list[Rate]) -> Iterator[str]:
    """Yield P(contradicted | true) by kind and law, over all pairs of run numbers and for the
    worst pair.
    """
    yield "### A true claim is contradicted, before any correction\n"
    yield "Percent over all pairs of numbers of runs, with the worst pair in brackets.\n"
    yield "| claim | " + " | ".join(LAWS) + " |"
    yield "|---|" + "---|" * len(LAWS)
    for kind in _kinds(rates):
        cells = []
        for law in LAWS:
            found = [r for r in rates if r.setting[:3] == (kind, law, "true")]
            if not found:
                cells.append("")
                continue
            worst = max(found, key=lambda rate: rate.of("contradicted"))
            pair = f"{worst.setting.n}/{worst.setting.m}"
            cells.append(
                f"{_pooled(found, 'contradicted'):.1f} ({100 * worst.of('contradicted'):.0f}, "
                f"{pair})"
            )
        yield f"| {kind} | " + " | ".join(cells) + " |"
    yield ""


def _pooled(rates: list[Rate], outcome: str) -> float:
    """Return the percentage of an outcome over several settings."""
    of = sum(rate.setting.repetitions for rate in rates)
    return 100 * sum(rate.counts.get(outcome, 0) for rate in rates) / of if of else 0.0


def _untrue(rates: list[Rate]) -> Iterator[str]:
    """Yield the outcomes with normal seeds, by the share of the claimed effect our process has."""
    yield "### What is said with normal seeds\n"
    yield (
        "Percent reproduced / consistent / contradicted, by how much of the claimed effect our "
        "process has.\n"
    )
    yield "| claim | theirs / ours | all of it | half | none | reversed |"
    yield "|---|---|---|---|---|---|"
    for kind in _kinds(rates):
        for n, m in ((3, 1), (3, 2), (3, 3), (3, 8), (8, 3), (8, 8)):
            cells = []
            for truth in ("true", "half", "none", "reversed"):
                found = [r for r in rates if r.setting[:5] == (kind, "normal", truth, n, m)]
                shares = (
                    _pooled(found, outcome)
                    for outcome in ("reproduced", "consistent", "contradicted")
                )
                cells.append(" / ".join(f"{share:.0f}" for share in shares) if found else "")
            if any(cells):
                yield f"| {kind} | {n} / {m} | " + " | ".join(cells) + " |"
    yield ""


def _papers(rates: list[Rate]) -> Iterator[str]:
    """Yield the share of whole papers with exit code 1."""
    yield "### Whole papers that end with exit code 1\n"
    yield (
        "Forty claims about six cells, all true, by the law of the seeds, theirs / ours; then "
        "one headline effect absent.\n"
    )
    yield "| papers | seeds | theirs / ours | exit 1 |"
    yield "|---|---|---|---|"
    for rate in sorted(rates, key=lambda rate: (rate.setting.truth == ABSENT, rate.setting)):
        kind, law, truth, n, m, of = rate.setting
        if kind == PAPER:
            named = truth if truth == ABSENT else "all true"
            yield f"| {named} | {law} | {n} / {m} | {100 * rate.of('1'):.1f} % of {of} |"
    yield ""


def _broken(rates: list[Rate]) -> Iterator[str]:
    """Yield the rates that are beyond their promise by more than chance, and those published
    instead of one.
    """
    found = promises(rates)
    broken = [promise for promise in found if promise.broken]
    yield "### Promises\n"
    yield (
        f"{len(found)} rates are held against a promise; {len(broken)} are beyond it by more "
        "than chance (p < 1e-4)."
    )
    yield from (f"- {promise.words()}" for promise in broken)
    for (kind, law), (bound, why) in UNKEPT.items():
        usual = 10 if law in CLUSTERED else 5
        yield f"- not kept: {kind}, {law} seeds: up to {bound:.0%} instead of {usual} %: {why}"
