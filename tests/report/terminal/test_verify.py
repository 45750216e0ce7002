"""Verdicts for a reader: the truth first, measured beside published, nothing lost where narrow."""

import io
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from rich.console import Console

from repro.audit import Audited
from repro.claims.claim import Claim
from repro.report.terminal.verify import show_verdicts
from repro.report.terminal.words import headline_text
from repro.verify.verdict import Verdict

Judged = tuple[list[Claim], list[Verdict]]
AUDITED = Audited(
    {"paper/c0": ["mean:Table 2"]}, frozenset({"paper/c0", "paper/c0~1", "another"}), ("paper/c0",)
)


def printed(
    verdicts: Sequence[Verdict],
    width: int = 200,
    news: list[str] | None = None,
    everything: bool = False,
    then: str = "",
    **settings: Any,
) -> str:
    file = io.StringIO()
    console = Console(file=file, width=width, highlight=False, **settings)
    show_verdicts(verdicts, AUDITED, console, news=news, everything=everything, then=then)
    return file.getvalue()


def test_the_table_puts_measured_beside_published_under_the_papers_table(judged: Judged) -> None:
    text = printed(judged[1])
    assert "paper, Table 1" in text
    table = text[text.index("paper, Table 1") :]
    line = next(line for line in table.splitlines() if "✗" in line and "0.641" in line)
    assert "0.9 [" in line
    assert "n = 3" in line
    assert "audit: mean:Table 2" in line


def test_output_that_is_not_a_terminal_has_no_escape_codes(judged: Judged) -> None:
    assert "\x1b" not in printed(judged[1], color_system=None)
    assert "\x1b" in printed(judged[1], force_terminal=True), "the control: a terminal gets colour"


def test_what_is_contradicted_and_what_differs_stands_before_the_tables(judged: Judged) -> None:
    lines = printed(judged[1]).splitlines()
    heads = [lines.index(head) for head in ("Contradicted", "Settings that differ from the print")]
    table = next(number for number, line in enumerate(lines) if line.startswith("paper, Table 1"))
    assert heads == sorted(heads)
    assert heads[-1] < table
    assert "△ paper Table 1 prints '5' (paper/c5): scale_ladder has 3 seeds" in lines[heads[1] + 1]


def test_a_claim_nobody_ran_is_listed_only_where_everything_is_asked_for(judged: Judged) -> None:
    assert "nothing of scale_ladder has been run" not in printed(judged[1])
    assert "· paper: 1 of 5 empirical claims not run, 1 that nothing here can measure" in printed(
        judged[1]
    )
    whole = [
        line for line in printed(judged[1], everything=True).splitlines() if "· 1 not run" in line
    ]
    assert any("nothing of scale_ladder has been run" in line for line in whole)


def test_no_line_is_wider_than_a_narrow_terminal_and_no_word_is_lost(judged: Judged) -> None:
    def words(text: str) -> list[str]:
        return sorted(text.split())

    narrow, wide = (printed(judged[1], width=width) for width in (80, 119))
    assert max(map(len, narrow.splitlines())) <= 80
    assert words(narrow) == words(wide)


def test_the_first_line_is_the_truth_of_all_and_the_last_says_how_to_go_on(judged: Judged) -> None:
    whole = printed(judged[1])
    assert whole.startswith(headline_text(judged[1], AUDITED)[:100])
    assert "`repro verify --all` lists every claim" in whole
    assert "lists every claim" not in printed(judged[1], everything=True)
    assert printed(judged[1], then="Ask somebody.").endswith("\nAsk somebody.\n")


def test_news_stand_under_a_heading_of_their_own(judged: Judged) -> None:
    assert "New since the last call\n  ✗ a → b: c\n" in printed(judged[1], news=["✗ a → b: c"])
    assert "New since" not in printed(judged[1], news=[])


def test_of_many_contradictions_the_first_are_named_and_the_rest_counted(judged: Judged) -> None:
    (one,) = [verdict for verdict in judged[1] if verdict.outcome == "contradicted"]
    text = printed([one.model_copy(update={"id": f"paper/t/{n}"}) for n in range(11)])
    section = text[text.index("\nContradicted") : text.index("\npaper, Table 1")]
    assert section.count("prints") == 8
    assert "and 3 more" in section


def test_z_values_are_a_histogram_from_twenty_on(judged: Judged) -> None:
    """The tallest bar is full; statements about an order have no place in it."""
    (one,) = [verdict for verdict in judged[1] if verdict.outcome == "contradicted"]
    drawn = np.random.default_rng(0).normal(size=20)
    verdicts = [one.model_copy(update={"z": float(z)}) for z in drawn]
    assert "(20; standard normal" in printed(verdicts)
    assert "█" in printed(verdicts)
    assert "z from" not in printed(verdicts[1:])
    order = verdicts[0].model_copy(update={"kind": "ordering"})
    assert "z from" not in printed([*verdicts[1:], order])


@pytest.mark.parametrize(("p", "told"), [(0.04, True), (0.06, False)])
def test_what_fails_alone_but_not_after_correction_is_said(
    judged: Judged, p: float, told: bool
) -> None:
    open_one = judged[1][0].model_copy(update={"outcome": "inconclusive", "p": p})
    assert ("1 claim fails at 5 % alone" in printed([open_one])) == told
