"""The structure of the project, held by tests: what imports what, and what the documents say."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


def test_imports_point_down_and_the_host_never_reaches_torch() -> None:
    done = subprocess.run(
        [Path(sys.executable).with_name("lint-imports")],
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=False,
    )
    assert done.returncode == 0, done.stdout


@pytest.mark.worker
def test_a_command_of_the_host_leaves_torch_unloaded() -> None:
    """The contracts read import statements; this one looks at what is loaded after real work."""
    probe = (
        "import sys; from repro.cli import main; main(['plan', 'smoke', '--json']); "
        "loaded = {'torch', 'transformers', 'peft', 'bitsandbytes'} & set(sys.modules); "
        "sys.exit(bool(loaded))"
    )
    assert (
        subprocess.run([sys.executable, "-c", probe], capture_output=True, check=False).returncode
        == 0
    )
    control = "import sys, torch; sys.exit('torch' in sys.modules)"
    assert (
        subprocess.run([sys.executable, "-c", control], capture_output=True, check=False).returncode
        == 1
    )


@pytest.mark.worker
def test_the_worker_leaves_the_database_unloaded() -> None:
    probe = (
        "import sys, repro.worker.session, repro.train.weights; sys.exit('duckdb' in sys.modules)"
    )
    assert (
        subprocess.run([sys.executable, "-c", probe], capture_output=True, check=False).returncode
        == 0
    )


@pytest.mark.worker
def test_the_worker_leaves_the_compiler_unloaded_and_collects_garbage_again() -> None:
    loaded = "import gc, sys, repro.worker.__main__ as worker; worker._load(); "
    probe = (
        "assert 'bitsandbytes' in sys.modules and 'peft' in sys.modules; "
        "assert 'torch._inductor.compile_fx' not in sys.modules; assert gc.isenabled()"
    )
    done = subprocess.run(
        [sys.executable, "-c", loaded + probe], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    "path", sorted((ROOT / "repro").rglob("*.py")), ids=lambda path: str(path.relative_to(ROOT))
)
def test_every_module_opens_with_its_purpose_and_stays_short(path: Path) -> None:
    text = path.read_text()
    assert text.startswith('"""'), f"{path} has no module docstring"
    assert len(text.splitlines()) <= 350


@pytest.mark.parametrize(
    "path", sorted((ROOT / "repro").rglob("*.py")), ids=lambda path: str(path.relative_to(ROOT))
)
def test_text_is_read_and_written_in_utf_8(path: Path) -> None:
    """Whatever the locale says: files are the same everywhere. What other programs print is read as
    UTF-8 too.
    """
    for call in (
        node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)
    ):
        name = getattr(call.func, "attr", getattr(call.func, "id", ""))
        given = {keyword.arg for keyword in call.keywords}
        if name in ("read_text", "write_text"):
            assert "encoding" in given, f"line {call.lineno}: {name} without an encoding"
        assert "text" not in given or name not in ("run", "Popen"), (
            f"line {call.lineno}: text=True is the locale's"
        )


def test_every_test_says_that_it_returns_nothing() -> None:
    """`ruff check --select ANN201 --fix --unsafe-fixes tests` writes it."""
    silent = [
        f"{path.relative_to(ROOT)}: {node.name}"
        for path in sorted((ROOT / "tests").rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_") and not node.returns
    ]
    assert not silent
