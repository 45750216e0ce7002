"""The structure of the project, held by tests: what imports what, and what the documents say."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


def test_imports_point_down_and_the_host_never_reaches_torch() -> None:
    done = subprocess.run(
        [Path(sys.executable).with_name("lint-imports")], capture_output=True, text=True, cwd=ROOT, check=False
    )
    assert done.returncode == 0, done.stdout


@pytest.mark.worker
def test_a_command_of_the_host_leaves_torch_unloaded() -> None:
    """The contracts read import statements; this one looks at what is loaded after real work."""
    probe = (
        "import sys; from repro.cli import main; main(['plan', 'smoke', '--json']); "
        "loaded = {'torch', 'transformers', 'peft', 'bitsandbytes'} & set(sys.modules); sys.exit(bool(loaded))"
    )
    assert subprocess.run([sys.executable, "-c", probe], capture_output=True, check=False).returncode == 0
    control = "import sys, torch; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", control], capture_output=True, check=False).returncode == 1


@pytest.mark.worker
def test_the_worker_leaves_the_database_unloaded() -> None:
    probe = "import sys, repro.diagnose.session, repro.train.weights; sys.exit('duckdb' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", probe], capture_output=True, check=False).returncode == 0


@pytest.mark.parametrize("path", sorted((ROOT / "repro").rglob("*.py")), ids=lambda path: str(path.relative_to(ROOT)))
def test_every_module_opens_with_its_purpose_and_stays_short(path: Path) -> None:
    text = path.read_text()
    assert text.startswith('"""'), f"{path} has no module docstring"
    assert len(text.splitlines()) <= 300
