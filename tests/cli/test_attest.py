"""`repro attest` and `repro verify --trust` as a user gives them."""

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

pytest.importorskip("cryptography")
ROOT = Path(__file__).resolve().parents[2]


def test_the_commands_sign_and_trust(
    tmp_path: Path,
    repro: Callable[..., subprocess.CompletedProcess[str]],
    helper: Callable[[str], ModuleType],
) -> None:
    results, name = tmp_path / "results", str(ROOT / "ci/canary_entropies.yaml")
    shutil.copytree(ROOT / "evidence/runs/canary_entropies", results / "runs/canary_entropies")
    for key in ("mine", "other"):
        helper("share/key_files.py").write_pair(tmp_path / key)
    assert repro("ingest", results=results).returncode == 0
    done = repro("attest", name, "--key", str(tmp_path / "mine"), results=results)
    assert done.returncode == 0, done.stderr
    assert "3 runs" in done.stdout
    trusted = repro("verify", name, "--trust", str(tmp_path / "mine.pub"), results=results)
    assert trusted.returncode in (0, 3), trusted.stderr
    (said,) = (x for x in (results / "statements").glob("*/*") if x.stem[:12] in trusted.stderr)
    assert f"covered by the statements {said.stem[:12]}" in trusted.stderr
    assert f"in {said.stem[:12]}" in done.stdout, "by which a reader knows it"
    refused = repro("verify", name, "--trust", str(tmp_path / "other.pub"), results=results)
    assert refused.returncode == 2
    assert len(refused.stderr.splitlines()) == 1
    harmed = next(results.rglob("usage.json"))
    harmed.write_text("{}")
    damaged = repro("attest", name, "--key", str(tmp_path / "mine"), results=results)
    assert damaged.returncode == 2
    assert f"nothing is signed: {harmed}: found" in damaged.stderr
