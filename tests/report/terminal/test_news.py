"""What has changed since the last call: said once, and remembered beside the store."""

from pathlib import Path

from repro.claims.claim import Claim
from repro.report.terminal.news import changes, keep_last, read_last
from repro.verify.verdict import Verdict

Judged = tuple[list[Claim], list[Verdict]]


def test_what_changed_since_the_last_call_is_said_once(judged: Judged, tmp_path: Path) -> None:
    verdicts = judged[1]
    assert changes({}, verdicts) == [], "nothing is known of the first call"
    before = {verdict.id: str(verdict.outcome) for verdict in verdicts}
    assert keep_last(tmp_path, {}, []) is None
    assert read_last(tmp_path) == {}, "nothing is kept of nothing"
    news = changes(before | {verdicts[0].id: "not_run"}, verdicts)
    assert news == [f"✗ not run → contradicted: {verdicts[0].id}"]
    assert keep_last(tmp_path, {}, verdicts) is None
    assert changes(read_last(tmp_path), verdicts) == []


def test_claims_that_moved_alike_share_a_line(judged: Judged) -> None:
    one = judged[1][0]
    verdicts = [one.model_copy(update={"id": f"p/{n}"}) for n in range(5)]
    last = {verdict.id: "not_run" for verdict in verdicts[:4]} | {"p/4": "inconclusive"}
    assert changes(last, verdicts) == [
        "✗ not run → contradicted: p/0, p/1, p/2 and 1 more",
        "✗ inconclusive → contradicted: p/4",
    ]


def test_a_call_about_some_claims_forgets_no_others(judged: Judged, tmp_path: Path) -> None:
    verdicts = judged[1]
    keep_last(tmp_path, {}, verdicts)
    one = verdicts[0].model_copy(update={"outcome": "reproduced"})
    keep_last(tmp_path, read_last(tmp_path), [one])
    kept = {verdict.id: verdict.outcome for verdict in verdicts} | {one.id: "reproduced"}
    assert read_last(tmp_path) == kept


def test_a_memory_of_verdicts_that_cannot_be_read_is_none(tmp_path: Path) -> None:
    for content in ("", "[]", '{"outcomes": 3}', "{"):
        (tmp_path / "last_verdicts.json").write_text(content)
        assert read_last(tmp_path) == {}


def test_where_nothing_can_be_written_the_reason_is_given(judged: Judged, tmp_path: Path) -> None:
    (tmp_path / "results").write_text("")
    why = keep_last(tmp_path / "results", {}, judged[1])
    assert why
    assert "\n" not in why
