"""Bootstrap probabilities: against Welch's test, against the scalar algebra, and why seeds are not resampled."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from repro.manifest.claim import Term, Where
from repro.verify.algebra import evaluate
from repro.verify.algebra_interval import Interval
from repro.verify.arrays import NoSpreadError
from repro.verify.columns import Column, Row
from repro.verify.draws import all_drawn, drawn
from repro.verify.evidence import Evidence
from repro.verify.measured import Measured, Sample

EI = "entanglement_intensity"


def cell(model: str, **more) -> Term:
    return Term(quantity=EI, selector={"model": model, "condition": "B3", "step": 5000, **more})


def evidence_of(values: dict[str, list[float]]) -> Evidence:
    evidence = Evidence()
    family = evidence.rows["e", EI, "default"][None, None, None]
    for model, runs in values.items():
        family[model, "B3"] = {5000: Row(np.arange(len(runs)), np.array(runs), None, 48)}
    return evidence


def probability(term: Term, values: dict[str, list[float]]) -> float:
    measured = Measured(evidence_of(values), "e")
    evaluate(term, measured)
    return float(np.mean(drawn(measured, lambda _: None).evaluate(term)))


ABOVE = Term(statistic="above", quantity=EI, of=cell("a"), against=cell("b"))


@given(st.integers(0, 1000))
@settings(max_examples=30)
def test_the_probability_that_one_mean_is_above_another_is_welchs(seed: int):
    rng = np.random.default_rng(seed)
    a, b = rng.normal(0.2, 1, 4), rng.normal(0, 2, 3)
    expected = stats.ttest_ind(a, b, equal_var=False, alternative="less").pvalue
    assert probability(ABOVE, {"a": a.tolist(), "b": b.tolist()}) == pytest.approx(expected, abs=0.03)


def test_resampling_three_seeds_would_err_far_more_often_than_stated():
    """Two equal models: the percentile bootstrap calls one of them larger in over 15 % of papers, not in 10 %; ours keeps the level."""
    rng = np.random.default_rng(0)
    decided = {"percentile": 0, "ours": 0}
    for _ in range(1000):
        a, b = rng.normal(size=3), rng.normal(size=3)
        picks = rng.integers(0, 3, (2, 500, 3))
        share = np.mean(a[picks[0]].mean(1) > b[picks[1]].mean(1))
        decided["percentile"] += share >= 0.95 or share <= 0.05
        ours = stats.ttest_ind(a, b, equal_var=False, alternative="less").pvalue
        decided["ours"] += ours >= 0.95 or ours <= 0.05
    assert decided["percentile"] / 1000 > 0.15
    assert decided["ours"] / 1000 <= 0.115


MODELS = ("a", "b", "c")
EACH = Term(quantity=EI, selector={"condition": "B3", "step": 5000})
RELATIONS = [
    Term(statistic="monotone", quantity=EI, over="model", among=MODELS, order="decreasing", of=EACH),
    Term(statistic="monotone", quantity=EI, over="model", among=MODELS, order="increasing", of=EACH),
    Term(statistic="highest", quantity=EI, over="model", among=MODELS, which="b", of=EACH),
    Term(statistic="lowest", quantity=EI, over="model", among=MODELS, which="c", of=EACH),
    Term(statistic="position", quantity=EI, over="model", among=MODELS, which="a", order="decreasing", of=EACH),
    Term(statistic="position", quantity=EI, over="model", among=MODELS, which="a", order="increasing", of=EACH),
    *(Term(statistic=s, quantity=EI, over="model", among=MODELS, which="b", where=Where(above=0.5), of=EACH)
      for s in ("all", "none", "only", "count_where", "share")),
    *(Term(statistic=s, quantity=EI, of=cell("a"), against=cell("b")) for s in ("above", "below", "at_least", "at_most", "equals")),
    *(Term(statistic="above", quantity=EI, of=Term(statistic=s, quantity=EI, of=cell("a"), against=cell("b")), against=cell("c"))
      for s in ("difference", "ratio", "relative_change")),
    Term(statistic="above", quantity=EI, of=cell("a"),
         against=Term(statistic="mean", quantity=EI, over="model", among=MODELS, of=EACH)),
]  # fmt: skip


@pytest.mark.parametrize("term", RELATIONS, ids=lambda term: f"{term.statistic}-{term.order or ''}")
@given(values=st.lists(st.sampled_from([0.1, 0.5, 0.6, 0.9]), min_size=3, max_size=3))
@settings(max_examples=25)
def test_without_spread_every_draw_is_the_scalar_algebras_answer(term: Term, values: list[float]):
    measured = Measured(evidence_of({model: [value, value] for model, value in zip(MODELS, values, strict=True)}), "e")
    exact = evaluate(term, measured)
    assert isinstance(exact, Interval)
    found = drawn(measured, lambda _: None).evaluate(term)
    assert np.all(found == pytest.approx(exact.low))


def test_a_single_run_without_a_printed_spread_has_no_probability():
    with pytest.raises(NoSpreadError, match="1 run of entanglement_intensity"):
        probability(ABOVE, {"a": [0.5], "b": [0.4, 0.41]})


def test_a_single_run_may_borrow_the_printed_spread():
    sample = Sample(cell("a"), "mean", Column.of({0: 0.5}))
    values = all_drawn({"x": sample}, lambda _: (0.1, 8))["x"]
    assert np.std(values) == pytest.approx(0.1 * np.sqrt(7 / 5), rel=0.05)


def test_a_count_is_drawn_from_its_binomial_posterior():
    sample = Sample(Term(quantity="humaneval_plus", selector={"model": "a"}), "mean", Column.of({0: 60.0}))
    values = all_drawn({"x": sample}, lambda _: None)["x"]
    assert np.mean(values) == pytest.approx(60, abs=0.5)
    assert np.std(values) == pytest.approx(np.sqrt(164 * 0.366 * 0.634), rel=0.05)


def test_the_same_evidence_gives_the_same_probability():
    values = {"a": [0.5, 0.6, 0.7], "b": [0.55, 0.5, 0.62]}
    assert probability(ABOVE, values) == probability(ABOVE, values)
