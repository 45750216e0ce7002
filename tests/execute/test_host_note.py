"""The commit a run's sources are: as git has it, dirty when anything differs, unknown where there
is none.
"""

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from repro.evidence.folder import RunFolder
from repro.execute.host_note import commit, note_host
from repro.shipped import ROOT

Git = Callable[..., str]


@pytest.fixture
def git(tmp_path: Path) -> Git:
    """git in a fresh checkout with one commit."""
    environment = {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}

    def call(*words: str) -> str:
        who = ["-c", "user.name=A", "-c", "user.email=a@example.org"]
        done = subprocess.run(
            ["git", "-C", str(tmp_path), *who, *words],
            capture_output=True,
            text=True,
            check=True,
            env=environment,
        )
        return done.stdout.strip()

    (tmp_path / "module.py").write_text("x = 1\n")
    call("init", "--quiet")
    call("add", "module.py")
    call("commit", "--quiet", "--message", "first")
    return call


@pytest.fixture(autouse=True)
def forget() -> None:
    """A host asks git once; each test asks anew."""
    commit.cache_clear()


def test_a_clean_checkout_is_its_commit(git: Git, tmp_path: Path) -> None:
    assert commit(tmp_path) == {"commit": git("rev-parse", "HEAD"), "dirty": False}


@pytest.mark.parametrize(
    "name", ["module.py", "another.py"], ids=["a changed file", "a file git does not know"]
)
def test_what_differs_from_the_commit_makes_it_dirty(git: Git, tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("x = 2\n")
    assert commit(tmp_path) == {"commit": git("rev-parse", "HEAD"), "dirty": True}


def test_a_hook_of_another_repository_does_not_lend_its_commit(
    git: Git, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As inside a git hook or `git rebase --exec`, where GIT_DIR and GIT_WORK_TREE are set."""
    other = tmp_path / "other"
    git("init", "--quiet", str(other))
    for name, value in (
        ("GIT_DIR", other / ".git"),
        ("GIT_WORK_TREE", other),
        ("GIT_INDEX_FILE", other / "index"),
    ):
        monkeypatch.setenv(name, str(value))
    (tmp_path / ".git" / "info" / "exclude").write_text("other\n")
    assert commit(tmp_path)["commit"] != "unknown"
    for name in ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"):
        monkeypatch.delenv(name)
    assert commit(tmp_path) == {"commit": git("rev-parse", "HEAD"), "dirty": False}


@pytest.mark.usefixtures("git")
def test_without_git_it_is_unknown_and_no_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No checkout, a folder inside somebody else's checkout, no git command, a checkout git refuses
    to read.
    """
    unknown = {"commit": "unknown", "dirty": "unknown"}
    (tmp_path / "installed").mkdir()
    assert commit(tmp_path / "installed") == unknown
    assert commit(tmp_path) != unknown
    commit.cache_clear()
    monkeypatch.setenv("PATH", str(tmp_path / "installed"))
    assert commit(tmp_path) == unknown
    monkeypatch.undo()
    commit.cache_clear()
    (tmp_path / ".git" / "HEAD").write_text("nothing")
    assert commit(tmp_path) == unknown


def test_the_worker_finds_it_beside_its_request(tmp_path: Path) -> None:
    note_host(RunFolder(tmp_path), "docker")
    whole = {**commit(ROOT), "runner": "docker", "loaded": "whole"}
    assert json.loads((tmp_path / "host.json").read_text()) == whole
    note_host(RunFolder(tmp_path), "docker", loaded="block by block")
    walked = {**whole, "loaded": "block by block"}
    assert json.loads((tmp_path / "host.json").read_text()) == walked
