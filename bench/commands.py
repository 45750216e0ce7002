"""How long a command takes to appear, against importing the libraries it cannot do without."""

import subprocess
import sys
import time
from statistics import median
from typing import Any

PAIRS = 15


def rows() -> list[dict[str, Any]]:
    """`repro --help` against importing rich, duckdb and pydantic, in interleaved pairs of whole processes."""
    peer = [sys.executable, "-c", "import rich, rich.console, rich.table, duckdb, pydantic"]
    ours = [sys.executable, "-m", "repro", "--help"]
    pairs = [(seconds(ours), seconds(peer)) for _ in range(PAIRS + 1)][1:]
    ratio = median(a / b for a, b in pairs)
    return [
        {
            "name": "repro --help / importing rich + duckdb + pydantic",
            "value": ratio,
            "unit": "×",
            "bar": "≤ 1.5",
            "holds": ratio <= 1.5,
            "note": f"median of {PAIRS} pairs; help takes {median(a for a, _ in pairs):.2f} s",
        }
    ]


def seconds(command: list[str]) -> float:
    """Wall time of one process."""
    begin = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True)
    return time.perf_counter() - begin
