"""`repro crate` as a user meets it: what cannot be archived is one line, and leaves nothing."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from repro.cli import main


@pytest.mark.parametrize(
    ("name", "out", "words"),
    [
        ("scale_ladder", "new", "no finished run of scale_ladder"),
        ("smok", "new", "nearest is smoke; "),
        ("laptop", ".", "is there already"),
    ],
)
def test_what_cannot_be_archived_is_one_line(
    name: str,
    out: str,
    words: str,
    evidence: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["crate", name, "--results", str(evidence), "--out", str(tmp_path / out)]) == 2
    assert words in capsys.readouterr().err
    assert [*tmp_path.iterdir()] == []


def test_changed_evidence_is_refused(
    evidence: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    results = shutil.copytree(evidence, tmp_path / "results")
    path = next(results.glob("runs/laptop/*/usage.json"))
    path.write_text(path.read_text() + " ")
    out = tmp_path / "new"
    assert main(["crate", "laptop", "--results", str(results), "--out", str(out)]) == 2
    assert "usage.json" in capsys.readouterr().err
    assert not out.exists()


@pytest.mark.worker
def test_without_the_library_one_line_says_what_to_install(evidence: Path, tmp_path: Path) -> None:
    code = (
        "import sys; sys.modules['rocrate'] = None; from repro.cli import main; "
        f"sys.exit(main(['crate', 'laptop', '--results', {str(evidence)!r}]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path, check=False
    )
    assert done.returncode == 2
    assert "pip install 'repro-harness[crate]'" in done.stderr.splitlines()[-1]
