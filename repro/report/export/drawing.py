"""A figure as a file: SVG or PNG, drawn without a browser."""

from pathlib import Path

from repro.errors import InputError
from repro.files import write_target
from repro.report.page.figure import Figure

SCALE = 2
"""Pixels of a PNG for each of the drawing's."""
ENDINGS = (".svg", ".png")


def draw_figure(figure: Figure, ending: str) -> bytes:
    """Return the bytes of a figure's file, by its ending."""
    import vl_convert  # 85 MB that only files need

    spec = figure.drawn()
    if ending == ".svg":
        return vl_convert.vegalite_to_svg(spec).encode()
    return vl_convert.vegalite_to_png(spec, scale=SCALE)


def check_ending(path: Path) -> None:
    """Raise InputError for a file that is neither SVG nor PNG, by its name."""
    if path.suffix.lower() not in ENDINGS:
        raise InputError(
            f"{path}: the name ends in {path.suffix or 'nothing'!r}; expected {' or '.join(ENDINGS)}."
        )


def write_drawing(path: Path, figure: Figure) -> None:
    """Write a figure in the form that the file's name says. Raises InputError, SetupError."""
    check_ending(path)
    write_target(path, draw_figure(figure, path.suffix.lower()))
