"""The next token, and whether anything beside it in the batch could have changed it."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from repro.evaluate.decide import LEAST, SAFETY, Bound, draw, greedy, leads, shares
from repro.manifest.evaluation import Generation


def test_a_draw_is_from_the_distribution() -> None:
    """Shares laid end to end by id give the softmax; top-p leaves out the tail; near an end the
    draw does not stand.
    """
    logits = torch.log(torch.tensor([0.5, 0.3, 0.2]))
    generation = Generation(temperature=1.0)
    assert [draw(logits, generation, share)[0] for share in (0.1, 0.6, 0.9)] == [0, 1, 2]
    assert draw(logits, generation, 0.6)[1] > 1e-3
    assert draw(logits, generation, 0.5 + 1e-9)[1] < 1e-8
    nucleus = Generation(temperature=1.0, top_p=0.75)
    assert {draw(logits, nucleus, share / 20)[0] for share in range(20)} == {0, 1}


@given(
    st.lists(st.floats(-4, 4), min_size=3, max_size=3),
    st.floats(0.001, 0.999),
    st.sampled_from([0.6, 1.0]),
    st.data(),
)
def test_a_draw_stands_within_its_margin(
    logits: list[float], share: float, top_p: float, data: st.DataObject
) -> None:
    """Logits moved by just less than the margin, each its own way, give the same token."""
    generation = Generation(temperature=0.7, top_p=top_p)
    token, margin = draw(torch.tensor(logits, dtype=torch.float64), generation, share)
    moves = data.draw(st.lists(st.floats(-0.999, 0.999), min_size=3, max_size=3))
    moved = torch.tensor(logits, dtype=torch.float64) + margin * torch.tensor(
        moves, dtype=torch.float64
    )
    assert draw(moved, generation, share)[0] == token


def test_a_bound_is_a_multiple_of_the_largest_difference_seen() -> None:
    bound = Bound()
    assert bound.value == LEAST
    assert not bound.refutes(0.0)
    for one, other in (([1.0, 2.0], [1.5, 2.25]), ([0.0, 0.0], [0.0, 0.125])):
        bound.learn(torch.tensor(one), torch.tensor(other))
    assert bound.seen == 0.5
    assert bound.value == SAFETY * 0.5
    assert bound.refutes(0.99)
    assert not bound.refutes(1.0)
    assert not bound.refutes(None), "it was decided alone"


@given(st.lists(st.lists(st.floats(-9, 9, width=32), min_size=3, max_size=6), min_size=1, max_size=4)
       .filter(lambda rows: len({len(row) for row in rows}) == 1))  # fmt: skip
def test_a_lead_is_that_of_the_best_over_the_second(rows: list[list[float]]) -> None:
    logits = torch.tensor(rows)
    for row, lead, best in zip(rows, leads(logits), greedy(logits), strict=True):
        first, second, *_ = sorted(row, reverse=True)
        assert lead == pytest.approx(first - second)
        assert best == row.index(first), "the first one in a tie"


@settings(max_examples=20)
@given(st.lists(st.floats(-6, 6), min_size=2, max_size=7), st.sampled_from([0.5, 1.0, 2.0]))
def test_shares_spread_over_the_whole_give_each_token_its_probability(
    logits: list[float], temperature: float
) -> None:
    weights = np.exp(np.array(logits) / temperature)
    generation = Generation(temperature=temperature)
    tokens = [
        draw(torch.tensor(logits, dtype=torch.float64), generation, (at + 0.5) / 500)[0]
        for at in range(500)
    ]
    counts = np.bincount(tokens, minlength=len(logits))
    assert np.abs(counts / 500 - weights / weights.sum()).max() <= 1.5 / 500
    assert tokens == sorted(tokens), "laid end to end by id"


def test_draws_of_a_sample_depend_on_its_seed_problem_and_number_alone() -> None:
    given = [("a", 0, 0), ("a", 1, 0), ("b", 0, 0), ("a", 0, 1)]
    first = [shares(Generation(temperature=1, seed=seed), task, sample).random()
             for task, sample, seed in given]  # fmt: skip
    assert len(set(first)) == 4
    again = Generation(temperature=0.5, top_p=0.5, batch=3)
    assert shares(again, "a", 0).random() == first[0]
    assert math.isfinite(draw(torch.zeros(2), again, first[0])[1])
