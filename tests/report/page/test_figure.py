"""One figure: its numbers as a drawing takes them, and colours that mean the same everywhere."""

from xml.etree import ElementTree

import pytest
import vl_convert
from hypothesis import given
from hypothesis import strategies as st

from repro.report.page.figure import LIGHT, Figure, colours, rounded, slug, table


@pytest.mark.parametrize("others", [["full", "mps", "lora-4", "lora-16", "lora-64"], ["B3-B2"]])
def test_conditions_of_one_figure_have_colours_of_their_own(others: list[str]) -> None:
    scale = colours(["B0", "B3", *others])
    assert len(set(scale["range"])) == len(scale["domain"]) == len(others) + 2
    assert dict(zip(scale["domain"], scale["range"], strict=True))["B3"] == "var(--k3)"


def test_conditions_share_a_colour_only_where_there_are_none_left() -> None:
    """B0 to B6 keep theirs; the base model's is nobody else's."""
    names = ["lora-4", "lora-16", "lora-64", "lora-16-alpha", "full", "mps"]
    scale = colours(names)
    assert len(set(scale["range"])) == len(names)
    assert "var(--k0)" not in scale["range"]
    mixed = colours(["B0", "B3", "B3-full", "B3-aligned"])
    assert dict(zip(mixed["domain"], mixed["range"], strict=True))["B3"] == "var(--k3)"
    assert len(set(mixed["range"])) == 4
    assert len(colours(map(str, range(30)))["range"]) == 30


def test_a_figure_is_drawn_without_the_page_and_in_colours_that_files_know() -> None:
    places = {
        "x": {"field": "x", "type": "quantitative"},
        "color": {"field": "c", "scale": colours(["B1", "own"])},
    }
    spec = {"width": "container", "height": 80, "mark": "point", "encoding": places}
    drawn = Figure("f", "t", "s", ("x", "c"), ((1.0, "B1"), (2.0, "own")), spec).drawn()
    assert "var(" not in str(drawn)
    svg = ElementTree.fromstring(vl_convert.vegalite_to_svg(drawn))
    assert len([path for path in svg.iter() if path.get("aria-roledescription") == "point"]) == 2
    assert vl_convert.vegalite_to_png(drawn).startswith(b"\x89PNG")


def test_a_condition_has_one_colour_in_every_figure() -> None:
    first, second = colours(["B3", "B1"]), colours(["B0", "B3", "x"])
    pick = [
        dict(zip(scale["domain"], scale["range"], strict=True))["B3"] for scale in (first, second)
    ]
    assert pick == ["var(--k3)"] * 2


def test_words_of_lists_become_places_in_one_list_of_names() -> None:
    """Two figures share it; a list of numbers stays, as does a word that is no list."""
    names = {"known": 0}
    rows = ((["a", "known"], [1.5, None], "a"), (["b", "a"], [2.0, 3.0], "b"))
    record = Figure("f", "t", "s", ("words", "numbers", "one"), rows, {}).record(names)
    assert names == {"known": 0, "a": 1, "b": 2}
    assert record["rows"] == [[[1, 0], [1.5, None], "a"], [[2, 1], [2.0, 3.0], "b"]]
    assert record["coded"] == [0]


@given(st.floats(-1e9, 1e9).filter(lambda value: abs(value) > 1e-9))
def test_a_drawn_number_is_within_five_digits_of_its_own(value: float) -> None:
    drawn = rounded(value)
    assert isinstance(drawn, float)
    assert drawn == pytest.approx(value, rel=6e-5)
    assert len(f"{drawn:.15e}".partition("e")[0].replace(".", "").strip("-").rstrip("0")) <= 5


def test_a_row_without_a_column_has_nothing_there() -> None:
    rows = table(("a", "b", "c"), [{"b": 0.123456789, "a": 123456789}, {"c": "word"}])
    assert rows == ((123456789, 0.12346, None), (None, None, "word"))


@pytest.mark.parametrize(
    ("parts", "name"),
    [
        (("Nulls", "smoke", 3), "nulls-smoke-3"),
        (("qwen2.5-coder", "B3"), "qwen2-5-coder-b3"),
        (("σ₁", "§"), "figure"),
    ],
)
def test_a_name_of_a_file_is_ascii_without_signs(parts: tuple[object, ...], name: str) -> None:
    assert slug(*parts) == name


def test_colours_of_files_are_those_of_the_page_by_day() -> None:
    spec = {"mark": {"type": "point", "color": "var(--k3)"}, "width": "container"}
    drawn = Figure("f", "t", "s", ("x",), ((1,), (2,)), spec).drawn()
    assert drawn["mark"]["color"] == LIGHT["k3"]
    assert isinstance(drawn["width"], int)
    assert drawn["data"] == {"values": [{"x": 1}, {"x": 2}]}
