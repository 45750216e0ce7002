"""Numbers that belong together: what can be together raises no alarm, what cannot does; against
sklearn and numpy.
"""

import itertools
import math
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


@pytest.mark.parametrize(
    ("one", "ten", "verdict"),
    [("20.0%", "55.0%", "consistent"), ("20.0%", "19.0%", "inconsistent"), ("2.0%", "21.0%", "inconsistent"),
     ("60.0%", "100.0%", "consistent"), ("0.0%", "0.8%", "inconsistent"), ("0.30", "0.27", "inconsistent")],
)  # fmt: skip
def test_ten_samples_solve_no_less_than_one_and_at_most_ten_times_as_much(
    one: str, ten: str, verdict: str
) -> None:
    assert outcome("pass_at_k", claim(one, "pass_at_1"), claim(ten, "pass_at_10"))[0] == verdict


def matrix(values: dict[str, str]) -> list[Fields]:
    return [
        claim(printed, "correlation", first=pair[0], second=pair[1])
        for pair, printed in values.items()
    ]


def test_three_correlations_that_no_data_have_are_found() -> None:
    assert (
        outcome("positive_semidefinite", *matrix({"ab": "0.90", "bc": "0.90", "ac": "0.65"}))[0]
        == "consistent"
    )
    assert outcome("positive_semidefinite", *matrix({"ab": "0.90", "bc": "0.90", "ac": "0.20"})) == (
        "inconsistent", "substantive",
    )  # fmt: skip


@settings(max_examples=25)
@given(st.integers(0, 10_000), st.integers(3, 6), st.integers(1, 2))
def test_correlations_of_data_are_never_called_impossible(seed: int, k: int, decimals: int) -> None:
    data = np.random.default_rng(seed).normal(size=(k + 2, k)) @ np.random.default_rng(
        seed + 1
    ).normal(size=(k, k))
    r = np.corrcoef(data, rowvar=False)
    names = "abcdef"
    values = {
        names[i] + names[j]: f"{r[i, j]:.{decimals}f}"
        for i, j in itertools.combinations(range(k), 2)
    }
    assert all(
        c.verdict == "consistent"
        for c in audit(load(matrix(values)))
        if c.check == "positive_semidefinite"
    )


def test_parts_make_up_their_whole() -> None:
    shares = [
        claim(f"{value}%", "answer_share", answer=name)
        for name, value in (("a", "33.3"), ("b", "33.3"), ("c", "33.3"))
    ]
    whole = claim("all answers", "answer_share", statistic="sum", over="answer", value=100.0)
    assert outcome("sum", *shares, whole) == ("consistent", "none")
    assert (
        outcome("sum", *shares[:2], claim("35.3%", "answer_share", answer="c"), whole)[0]
        == "inconsistent"
    )
    counts = [claim(value, "tally", answer=name) for name, value in (("a", "12"), ("b", "30"))]
    assert outcome("sum", *counts, claim("42", "tally", statistic="sum", over="answer")) == (
        "consistent",
        "none",
    )
    assert outcome("sum", *counts, claim("52", "tally", statistic="sum", over="answer")) == (
        "inconsistent",
        "substantive",
    )


def test_a_rate_of_the_whole_lies_among_those_of_its_parts() -> None:
    parts = [claim("0.61", "hit_rate", answer="a"), claim("0.74", "hit_rate", answer="b")]
    for printed, verdict in (
        ("0.70", "consistent"),
        ("0.74", "consistent"),
        ("0.78", "inconsistent"),
    ):
        assert (
            outcome(
                "pooled", *parts, claim(printed, "hit_rate", statistic="pooled", over="answer")
            )[0]
            == verdict
        )


def test_a_mean_over_folds_is_recomputed() -> None:
    folds = [claim(value, "cv_score", fold=i) for i, value in enumerate(("0.71", "0.75", "0.79"))]
    assert outcome("mean", *folds, claim("0.75", "cv_score", statistic="mean", over="fold")) == (
        "consistent",
        "none",
    )
    assert (
        outcome("mean", *folds, claim("0.85", "cv_score", statistic="mean", over="fold"))[0]
        == "inconsistent"
    )


@pytest.mark.parametrize(
    ("prints", "verdict"),
    [(("0.62", "0.622"), "consistent"), (("0.62", "0.622", "0.618"), "inconsistent"), (("0.6", "0.65"), "consistent"),
     (("0.62", "0.629"), "inconsistent"), (("~0.62", "0.622", "0.64"), "inconsistent")],
)  # fmt: skip
def test_a_number_printed_with_other_decimals_is_the_same_number(
    prints: tuple[str, ...], verdict: str
) -> None:
    assert (
        outcome("same_value", *(claim(printed, "loss", model="m", seed=1) for printed in prints))[0]
        == verdict
    )


def test_a_copied_row_and_a_habit_of_rounding_are_seen_and_chance_is_not() -> None:
    numbers = np.random.default_rng(5).uniform(1, 9, (40, 4)).round(2)

    def table(values: Any) -> list[Fields]:
        names = ("activation_rms", "damage", "loss", "csr_loss")
        return [claim(f"{v:.2f}", q, model="m", condition="B2", seed=i, step=500, unverifiable=None, measured_by="smoke")
                for i, row in enumerate(values) for q, v in zip(names, row, strict=True)]  # fmt: skip

    def kinds(values: Any) -> set[str]:
        return {c.check for c in audit(load(table(values))) if c.verdict == "inconsistent"}

    copied = numbers.copy()
    copied[7] = copied[3]
    assert kinds(numbers) == set()
    assert kinds(copied) == {"duplicated_rows"}
    assert kinds((numbers * 20).round() / 20) == {"last_digits"}


def test_what_is_so_by_construction() -> None:
    alone = claim("one", "loss", statistic="count", model="m", condition="B1")
    assert (
        outcome("one_run", alone, claim("0.02", "loss", statistic="sd", model="m", condition="B1"))[
            0
        ]
        == "inconsistent"
    )
    vectors = claim("3", "centroids")
    assert outcome("mean_cosine", vectors, claim("-0.49", "centroid_cosine"))[0] == "consistent"
    assert (
        outcome("mean_cosine", claim("4", "centroids"), claim("-0.49", "centroid_cosine"))[0]
        == "inconsistent"
    )
    ratio = claim("11.9", "singular_value_ratio", model="m", step=500)
    three = claim("three", "concentrated_directions", model="m")
    assert outcome("directions", ratio, three) == ("inconsistent", "minor")
    assert outcome("directions", {**ratio, "printed": "2.1", "says": "2.1"}, three) == (
        "consistent",
        "none",
    )
    assert outcome("bounds", claim("0.07", "weight_change", step=0))[0] == "inconsistent"
    assert math.isclose(said("bounds", claim("0.00", "weight_change", step=0)).printed, 0.0)  # type: ignore[arg-type]
