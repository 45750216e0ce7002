"""One claim in plain words: what was printed, what was measured, why, and what would change it."""

from collections.abc import Callable

import pytest

from repro.claims.claim import Claim
from repro.report.terminal.explain import FILES_MEAN, explanation, named
from repro.verify.verdict import Verdict

Judged = tuple[list[Claim], list[Verdict]]
ClaimsOf = Callable[..., list[Claim]]
VerdictOf = Callable[..., Verdict]
MEAN = {"printed": "0.5", "model": "m", "condition": "B3", "step": 10, "statistic": "mean"}


def test_an_explanation_answers_what_where_measured_why_and_what_would_change_it(
    judged: Judged,
) -> None:
    claims, verdicts = judged
    text = explanation(claims[0], verdicts[0])
    for expected in (
        "CONTRADICTED: paper/c0",
        "'0.641 ± 0.009' in paper, Table 1",
        "EI after fine-tuning is",
        "0.6405 to 0.6415",
        "mean of entanglement_intensity",
        "prediction_interval",
        "Holm",
        "To change",
        "mean:Table 2",
    ):
        assert expected in text, expected


def test_every_claim_can_be_explained(judged: Judged) -> None:
    claims, verdicts = judged
    by_id = {verdict.id: verdict for verdict in verdicts}
    for claim in claims:
        text = explanation(claim, by_id[claim.id])
        assert text.count("\n") > 5
        assert "None" not in text


def change(text: str) -> str:
    return text.splitlines()[-1].removeprefix("To change").strip()


def test_what_would_change_a_verdict_is_a_command_where_a_run_would(
    claims_of: ClaimsOf, verdict_of: VerdictOf
) -> None:
    (claim,) = claims_of(MEAN)
    assert change(explanation(claim, verdict_of(claim))).startswith("`repro run scale_ladder`")
    (nobody,) = claims_of(MEAN, measured_by=None, unverifiable="nobody")
    assert "repro run" not in change(explanation(nobody, verdict_of(nobody)))
    wide = verdict_of(claim, outcome="inconclusive", minimum_detectable=0.25)
    assert change(explanation(claim, wide)).endswith("only a difference above 0.25 would show.")


def test_files_that_authors_sent_are_said_to_be_theirs(
    claims_of: ClaimsOf, verdict_of: VerdictOf
) -> None:
    (claim,) = claims_of(MEAN)
    sent = {"by": "the authors", "supplied": "2026-01-01", "folder": "supplied/x",
            "earlier_folders": 2, "told": ["two rows were left out"]}  # fmt: skip
    judged = verdict_of(
        claim, outcome="consistent", grade="supplied", estimate=0.5, artefacts={"supplied": sent}
    )
    text = explanation(claim, judged)
    assert "by the authors; nothing was run here" in text
    assert FILES_MEAN["consistent"] in text
    assert "2 earlier set aside" in text
    assert "told then: two rows were left out" in text
    assert change(text) == "Runs of the manifest: they count before anything that authors sent."


@pytest.mark.parametrize(
    ("told", "words"),
    [
        (
            {"contradicted_if_absent": 0.7, "tests": 1, "runs_a_side": 9},
            "that is absent contradicted in 70%; 9 runs a side",
        ),
        (
            {"contradicted_if_reversed": 0.7, "tests": 4, "runs_a_side": None},
            "that is reversed contradicted in 70%, after correction for 4 tests; no number of runs",
        ),
    ],
)
def test_how_often_these_runs_would_have_decided_is_said(
    claims_of: ClaimsOf, verdict_of: VerdictOf, told: dict[str, object], words: str
) -> None:
    (claim,) = claims_of(MEAN)
    text = explanation(claim, verdict_of(claim, could_tell={"reproduced_if_true": 0.9, **told}))
    assert "a true claim is reproduced in 90%" in text
    assert words in " ".join(text.split())


def test_one_line_names_a_claim_where_it_stands(claims_of: ClaimsOf, verdict_of: VerdictOf) -> None:
    (claim,) = claims_of({**MEAN, "says": "EI falls\n  to 0.5"})
    line = named(claim, verdict_of(claim, outcome="reproduced"))
    assert line == f'✓ {claim.id}  (Table 1, reproduced: "EI falls to 0.5")'


def test_a_print_is_read_as_what_its_decimals_allow(
    claims_of: ClaimsOf, verdict_of: VerdictOf
) -> None:
    """Two decimals leave half a hundredth either way; a count leaves nothing."""
    rounded, count = claims_of(
        {**MEAN, "printed": "0.64"}, {**MEAN, "printed": "8", "statistic": "count"}
    )
    text = explanation(rounded, verdict_of(rounded))
    assert "0.64, which its decimals allow to be 0.635 to 0.645" in text
    assert "decimals allow" not in explanation(count, verdict_of(count))
