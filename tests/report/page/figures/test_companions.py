"""Crosstalk with each companion: measured models first, prints beside them."""

from repro.report.page.figure import Figure
from repro.report.page.figures.companions import crosstalk
from repro.report.page.measured import Row, Rows
from repro.report.page.published import Published


def measured(model: str, companion: str, value: float) -> Row:
    return {"model": model, "probe_set": "set", "companion": companion, "crosstalk": value}


def printed(model: str | None, companion: str | None, value: float) -> Published:
    further = {} if companion is None else {"companion": companion}
    return Published(
        "e", "paper", model, "B0", None, 0, further, value, None, "paper/c", "Table 4"
    )  # fmt: skip


def records(figure: Figure) -> Rows:
    return [dict(zip(figure.columns, row, strict=True)) for row in figure.rows]


def test_models_that_were_measured_come_first() -> None:
    figures = list(
        crosstalk([measured("z", "law", 0.2)], [printed("a", "law", 0.1), printed("z", "law", 0.3)])
    )
    assert [figure.title for figure in figures] == ["z", "a"]
    kinds = [[(row["kind"], row["crosstalk"]) for row in records(figure)] for figure in figures]
    assert kinds == [[("measured", 0.2), ("published", 0.3)], [("published", 0.1)]]
    assert records(figures[1])[0]["from"] == "paper, Table 4"


def test_the_least_is_that_of_what_was_measured_where_something_was() -> None:
    prints = [printed("m", "law", 0.1), printed("m", "plain_prose", 0.01)]
    (figure,) = crosstalk([], prints)
    assert figure.says == "Least with plain prose, as printed."
    (figure,) = crosstalk([measured("m", "law", 0.4), measured("m", "logic", 0.3)], prints)
    assert figure.says == "Least with logic, measured here."


def test_a_print_without_a_companion_is_not_drawn() -> None:
    assert list(crosstalk([], [printed("m", None, 0.1)])) == []
    (figure,) = crosstalk([], [printed(None, "law", 0.1)])
    assert figure.title == ""
