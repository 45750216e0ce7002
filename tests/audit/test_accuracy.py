"""What a check may say: *substantive* only where its false alarms were measured and are rare."""

import pytest
from pydantic import ValidationError

from repro.audit import audit
from repro.audit.accuracy import (
    MOST_FALSE,
    Accuracy,
    held_to_accuracy,
    may_be_grave,
    measured_accuracy,
)
from repro.audit.check import Check
from repro.claims.papers import load_claims

GRAVE = Check(
    id="mean:a",
    check="mean",
    inputs=("a",),
    papers=("paper",),
    locator="§1",
    printed=1.0,
    recomputed=2.0,
    verdict="inconsistent",
    severity="substantive",
    explanation="a mean",
)


def figures(alarmed: int) -> Accuracy:
    """Return the figures of a check that was measured on two hundred clean papers."""
    return Accuracy(clean_papers=200, alarmed_papers=alarmed, clean_checks=900, found={})


@pytest.mark.parametrize(
    ("alarmed", "severity"), [(0, "substantive"), (2, "substantive"), (3, "minor"), (200, "minor")]
)
def test_a_check_with_more_false_alarms_than_one_percent_is_minor_at_most(
    alarmed: int, severity: str
) -> None:
    known = {"mean": figures(alarmed)}
    held = held_to_accuracy(GRAVE, known)
    assert held.severity == severity
    assert may_be_grave("mean", known) is (severity == "substantive")
    assert held.verdict == "inconsistent"


def test_a_check_that_nobody_has_measured_is_minor_at_most() -> None:
    held = held_to_accuracy(GRAVE, {})
    assert held.severity == "minor"
    assert "not known" in held.explanation


def test_the_audit_holds_its_checks_to_the_figures(monkeypatch: pytest.MonkeyPatch) -> None:
    claims = load_claims()
    monkeypatch.setattr(
        "repro.audit.measured_accuracy", lambda: {**measured_accuracy(), "same_value": figures(3)}
    )
    checks = audit(claims)
    assert not [one for one in checks if (one.check, one.severity) == ("same_value", "substantive")]
    assert [one for one in checks if (one.check, one.severity) == ("probe_grid", "substantive")]


def test_the_share_of_false_alarms_is_told_to_one_decimal() -> None:
    held = held_to_accuracy(GRAVE, {"mean": figures(3)})
    assert held.explanation.startswith(f"{GRAVE.explanation}; ")
    assert "1.5 % of papers without an error" in held.explanation


def test_what_is_minor_already_is_left_as_it_is() -> None:
    minor = GRAVE.model_copy(update={"severity": "minor"})
    assert held_to_accuracy(minor, {}) == minor


def test_figures_without_a_clean_paper_are_refused() -> None:
    with pytest.raises(ValidationError, match="clean_papers"):
        Accuracy(clean_papers=0, alarmed_papers=0, clean_checks=0, found={})


def test_every_shipped_check_has_a_share_of_false_alarms_that_lets_it_be_heard() -> None:
    shares = {name: one.false_alarms for name, one in measured_accuracy().items()}
    assert {"mean", "same_value"} <= shares.keys()
    assert {name for name, share in shares.items() if share > MOST_FALSE} == set()
