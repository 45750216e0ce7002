"""Measure how long a command takes to start, against importing the libraries it needs."""

import subprocess
import sys
import time
from statistics import median

from bench.table import Row, row

PAIRS = 15


def rows() -> list[Row]:
    """Compare `repro --help` with importing rich, duckdb and pydantic, in interleaved pairs of
    whole processes.
    """
    peer = [sys.executable, "-c", "import rich, rich.console, rich.table, duckdb, pydantic"]
    ours = [sys.executable, "-m", "repro", "--help"]
    pairs = [(seconds(ours), seconds(peer)) for _ in range(PAIRS + 1)][1:]
    ratio = median(a / b for a, b in pairs)
    note = f"median of {PAIRS} pairs; help takes {median(a for a, _ in pairs):.2f} s"
    return [row("repro --help / importing rich + duckdb + pydantic", ratio, "×", 1.5, True, note)]


def seconds(command: list[str]) -> float:
    """Return the wall time of one process."""
    begin = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True)
    return time.perf_counter() - begin
