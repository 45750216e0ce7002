"""What a reader sees of verdicts: the table, JUnit XML, plain words."""

import io
import xml.etree.ElementTree as ET

import pytest
from rich.console import Console

from repro.report.explain import explanation
from repro.report.junit import junit, write_junit
from repro.report.verify import SYMBOLS, show, summary
from repro.verify.assess import assess
from repro.verify.verdict import OUTCOMES

EI = "entanglement_intensity"
AFTER = {"model": "m", "condition": "B3", "step": 5000}
WRITTEN = (
    {"printed": "0.641 ± 0.009", **AFTER, "says": "EI after fine-tuning is 0.641 ± 0.009"},
    {"printed": "0.945", "model": "m", "step": 0, "statistic": "mean"},
    {"printed": "0.100", "model": "elsewhere", "condition": "B3", "step": 5000, "statistic": "mean"},
    {"printed": "60×", "unverifiable": "about another paper's models"},
    {"printed": "8", "statistic": "count", **AFTER},
)


@pytest.fixture
def judged(store, claims_of):
    claims = claims_of(*WRITTEN)
    sealed = {claim.id: claim.digest for claim in claims}
    for seed, value in enumerate([0.90, 0.91, 0.89]):
        store.run(seed=seed, values={(EI, 0): 0.9, (EI, 5000): value}, claims=sealed)
    verdicts = assess(claims, store.connection, audit={claims[0].id: ("mean:Table 2",)})
    return claims, verdicts


def printed(verdicts, **settings) -> str:
    file = io.StringIO()
    show(verdicts, Console(file=file, width=200, highlight=False, **settings))
    return file.getvalue()


def test_the_table_puts_measured_beside_published_under_the_papers_table(judged):
    text = printed(judged[1])
    assert "paper, Table 1" in text
    line = next(line for line in text.splitlines() if "✗" in line and "0.641" in line)
    assert "0.9 [" in line
    assert "n = 3" in line
    assert "audit: mean:Table 2" in line


def test_output_that_is_not_a_terminal_has_no_escape_codes(judged):
    assert "\x1b" not in printed(judged[1], color_system=None)
    assert "\x1b" in printed(judged[1], force_terminal=True), "the control: a terminal gets colour"


def test_every_outcome_has_its_own_symbol():
    assert set(SYMBOLS) == set(OUTCOMES)
    assert len({symbol for symbol, _ in SYMBOLS.values()}) == len(OUTCOMES)


def test_the_summary_counts_every_outcome(judged):
    text = summary(judged[1]).plain
    assert "✗ 2 contradicted" in text
    assert "· 2 not run" in text
    assert "– 1 unverifiable" in text
    assert "after Holm" in text


def test_claims_nobody_ran_share_a_line(judged):
    lines = [line for line in printed(judged[1]).splitlines() if "· 1 not run" in line]
    assert any("nothing of scale_ladder has been run" in line for line in lines)


def test_junit_has_one_case_a_claim_with_its_outcome(judged, tmp_path):
    write_junit(tmp_path / "verify.xml", judged[1])
    root = ET.parse(tmp_path / "verify.xml").getroot()
    cases = {case.get("name"): case for case in root.iter("testcase")}
    assert set(cases) == {verdict.id for verdict in judged[1]}
    for verdict in judged[1]:
        case = cases[verdict.id]
        assert (case.find("failure") is not None) == (verdict.outcome == "contradicted")
        assert (case.find("skipped") is not None) == (verdict.outcome in ("inconclusive", "not_run", "unverifiable"))
    suite = junit(judged[1]).find("testsuite")
    assert suite is not None
    assert suite.get("failures") == str(sum(v.outcome == "contradicted" for v in judged[1]))


def test_an_explanation_answers_what_where_measured_why_and_what_would_change_it(judged):
    claims, verdicts = judged
    text = explanation(claims[0], verdicts[0])
    for expected in ("CONTRADICTED: paper/c0", "'0.641 ± 0.009' in paper, Table 1", "EI after fine-tuning is", "0.6405 to 0.6415",
                     "mean of entanglement_intensity", "prediction_interval", "Holm", "To change", "mean:Table 2"):  # fmt: skip
        assert expected in text, expected


@pytest.mark.parametrize("index", range(len(WRITTEN)))
def test_every_claim_can_be_explained(judged, index: int):
    claims, verdicts = judged
    by_id = {verdict.id: verdict for verdict in verdicts}
    text = explanation(claims[index], by_id[claims[index].id])
    assert text.count("\n") > 5
    assert "None" not in text
