"""Run the project's commands as a user does, in a results folder of their own."""

import os
import subprocess
import sys
from pathlib import Path

from bench.gpu.scale import Scale

ROOT = Path(__file__).resolve().parents[2]
RESULTS = ROOT / "build" / "gpu" / "results"
_CALL = "import sys; from repro.cli import main; sys.exit(main())"


def repro(
    *words: str, results: Path = RESULTS, hidden: bool = False, codes: tuple[int, ...] = (0,)
) -> str:
    """Run a command and return what it prints. `hidden`: it finds no card.

    Raises RuntimeError where its code is none of `codes`.
    """
    here = {**os.environ, "REPRO_RESULTS": str(results)}
    if hidden:
        here["CUDA_VISIBLE_DEVICES"] = ""
    done = subprocess.run(
        [sys.executable, "-c", _CALL, *words],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env=here,
        check=False,
    )
    if done.returncode not in codes:
        last = (done.stderr.strip() or done.stdout.strip() or "no words").splitlines()[-1]
        raise RuntimeError(f"repro {' '.join(words)} ended with {done.returncode}: {last}")
    return done.stdout


def run_smoke(
    scale: Scale, only: str = "*", *, results: Path = RESULTS, hidden: bool = False
) -> list[Path]:
    """Carry out runs of the smoke manifest. Return their folders, by name.

    Packages that are not the lock's go into the runs' names, and stop nothing.
    """
    given = ["--only", only, "--runner", "local", "--other-packages"]
    repro("run", "smoke", *given, results=results, hidden=hidden or scale.rehearsed)
    return sorted(path for path in (results / "runs" / "smoke").glob(f"{only}-????????????"))


def slot(folder: Path) -> str:
    """Return a run's folder without the digits of its name."""
    return folder.name.rsplit("-", 1)[0]
