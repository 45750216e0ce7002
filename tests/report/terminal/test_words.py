"""How a verdict is put: one symbol an outcome, counts that keep apart what rests on what."""

from collections.abc import Callable

import pytest

from repro.audit import Audited
from repro.claims.claim import Claim
from repro.report.terminal.words import (
    SYMBOLS,
    count_noun,
    estimate_text,
    headline_text,
    phrase_verdict,
    short_name,
)
from repro.verify.verdict import FILES_SAY, OUTCOMES, Verdict

Judged = tuple[list[Claim], list[Verdict]]


def test_every_outcome_has_its_own_symbol() -> None:
    outcomes = {outcome for named in OUTCOMES.values() for outcome in named}
    assert set(SYMBOLS) == outcomes
    assert len({symbol for symbol, _ in SYMBOLS.values()}) == len(outcomes)


def test_the_first_line_keeps_what_was_measured_apart_from_what_was_not(
    judged: Judged, audited: Audited
) -> None:
    assert headline_text(judged[1], audited) == (
        "3 of 5 empirical claims measured (3 on the paper's own models and settings): 1 "
        "consistent, 1 contradicted, "
        "1 inconclusive · "
        "2 settings: 1 differs, 1 not set · audit: 2 claims checked against another print, "
        "1 substantive inconsistency"
    )


@pytest.fixture
def claim(claims_of: Callable[..., list[Claim]]) -> Claim:
    (found,) = claims_of({"printed": "0.5", "model": "m", "step": 0, "statistic": "mean"})
    return found


def test_what_authors_sent_is_never_called_reproduced(
    claim: Claim, verdict_of: Callable[..., Verdict]
) -> None:
    """Values of one's own are of the same grade, and said to be one's own."""
    sent = {"grade": "supplied", "artefacts": {"supplied": {"by": "the authors"}}}
    theirs = verdict_of(claim, outcome="consistent", **sent)
    own = verdict_of(claim, outcome="consistent", grade="supplied")
    assert phrase_verdict(theirs) == FILES_SAY["consistent"]
    assert phrase_verdict(own) == "consistent"
    line = headline_text([theirs, own], Audited({}, frozenset(), ()))
    assert "1 on values of your own" in line
    assert f"1 {FILES_SAY['consistent']}" in line
    assert "reproduced" not in line


def test_a_run_that_gave_no_number_is_not_measured(
    claim: Claim, verdict_of: Callable[..., Verdict]
) -> None:
    nothing = Audited({}, frozenset(), ())
    silent = verdict_of(claim, outcome="inconclusive")
    line = headline_text([silent, verdict_of(claim)], nothing)
    assert line.startswith("0 of 2 empirical claims measured, 1 more run without a number")
    defined = verdict_of(claim, basis="definition", outcome="holds")
    assert headline_text([defined], nothing).startswith(
        "no empirical claim · 1 by definition: 1 holds · audit: 0 claims checked"
    )


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({}, "–"),
        ({"estimate": 0.123456}, "0.1235"),
        ({"estimate": 0.5, "low": 0.25, "high": 0.75, "n": 3}, "0.5 [0.25, 0.75] (n = 3)"),
        ({"estimate": 0.5, "low": 0.25}, "0.5"),
        ({"estimate": "law", "n": 2}, "law (n = 2)"),
    ],
)
def test_an_estimate_is_written_with_its_interval_and_runs(
    claim: Claim, verdict_of: Callable[..., Verdict], fields: dict[str, object], text: str
) -> None:
    assert estimate_text(verdict_of(claim, **fields)) == text


def test_a_name_and_a_number_are_written_for_a_sentence(
    claim: Claim, verdict_of: Callable[..., Verdict]
) -> None:
    assert short_name(verdict_of(claim, id="p/table-2/mean/ei")) == "mean/ei"
    assert [count_noun(number, "run", "runs") for number in (0, 1, 1377)] == [
        "0 runs",
        "1 run",
        "1,377 runs",
    ]
