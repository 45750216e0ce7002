"""What renames no run: an error message, a docstring, a module's place, a package that computes
nothing, a Debian update.

Each is done to a copy of the project, and the names are asked of the copy in a process of its own.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from repro.shipped import ROOT

ASK = """
import json
from repro.manifest.load import load_experiment
from repro.plan.expand import expand, local_environment
from repro.plan.image_lock import image_environment
found = {}
for place, environment in (("local", local_environment()), ("image", image_environment("cpu", "cpu"))):
    for name in ("smoke", "companions_laptop"):
        found |= {f"{place} {name} {run.slot}": run.id for run in expand(load_experiment(name), environment)}
print(json.dumps(found))
"""


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The project's own files, to be changed."""
    for folder in ("repro", "manifests", "probes", "docker", "requirements"):
        shutil.copytree(
            ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__")
        )
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def names(project: Path, expected: int = 0) -> Any:
    """The names that a project gives its runs, by place and slot; its words where it refuses."""
    environment = {**os.environ, "PYTHONPATH": str(project)}
    done = subprocess.run(
        [sys.executable, "-c", ASK],
        cwd=project,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == expected, done.stderr
    return json.loads(done.stdout) if expected == 0 else done.stderr


def edit(path: Path, pattern: str, new: str) -> None:
    """Replace the first match; there has to be one."""
    text, count = re.subn(pattern, new, path.read_text(), count=1)
    assert count == 1
    path.write_text(text)


def message(copy: Path) -> None:
    edit(copy / "repro/manifest/explain.py", r"expected", "wanted")
    edit(copy / "repro/train/texts.py", r"remove it and fetch again", "fetch it again")


def docstring(copy: Path) -> None:
    edit(copy / "repro/train/loop.py", r'^"""', '"""Rewritten. ')


def module(copy: Path) -> None:
    """A module and its package move, as they do when the house is put in order."""
    (copy / "repro/learn").mkdir()
    (copy / "repro/train/loss.py").rename(copy / "repro/learn/losses.py")
    (copy / "repro/plan/named.py").rename(copy / "repro/learn/named.py")
    for path in copy.rglob("*.py"):
        text = path.read_text().replace("repro.train.loss", "repro.learn.losses")
        path.write_text(text.replace("repro.plan.named", "repro.learn.named"))


def rich(copy: Path) -> None:
    for lock in (copy / "requirements").glob("*.lock"):
        if "\nrich==" in lock.read_text():
            edit(lock, r"\nrich==\S+", "\nrich==99.0")


def release(copy: Path) -> None:
    edit(copy / "pyproject.toml", r'\nversion = "[^"]+"', '\nversion = "99.0"')


def debian(copy: Path) -> None:
    """A newer base whose numbers were compared: another content, recorded as a member."""
    locks, editions = copy / "docker/images.lock", copy / "requirements/editions.json"
    content = json.loads(locks.read_text())
    content["images"]["cpu"] |= {"content": "a" * 64, "base_sha256": "b" * 64, "python": "3.11.99"}
    locks.write_text(json.dumps(content))
    known = json.loads(editions.read_text())
    known["devices"]["cpu"]["members"].append(
        {"content": "a" * 64, "differs": ["libc6 2.36 → 2.37"], "numbers": 18191}
    )
    editions.write_text(json.dumps(known))


@pytest.mark.worker  # it plans some hundred runs seven times over
@pytest.mark.parametrize(
    "change",
    [message, docstring, module, rich, release, debian],
    ids=lambda change: change.__name__,
)
def test_it_renames_no_run(copy: Path, change: Callable[[Path], None]) -> None:
    before = names(copy)
    assert len(set(before.values())) > 10
    change(copy)
    assert names(copy) == before


def test_another_edition_renames_every_run_and_another_threads_those_of_its_manifest(
    copy: Path,
) -> None:
    """A positive control: the copy's own files are what is asked."""
    before = names(copy)
    edit(copy / "manifests/smoke.yaml", r"\nimage:", "\nthreads: 2\nimage:")
    after = names(copy)
    assert {key for key in before if before[key] != after[key]} == {
        key for key in before if " smoke " in key
    }
    edit(copy / "requirements/editions.json", r'"code": 1', '"code": 2')
    raised = names(copy)
    assert not set(raised.values()) & set(after.values())


@pytest.mark.parametrize("what", ["packages", "base"])
def test_packages_or_a_base_that_nobody_compared_belong_to_no_edition(
    copy: Path, what: str
) -> None:
    """One line that names what is other, and the two ways to go on."""
    if what == "packages":
        for lock in (copy / "requirements").glob("c*.lock"):
            edit(lock, r"\npeft==\S+", "\npeft==0.21.1")
    else:
        edit(copy / "docker/images.lock", r'"content": "1af49', '"content": "2af49')
    told = names(copy, expected=1).splitlines()[-1]
    assert ("peft 0.21.1" if what == "packages" else "image 2af49") in told
    assert "belongs to no edition of the numbers" in told
    assert "ci/edition.py join" in told
    assert "--other-packages" in told
