"""The tests mirror the package: repro/a/b.py is tested by tests/a/test_b.py."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def untested_modules(package: Path, tests: Path) -> list[str]:
    """Return the modules of a package that have no test file of their own name, by path."""
    modules = (path.relative_to(package) for path in sorted(package.rglob("*.py")))
    return [
        str(path)
        for path in modules
        if not path.name.startswith("__")
        and not (tests / path.parent / f"test_{path.name}").is_file()
    ]


def test_a_module_is_tested_by_the_file_of_its_name(tmp_path: Path) -> None:
    for name in ("repro/a/b.py", "repro/a/c.py", "repro/a/__init__.py", "tests/a/test_b.py"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    assert untested_modules(tmp_path / "repro", tmp_path / "tests") == ["a/c.py"]


def test_every_module_has_a_test_file_of_its_name() -> None:
    missing = untested_modules(ROOT / "repro", ROOT / "tests")
    assert not missing, f"add tests/…/test_MODULE.py for {', '.join(missing)}"
