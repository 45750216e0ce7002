"""Claims as the page lists them: by place, outcomes in one order, truths in words."""

from collections.abc import Callable

import pytest

from repro.claims.claim import Claim
from repro.report.page.claims import legend, tables
from repro.verify.verdict import FILES_SAY, OUTCOMES, Verdict

Judged = tuple[list[Claim], list[Verdict]]


def test_claims_of_one_place_stand_together_in_the_paper_s_order(
    claims_of: Callable[..., list[Claim]], verdict_of: Callable[..., Verdict]
) -> None:
    mean = {"model": "m", "condition": "B3", "step": 10, "statistic": "mean"}
    claims = claims_of(*({"printed": f"0.{number}", **mean} for number in range(1, 6)))
    places = ["Table 1", "Table 1", "§2", "Table 3", "Table 3"]
    verdicts = [
        verdict_of(claim, locator=place) for claim, place in zip(claims, places, strict=True)
    ]
    found = tables(verdicts, {claim.id: claim for claim in claims})
    assert [(table.id, table.locator) for table in found] == [
        ("table-1", "Table 1"),
        ("table-2", "§2"),
        ("table-3", "Table 3"),
    ]
    printed = [[line.printed for line in table.lines] for table in found]
    assert printed == [["0.1", "0.2"], ["0.3"], ["0.4", "0.5"]]


def test_every_claim_is_counted_once_in_the_order_of_outcomes(judged: Judged) -> None:
    claims, verdicts = judged
    order = list(dict.fromkeys(name for names in OUTCOMES.values() for name in names))
    (table,) = tables(verdicts, {claim.id: claim for claim in claims})
    listed = [name for name, _, _ in table.counts]
    assert listed == sorted(listed, key=order.index)
    assert sum(number for _, _, number in table.counts) == len(verdicts)
    told = [(name, words, number) for name, _, words, _, number in legend(verdicts)]
    assert told == table.counts
    assert len({meaning for _, _, _, meaning, _ in legend(verdicts)}) == len(told)


def test_what_authors_sent_stands_behind_what_was_measured(
    claims_of: Callable[..., list[Claim]], verdict_of: Callable[..., Verdict]
) -> None:
    """Of one outcome, in words of its own and with a meaning of its own."""
    claim, *_ = claims_of({"printed": "0.5", "model": "m", "step": 0, "statistic": "mean"})
    sent = {"supplied": {"by": "the authors"}}
    verdicts = [
        verdict_of(claim, outcome="consistent", grade="supplied", artefacts=sent),
        verdict_of(claim, outcome="consistent", grade="own"),
        verdict_of(claim, outcome="reproduced", grade="own"),
    ]
    words = [words for _, _, words, _, _ in legend(verdicts)]
    assert words == ["reproduced", "consistent", FILES_SAY["consistent"]]
    assert "nothing was repeated" in legend(verdicts)[-1][3]


@pytest.mark.parametrize(
    ("estimate", "n", "words"),
    [
        (True, 3, "holds (n = 3)"),
        (False, 0, "does not hold"),
        (("a", "b"), 2, "a, b"),
        (0.25, 2, "0.25 (n = 2)"),
        (None, 0, "–"),
    ],
)
def test_a_measured_value_is_put_in_words(
    claims_of: Callable[..., list[Claim]],
    verdict_of: Callable[..., Verdict],
    estimate: object,
    n: int,
    words: str,
) -> None:
    claim, *_ = claims_of({"printed": "0.5", "model": "m", "step": 0, "statistic": "mean"})
    (table,) = tables([verdict_of(claim, estimate=estimate, n=n)], {claim.id: claim})
    assert table.lines[0].measured == words
