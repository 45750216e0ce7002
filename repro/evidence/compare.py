"""Compare the measurements of two results folders, run by run."""

from dataclasses import dataclass
from pathlib import Path

from repro.errors import EvidenceError
from repro.evidence.folder import RunFolder
from repro.evidence.measurement import Measurement
from repro.evidence.request import read_request

_Rows = dict[tuple[object, ...], Measurement]


@dataclass(frozen=True)
class FolderComparison:
    """The agreement of the numbers of two folders."""

    runs: int
    numbers: int
    """Values that both folders have."""
    same: int
    """Number of these with the same bits."""
    worst: float
    """Largest gap, relative to the larger value."""
    apart: tuple[str, ...]
    """What differs by more than is allowed, or is undefined in only one folder or for different
    reasons.
    """

    def words(self) -> str:
        """Return the figures in one sentence."""
        same = f"{self.numbers} numbers, {self.same} the same bits"
        return f"{self.runs} runs, {same}, largest relative gap {self.worst:.1e}"


def compare_folders(
    experiment: str, one: Path, other: Path, allowed: float = 0.0
) -> FolderComparison:
    """Compare the finished runs of two results folders; `allowed` is a relative gap.

    Raises EvidenceError unless both folders have finished the same runs.
    """
    left, right = _finished(one, experiment), _finished(other, experiment)
    if not left or set(left) != set(right):
        raise EvidenceError(
            f"{experiment}: {one} has finished runs {sorted(left)}, {other} has "
            f"{sorted(right)}, expected the same"
        )
    numbers = same = 0
    worst, apart = 0.0, []
    for slot in left:
        first, second = _rows(left[slot]), _rows(right[slot])
        for key in first.keys() | second.keys():
            a, b = first.get(key), second.get(key)
            if (
                a is None
                or b is None
                or a.reason != b.reason
                or (a.value is None) != (b.value is None)
            ):
                apart.append(f"{slot} {key}: {a} and {b}")
            elif a.value is not None and b.value is not None:
                gap = abs(a.value - b.value) / max(abs(a.value), abs(b.value), 1e-300)
                numbers, same, worst = numbers + 1, same + (a.value == b.value), max(worst, gap)
                if gap > allowed:
                    apart.append(f"{slot} {key}: {a.value!r} and {b.value!r}")
    return FolderComparison(len(left), numbers, same, worst, tuple(apart))


def _finished(results: Path, experiment: str) -> dict[str, RunFolder]:
    """Return the finished runs of an experiment by slot, each checked against its own marker."""
    found = {}
    for marker in sorted((results / "runs" / experiment).glob("*/done.json")):
        folder = RunFolder(marker.parent)
        folder.check()
        found[read_request(folder.path).slot] = folder
    return found


def _rows(folder: RunFolder) -> _Rows:
    """Return every measurement by what it measures."""
    steps = sorted(int(path.stem) for path in (folder.path / "steps").glob("*.parquet"))
    every = [row for step in steps for row in folder.measurements(step)]
    return {tuple(row.model_dump(exclude={"value", "reason"}).values()): row for row in every}
