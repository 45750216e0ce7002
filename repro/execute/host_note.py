"""What only the host knows of an attempt: which commit its sources are, and which runner carries it out.

It lies in host.json beside the request, and the worker takes it into provenance.json: in a container there is no git.
"""

import os
import subprocess
from functools import cache
from pathlib import Path

from repro.evidence.folder import RunFolder
from repro.files import write_json
from repro.shipped import ROOT

UNKNOWN: dict[str, str | bool] = {"commit": "unknown", "dirty": "unknown"}


def note_host(folder: RunFolder, runner: str) -> None:
    """Leave host.json for the worker that starts next in this folder."""
    write_json(folder.path / "host.json", {**commit(ROOT), "runner": runner})


@cache
def commit(root: Path) -> dict[str, str | bool]:
    """The commit that `root` is a checkout of, and whether anything in it differs; unknown where git does not say."""
    if not (root / ".git").exists():  # installed as a package, perhaps below somebody else's checkout
        return UNKNOWN
    head, changes = _git(root, "rev-parse", "HEAD"), _git(root, "status", "--porcelain")
    if head is None or changes is None:
        return UNKNOWN
    return {"commit": head.strip(), "dirty": bool(changes.strip())}


def _git(root: Path, *words: str) -> str | None:
    # A hook runs with GIT_DIR and the like, which name its own repository whatever -C says.
    plain = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    try:
        done = subprocess.run(["git", "-C", str(root), *words], capture_output=True, text=True, check=False, env=plain)
    except FileNotFoundError:
        return None
    return done.stdout if done.returncode == 0 else None
