"""The edition is held to bits: a number that moves without a new one fails, and so does a new one
in which none moved.

A small project with a history of its own stands for this one: the same sources, and a smoke
manifest of a single run.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from repro.shipped import ROOT

SMOKE = """
id: smoke
title: one run
image: local
probe_set: factorial_48
domains: {code: [standard_library]}
conditions: {B1: {title: code, phases: [{steps: 2, mixture: {code: 1.0}}]}}
training: {lora: {rank: 4, alpha: 8}, optimizer: {learning_rate: 0.01}, accumulation: 2, max_length: 32, compute: float32}
diagnostics: {every: 2}
arms: [{models: [tiny-llama], conditions: [B1], seeds: [0]}]
"""


class Project:
    """A copy of this project under git, whose first commit records the edition."""

    def __init__(self, path: Path) -> None:
        self.path = path
        for folder in ("repro", "manifests", "probes", "docker", "requirements", "ci"):
            shutil.copytree(
                ROOT / folder, path / folder, ignore=shutil.ignore_patterns("__pycache__")
            )
        shutil.copy(ROOT / "pyproject.toml", path)
        for canary in (path / "ci").glob("canary*.yaml"):
            canary.unlink()
        (path / "manifests" / "smoke.yaml").write_text(SMOKE)
        (path / ".gitignore").write_text("__pycache__\n")
        self.git("init", "--quiet")
        self.commit()

    def git(self, *words: str) -> None:
        who = {
            "GIT_AUTHOR_NAME": "t",
            "GIT_COMMITTER_NAME": "t",
            "GIT_AUTHOR_EMAIL": "t@t",
            "GIT_COMMITTER_EMAIL": "t@t",
        }
        subprocess.run(
            ["git", "-C", str(self.path), *words],
            check=True,
            env={**os.environ, **who},
            capture_output=True,
        )

    def commit(self) -> None:
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", "state")

    def edit(self, name: str, old: str, new: str) -> None:
        path = self.path / name
        assert old in path.read_text()
        path.write_text(path.read_text().replace(old, new, 1))

    def edition(self, *words: str, where: Path | None = None) -> tuple[int, str]:
        """(exit code, last line) of ci/edition.py."""
        code, lines = self.told(*words, where=where)
        return code, lines[-1]

    def told(self, *words: str, where: Path | None = None) -> tuple[int, list[str]]:
        """(exit code, lines) of ci/edition.py."""
        path = where or self.path
        given = {
            **os.environ,
            "PYTHONPATH": str(path),
            "REPRO_CACHE": str(self.path.parent / "cache"),
        }
        command = [sys.executable, "ci/edition.py", *words]
        done = subprocess.run(
            command, cwd=path, env=given, capture_output=True, text=True, check=False
        )
        return done.returncode, done.stdout.strip().splitlines() or [done.stderr]

    def code(self) -> int:
        content = json.loads((self.path / "requirements" / "editions.json").read_text())
        return int(content["devices"]["cpu"]["code"])


@pytest.fixture
def project(tmp_path: Path) -> Project:
    (tmp_path / "project").mkdir()
    return Project(tmp_path / "project")


CONSTANT = ("repro/train/loss.py", "1.0 / tokens_in_step", "1.1 / tokens_in_step")


def test_a_changed_constant_fails_until_the_edition_is_raised(
    project: Project, tmp_path: Path
) -> None:
    """A message that is worded otherwise moves none. Runs that a stage before made are taken only
    where today's sources made them: those of others are left, and what moved is found as without
    them.
    """
    code, line = project.edition("check")
    assert (code, line.startswith("edition: skipped: nothing that computes has changed since")) == (
        0,
        True,
    ), line
    made = tmp_path / "smoke"
    project.edit("repro/train/texts.py", "remove it and fetch again", "fetch it again")
    given = {**os.environ, "PYTHONPATH": str(project.path), "REPRO_CACHE": str(tmp_path / "cache")}
    given["REPRO_RESULTS"] = str(made)
    command = [sys.executable, "-m", "repro", "run", "smoke", "--runner", "local"]
    subprocess.run(command, cwd=project.path, env=given, check=True)
    code, lines = project.told("check", "--now", str(made))
    assert (code, f"edition: 1 runs of smoke are those of {made}" in lines) == (0, True), lines
    assert ", 0 moved since" in lines[-1]
    assert project.edition("check")[1].startswith(
        "edition: skipped: these very sources were compared"
    )
    new_without_a_cause(project)
    project.edit(*CONSTANT)
    code, lines = project.told("check", "--now", str(made))
    assert (code, f"edition: 0 runs of smoke are those of {made}" in lines) == (1, True), lines
    assert re.search(r"\d+ of \d+ numbers moved since \w+ \(first: tiny-llama-B1-s0", lines[-1])
    assert "ci/edition.py raise code REASON" in lines[-1]
    before = project.code()
    code, line = project.edition("raise", "code", "the loss is weighed otherwise")
    assert code == 0, line
    assert project.code() == before + 1
    code, line = project.edition("check")
    assert code == 0, line
    project.commit()
    assert project.edition("check")[1].startswith(
        "edition: skipped: nothing that computes has changed"
    )


def new_without_a_cause(project: Project) -> None:
    """A new edition in which no number moved is refused, and taken back."""
    code, line = project.edition("raise", "code", "nothing of note")
    assert (code, "no new edition is needed" in line) == (1, True)
    now = f'"code": {project.code()}'
    raised = f'"code": {project.code() + 1}'
    project.edit("requirements/editions.json", now, raised)
    code, line = project.edition("check")
    assert (code, line.endswith("take it back")) == (1, True), line
    project.edit("requirements/editions.json", raised, now)


CANARY = (
    SMOKE.replace("id: smoke", "id: canary_entropies")
    .replace("}]}}", "}], adapter: {kind: mps, rank: 2, bond: 2, alpha: 4, targets: [q_proj]}}}")
    .replace("{every: 2}", "{every: 2, also: [update_entropy]}")
)


def test_a_canary_that_came_later_is_held_to_the_commit_that_added_it(project: Project) -> None:
    """What moved before it came is not its own; what moves afterwards is found by it alone."""
    spread = ("repro/train/adapters/mps.py", "(3 * inputs * self.bond) ** -0.25")
    project.edit(*spread, "(3.1 * inputs * self.bond) ** -0.25")
    project.commit()
    (project.path / "ci" / "canary_entropies.yaml").write_text(CANARY)
    code, line = project.edition("check")
    assert (code, ", 0 moved since" in line) == (0, True), "it is in no commit yet"
    project.commit()
    project.edit(spread[0], "(3.1 * inputs", "(3.2 * inputs")
    code, line = project.edition("check")
    assert code == 1, line
    assert re.search(r"\d+ of \d+ numbers moved since \w+ \(first: tiny-llama-B1-s0", line)


def test_what_cannot_be_compared_is_said_plainly(project: Project, tmp_path: Path) -> None:
    """A shallow clone and a folder without git; the stage of .ci/run then fails unless it may be
    skipped.
    """
    project.edit("pyproject.toml", "[project]", "[project]\n")
    project.commit()
    shallow = tmp_path / "shallow"
    subprocess.run(
        ["git", "clone", "--quiet", "--depth=1", f"file://{project.path}", str(shallow)], check=True
    )
    code, line = project.edition("check", where=shallow)
    assert (code, "git fetch --unshallow" in line) == (77, True)
    shutil.rmtree(shallow / ".git")
    code, line = project.edition("check", where=shallow)
    assert (code, "no checkout" in line) == (77, True)


def test_a_gpus_edition_is_raised_by_hand_with_its_reason(project: Project) -> None:
    assert project.edition("raise", "code", "another kernel", "--cuda")[0] == 0
    content = json.loads((project.path / "requirements" / "editions.json").read_text())["devices"]
    assert (content["cuda"]["code"], content["cuda"]["reason"]) == (2, "another kernel")
    assert content["cpu"]["code"] == project.code() == 1


@pytest.fixture
def venv(tmp_path: Path) -> Path:
    """An environment that has the packages of this one, and its own first."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "venv"], check=True)
    (site,) = (tmp_path / "venv" / "lib").glob("python3*/site-packages")
    (site / "locked.pth").write_text(f"{sysconfig.get_path('purelib')}\n")
    return tmp_path / "venv"


def other_peft(venv: Path, *edit: str) -> None:
    """Put another version of peft there, with one piece of its code exchanged."""
    (site,) = (venv / "lib").glob("python3*/site-packages")
    shutil.copytree(Path(sysconfig.get_path("purelib"), "peft"), site / "peft")
    (site / "peft-0.21.1.dist-info").mkdir()
    (site / "peft-0.21.1.dist-info" / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: peft\nVersion: 0.21.1\n"
    )
    if edit:
        path = site / "peft" / "tuners" / "lora" / "layer.py"
        assert edit[0] in path.read_text()
        path.write_text(path.read_text().replace(*edit))


def test_an_environment_joins_an_edition_only_with_equal_numbers(
    project: Project, venv: Path
) -> None:
    """The same code under another version joins, and what differs is recorded; with other numbers
    it is refused.
    """
    record = project.path / "requirements" / "editions.json"
    assert project.edition("join", str(venv)) == (
        0,
        "edition: these packages belong to the edition already",
    )
    before = record.read_text()
    other_peft(
        venv,
        "self.scaling[adapter_name] = lora_alpha / r",
        "self.scaling[adapter_name] = 2 * lora_alpha / r",
    )
    code, line = project.edition("join", str(venv))
    assert (code, record.read_text()) == (1, before), line
    assert re.search(
        r"refused: with peft 0\.21\.2 → 0\.21\.1 \d+ of \d+ numbers are others \(first: "
        r"tiny-llama",
        line,
    )
    (site,) = (venv / "lib").glob("python3*/site-packages")
    shutil.rmtree(site / "peft")
    shutil.rmtree(site / "peft-0.21.1.dist-info")
    other_peft(venv)
    code, line = project.edition("join", str(venv))
    assert code == 0, line
    assert re.search(r"joined: peft 0\.21\.2 → 0\.21\.1; all \d+ numbers are the same bits", line)
    member = json.loads(record.read_text())["devices"]["cpu"]["members"][-1]
    assert (member["differs"], member["numbers"] > 100) == (["peft 0.21.2 → 0.21.1"], True)
    assert project.edition("join", str(venv)) == (
        0,
        "edition: these packages belong to the edition already",
    )


def test_an_environment_that_cannot_be_asked_is_one_line(project: Project, tmp_path: Path) -> None:
    code, line = project.edition("join", str(tmp_path / "none"))
    assert (code, "bin/python" in line) == (2, True), line
