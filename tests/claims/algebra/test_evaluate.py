"""Terms over a small table of cells: the same algebra for prints (intervals) and for measurements
(points).
"""

from collections.abc import Mapping
from typing import Any

import pytest

from repro.claims.algebra.evaluate import derive, evaluate, is_true
from repro.claims.algebra.interval import FALSE, TRUE, UNKNOWN, Interval, Levels, Value, point
from repro.claims.claim import Term, Where
from repro.claims.selector import Scalar
from repro.geometry.undefined import Undefined

EI = "entanglement_intensity"
Cells = Mapping[tuple[Scalar, ...], float]


class Table:
    """A lookup over cells keyed by (model, seed, step); half-width of every value."""

    def __init__(self, cells: Cells, half: float = 0.0) -> None:
        self.cells, self.half = cells, half

    def base(self, term: Term) -> Value:
        if term.statistic == "levels" and term.quantity == "cardinalities":
            return Levels((4, 2, 4))
        key = tuple(term.selector.get(name, "") for name in ("model", "seed", "step"))
        if term.statistic != "single" or term.of is not None or key not in self.cells:
            return Undefined("no such cell")
        return Interval(self.cells[key] - self.half, self.cells[key] + self.half)

    def levels(self, term: Term, axis: str) -> tuple[Scalar, ...]:
        place = ("model", "seed", "step").index(axis)
        fixed = [
            (i, term.selector[name])
            for i, name in enumerate(("model", "seed", "step"))
            if name in term.selector and name != axis
        ]
        return tuple(
            dict.fromkeys(
                key[place] for key in self.cells if all(key[i] == level for i, level in fixed)
            )
        )

    def total(self, term: Term) -> int | None:
        return 164 if term.quantity == EI else None


CELLS: Cells = {
    ("small", 0, 0): 0.9, ("small", 1, 0): 0.9, ("small", 0, 10): 0.7, ("small", 1, 10): 0.5,
    ("large", 0, 0): 0.8, ("large", 1, 0): 0.8, ("large", 0, 10): 0.2, ("large", 1, 10): 0.0,
}  # fmt: skip


def cell(statistic: str = "single", over: str | None = None, **selector: Scalar) -> Term:
    return Term.model_validate(
        {"statistic": statistic, "quantity": EI, "selector": selector, "over": over}
    )


def of(statistic: str, first: Term, second: Term | None = None, **fields: object) -> Term:
    return Term.model_validate(
        {"statistic": statistic, "quantity": EI, "of": first, "against": second, **fields}
    )


EACH = cell("mean", "seed", step=10)
SMALL, LARGE = (cell("mean", "seed", model=model, step=10) for model in ("small", "large"))


@pytest.mark.parametrize(
    ("term", "value"),
    [
        (SMALL, 0.6),
        (cell("sd", "seed", model="small", step=10), 0.1 * 2**0.5),
        (cell("median", "seed", model="small", step=10), 0.6),
        (cell("q25", "seed", model="small", step=10), 0.55),
        (cell("iqr", "seed", model="small", step=10), 0.1),
        (cell("span", "seed", model="small", step=10), 0.2),
        (cell("max", "seed", model="small", step=10), 0.7),
        (cell("count", "seed", model="small", step=10), 2),
        (of("difference", SMALL, LARGE), 0.5),
        (of("ratio", SMALL, LARGE), 6),
        (of("relative_change", LARGE, SMALL), 100 * (1 / 6 - 1)),
        (of("percentage", cell(model="small", seed=0, step=10)), 70 / 164),
        (of("span", EACH, over="model", among=("small", "large")), 0.5),
        (
            of(
                "position",
                EACH,
                over="model",
                among=("small", "large"),
                which="small",
                order="increasing",
            ),
            2,
        ),
        (of("count_where", cell(model="large", step=10), over="seed", where=Where(equals=0)), 1),
        (of("share", cell(model="large", step=10), over="seed", where=Where(equals=0)), 50),
        (of("ratio", of("difference", SMALL, LARGE), LARGE), 5),
    ],
)
def test_a_derived_number_follows_from_its_cells(term: Term, value: float) -> None:
    found = evaluate(term, Table(CELLS))
    assert isinstance(found, Interval)
    assert [found.low, found.high] == pytest.approx([value, value])


ALONG: dict[str, Any] = {"over": "model", "among": ("small", "large")}


@pytest.mark.parametrize(
    ("term", "truth"),
    [
        (of("monotone", EACH, order="decreasing", **ALONG), TRUE),
        (of("monotone", EACH, order="increasing", **ALONG), FALSE),
        (of("highest", EACH, which="small", **ALONG), TRUE),
        (of("lowest", EACH, which="small", **ALONG), FALSE),
        (of("above", SMALL, LARGE), TRUE),
        (of("below", SMALL, LARGE), FALSE),
        (of("all", cell(model="large", step=10), over="seed", where=Where(below=0.3)), TRUE),
        (of("none", cell(model="large", step=10), over="seed", where=Where(equals=0)), FALSE),
        (
            of("only", cell("min", "seed", step=10), where=Where(equals=0), which="large", **ALONG),
            TRUE,
        ),
        (
            of("only", cell("min", "seed", step=10), where=Where(below=1), which="large", **ALONG),
            FALSE,
        ),
        (of("identical", cell(seed=0, step=0), cell(seed=1, step=0), **ALONG), TRUE),
        (of("identical", cell(seed=0, step=10), cell(seed=1, step=10), **ALONG), FALSE),
        (of("equals", cell(model="large", seed=1, step=10), where=Where(equals=0)), TRUE),
    ],
)
def test_a_relation_is_true_or_false(term: Term, truth: Interval) -> None:
    assert evaluate(term, Table(CELLS)) == truth


def test_overlapping_prints_leave_an_ordering_undecided() -> None:
    relation = of(
        "above", cell(model="small", seed=0, step=10), cell(model="small", seed=1, step=10)
    )
    assert evaluate(relation, Table(CELLS, half=0.05)) == TRUE
    assert evaluate(relation, Table(CELLS, half=0.15)) == UNKNOWN
    assert is_true(UNKNOWN) is None


def test_a_missing_cell_makes_the_statistic_missing_and_says_which() -> None:
    partial = {key: value for key, value in CELLS.items() if key != ("large", 1, 10)}
    found = derive(
        cell("mean", "seed", model="large", step=10).model_copy(update={"among": (0, 1)}),
        Table(partial),
    )
    assert isinstance(found, Undefined)
    assert "seed 1" in found.reason


def test_a_ratio_to_what_may_be_zero_is_missing_not_infinite() -> None:
    assert isinstance(
        evaluate(of("ratio", SMALL, cell(model="large", seed=1, step=10)), Table(CELLS)), Undefined
    )


def test_the_trajectory_tells_the_collapse_and_the_recovery() -> None:
    path = dict(zip((0, 10, 20, 30, 40), (0.6, 0.0, 0.2, 0.0, 0.0), strict=True))
    table = Table({("large", 0, step): value for step, value in path.items()})
    run = cell(model="large", seed=0)
    assert evaluate(of("collapse_step", run), table) == point(30)
    assert evaluate(of("recovery", run), table) == TRUE
    steady = Table({("large", 0, step): value for step, value in path.items() if step != 20})
    assert evaluate(of("collapse_step", run), steady) == point(10)
    assert evaluate(of("recovery", run), steady) == FALSE


def test_a_trajectory_that_ends_above_zero_has_no_collapse_step() -> None:
    table = Table({("large", 0, 0): 0.5, ("large", 0, 10): 0.0, ("large", 0, 20): 0.1})
    assert isinstance(evaluate(of("collapse_step", cell(model="large", seed=0)), table), Undefined)


@pytest.mark.parametrize(("statistic", "value"), [("rank_bound", 7), ("theory_bound", 4 / 3)])
def test_class_counts_determine_the_rank_and_the_bound(statistic: str, value: float) -> None:
    found = evaluate(
        Term.model_validate({"statistic": statistic, "quantity": "nominal_rank"}), Table({})
    )
    assert isinstance(found, Interval)
    assert found.middle == pytest.approx(value)


@pytest.mark.parametrize(
    ("formula", "value"),
    [("3 * 4 * 4", 48), ("(7 - 3) / 3", 4 / 3), ("2 ** 3 - 1", 7), ("-2 + 5", 3)],
)
def test_a_formula_is_arithmetic(formula: str, value: float) -> None:
    found = evaluate(Term(statistic="formula", quantity="probes", formula=formula), Table({}))
    assert isinstance(found, Interval)
    assert found.middle == pytest.approx(value)


def test_the_leaves_of_a_term_are_the_cells_it_needs() -> None:
    assert (of("ratio", of("difference", SMALL, LARGE), LARGE)).leaves() == (SMALL, LARGE, LARGE)
