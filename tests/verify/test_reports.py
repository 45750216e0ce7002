"""What a reader sees of verdicts: the table, JUnit XML, plain words."""

import io
import xml.etree.ElementTree as ET

import pytest
from rich.console import Console

from repro.audit import Audited
from repro.report.export.junit import junit, write_junit
from repro.report.terminal.explain import explanation
from repro.report.terminal.news import changes, keep_last, read_last
from repro.report.terminal.verify import show_verdicts
from repro.report.terminal.words import SYMBOLS, headline_text
from repro.verify.assess import assess
from repro.verify.verdict import OUTCOMES

EI = "entanglement_intensity"
AFTER = {"model": "m", "condition": "B3", "step": 5000}
AUDITED = Audited(
    {"paper/c0": ["mean:Table 2"]}, frozenset({"paper/c0", "paper/c0~1", "another"}), ("paper/c0",)
)
WRITTEN = (
    {"printed": "0.641 ± 0.009", **AFTER, "says": "EI after fine-tuning is 0.641 ± 0.009"},
    {"printed": "0.945", "model": "m", "step": 0, "statistic": "mean"},
    {
        "printed": "0.100",
        "model": "elsewhere",
        "condition": "B3",
        "step": 5000,
        "statistic": "mean",
    },
    {"printed": "60×", "unverifiable": "about another paper's models"},
    {"printed": "8", "statistic": "count", **AFTER},
    {"printed": "5", "statistic": "count", "model": "qwen2.5-coder-7b"},
)


@pytest.fixture
def judged(store, claims_of):
    claims = claims_of(*WRITTEN)
    sealed = {claim.id: claim.digest for claim in claims}
    for seed, value in enumerate([0.90, 0.91, 0.89]):
        store.run(seed=seed, values={(EI, 0): 0.9, (EI, 5000): value}, claims=sealed)
    verdicts = assess(claims, store.connection, audit={claims[0].id: ("mean:Table 2",)})
    return claims, verdicts


def printed(verdicts, width: int = 200, news=None, everything: bool = False, **settings) -> str:
    file = io.StringIO()
    console = Console(file=file, width=width, highlight=False, **settings)
    show_verdicts(verdicts, AUDITED, console, news=news, everything=everything)
    return file.getvalue()


def test_the_table_puts_measured_beside_published_under_the_papers_table(judged) -> None:
    text = printed(judged[1])
    assert "paper, Table 1" in text
    table = text[text.index("paper, Table 1") :]
    line = next(line for line in table.splitlines() if "✗" in line and "0.641" in line)
    assert "0.9 [" in line
    assert "n = 3" in line
    assert "audit: mean:Table 2" in line


def test_output_that_is_not_a_terminal_has_no_escape_codes(judged) -> None:
    assert "\x1b" not in printed(judged[1], color_system=None)
    assert "\x1b" in printed(judged[1], force_terminal=True), "the control: a terminal gets colour"


def test_every_outcome_has_its_own_symbol() -> None:
    outcomes = {outcome for named in OUTCOMES.values() for outcome in named}
    assert set(SYMBOLS) == outcomes
    assert len({symbol for symbol, _ in SYMBOLS.values()}) == len(outcomes)


def test_the_first_line_keeps_what_was_measured_apart_from_what_was_not(judged) -> None:
    assert headline_text(judged[1], AUDITED) == (
        "3 of 5 empirical claims measured (3 on the paper's own models and settings): 1 "
        "consistent, 1 contradicted, "
        "1 inconclusive · "
        "2 settings: 1 differs, 1 not set · audit: 2 claims checked against another print, "
        "1 substantive inconsistency"
    )
    assert printed(judged[1]).startswith(headline_text(judged[1], AUDITED)[:100])


def test_what_is_contradicted_and_what_differs_stands_before_the_tables(judged) -> None:
    lines = printed(judged[1]).splitlines()
    heads = [lines.index(head) for head in ("Contradicted", "Settings that differ from the print")]
    table = next(number for number, line in enumerate(lines) if line.startswith("paper, Table 1"))
    assert heads == sorted(heads)
    assert heads[-1] < table
    assert "△ paper Table 1 prints '5' (paper/c5): scale_ladder has 3 seeds" in lines[heads[1] + 1]


def test_a_claim_nobody_ran_is_listed_only_where_everything_is_asked_for(judged) -> None:
    assert "nothing of scale_ladder has been run" not in printed(judged[1])
    assert "· paper: 1 of 5 empirical claims not run, 1 that nothing here can measure" in printed(
        judged[1]
    )
    whole = [
        line for line in printed(judged[1], everything=True).splitlines() if "· 1 not run" in line
    ]
    assert any("nothing of scale_ladder has been run" in line for line in whole)


def test_no_line_is_wider_than_a_narrow_terminal_and_no_word_is_lost(judged) -> None:
    def words(text: str) -> list[str]:
        return sorted(text.split())

    narrow, wide = (printed(judged[1], width=width) for width in (80, 119))
    assert max(map(len, narrow.splitlines())) <= 80
    assert words(narrow) == words(wide)


def test_what_changed_since_the_last_call_is_said_once(judged, tmp_path) -> None:
    verdicts = judged[1]
    assert changes({}, verdicts) == [], "nothing is known of the first call"
    before = {verdict.id: verdict.outcome for verdict in verdicts} | {verdicts[0].id: "not_run"}
    assert keep_last(tmp_path, {}, []) is None
    assert read_last(tmp_path) == {}, "nothing is kept of nothing"
    news = changes(before, verdicts)
    assert news == [f"✗ not run → contradicted: {verdicts[0].id}"]
    assert "New since the last call" in printed(verdicts, news=news)
    keep_last(tmp_path, {}, verdicts)
    assert changes(read_last(tmp_path), verdicts) == []
    assert "New since" not in printed(verdicts, news=[])


def test_a_memory_of_verdicts_that_cannot_be_read_is_none(tmp_path) -> None:
    for content in ("", "[]", '{"outcomes": 3}', "{"):
        (tmp_path / "last_verdicts.json").write_text(content)
        assert read_last(tmp_path) == {}




def test_an_explanation_answers_what_where_measured_why_and_what_would_change_it(judged) -> None:
    claims, verdicts = judged
    text = explanation(claims[0], verdicts[0])
    for expected in ("CONTRADICTED: paper/c0", "'0.641 ± 0.009' in paper, Table 1", "EI after fine-tuning is", "0.6405 to 0.6415",
                     "mean of entanglement_intensity", "prediction_interval", "Holm", "To change", "mean:Table 2"):  # fmt: skip
        assert expected in text, expected


@pytest.mark.parametrize("index", range(len(WRITTEN)))
def test_every_claim_can_be_explained(judged, index: int) -> None:
    claims, verdicts = judged
    by_id = {verdict.id: verdict for verdict in verdicts}
    text = explanation(claims[index], by_id[claims[index].id])
    assert text.count("\n") > 5
    assert "None" not in text
