"""Entropies along a chain of sites, as the drawing library draws them."""

import re

import vl_convert

from repro.report.page.figure import Figure, Spec
from repro.report.page.figures.chain import CHAIN_KINDS, panels

COLUMNS = ("panel", "kind", "cut", "entropy", "middle", "line")


def drawing(*names: str, middle: int | None, kinds: tuple[str, ...] = tuple(CHAIN_KINDS)) -> str:
    rows = tuple(
        (name, kind, cut, cut / 10, middle, kind)
        for name in names
        for kind in kinds
        for cut in range(1, 5)
    )
    spec: Spec = panels(names, kinds, 100, {"value": "#123456"}, ("panel", "of"))
    return vl_convert.vegalite_to_svg(Figure("f", "t", "s", COLUMNS, rows, spec).drawn())


def test_panels_stand_in_the_order_they_are_named_in() -> None:
    svg = drawing("update of v", "attention", "update of k", middle=2)
    heads = re.findall(r">(update of v|attention|update of k)<", svg)
    assert heads == ["update of v", "attention", "update of k"]


def test_each_kind_has_a_line_of_its_own_dashes_and_dots_are_measurements() -> None:
    svg = drawing("one", middle=2)
    marks = re.findall(r'<path aria-label="[^"]*" role="graphics-symbol" aria-roled[^>]*>', svg)
    dots = [mark for mark in marks if 'roledescription="point"' in mark]
    assert len(dots) == 4, "one of the three kinds was measured, at four cuts"
    assert {"5,3", "1,3"} <= set(re.findall(r'stroke-dasharray="([\d,]+)"', svg))


def test_the_cut_between_rows_and_columns_is_marked_where_it_is_known() -> None:
    marked = [drawing("one", "two", middle=cut).count('description="rule mark"') for cut in (2, 3)]
    assert marked == [2, 2]
    assert drawing("one", "two", middle=None).count('description="rule mark"') == 0
