"""Keep the evidence of a results folder in evidence/, without weights, as the repository carries
it; or lay it out to look at.

    .venv/bin/python ci/evidence.py keep RESULTS    finished runs of RESULTS → evidence/
    .venv/bin/python ci/evidence.py lay TARGET      evidence/ → TARGET, with a store over it

What is kept is what each run's marker lists, byte for byte, but for its weights; lists and seals go
with it. Logs do not: they hold the paths of the machine that made them, and are no evidence.
"""

import shutil
import sys
from pathlib import Path

from repro.evidence.folder import RunFolder
from repro.store.ingest import ingest, run_folders

KEPT = Path(__file__).resolve().parents[1] / "evidence"
BESIDE = ("asked", "seals")


def keep(results: Path) -> int:
    """Copy what the markers list; return the runs. Raises EvidenceError for a run that is not what
    its marker says.
    """
    shutil.rmtree(KEPT / "runs", ignore_errors=True)
    count = 0
    for path in run_folders(results):
        folder = RunFolder(path)
        marker = folder.done()
        if marker is None:
            continue
        folder.check(without_weights=True)
        for name in (
            *marker.digests,
            *(name for name in marker.files if not marker.is_weights(name)),
        ):
            target = KEPT / "runs" / path.relative_to(results / "runs") / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path / name, target)
        count += 1
    for name in BESIDE:
        shutil.rmtree(KEPT / name, ignore_errors=True)
        shutil.copytree(results / name, KEPT / name, copy_function=shutil.copyfile)
    return count


def lay(target: Path) -> int:
    """Make a results folder of it, where there is none; return the runs."""
    if target.exists():
        sys.exit(f"{target}: is there already; remove it, or name another folder")
    for name in ("runs", *BESIDE):
        shutil.copytree(KEPT / name, target / name)
    found = ingest(target)
    for line in found.refused:
        print(f"left out: {line}", file=sys.stderr)
    print(
        f"{found.runs} runs in {target}; weights of {found.absent} are not carried, the numbers "
        "are whole"
    )
    return found.runs


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["keep", given]:
            print(f"{keep(Path(given))} runs in {KEPT.name}/")
        case ["lay", given]:
            lay(Path(given))
        case _:
            sys.exit(__doc__)
