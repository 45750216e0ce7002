"""The first paragraphs never say more than the evidence bears."""

import pytest

from repro.report.page.costs import Price
from repro.report.page.headline import found, hours, to_know_more
from repro.verify.verdict import Verdict


def verdict(outcome: str, grade: str | None, name: str = "a") -> Verdict:
    return Verdict.model_validate(
        {"id": name, "source": "p", "locator": "Table 1", "printed": "1", "value": 1.0, "kind": "seed_mean", "basis": "measured",
         "grade": grade, "outcome": outcome, "tolerance": "t", "reason": "r"}
    )  # fmt: skip


def test_without_runs_nothing_is_judged() -> None:
    words = found([verdict("not_run", None)], 0, {"a"}, [])
    assert words == [
        "Nothing has been run here yet, so no empirical claim is judged. Not run is not passed."
    ]


def test_what_nothing_here_can_measure_does_not_wait_for_a_run() -> None:
    for runs in (0, 3):
        (words,) = found([verdict("unverifiable", None)], runs, {"a"}, [])
        assert words.startswith("Nothing here can measure the 1 claim")
        assert "neither passed nor failed" in words
    _, second = found([verdict("unverifiable", None)], 0, {"a"}, [], compared=12)
    assert second == "12 prints were compared with others, and none disagrees."


def test_what_was_measured_on_lesser_evidence_is_not_judged() -> None:
    (words,) = found([verdict("inconclusive", "twin")], 3, {"a"}, [])
    assert "none of the papers' empirical claims is judged" in words
    assert "stay open" in words
    assert "reproduced" not in words


def test_what_the_papers_own_models_show_is_counted_by_outcome() -> None:
    (words,) = found(
        [
            verdict("reproduced", "own"),
            verdict("contradicted", "own", "b"),
            verdict("not_run", None, "c"),
        ],
        3,
        {*"abc"},
        [],
    )
    assert "Of the papers' 3 empirical claims 2 are judged: 1 reproduced, 1 contradicted." in words


def test_a_statement_about_small_models_is_never_the_papers() -> None:
    first, second = found([verdict("reproduced", "random")], 3, set(), [])
    assert "papers'" not in first
    assert second == (
        "Of the statements about small models 1 were measured (1 on random weights): 1 reproduced."
    )


def test_what_more_would_cost_names_the_most_for_the_least() -> None:
    words = to_know_more(
        [Price("dear", "", 10, 2, 2, 100, 500, False), Price("cheap", "", 5, 1, 2, 0.2, 0.4, False)]
    )
    assert words.startswith(
        "15 published claims wait for 3 runs of 2 manifests: 100 to 500 GPU-hours on an H100."
    )
    assert "cheap, 5 claims" in words
    assert to_know_more([]) == "No claim here waits for a run."


@pytest.mark.parametrize(
    ("low", "high", "words"),
    [(0, 0.09, "under 0.1"), (0.12, 0.55, "0.12 to 0.55"), (142, 927, "142 to 927")],
)
def test_hours_have_the_digits_that_mean_something(low: float, high: float, words: str) -> None:
    assert hours(low, high) == f"{words} GPU-hours"
