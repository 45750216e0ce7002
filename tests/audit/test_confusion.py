"""Numbers that belong together: what can be together raises no alarm, what cannot does; against
sklearn and numpy.
"""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import (
    balanced_accuracy_score,
    f1_score,
    matthews_corrcoef,
    precision_score,
    recall_score,
)

from calibration.audit.load import load
from repro.audit import Check, audit
from repro.audit.confusion import RATES, compute_rate, possible
from repro.claims.algebra.interval import Interval

Fields = dict[str, Any]
SKLEARN = {"precision": precision_score, "recall": recall_score, "f1": f1_score, "mcc": matthews_corrcoef,
           "balanced_accuracy": balanced_accuracy_score}  # fmt: skip


def claim(printed: str, quantity: str, **fields: Any) -> Fields:
    return {
        "printed": printed,
        "says": printed,
        "quantity": quantity,
        "unverifiable": "made up",
        **fields,
    }


def said(kind: str, *fields: Fields) -> Check:
    (found,) = (check for check in audit(load(fields)) if check.check == kind)
    return found


def outcome(kind: str, *fields: Fields) -> tuple[str, str]:
    check = said(kind, *fields)
    return check.verdict, check.severity


@pytest.mark.worker
@settings(max_examples=40)
@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=2, max_size=60))
def test_scores_are_sklearns_and_those_of_one_table_are_possible(
    items: list[tuple[bool, bool]],
) -> None:
    truth, called = np.array([a for a, _ in items]), np.array([b for _, b in items])
    p, n = int(truth.sum()), int((~truth).sum())
    tp, fp = np.array([float((truth & called).sum())]), np.array([float((~truth & called).sum())])
    for name, oracle in SKLEARN.items():
        if name == "balanced_accuracy" and not (p and n):
            continue  # sklearn leaves the empty class out, with a warning
        if len(set(truth) | set(called)) == 1:
            continue  # of one label alone sklearn warns
        mine = float(np.ravel(compute_rate(name, tp, fp, float(p), float(n)))[0])
        theirs = (
            oracle(truth, called)
            if name in ("mcc", "balanced_accuracy")
            else oracle(truth, called, zero_division=0)
        )
        assert mine == pytest.approx(float(theirs), abs=1e-12)
    rounded = {
        name: round(float(np.ravel(compute_rate(name, tp, fp, float(p), float(n)))[0]), 2)
        for name in RATES
    }
    wanted = {name: Interval(value - 0.005, value + 0.005) for name, value in rounded.items()}
    assert possible(wanted, [(p, n)])


def test_scores_that_no_table_has_are_found_and_the_odd_one_is_named() -> None:
    size = claim("100", "test_items"), claim("40", "positives")
    right = [
        claim("0.85", "accuracy"),
        claim("0.75", "recall"),
        claim("0.857", "precision"),
        claim("0.8", "f1"),
    ]
    assert outcome("confusion", *size, *right) == ("consistent", "none")
    check = said("confusion", *size, *right[:3], claim("0.9", "f1"))
    assert (check.verdict, check.severity) == ("inconsistent", "substantive")
    assert "without" in check.explanation


def test_one_class_size_is_enough_and_without_any_nothing_is_said() -> None:
    scores = claim("0.999", "accuracy"), claim("0.500", "recall"), claim("0.100", "precision")
    assert outcome("confusion", claim("50", "test_items"), *scores)[0] == "inconsistent"
    assert not [check for check in audit(load(scores)) if check.check == "confusion"]
