"""`repro push` and `repro pull` as a user gives them."""

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

Command = Callable[..., subprocess.CompletedProcess[str]]
KEPT = Path(__file__).resolve().parents[2] / "evidence"


def test_the_commands_say_what_came_of_it(repro: Command, tmp_path: Path) -> None:
    url, carried = str(tmp_path / "shelf"), tmp_path / "carried"
    shutil.copytree(KEPT / "runs/canary_entropies", carried / "runs/canary_entropies")
    done = repro("push", url, results=carried)
    assert done.returncode == 0
    assert "3 folders in" in done.stdout
    assert "3 folders pulled" in repro("pull", url).stdout
    none = repro("pull", url, "smoke")
    assert none.returncode == 2
    assert "no evidence of smoke there" in none.stderr
