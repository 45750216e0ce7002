"""Pages of the evidence that the repository carries, and of nothing."""

import contextlib
import sys
from pathlib import Path

import pytest

from repro.api.judging import verdicts_of
from repro.claims.papers import load_papers
from repro.cli import main
from repro.report.page.content import Content, gather


def content_of(results: Path, cache: Path) -> Content:
    """What the page of a results folder shows."""
    papers = load_papers()
    claims = [claim for paper in papers for claim in paper.claims]
    with verdicts_of(claims, claims, results, {}) as found:
        return gather(
            "",
            found.verdicts,
            claims,
            papers,
            found.audit,
            found.connection,
            {},
            cache,
            found.notes,
        )


@pytest.fixture(scope="session")
def measured(evidence: Path, tmp_path_factory: pytest.TempPathFactory) -> Content:
    """The content of the carried evidence's page."""
    return content_of(evidence, tmp_path_factory.mktemp("cache"))


@pytest.fixture(scope="session")
def pages(evidence: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The pages themselves, by name: of the carried evidence, of nothing, and of smoke alone."""
    folder = tmp_path_factory.mktemp("pages")
    found = {}
    for name, results in (("measured", evidence), ("empty", folder / "none"), ("smoke", evidence)):
        results.mkdir(exist_ok=True)
        found[name] = folder / f"{name}.html"
        with contextlib.redirect_stdout(sys.stderr):
            assert (
                main(
                    [
                        "report",
                        *(["smoke"] if name == "smoke" else []),
                        "--results",
                        str(results),
                        "--out",
                        str(found[name]),
                    ]
                )
                == 0
            )
    return found
