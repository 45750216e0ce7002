"""Leave out a heavy stage of .ci/run while nothing that it depends on has changed since it passed.

    python ci/passed.py ask STAGE SECONDS_LEFT   0: it has to run · 3 and a line: it is left out
    python ci/passed.py note STAGE SECONDS       record that it passed on what lies here

What a stage depends on is the code that its rooms reach by their imports, and files. The record,
ci/passed.json, belongs to the repository: it holds a digest of them, the day, and how long it took.
It is believed for two weeks, since mirrors, indexes and kernels change by themselves. A stage that
would end after the hour is left out too. ALL=1 runs every stage whatever is recorded.
"""

import ast
import json
import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TypedDict

from repro.files import digest, file_digest, write_json
from repro.plan.code import PACKAGE, worker_code

ROOT = PACKAGE.parent
RECORD = ROOT / "ci" / "passed.json"
HEAVY = ROOT / "ci" / "heavy_tests.txt"
DAYS = 14
LEFT_OUT = 3
UNKNOWN = 300
"""Seconds that a stage is taken to need of which no record says how long it takes."""


@dataclass(frozen=True)
class Needs:
    """What a stage depends on: rooms of repro/ with all that they import, and files or folders."""

    rooms: Sequence[str]
    paths: Sequence[str]


class Passed(TypedDict):
    """When a stage passed last, how many seconds it took, and the digest of what it depends on."""

    day: str
    seconds: int
    state: str


RUNNING = ("worker", "execute", "fetch")
"""Rooms that carry out a run."""
SMOKE = (
    "manifests/smoke.yaml",
    "manifests/models.yaml",
    "manifests/datasets.yaml",
    "probes",
    "requirements",
)
CANARIES = ("ci/canary.yaml", "ci/canary_entropies.yaml", "ci/canary_packing.yaml")
COMPARED = ("ci/edition.py", "ci/given.py", "ci/compare.py")
ENGINE = ("docker", "ci/engine.sh", "tests/execute", "tests/machine/test_moved.py")
SET_UP = ("Makefile", "pyproject.toml", "ci/setup.sh", "ci/setup.py", "ci/torch_cpu.lock")


def heavy_tests(listed: Path = HEAVY) -> list[str]:
    """Return the modules of tests that make test LIGHT=1 leaves out, as ci/heavy_tests.txt lists
    them.
    """
    lines = listed.read_text(encoding="utf-8").splitlines()
    return [line.split()[0] for line in lines if line.strip() and not line.startswith("#")]


def stages() -> dict[str, Needs]:
    """Return what each heavy stage depends on, by its name."""
    return {
        "edition": Needs(("worker",), (*SMOKE, *CANARIES, *COMPARED)),
        "heavy-tests": Needs((*RUNNING, "store"), (*SMOKE, *CANARIES, *COMPARED, *heavy_tests())),
        "browser": Needs(("report",), ("ci/browser.sh", "evidence", "tests/report/page")),
        "strange-machine": Needs(RUNNING, (*SMOKE, *SET_UP, "ci/strange_machine.sh")),
        "containers": Needs(RUNNING, (*SMOKE, *ENGINE, *COMPARED, "ci/container.sh")),
        "cuda-image": Needs(
            ("execute/images",), ("docker", "requirements", "ci/cuda.sh", "ci/engine.sh")
        ),
        "cluster": Needs(RUNNING, (*SMOKE, *ENGINE, *COMPARED, "ci/slurm.sh")),
        "s3": Needs(("share",), ("ci/s3.sh", "tests/share")),
    }


def state(needs: Needs) -> str:
    """Return the digest of all that a stage depends on: Python as syntax trees, other files as
    bytes.
    """
    code: dict[str, str] = {}
    for room in needs.rooms:
        for path in sorted((PACKAGE / room).rglob("*.py")):
            module = ".".join(path.relative_to(ROOT).with_suffix("").parts)
            code |= worker_code(module.removesuffix(".__init__"))
    files = {str(path.relative_to(ROOT)): _content(path) for path in _files(needs.paths)}
    return digest([code, files])


def _content(path: Path) -> str:
    """Return the digest of a file; one of Python's may be formatted otherwise."""
    if path.suffix == ".py":
        return digest(ast.dump(ast.parse(path.read_bytes())))
    return file_digest(path)


def _files(names: Sequence[str]) -> Iterator[Path]:
    """Yield every file of these files and folders. Raises FileNotFoundError for one that is not
    there, which would otherwise never change.
    """
    for name in names:
        path = ROOT / name
        if not path.exists():
            raise FileNotFoundError(f"ci/passed.py: found no {name}, which a stage depends on")
        parts = sorted(path.rglob("*")) if path.is_dir() else [path]
        yield from (part for part in parts if part.is_file() and "__pycache__" not in part.parts)


def ask(stage: str, left: float, record: Path = RECORD, today: date | None = None) -> str:
    """Return why a stage is left out, in a line; nothing where it has to run.

    `left`: seconds until the hour is over.
    """
    known = _read(record).get(stage)
    seconds = known["seconds"] if known else UNKNOWN
    if known and known["state"] == state(stages()[stage]):
        age = ((today or datetime.now(UTC).date()) - date.fromisoformat(known["day"])).days
        if age <= DAYS:
            return (
                f"left out: nothing that it depends on has changed since it passed on "
                f"{known['day']}, in {seconds} s"
            )
    if seconds > left:
        return f"left out: it takes {seconds} s, and {max(0, left):.0f} s are left of the hour"
    return ""


def note(stage: str, seconds: int, record: Path = RECORD) -> None:
    """Record that a stage passed today on what lies here."""
    content = _read(record)
    content[stage] = {
        "day": datetime.now(UTC).date().isoformat(),
        "seconds": seconds,
        "state": state(stages()[stage]),
    }
    write_json(record, dict(sorted(content.items())))


def _read(record: Path) -> dict[str, Passed]:
    """Return the record; an empty one where there is none yet."""
    if not record.is_file():
        return {}
    content: dict[str, Passed] = json.loads(record.read_text(encoding="utf-8"))
    return content


def main(words: Sequence[str]) -> int:
    """Carry out a verb, and return the exit code."""
    match words:
        case ["ask", stage, left] if stage in stages():
            why = "" if os.environ.get("ALL") else ask(stage, float(left))
            if why:
                print(why)
            return LEFT_OUT if why else 0
        case ["note", stage, seconds] if stage in stages():
            note(stage, int(seconds))
            return 0
        case _:
            print(f"{(__doc__ or '').strip()}\n\nstages: {', '.join(stages())}")
            return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
