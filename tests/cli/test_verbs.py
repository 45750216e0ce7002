"""What the verbs share: a user's paths, and the forms that rows are printed in."""

import argparse
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from repro.cli import parser
from repro.cli.verbs import own_path, take_format
from repro.report.export.tables import FORMATS

Command = Callable[..., subprocess.CompletedProcess[str]]


def test_a_home_folder_is_meant_by_its_sign(repro: Command, tmp_path: Path) -> None:
    """After `=` and in a variable a shell leaves `~` alone."""
    (tmp_path / "home" / "mine").mkdir(parents=True)
    for arguments, changes in ((["--results=~/mine"], {}), ([], {"REPRO_RESULTS": "~/mine"})):
        done = repro("status", *arguments, HOME=str(tmp_path / "home"), **changes)
        assert f"no runs under {tmp_path / 'home' / 'mine' / 'runs'}" in done.stdout
    assert not (tmp_path / "~").exists()


def test_a_path_is_taken_as_it_is_but_for_the_sign_of_home(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert own_path("~/a b") == tmp_path / "a b"
    assert own_path("a/~/b") == Path("a/~/b")
    assert own_path("$HOME/a") == Path("$HOME/a")


def test_rows_are_a_table_unless_another_form_is_asked_for() -> None:
    verb = argparse.ArgumentParser()
    take_format(verb, "json")
    assert verb.parse_args([]).format == "table"
    for form in (*FORMATS, "json"):
        assert verb.parse_args(["--format", form]).format == form
    with pytest.raises(SystemExit):
        verb.parse_args(["--format", "html"])


@pytest.mark.parametrize("verb", ["verify", "report", "explain x", "plan x", "run x", "diff a b"])
def test_further_papers_are_named_alike_everywhere(
    verb: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    given = parser().parse_args([*verb.split(), "--papers=~/mine"])
    assert given.papers == tmp_path / "mine"
