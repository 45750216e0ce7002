"""The report as files for a paper or talk: figures, tables, macros, in a folder the user named."""

from collections.abc import Iterator
from pathlib import Path

from repro.files import write_bytes
from repro.report.export.drawing import ENDINGS, draw_figure
from repro.report.export.listings import claims_table
from repro.report.export.macros import macros
from repro.report.export.tables import FORMATS, TextTable, as_text
from repro.report.page.content import Content

_FORMAT_OF = {"csv": "csv", "md": "markdown", "tex": "latex"}
"""Ending of a file → its format."""


def write_files(folder: Path, content: Content) -> int:
    """Write everything; return how many files. Raises SetupError where the folder refuses."""
    found = {**dict(_drawn(content)), **dict(_written(content))}
    found["numbers.tex"] = macros(line for table in content.tables for line in table.lines).encode()
    for name, data in found.items():
        write_bytes(folder / name, data)
    return len(found)


def _drawn(content: Content) -> Iterator[tuple[str, bytes]]:
    for figure in content.figures:
        for ending in ENDINGS:
            yield f"figures/{figure.id}{ending}", draw_figure(figure, ending)


def _written(content: Content) -> Iterator[tuple[str, bytes]]:
    for table in _report_tables(content):
        for ending, form in _FORMAT_OF.items():
            yield f"tables/{table.name}.{ending}", FORMATS[form](table).encode()


def _report_tables(content: Content) -> Iterator[TextTable]:
    """Yield the report's tables: claims, findings, coverage, costs, runs."""
    lines = [line for table in content.tables for line in table.lines]
    yield claims_table(lines)
    yield TextTable(
        "audit", ("paper", "check", "severity", "printed", "where", "other prints say", "against", "why"),
        as_text((x.paper, x.check, x.severity, x.here.printed, x.here.locator, x.recomputed,
               "; ".join(f"{place.printed} in {place.locator}" for place in x.there), x.explanation)
              for x in content.findings),
    )  # fmt: skip
    yield TextTable(
        "coverage", ("paper", "claims", "empirical", "measured", "judged", "not run", "cannot be measured"),
        as_text((x.source, x.claims, x.empirical, x.measured, x.judged, x.not_run, x.blind) for x in content.coverage),
    )  # fmt: skip
    yield TextTable(
        "costs", ("manifest", "claims waiting", "runs to do", "runs", "GPU-hours from", "GPU-hours to"),
        as_text((x.manifest, x.claims, x.to_do, x.runs, f"{x.low:.3g}", f"{x.high:.3g}") for x in content.prices),
    )  # fmt: skip
    columns = (
        "experiment",
        "slot",
        "run_id",
        "status",
        "finished",
        "edition",
        "device",
        "weights",
        "runner",
        "git_commit",
    )
    yield TextTable(
        "runs", columns, as_text([row[name] for name in columns] for row in content.runs)
    )
