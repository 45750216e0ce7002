"""`make bench`: speeds as ratios against peers, in one run.

Prints a table and writes build/bench.json. `python -m bench NAME …` runs only some of them. No test
depends on a time; a missed bar is reported, not hidden. Each module has its own process and time
limit, so that none is measured in what another left behind, and none loses the others' results.
"""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from rich import box
from rich.console import Console
from rich.table import Table

from bench.table import Row, missing

NAMES = (
    "commands",
    "verify",
    "report",
    "geometry",
    "training",
    "capture",
    "plan",
    "evaluation",
    "entropy",
    "walk",
)
OUTPUT = Path(__file__).resolve().parents[1] / "build" / "bench.json"
LIMIT_SECONDS = 1500
"""On two slow cores, the race of training takes eleven minutes."""
COMPILED = {name: kept for name, kept in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
"""Modules are compiled once, as an installation does: not again in each command that is timed."""
CHILD = (
    "import json, sys; from importlib import import_module; "
    "print(json.dumps(import_module(sys.argv[1]).rows()))"
)


def main() -> int:
    """Run the named benchmarks, or all."""
    unknown = sorted(set(sys.argv[1:]) - set(NAMES))
    if unknown:
        print(f"bench: no module {unknown[0]!r}; there are {', '.join(NAMES)}.", file=sys.stderr)
        return 2
    found: list[Row] = []
    begin = time.monotonic()
    for name in sys.argv[1:] or NAMES:
        start = time.monotonic()
        found += measured(name)
        print(f"bench: {name} in {time.monotonic() - start:.0f} s", flush=True)
    OUTPUT.parent.mkdir(exist_ok=True)
    OUTPUT.write_text(json.dumps(found, indent=1, allow_nan=False) + "\n")
    show(found)
    print(f"written to {OUTPUT} after {time.monotonic() - begin:.0f} s")
    return 0


def measured(name: str) -> list[Row]:
    """Return the rows of one module, or one row with the reason why there are none."""
    command = [sys.executable, "-c", CHILD, f"bench.{name}"]
    process = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        text=True,
        cwd=OUTPUT.parents[1],
        env=COMPILED,
        start_new_session=True,
    )
    try:
        printed, _ = process.communicate(timeout=LIMIT_SECONDS)
    except subprocess.TimeoutExpired:
        # Its own processes too, which would slow whatever is measured next.
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        return [missing(name, f"not finished after {LIMIT_SECONDS} s")]
    if process.returncode:
        return [missing(name, f"failed with code {process.returncode}; its last words are above")]
    rows: list[Row] = json.loads(printed.splitlines()[-1])
    return rows


def show(found: list[Row]) -> None:
    """Print the table."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for column in ("what", "found", "bar", "holds", "note"):
        table.add_column(column, overflow="fold")
    for row in found:
        value = "–" if row["value"] is None else f"{row['value']:.4g} {row['unit']}"
        table.add_row(
            row["name"], value, str(row["bar"]), "yes" if row["holds"] else "NO", row["note"]
        )
    Console(width=180).print(table)


if __name__ == "__main__":
    sys.exit(main())
