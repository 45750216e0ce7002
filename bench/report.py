"""Time the report: every claim against a store of 500 runs, as a whole command in its own process.

The page is the time of judging and a little more; `verify` has rows of its own.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

from bench.table import Row, row
from bench.verify import ROUNDS, fill
from repro.claims.papers import load_claims

RUNS = 500
BAR_SECONDS, BAR_MEGABYTES = 2.0, 3.0
CODE = (
    "import sys, time; start = time.perf_counter(); from repro.cli import main; "
    "code = main(['report', '--results', sys.argv[1], '--out', sys.argv[2]]); "
    "print(time.process_time(), time.perf_counter() - start, file=sys.stderr); sys.exit(code)"
)


def rows() -> list[Row]:
    """Return the rows of the speed table about the report."""
    claims = load_claims()
    what = f"report, {len(claims)} claims, {RUNS} runs"
    with tempfile.TemporaryDirectory() as folder:
        results, page = Path(folder) / "results", Path(folder) / "report.html"
        fill(results, claims, RUNS)
        # The first round fills the cache that every further call reads.
        processor, whole = min([_seconds(results, page) for _ in range(ROUNDS + 1)][1:])
        size = page.stat().st_size / 1e6
    note = f"whole command {whole:.2f} s"
    return [
        row(f"{what}, processor", processor, "s", BAR_SECONDS, True, note),
        row(f"{what}, page", size, "MB", BAR_MEGABYTES, True),
    ]


def _seconds(results: Path, page: Path) -> tuple[float, float]:
    """Return the seconds of processor and of clock that the command takes."""
    done = subprocess.run(
        [sys.executable, "-c", CODE, str(results), str(page)],
        capture_output=True,
        text=True,
        check=True,
    )
    processor, whole = done.stderr.split()[-2:]
    return float(processor), float(whole)


if __name__ == "__main__":
    for line in rows():
        print(
            f"{line['name']}: {line['value']:.3g} {line['unit']} (bar {line['bar']}) {line['note']}"
        )
