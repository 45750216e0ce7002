"""Verbs about the store: ingest, sql."""

import argparse
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

from repro.cli.verbs import Verbs

NAMED = 20
"""Files of one kind that are named one by one."""


def add(verbs: Verbs) -> None:
    """Register the verbs."""
    ingest = verbs.add_parser("ingest", help="rebuild the store from the run folders")
    ingest.add_argument("--results", metavar="DIR", help="evidence folder (default: REPRO_RESULTS or results/)")
    ingest.set_defaults(run=_ingest)
    sql = verbs.add_parser("sql", help="ask the store; read-only, no files, no network")
    sql.add_argument("query", metavar="QUERY")
    sql.add_argument("--format", choices=("table", "csv", "json"), default="table")
    sql.add_argument("--timeout", metavar="S", type=float, default=60.0, help="seconds for the query (default: 60)")
    sql.add_argument(
        "--safe-csv", action="store_true", help="with --format csv: a quote before what a spreadsheet would run"
    )
    sql.add_argument("--results", metavar="DIR", help="evidence folder (default: REPRO_RESULTS or results/)")
    sql.set_defaults(run=_sql)


def _ingest(given: argparse.Namespace) -> int:
    """0 when every folder is in the store, 3 when some were left out. Raises ReproError when there is no store."""
    from repro.evidence.lock import exclusive
    from repro.execute.folders import results_to_read
    from repro.store.ingest import ingest

    results = results_to_read(given.results)
    with exclusive(results, "ingest"):
        found = ingest(results)
    _tell(found.unlisted, "no marker lists it, it changes nothing")
    if found.absent:
        _note(f"weights of {_count(found.absent)} are absent; the evidence of numbers is whole")
    for line in found.refused:
        _note(f"left out: {line}")
    left_out = f", {_count(len(found.refused))} left out" if found.refused else ""
    print(f"{_count(found.runs)} in {results / 'repro.duckdb'}{left_out}")
    return 3 if found.refused else 0


def _tell(paths: Iterable[Path], words: str) -> None:
    given = list(paths)
    for path in given[:NAMED]:
        _note(f"{path}: {words}")
    if len(given) > NAMED:
        _note(f"and {len(given) - NAMED} more such files")


def _note(words: str) -> None:
    from repro.plain import one_line

    print(f"repro ingest: {one_line(words)}", file=sys.stderr)


def _count(runs: int) -> str:
    return "1 run" if runs == 1 else f"{runs} runs"


def _sql(given: argparse.Namespace) -> int:
    """Answer one query, in a process of its own with limits of time and memory. Raises ReproError."""
    from repro.cli.limited import limited
    from repro.errors import InputError
    from repro.execute.folders import results_to_read

    if given.safe_csv and given.format != "csv":
        raise InputError(
            f"--safe-csv: found with --format {given.format}, expected csv; leave it out, or add --format csv"
        )
    if not 0 < given.timeout < 1e6:
        raise InputError(f"--timeout: found {given.timeout:g}, expected seconds above 0")
    results, memory = results_to_read(given.results), _gibibytes()
    fix = "ask for less (a WHERE, a LIMIT), or give more time (--timeout S)"
    return limited(lambda: _answer(given, results, memory), given.timeout, memory, fix)


def _answer(given: argparse.Namespace, results: Path, gibibytes: float) -> Callable[[], int]:
    """Carry out the query; what is left is to print."""
    from repro.errors import EvidenceError, InputError
    from repro.report.rows import MOST, SHOWN, print_rows
    from repro.store.database import query
    from repro.store.seal import check_seal

    most = SHOWN if given.format == "table" else MOST
    columns, rows = query(results, given.query, most + 1, f"SET memory_limit = '{gibibytes / 2:.2f}GiB'")
    if len(rows) > most and given.format != "table":
        raise InputError(f"found more than {most:,} rows; ask for less: a WHERE, a LIMIT, or one part after the other")
    try:
        check_seal(results)
    except EvidenceError as problem:
        print(f"repro sql: {problem}", file=sys.stderr)

    def show() -> int:
        print_rows(columns, rows, given.format, given.safe_csv)
        return 0

    return show


def _gibibytes() -> float:
    """Memory for one query: half of what is free, between 1 and 8 GiB."""
    import psutil

    free: float = psutil.virtual_memory().available / 2**30
    return min(max(free / 2, 1.0), 8.0)
