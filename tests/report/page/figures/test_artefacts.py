"""What could explain an EI away: each null's range beside it, and every reading of it in a row."""

import vl_convert

from repro.report.page.figure import Figure
from repro.report.page.figures.artefacts import nulls, readings
from repro.report.page.measured import Row, Rows

CELL = {"experiment": "e", "model": "m", "runs": 3, "step": 10}


def null(condition: str, kind: str, low: float, high: float) -> Rows:
    values = {"null_q025": low, "null_median": (low + high) / 2, "null_q975": high}
    return [
        {**CELL, "condition": condition, "quantity": name, "specification": kind, "value": value}
        for name, value in values.items()
    ]


def observed(condition: str, value: float) -> Row:
    fields = {"quantity": "entanglement_intensity", "specification": "default", "value": value}
    return {**CELL, "condition": condition, **fields}


def records(figure: Figure) -> Rows:
    return [dict(zip(figure.columns, row, strict=True)) for row in figure.rows]


def test_values_inside_the_middle_of_their_null_are_counted() -> None:
    """An end of the range is inside; a condition without an EI is not."""
    rows = [
        *null("B1", "joint", 0.2, 0.4), *null("B1", "planted", 0.5, 0.7), observed("B1", 0.4),
        *null("B2", "joint", 0.2, 0.4), observed("B2", 0.41),
        *null("B3", "joint", 0.2, 0.4),
    ]  # fmt: skip
    (figure,) = nulls(rows)
    assert figure.says.startswith("1 of 4 values lie inside the middle 95 % of their null")
    drawn = {(row["condition"], row["null"]): row for row in records(figure)}
    one = drawn["B1", "planted apart"]
    assert (one["low"], one["median"], one["high"], one["ei"]) == (0.5, 0.6, 0.7, 0.4)
    assert drawn["B3", "shuffled"]["ei"] is None
    svg = vl_convert.vegalite_to_svg(figure.drawn())
    assert "m B2" in svg
    assert "within domain" in svg


def test_each_manifest_has_its_own_figure_of_nulls() -> None:
    other = [{**row, "experiment": "f"} for row in null("B1", "joint", 0.0, 0.1)]
    found = list(nulls([*null("B1", "joint", 0.2, 0.4), *other]))
    assert [figure.title for figure in found] == ["e", "f"]


def test_readings_stand_by_rising_mean_and_keep_their_gaps() -> None:
    """A reading that one condition lacks has no value there, and no other one's."""
    values = {
        "high": {"B1": 0.8, "B2": 0.9},
        "default": {"B1": 0.5, "B2": 0.1},
        "low": {"B1": 0.2},
    }
    rows = [
        {**CELL, "condition": condition, "specification": name, "ei": value}
        for name, by_condition in values.items()
        for condition, value in by_condition.items()
    ]
    (figure,) = readings(rows)
    drawn = {row["condition"]: row for row in records(figure)}
    assert drawn["B1"]["reading"] == ["low", "default", "high"]
    assert drawn["B1"]["ei"] == [0.2, 0.5, 0.8]
    assert drawn["B2"]["ei"] == [None, 0.1, 0.9]
    assert list(readings([row for row in rows if row["specification"] != "low"])) == []


def test_the_axis_leaves_the_outermost_twentieth_of_readings_out() -> None:
    """Two of eighty are cut on each side, and 0 stays in sight."""
    values = [1000.0, 900.0, *(0.01 * place for place in range(1, 77)), 800.0, 700.0]
    rows = [
        {**CELL, "condition": "B1", "specification": f"r{place}", "ei": value}
        for place, value in enumerate(values)
    ]
    (figure,) = readings(rows)
    axis = figure.spec["layer"][0]["encoding"]["y"]["scale"]
    assert [*axis["domain"]] == [0.0, 800.0]
    same = [{**row, "ei": -0.5} for row in rows[:3]]
    (flat,) = readings(same)
    low, high = flat.spec["layer"][0]["encoding"]["y"]["scale"]["domain"]
    assert low == -0.5 < high
