"""Figures as files: SVG or PNG by the name's ending, and nothing else."""

from pathlib import Path
from xml.etree import ElementTree

import pytest

from repro.errors import InputError
from repro.report.export.drawing import SCALE, check_ending, draw_figure, write_drawing
from repro.report.page.figure import Figure


@pytest.fixture
def figure() -> Figure:
    spec = {"width": 200, "height": 100, "mark": "point",
            "encoding": {"x": {"field": "x", "type": "quantitative"}}}  # fmt: skip
    return Figure("f", "t", "s", ("x",), ((1.0,), (2.0,)), spec)


@pytest.mark.parametrize("name", ["a.svg", "A.SVG", "a.b.svg"])
def test_the_ending_says_svg_in_letters_of_any_size(
    figure: Figure, tmp_path: Path, name: str
) -> None:
    write_drawing(tmp_path / name, figure)
    assert ElementTree.parse(tmp_path / name).getroot().tag.endswith("svg")


def test_a_png_has_twice_the_pixels_of_the_drawing(figure: Figure, tmp_path: Path) -> None:
    svg = ElementTree.fromstring(draw_figure(figure, ".svg"))
    write_drawing(tmp_path / "a.PNG", figure)
    data = (tmp_path / "a.PNG").read_bytes()
    assert data.startswith(b"\x89PNG\r\n\x1a\n")
    sides = int.from_bytes(data[16:20], "big"), int.from_bytes(data[20:24], "big")
    assert SCALE == 2
    assert sides == tuple(2 * round(float(svg.attrib[name])) for name in ("width", "height"))


@pytest.mark.parametrize(
    ("name", "ending"), [("a.pdf", ".pdf"), ("svg", "nothing"), ("a.svgz", ".svgz")]
)
def test_another_ending_is_refused_with_both_that_are_taken(
    figure: Figure, tmp_path: Path, name: str, ending: str
) -> None:
    with pytest.raises(
        InputError, match=rf"{name}: the name ends in '{ending}'; expected .svg or .png"
    ):
        write_drawing(tmp_path / name, figure)
    assert not (tmp_path / name).exists()
    check_ending(Path("a.png"))
