"""`repro judge PAPER --values FILE.csv`: a paper's claims on per-seed values; no store, no run."""

import argparse
import json
from typing import TYPE_CHECKING

from repro.cli.verbs import Verbs, own_path, take_format, take_tables

if TYPE_CHECKING:
    pass

_WIDTH = 160
"""Columns of what is not shown on a terminal."""


def add(verbs: Verbs) -> None:
    """Register `judge`."""
    verb = verbs.add_parser(
        "judge", help="a paper's claims judged on per-seed values of your own; nothing is run"
    )
    verb.add_argument(
        "paper",
        metavar="PAPER",
        help="a paper under manifests/papers, or a folder with a paper.yaml",
    )
    verb.add_argument(
        "--values", metavar="FILE.csv", required=True, type=own_path,
        help="columns model, condition, seed, step, quantity, value, or in their place the axes "
        "that the paper's claims use; optional concept, probe_set, lambda, adapter, n …",
    )  # fmt: skip
    verb.add_argument(
        "--all", action="store_true", help="every claim, those without a value as well"
    )
    verb.add_argument(
        "--json", action="store_true", help='{"claims": [...], "counts": {...}}, as `repro verify`'
    )
    take_tables(verb)
    take_format(verb)
    verb.set_defaults(run=_judge)


def _judge(arguments: argparse.Namespace) -> int:
    """Print the verdicts; return 1 if one is contradicted, 3 for claims without values, else 0.

    Raises InputError for values that cannot be read, and where none is of a claim's cell.
    """
    from repro.api.judging import judge_by_values
    from repro.claims.papers import find_paper
    from repro.cli.output import note
    from repro.cli.verify import print_listing
    from repro.verify.assess import counts, exit_code

    paper = find_paper(arguments.paper, numbers_alone=True)
    verdicts, audit = judge_by_values(paper, arguments.values, arguments.json, note)
    if arguments.json:
        content = {
            "claims": [verdict.model_dump(mode="json") for verdict in verdicts],
            "counts": counts(verdicts),
        }
        print(json.dumps(content, ensure_ascii=False, indent=1))
    elif arguments.tables is not None or arguments.format != "table":
        print_listing(verdicts, paper.claims, [paper], arguments)
    else:
        from repro.report.terminal.console import literal
        from repro.report.terminal.verify import show_verdicts

        more = "" if arguments.all else "`--all` lists every claim, "
        show_verdicts(
            verdicts, audit, literal(_WIDTH, highlight=False), everything=arguments.all,
            then=f"{more}`--json` has p of each and what these values could have told.",
        )  # fmt: skip
    return exit_code(verdicts)
