"""What the documents promise exists: commands, files, queries."""

import argparse
import re
import shlex
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import numpy as np
import pytest

from repro.cli import parser
from repro.store.database import query
from repro.store.ingest import ingest

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text()
QUERIES = (ROOT / "docs/sql.md").read_text()
PAGES = [
    ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "docs/decisions.md")
]
GUIDES = [
    ROOT / "README.md",
    *(ROOT / "docs").glob("*.md"),
    *(ROOT / name / "README.md" for name in ("docker", "evidence", "manifests/papers")),
]
"""The pages a reader follows; docs/results and the decisions tell what was done, at its time."""
MENTION = re.compile(r"`repro ([^`]+)`|^    repro ([^#\n]+?)(?:  +#.*)?$", re.M)


def verbs() -> set[str]:
    """The verbs of the command line."""
    action = next(
        item for item in parser()._actions if isinstance(item, argparse._SubParsersAction)
    )
    return set(action.choices)


def test_every_command_the_readme_shows_exists() -> None:
    named = set(re.findall(r"(?:`|^    )repro ([a-z]+)", README, re.M))
    assert named
    assert named <= verbs()


def test_every_make_target_the_documents_show_exists() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.M))
    shown = {target for page in PAGES for target in re.findall(r"make ([a-z]+)", page.read_text())}
    assert {"reproduce", "test"} <= shown & targets
    assert {
        target for target in shown if f"`make {target}" in README or f"    make {target}" in README
    } <= targets


def test_every_file_the_readme_names_exists() -> None:
    for name in (
        "manifests/papers/README.md",
        "CONTRIBUTING.md",
        "docs/decisions.md",
        "docs/glossary.md",
        "CHANGELOG.md",
        "docs/SCIENCE.md",
        "LICENSE",
    ):
        assert (ROOT / name).is_file()
        assert name == "LICENSE" or name in README
    for name in re.findall(r"\b(?:docs|evidence|manifests)/[\w./-]+\b", README):
        assert (ROOT / name).exists(), name


def test_the_readme_is_short() -> None:
    assert len(README.splitlines()) <= 80


def shown(page: Path) -> list[str]:
    """Commands of a page with their arguments, a line of several cut at each &&."""
    found = [inline or block for inline, block in MENTION.findall(page.read_text())]
    return [part.removeprefix("repro ") for line in found for part in line.split(" && ")]


@pytest.mark.parametrize("page", GUIDES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_command_with_arguments_is_one_that_the_program_takes(
    page: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for command in shown(page):
        if any(sign in command for sign in "…[|") or len(command.split()) == 1:
            assert command.split()[0] in verbs() | {"…"}, command  # a name, or a form
            continue
        words = shlex.split(command.split(" > ")[0], comments=True)
        try:
            parser().parse_args(
                ["cpu" if words[0] == "images" and w == "NAME" else w for w in words]
            )
        except SystemExit:
            pytest.fail(f"{command}: {capsys.readouterr().err}")


@pytest.fixture
def things(tmp_path: Path) -> dict[str, str]:
    """What stands for the capital words of the README's commands."""
    rng = np.random.default_rng(0)
    np.save(tmp_path / "m.npy", rng.normal(size=(16, 16)))
    concepts = [(a, b, c) for a in "xyz" for b in "pqrs" for c in "klmn"]
    np.savez(tmp_path / "x.npz", activations=rng.normal(size=(len(concepts), 12)))
    (tmp_path / "l.csv").write_text("\n".join(["domain,register,shape", *map(",".join, concepts)]))
    (tmp_path / "t.md").write_text("| model | accuracy |\n|---|---|\n| a | 0.5 |\n| b | 0.75 |\n")
    (tmp_path / "empty/runs").mkdir(parents=True)
    return {
        "FILE": str(tmp_path / "t.md"),
        "FOLDER": str(ROOT / "manifests/papers/lora"),
        "CLAIM": "consolidated/s4.1/32pct",
        "A": str(tmp_path / "empty"),
        "B": str(tmp_path / "empty"),
        "X.npz": str(tmp_path / "x.npz"),
        "L.csv": str(tmp_path / "l.csv"),
        "M.npy": str(tmp_path / "m.npy"),
    }


ELSEWHERE = (
    "judge",
    "supply",
    "crate",
    "push",
    "pull",
    "attest",
    "remeasure",
    "run",
    "verify --trust",
    "evaluate",
    "score",
    "doctor",
    "fetch",
    "entropy --adapter",
    "measure --model",
)
"""Carried out by the tests of their own rooms: they need values, models, an engine."""


@pytest.mark.parametrize("command", sorted(set(shown(ROOT / "README.md"))))
def test_every_command_of_the_readme_is_carried_out(
    command: str, things: dict[str, str], repro: Callable[..., CompletedProcess[str]]
) -> None:
    words = [things.get(word, word) for word in shlex.split(command)]
    if command.startswith(ELSEWHERE) or command in verbs() - {"audit", "verify", "report"}:
        assert words[0] in verbs()
        return
    done = repro(*words)
    assert done.returncode in (0, 1, 3), done.stderr
    assert done.stdout


def test_every_file_that_the_page_on_adding_names_exists() -> None:
    """And every name that it asks to be added to is one of that file."""
    page = (ROOT / "docs/how_to_add.md").read_text()
    named = set(re.findall(r"`((?:repro|tests|calibration)/[\w./]+)`", page))
    assert len(named) > 15
    assert {name for name in named if not (ROOT / name).exists()} == set()
    code = "".join(path.read_text() for name in named for path in [ROOT / name] if path.is_file())
    names = set(re.findall(r"`([A-Z]\w+|[a-z]+_[a-z_]+)`", page)) - {"not_run"}
    assert {name for name in names if name not in code} == set()


@pytest.mark.parametrize("sql", re.findall(r'repro sql "([^"]+)"', QUERIES))
def test_every_query_of_the_page_on_sql_runs(sql: str, tmp_path: Path) -> None:
    ingest(tmp_path)
    columns, _ = query(tmp_path, sql)
    assert columns


def test_the_page_on_sql_shows_as_many_queries_as_its_title_says() -> None:
    assert QUERIES.startswith("# Eight queries")
    assert len(re.findall(r'repro sql "', QUERIES)) == 8


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_no_document_names_a_machine_path(page: Path) -> None:
    assert not re.search(r"/(work|tmp|root|home)/", page.read_text())
