"""What a random paper says of numbers that belong together: parts and wholes, scores of one table,
pairs of one set, rows.
"""

import itertools
import math
from typing import Any

import numpy as np
from sklearn.metrics import (
    accuracy_score,
    f1_score,
    matthews_corrcoef,
    precision_score,
    recall_score,
)

from calibration.audit.paper import LAST, Fields, RandomPaper, fixed

SAMPLES = 20
"""Of every problem, behind pass@k."""
ROWS = 40


def parts(paper: RandomPaper) -> None:
    """Make shares that make up everything, counts that make up a total, rates of subgroups and of
    all, folds and their mean.
    """
    weights = paper.numbers.dirichlet(np.full(4, 5.0))
    counts = paper.numbers.integers(5, 60, 4)
    rates, folds = paper.numbers.uniform(0.4, 0.95, 4), paper.numbers.uniform(0.6, 0.9, 5)
    for number, answer in enumerate(("yes", "no", "both", "neither")):
        paper.say(
            f"share {answer}",
            f"{100 * weights[number]:.1f}%",
            quantity="answer_share",
            answer=answer,
        )
        paper.say(f"tally {answer}", str(counts[number]), quantity="tally", answer=answer)
        paper.say(f"rate {answer}", fixed(float(rates[number])), quantity="hit_rate", answer=answer)
    paper.say(
        "all shares",
        "all answers",
        quantity="answer_share",
        statistic="sum",
        over="answer",
        value=100.0,
    )
    paper.say("whole tally", str(counts.sum()), quantity="tally", statistic="sum", over="answer")
    whole = float(counts @ rates / counts.sum())
    paper.say("whole rate", fixed(whole), quantity="hit_rate", statistic="pooled", over="answer")
    paper.edges["whole rate"] = float(rates.max())
    for fold, value in enumerate(folds):
        paper.say(f"fold {fold}", fixed(float(value)), quantity="cv_score", fold=fold)
    paper.say(
        "fold mean", fixed(float(folds.mean())), quantity="cv_score", statistic="mean", over="fold"
    )


def scores(paper: RandomPaper) -> None:
    """Make scores of two classes, one set with both sizes printed and one with their sum alone;
    pass@k of one set of samples.
    """
    for name, items in (
        ("screen", paper.random.randint(60, 400)),
        ("probe", paper.random.randint(40, 120)),
    ):
        truth = paper.numbers.permutation(
            np.arange(items) < paper.random.randint(items // 5, items // 2)
        )
        called = truth ^ (paper.numbers.random(items) < paper.random.uniform(0.05, 0.3))
        cell: Fields = {"dataset": name}
        paper.say(f"size {name}", str(items), quantity="test_items", **cell)
        if name == "screen":
            paper.say(f"positives {name}", str(int(truth.sum())), quantity="positives", **cell)
        for quantity, score in (("accuracy", accuracy_score), ("precision", precision_score), ("recall", recall_score),
                                ("f1", f1_score), ("mcc", matthews_corrcoef)):  # fmt: skip
            paper.say(
                f"{quantity} {name}", fixed(float(score(truth, called))), quantity=quantity, **cell
            )
    solved = paper.numbers.binomial(SAMPLES, paper.numbers.beta(0.5, 1.0, 100))
    rates = {
        k: float(np.mean([1 - math.comb(SAMPLES - c, k) / math.comb(SAMPLES, k) for c in solved]))
        for k in (1, 5, 10)
    }
    for k, rate in rates.items():
        paper.say(f"pass {k}", f"{100 * rate:.1f}%", quantity=f"pass_at_{k}", dataset="coding")
    paper.edges["pass 5"], paper.edges["pass 10"] = 100 * rates[1], 100 * rates[5]


def pairs_of_one_set(paper: RandomPaper) -> None:
    """Make correlations of five measures, each pair once; the mean cosine of some vectors; one run,
    and no change before training.
    """
    data = paper.numbers.normal(size=(30, 1)) + paper.numbers.normal(0, 0.5, (30, 5))
    matrix: Any = np.corrcoef(data, rowvar=False)
    names = ("speed", "reach", "grip", "span", "mass")
    for i, j in itertools.combinations(range(5), 2):
        cell: Fields = {"quantity": "correlation", "first": names[i], "second": names[j]}
        paper.say(f"r {i}{j}", f"{matrix[i, j]:.2f}", **cell)
        paper.edges[f"r {i}{j}"] = least_correlation(matrix, i, j)
    k = paper.random.randint(3, 7)
    vectors = paper.numbers.normal(size=(k, 4))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    cosines = [float(vectors[i] @ vectors[j]) for i, j in itertools.combinations(range(k), 2)]
    paper.say("vectors", str(k), quantity="centroids", dataset="digits")
    paper.say(
        "mean cosine",
        fixed(sum(cosines) / len(cosines)),
        quantity="centroid_cosine",
        dataset="digits",
    )
    paper.edges["mean cosine"] = -1 / (k - 1)
    alone: Fields = {"quantity": "heldout_loss", "model": "delta-9b", "condition": "B1"}
    paper.say("one run", "one", statistic="count", **alone)
    paper.say("its value", fixed(paper.random.uniform(1, 2)), statistic="mean", **alone)
    paper.say("its spread", "0.000", statistic="sd", **alone)
    paper.say(
        "directions",
        "three",
        quantity="concentrated_directions",
        model="delta-9b",
        dataset="digits",
    )
    ratio = paper.random.uniform(1.5, 4)
    cell = {
        "quantity": "singular_value_ratio",
        "model": "delta-9b",
        "dataset": "digits",
        "step": LAST,
    }
    paper.say("first to second", fixed(ratio, 2), **cell)
    paper.edges["first to second"] = math.sqrt(19 * 2)
    paper.say("change before", "0.000", quantity="weight_change", model="delta-9b", step=0)


def least_correlation(matrix: Any, i: int, j: int) -> float:
    """Return the smallest correlation of two measures that leaves the others as they are, by
    bisection.
    """
    low, high = -1.0, float(matrix[i, j])
    for _ in range(40):
        middle = (low + high) / 2
        tried = matrix.copy()
        tried[i, j] = tried[j, i] = middle
        low, high = (low, middle) if np.linalg.eigvalsh(tried)[0] >= 0 else (middle, high)
    return high


def rows(paper: RandomPaper) -> None:
    """Make a long table: many runs, four measured values each."""
    values = paper.numbers.uniform(1, 9, (ROWS, 4))
    for seed, row in enumerate(values):
        for quantity, value in zip(
            ("activation_rms", "damage", "csr_loss", "loss"), row, strict=True
        ):
            cell: Fields = {"model": "delta-9b", "condition": "B2", "seed": seed, "step": LAST}
            paper.say(f"row {seed} {quantity}", fixed(float(value), 2), quantity=quantity, **cell)
