"""What the documents promise exists: commands, files, queries."""

import argparse
import re
from pathlib import Path

import pytest

from repro.cli import parser
from repro.store.database import query
from repro.store.ingest import ingest

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text()
PAGES = [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "DECISIONS.md")]


def verbs() -> set[str]:
    """The verbs of the command line."""
    action = next(item for item in parser()._actions if isinstance(item, argparse._SubParsersAction))
    return set(action.choices)


def test_every_command_the_readme_shows_exists() -> None:
    named = set(re.findall(r"(?:`|^    )repro ([a-z]+)", README, re.M))
    assert named
    assert named <= verbs()


def test_every_make_target_the_documents_show_exists() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.M))
    shown = {target for page in PAGES for target in re.findall(r"make ([a-z]+)", page.read_text())}
    assert {"reproduce", "test"} <= shown & targets
    assert {target for target in shown if f"`make {target}" in README or f"    make {target}" in README} <= targets


def test_every_file_the_readme_names_exists() -> None:
    for name in (
        "manifests/papers/README.md",
        "CONTRIBUTING.md",
        "DECISIONS.md",
        "CHANGELOG.md",
        "docs/SCIENCE.md",
        "LICENSE",
    ):
        assert (ROOT / name).is_file()
        assert name == "LICENSE" or name in README


@pytest.mark.parametrize("sql", re.findall(r'repro sql "([^"]+)"', README))
def test_every_query_of_the_readme_runs(sql: str, tmp_path: Path) -> None:
    ingest(tmp_path)
    columns, _ = query(tmp_path, sql)
    assert columns


def test_the_readme_shows_seven_queries() -> None:
    assert len(re.findall(r'repro sql "', README)) == 7


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_no_document_names_a_machine_path(page: Path) -> None:
    assert not re.search(r"/(work|tmp|root|home)/", page.read_text())
