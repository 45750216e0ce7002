"""Record what only the host knows of an attempt: the commit of its sources, the runner, and whether
the model fits the memory there.

host.json lies beside the request, and the worker copies it into provenance.json: in a container
there is no git.
"""

import os
import subprocess
from functools import cache
from pathlib import Path

from repro.evidence.folder import Loading, RunFolder
from repro.files import write_json
from repro.shipped import ROOT

_UNKNOWN: dict[str, str | bool] = {"commit": "unknown", "dirty": "unknown"}


def note_host(folder: RunFolder, runner: str, loaded: Loading = "whole") -> None:
    """Write host.json for the next worker in this folder, with how it is to load the model."""
    write_json(folder.path / "host.json", {**commit(ROOT), "runner": runner, "loaded": loaded})


@cache
def commit(root: Path) -> dict[str, str | bool]:
    """Return the commit checked out at `root`, and whether anything differs from it.

    Unknown without git.
    """
    # Installed as a package, perhaps inside another project's checkout.
    if not (root / ".git").exists():
        return _UNKNOWN
    head, changes = _git(root, "rev-parse", "HEAD"), _git(root, "status", "--porcelain")
    if head is None or changes is None:
        return _UNKNOWN
    return {"commit": head.strip(), "dirty": bool(changes.strip())}


def _git(root: Path, *words: str) -> str | None:
    """Return the output of a git command; None where it fails or git is missing."""
    # A hook runs with GIT_DIR and the like, which name its own repository whatever -C says.
    plain = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    try:
        done = subprocess.run(
            ["git", "-C", str(root), *words],
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            check=False,
            env=plain,
        )
    except FileNotFoundError:
        return None
    return done.stdout if done.returncode == 0 else None
