"""docs/python.md gives what it shows, on the evidence that the repository carries."""

import doctest
from pathlib import Path

import pytest

import repro.api

PAGE = Path(__file__).resolve().parents[2] / "docs" / "python.md"


@pytest.mark.worker
def test_every_example_of_the_page_gives_what_it_shows(
    evidence: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "results").symlink_to(evidence)
    found = doctest.testfile(str(PAGE), module_relative=False, encoding="utf-8")
    assert found.failed == 0
    assert found.attempted > 15


def test_every_function_of_the_door_is_shown() -> None:
    text = PAGE.read_text("utf-8")
    assert [name for name in repro.api.__all__ if f"repro.api.{name}(" not in text] == []
