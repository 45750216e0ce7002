"""The figures as a table of docs/audit.md, between two marks, and as the file that the package
ships.
"""

from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path

from pydantic import TypeAdapter

from calibration.audit.errors import SIZES
from repro.audit.accuracy import Accuracy

BEGIN, END = "<!-- accuracy: make accuracy FULL=1 -->", "<!-- end of accuracy -->"
LEAST_FOUND = 0.97
"""Share of the largest errors that every check is to find."""
Known = Mapping[str, Accuracy]


def table(known: Known) -> Iterator[str]:
    """Yield the lines of the table."""
    yield "| check | clean papers with an alarm | small | middle | large |"
    yield "|---|---|---|---|---|"
    for check, one in known.items():
        cells = [_share(one, size) for size in SIZES]
        yield f"| `{check}` | {one.alarmed_papers} of {one.clean_papers} | {' | '.join(cells)} |"


def _share(one: Accuracy, size: str) -> str:
    hits, planted = one.found.get(size, (0, 0))  # type: ignore[call-overload]
    return f"{hits} of {planted}" if planted else ""


def broken(known: Known) -> list[str]:
    """Return what is not as promised: an alarm on a clean paper, a check that misses its largest
    errors.
    """
    told = [f"{check}: {one.alarmed_papers} of {one.clean_papers} clean papers raised an alarm"
            for check, one in known.items() if one.alarmed_papers]  # fmt: skip
    for check, one in known.items():
        hits, planted = one.found["large"]
        if hits < LEAST_FOUND * planted:
            told.append(f"{check}: {hits} of {planted} of the largest errors were found")
    return told


def write(known: Known, page: Path, shipped: Path) -> None:
    """Replace the table between the marks of a page, and the shipped figures."""
    text = page.read_text(encoding="utf-8")
    before, rest = text.split(BEGIN, 1)
    after = rest.split(END, 1)[1]
    when = f"{date.today():%Y-%m-%d}, `make accuracy FULL=1`:"
    page.write_text(
        f"{before}{BEGIN}\n{when}\n\n{chr(10).join(table(known))}\n{END}{after}", encoding="utf-8"
    )
    lines = (f'  "{check}": {one.model_dump_json()}' for check, one in known.items())
    shipped.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")
    TypeAdapter(dict[str, Accuracy]).validate_json(shipped.read_bytes())
