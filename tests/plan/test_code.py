"""The worker's sources are digested as what they do: a comment changes no digest."""

import shutil
from pathlib import Path

import pytest

import repro.plan.code as code


@pytest.fixture
def copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the package's source whose digest can be taken after an edit."""
    package = tmp_path / "repro"
    shutil.copytree(code.PACKAGE, package, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(code, "PACKAGE", package)
    return package


def test_docstrings_and_comments_change_no_digest_of_sources(copied: Path) -> None:
    before = code.worker_code.__wrapped__()
    path = copied / "train" / "loop.py"
    text = path.read_text().replace(
        '"""Take one optimizer step on all', '"""Rewritten. Take one optimizer step on all'
    )
    path.write_text(f"# a comment\n{text}")
    assert code.worker_code.__wrapped__() == before


def test_a_changed_statement_changes_the_module_and_only_it(copied: Path) -> None:
    before = code.worker_code.__wrapped__()
    path = copied / "train" / "loop.py"
    path.write_text(path.read_text().replace("0.5 * (1.0 + math.cos", "0.4 * (1.0 + math.cos"))
    after = code.worker_code.__wrapped__()
    assert [name for name in before if before[name] != after[name]] == ["repro.train.loop"]


def test_the_workers_modules_are_followed_and_the_hosts_are_not() -> None:
    reached = set(code.worker_code())
    assert {
        "repro.worker",
        "repro.worker.session",
        "repro.geometry.damage",
        "repro.train.loop",
    } <= reached
    assert not any(
        name.startswith(
            ("repro.cli", "repro.store", "repro.verify", "repro.execute", "repro.report")
        )
        for name in reached
    )


def test_an_entry_outside_the_package_reaches_nothing() -> None:
    assert code.worker_code("json") == {}


def test_only_what_an_entry_imports_and_the_packages_above_that_are_digested() -> None:
    """A name that is imported from a module and is no module itself is none."""
    assert set(code.worker_code("repro.frozen")) == {"repro.frozen"}
    assert set(code.worker_code("repro.plan.structure")) == {
        "repro",
        "repro.frozen",
        "repro.plan.structure",
    }
