"""Verbs about the store: ingest, sql."""

import argparse
import sys

from repro.cli.verbs import Verbs


def add(verbs: Verbs) -> None:
    """Register the verbs."""
    ingest = verbs.add_parser("ingest", help="rebuild the store from the run folders")
    ingest.add_argument("--results", metavar="DIR", help="evidence folder (default: REPRO_RESULTS or results/)")
    ingest.set_defaults(run=_ingest)
    sql = verbs.add_parser("sql", help="ask the store; read-only, no files, no network")
    sql.add_argument("query", metavar="QUERY")
    sql.add_argument("--format", choices=("table", "csv", "json"), default="table")
    sql.add_argument("--results", metavar="DIR", help="evidence folder (default: REPRO_RESULTS or results/)")
    sql.set_defaults(run=_sql)


def _ingest(given: argparse.Namespace) -> int:
    from repro.evidence.lock import exclusive
    from repro.execute.folders import results_to_read
    from repro.store.ingest import ingest

    results = results_to_read(given.results)
    with exclusive(results, "ingest"):
        found = ingest(results)
    for line in found.refused:
        print(f"repro ingest: left out: {line}", file=sys.stderr)
    runs = "1 run" if found.runs == 1 else f"{found.runs} runs"
    print(f"{runs} in {results / 'repro.duckdb'}")
    return 2 if found.refused else 0


def _sql(given: argparse.Namespace) -> int:
    from repro.execute.folders import results_to_read
    from repro.report.rows import print_rows
    from repro.store.database import query

    columns, rows = query(results_to_read(given.results), given.query)
    print_rows(columns, rows, given.format)
    return 0
