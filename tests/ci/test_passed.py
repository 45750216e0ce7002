"""A heavy stage is left out while nothing that it depends on has changed, and never in silence."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import ModuleType

import pytest

from repro.shipped import ROOT

PARTS = ("repro", "manifests", "probes", "docker", "requirements", "ci", "evidence", "tests")
SINGLE = ("Makefile", "pyproject.toml")


class Copy:
    """A copy of this project, whose stages are asked for and noted by the real command."""

    def __init__(self, path: Path) -> None:
        self.path = path
        for part in PARTS:
            shutil.copytree(ROOT / part, path / part, ignore=shutil.ignore_patterns("__pycache__"))
        for part in SINGLE:
            shutil.copy(ROOT / part, path)
        (path / "ci" / "passed.json").unlink(missing_ok=True)

    def say(self, *words: str, **given: str) -> tuple[int, str]:
        """(exit code, what it printed) of ci/passed.py."""
        done = subprocess.run(
            [sys.executable, "ci/passed.py", *words],
            cwd=self.path,
            env={**os.environ, "PYTHONPATH": str(self.path), **given},
            capture_output=True,
            text=True,
            check=False,
        )
        return done.returncode, done.stdout + done.stderr

    def edit(self, name: str, old: str, new: str) -> None:
        path = self.path / name
        assert old in path.read_text()
        path.write_text(path.read_text().replace(old, new, 1))


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Copy:
    return Copy(tmp_path_factory.mktemp("copy") / "project")


def test_a_stage_runs_until_it_passed_and_again_once_what_it_depends_on_changes(
    copy: Copy,
) -> None:
    """Words of a docstring change nothing; a constant of a worker and a script do, and a room that
    it does not import does not.
    """
    assert copy.say("ask", "cluster", "3000") == (0, "")
    assert copy.say("note", "cluster", "97") == (0, "")
    code, line = copy.say("ask", "cluster", "3000")
    assert code == 3
    assert line.startswith("left out: nothing that it depends on has changed since it passed on ")
    assert line.endswith(", in 97 s\n")
    assert copy.say("ask", "cluster", "3000", ALL="1") == (0, "")
    assert copy.say("ask", "containers", "3000") == (0, ""), "another stage has not passed"
    copy.edit("repro/report/__init__.py", '"""', '"""Other. ')
    copy.edit("repro/train/loss.py", '"""', '"""Other words. ')
    assert copy.say("ask", "cluster", "3000")[0] == 3
    copy.edit("repro/train/loss.py", "1.0 / tokens_in_step", "1.1 / tokens_in_step")
    assert copy.say("ask", "cluster", "3000") == (0, "")
    copy.edit("repro/train/loss.py", "1.1 / tokens_in_step", "1.0 / tokens_in_step")
    assert copy.say("ask", "cluster", "3000")[0] == 3
    copy.edit("ci/slurm.sh", "ClusterName=test", "ClusterName=other")
    assert copy.say("ask", "cluster", "3000") == (0, "")


def test_a_stage_that_the_hour_does_not_hold_is_left_out_and_says_why(copy: Copy) -> None:
    assert copy.say("ask", "cuda-image", "300") == (0, "")
    assert copy.say("ask", "cuda-image", "299") == (
        3,
        "left out: it takes 300 s, and 299 s are left of the hour\n",
    )
    assert copy.say("ask", "cuda-image", "-5")[1].endswith(" 0 s are left of the hour\n")


def test_a_record_is_believed_for_two_weeks(copy: Copy) -> None:
    assert copy.say("note", "browser", "60") == (0, "")
    record = copy.path / "ci" / "passed.json"
    content = json.loads(record.read_text())
    for days, code in ((14, 3), (15, 0)):
        day = datetime.now(UTC).date() - timedelta(days=days)
        content["browser"]["day"] = day.isoformat()
        record.write_text(json.dumps(content))
        assert copy.say("ask", "browser", "3000")[0] == code


def test_a_stage_that_nobody_knows_is_refused_with_those_there_are(copy: Copy) -> None:
    code, said = copy.say("ask", "clutser", "3000")
    assert (code, "stages: edition, heavy-tests, " in said) == (2, True)


def test_every_stage_depends_on_what_is_there_and_is_in_ci_run(
    helper: Callable[[str], ModuleType],
) -> None:
    """A path that is gone would never change again."""
    passed = helper("../ci/passed.py")
    named = [
        line.split()[1]
        for line in (ROOT / ".ci" / "run").read_text().splitlines()
        if line.startswith("heavy ")
    ]
    assert sorted(named) == sorted(passed.stages())
    assert len({passed.state(needs) for needs in passed.stages().values()}) == len(named)
    assert set(passed.RUNNING) < {path.name for path in (ROOT / "repro").iterdir()}
    gone = passed.Needs((), ("ci/no_such_file.sh",))
    with pytest.raises(FileNotFoundError, match=r"no ci/no_such_file\.sh"):
        passed.state(gone)


def test_heavy_tests_are_modules_that_are_there(helper: Callable[[str], ModuleType]) -> None:
    names = helper("../ci/passed.py").heavy_tests()
    assert names
    assert [name for name in names if not (ROOT / name).is_file()] == []
