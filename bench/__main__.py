"""`make bench`: speeds as ratios against peers, in one run. Prints a table and writes build/bench.json.

`python -m bench NAME …` runs only some of them. No test depends on a time; a bar that is missed is reported, not hidden.
"""

import json
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table

NAMES = ("commands", "verify", "geometry", "training", "capture")
OUTPUT = Path(__file__).resolve().parents[1] / "build" / "bench.json"


def main() -> int:
    """Run the benchmarks that were named, or all."""
    rows: list[dict[str, Any]] = []
    for name in sys.argv[1:] or NAMES:
        print(f"bench: {name}", flush=True)
        rows += import_module(f"bench.{name}").rows()
    OUTPUT.parent.mkdir(exist_ok=True)
    OUTPUT.write_text(json.dumps(rows, indent=1) + "\n")
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for column in ("what", "found", "bar", "holds", "note"):
        table.add_column(column, overflow="fold")
    for row in rows:
        found = f"{row['value']:.4g} {row['unit']}"
        table.add_row(row["name"], found, str(row["bar"]), "yes" if row["holds"] else "NO", row["note"])
    Console(width=180).print(table)
    print(f"written to {OUTPUT}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
