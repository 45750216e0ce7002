"""`repro diff A B`: what differs between two results folders, and whether it is more than noise."""

import argparse
import json

from repro.cli.verbs import Verbs, own_path, take_papers


def add(verbs: Verbs) -> None:
    """Register the verb."""
    verb = verbs.add_parser(
        "diff",
        help="what differs between two results folders, and why",
        description="Compare two results folders: runs, numbers, verdicts. Exit code 0: nothing but "
        "noise · 1: something "
        "differs · 3: too little is there to tell.",
    )
    verb.add_argument("first", type=own_path, metavar="A", help="a results folder")
    verb.add_argument("second", type=own_path, metavar="B", help="another one")
    form = verb.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="every cell that differs")
    form.add_argument("--markdown", action="store_true", help="for a pull request")
    take_papers(verb)
    verb.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    """Print the difference; return 0 for mere noise, 1 for a difference, 3 for too little.

    Raises EvidenceError for what is no results folder.
    """
    from repro.api.asked import asked_claims
    from repro.plain import plain
    from repro.report.export.difference import difference_markdown, lines, record
    from repro.store.ingest import build_index
    from repro.verify.assess import assess
    from repro.verify.difference import difference

    asked = asked_claims(None, arguments.papers)
    with (
        build_index(arguments.first) as (one, first),
        build_index(arguments.second) as (other, second),
    ):
        before, after = (
            assess(asked.claims, side, everything=asked.everything, tests=False)
            for side in (one, other)
        )
        found = difference(one, other, (*first.refused, *second.refused), (before, after))
    if arguments.json:
        print(json.dumps(record(found), indent=1, ensure_ascii=False, allow_nan=False))
    else:
        print(
            plain(
                difference_markdown(found) if arguments.markdown else "\n".join(lines(found)) + "\n"
            ),
            end="",
        )
    return found.code
