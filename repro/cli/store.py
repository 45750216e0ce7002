"""Verbs about the store: ingest, sql."""

import argparse
import os
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

from repro.cli.verbs import Verbs, take_format, take_results

_NAMED = 20
"""Files of one kind that are named one by one."""


def add(verbs: Verbs) -> None:
    """Register the verbs."""
    ingest = verbs.add_parser("ingest", help="rebuild the store from the run folders")
    take_results(ingest)
    ingest.add_argument(
        "--new",
        action="store_true",
        help="read only folders that are new, or whose files have other sizes or times than last time",
    )
    ingest.set_defaults(run=_ingest)
    sql = verbs.add_parser("sql", help="ask the store; read-only, no files, no network")
    sql.add_argument("query", metavar="QUERY")
    take_format(sql, "json")
    sql.add_argument(
        "--timeout",
        metavar="S",
        type=float,
        default=60.0,
        help="seconds for the query (default: 60)",
    )
    sql.add_argument(
        "--safe-csv",
        action="store_true",
        help="with --format csv: a quote before what a spreadsheet would run",
    )
    take_results(sql)
    sql.set_defaults(run=_sql)


def _ingest(given: argparse.Namespace) -> int:
    """Rebuild the store; return 0 when every folder is in it, 3 when some were left out.

    Raises ReproError when there is no store.
    """
    from repro.evidence.lock import exclusive
    from repro.execute.folders import results_to_read
    from repro.store.check import UNLISTED
    from repro.store.ingest import ingest

    results = results_to_read(given.results)
    with exclusive(results, "ingest"):
        found = ingest(results, only_new=given.new)
    _tell(found.unlisted, UNLISTED)
    for line in found.told:
        _note(line)
    if found.absent:
        _note(f"weights of {_count(found.absent)} are absent; the evidence of numbers is whole")
    for line in found.refused:
        _note(f"left out: {line}")
    left_out = f", {_count(len(found.refused))} left out" if found.refused else ""
    kept = f", {found.kept} of them unchanged since the last time" if found.kept else ""
    sent = f", {found.supplied} of supplied files" if found.supplied else ""
    print(f"{_count(found.runs)}{sent} in {results / 'repro.duckdb'}{kept}{left_out}")
    return 3 if found.refused else 0


def _tell(paths: Iterable[Path], words: str) -> None:
    given = list(paths)
    for path in given[:_NAMED]:
        _note(f"{path}: {words}")
    if len(given) > _NAMED:
        _note(f"and {len(given) - _NAMED} more such files")


def _note(words: str) -> None:
    from repro.plain import one_line

    print(f"repro ingest: {one_line(words)}", file=sys.stderr)


def _count(runs: int) -> str:
    return "1 run" if runs == 1 else f"{runs} runs"


def _sql(given: argparse.Namespace) -> int:
    """Answer a query in a process of its own, with limits of time and memory. Raises ReproError."""
    from repro.cli.limited import run_limited
    from repro.errors import InputError
    from repro.execute.folders import results_to_read

    if given.safe_csv and given.format != "csv":
        raise InputError(
            f"--safe-csv: found with --format {given.format}, expected csv; leave it out, or "
            "add --format csv"
        )
    if not 0 < given.timeout < 1e6:
        raise InputError(f"--timeout: found {given.timeout:g}, expected seconds above 0")
    results, memory = results_to_read(given.results), _gibibytes()
    return run_limited(lambda: _answer(given, results, memory), given.timeout, memory)


def _answer(given: argparse.Namespace, results: Path, gibibytes: float) -> Callable[[], int]:
    """Carry out the query; return what prints its answer."""
    from repro.errors import EvidenceError, InputError
    from repro.report.terminal.rows import MOST_ROWS, ROWS_SHOWN, print_rows
    from repro.store.database import query
    from repro.store.seal import check_seal

    most = ROWS_SHOWN if given.format == "table" else MOST_ROWS
    columns, rows = query(
        results, _as_text(given.query), most + 1, f"SET memory_limit = '{gibibytes / 2:.2f}GiB'"
    )
    if len(rows) > most and given.format != "table":
        raise InputError(
            f"found more than {most:,} rows; ask for less: a WHERE, a LIMIT, or one part after "
            "the other"
        )
    try:
        check_seal(results)
    except EvidenceError as problem:
        print(f"repro sql: {problem}", file=sys.stderr)

    def show() -> int:
        print_rows(columns, rows, given.format, given.safe_csv)
        return 0

    return show


def _as_text(argument: str) -> str:
    """Return an argument as it was typed.

    In a locale without UTF-8 Python keeps its bytes as halves of characters.
    """
    from repro.errors import InputError

    try:
        return os.fsencode(argument).decode("utf-8")
    except UnicodeDecodeError as error:
        raise InputError(
            f"the query is no text in UTF-8 (byte {error.start + 1}); write it again"
        ) from None


def _gibibytes() -> float:
    """Return the memory for one query: half of what is free, between 1 and 8 GiB."""
    import psutil

    free: float = psutil.virtual_memory().available / 2**30
    return min(max(free / 2, 1.0), 8.0)
