"""Compare the measurements of two results folders, run by run: `python ci/compare.py EXPERIMENT ONE OTHER`.

Every number must agree to 1e-6 relative, every missing number must be missing for the same reason. Says how many are
the same bits. Exit 0 when they agree, 1 when not, 2 when a run of one folder has no twin in the other.
"""

import sys
from pathlib import Path

from repro.evidence.folder import RunFolder
from repro.evidence.request import read_request
from repro.measurement import Measurement

RELATIVE = 1e-6


def finished(results: Path, experiment: str) -> dict[str, RunFolder]:
    """The finished runs of an experiment by slot; each folder is checked against its own marker."""
    found = {}
    for marker in sorted((results / "runs" / experiment).glob("*/done.json")):
        folder = RunFolder(marker.parent)
        folder.check()
        found[read_request(folder.path).slot] = folder
    return found


def rows(folder: RunFolder) -> dict[tuple[object, ...], Measurement]:
    """Every measurement by what it measures."""
    steps = sorted(int(path.stem) for path in (folder.path / "steps").glob("*.parquet"))
    every = [row for step in steps for row in folder.measurements(step)]
    return {tuple(row.model_dump(exclude={"value", "reason"}).values()): row for row in every}


def main(experiment: str, one: str, other: str) -> int:
    """Compare, and say what was found."""
    left, right = finished(Path(one), experiment), finished(Path(other), experiment)
    if not left or set(left) != set(right):
        print(f"{experiment}: found runs {sorted(left)} and {sorted(right)}, expected the same")
        return 2
    numbers = same = 0
    worst, apart = 0.0, []
    for slot in left:
        first, second = rows(left[slot]), rows(right[slot])
        for key in first.keys() | second.keys():
            a, b = first.get(key), second.get(key)
            if a is None or b is None or a.reason != b.reason or (a.value is None) != (b.value is None):
                apart.append(f"{slot} {key}: {a} and {b}")
            elif a.value is not None and b.value is not None:
                gap = abs(a.value - b.value) / max(abs(a.value), abs(b.value), 1e-300)
                numbers, same, worst = numbers + 1, same + (a.value == b.value), max(worst, gap)
                if gap > RELATIVE:
                    apart.append(f"{slot} {key}: {a.value!r} and {b.value!r}")
    print(f"{experiment}: {len(left)} runs, {numbers} numbers, {same} the same bits, largest relative gap {worst:.1e}")
    print("\n".join(apart[:10]))
    return 1 if apart else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:4]))
